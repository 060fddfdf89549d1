"""One network on disk: a ``.pt`` of plain values, written atomically, read strictly.

    {"format": "interp", "version": 1, "step": int, "seed": int or None,
     "config": {...},                       the NetworkConfig
     "recipe": {...} or None,               the Recipe, without its network
     "split": {"train": int32 tensor of pair indices a·p + b} or None,
     "losses": {"train_loss": float, "test_loss": float, "train_accuracy": float, "test_accuracy": float},
     "parameters": {TransformerLens name: float tensor}}

``seed``, ``recipe`` and ``split`` are None for a network that no recipe trained.
"""

import io
import os
import pickle
import tempfile
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.network import Network, NetworkConfig
from interp.recipe import Recipe, from_plain

FORMAT, VERSION = "interp", 1
MAX_BYTES = 1 << 30
"""Larger files, and archives that claim to unpack to more, are refused: a mod-113 network is 1 MB."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """A network with where it comes from."""

    network: Network
    step: int = 0
    seed: int | None = None
    recipe: Recipe | None = None
    train: Int[Tensor, " train"] | None = None
    """Indices a·p + b of the pairs that were trained on."""
    losses: dict[str, float] = field(default_factory=dict)


def save(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a crash or a full disk leaves the old file whole, never half of a new one.

    Raises InterpError where the path cannot be written.
    """
    recipe = None if checkpoint.recipe is None else checkpoint.recipe.to_dict()
    if recipe is not None:
        del recipe["network"]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "step": checkpoint.step,
        "seed": checkpoint.seed,
        "config": asdict(checkpoint.network.config),
        "recipe": recipe,
        "split": None if checkpoint.train is None else {"train": checkpoint.train.to(torch.int32)},
        "losses": dict(checkpoint.losses),
        "parameters": {name: tensor.detach().cpu() for name, tensor in checkpoint.network.parameters.items()},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(Path(path), buffer.getvalue())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, after it has reached the disk."""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes private files; a checkpoint is an ordinary one
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InterpError(f"cannot write {path}: {error.strerror}; what was there before is untouched") from error


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint of this project, trusting nothing in it; no code in the file is ever run.

    Raises InterpError, one line that names the trouble and the remedy, on anything but a whole and sane checkpoint.
    """
    try:
        return _parse(_read_plain_values(Path(path)))
    except InterpError as error:
        raise InterpError(f"{path}: {error}") from error


def _parse(content: Any) -> Checkpoint:
    """The checkpoint in a file's plain values, every entry checked."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InterpError(f"not a checkpoint of this project: {_describe(content)}")
    if content.get("version") != VERSION:
        raise InterpError(
            f"expected checkpoint version {VERSION}, got {content.get('version')!r}: update interp to read it"
        )
    expected = {"format", "version", "step", "seed", "config", "recipe", "split", "losses", "parameters"}
    if content.keys() != expected:
        raise InterpError(f"entries missing or unknown: {', '.join(sorted(map(str, content.keys() ^ expected)))}")

    config = from_plain(NetworkConfig, content["config"], "network configuration")
    recipe = content["recipe"]
    if recipe is not None:
        recipe = from_plain(Recipe, {**_mapping(recipe, "recipe"), "network": config}, "recipe")
    parameters, losses = _mapping(content["parameters"], "parameters"), _mapping(content["losses"], "losses")
    if not all(isinstance(tensor, Tensor) for tensor in parameters.values()):
        raise InterpError("expected every parameter to be a tensor")
    if not all(isinstance(loss, float) for loss in losses.values()):
        raise InterpError("expected every loss to be a number")
    return Checkpoint(
        network=Network(config, parameters),
        step=_count(content["step"], "step"),
        seed=None if content["seed"] is None else _count(content["seed"], "seed"),
        recipe=recipe,
        train=_train_indices(content["split"], config.p),
        losses=losses,
    )


def _read_plain_values(path: Path) -> Any:
    """Everything in the file as plain values and tensors; the archive's checksums are verified before it is believed.

    torch does not verify them: a flipped bit in a weight would otherwise load as another network.
    """
    if path.is_dir():
        raise InterpError("is a directory: name a checkpoint file in it")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InterpError(f"is {size >> 20} MiB; checkpoints of these networks are under {MAX_BYTES >> 20} MiB")
        raw = path.read_bytes()
    except OSError as error:
        raise InterpError(f"cannot be read: {error.strerror}") from error
    if not raw:
        raise InterpError("is empty: the run that wrote it was cut off; take an earlier checkpoint")
    if not raw.startswith(b"PK"):
        raise InterpError(
            "is not a .pt archive (torch.save since 1.6 writes one): supported are checkpoints written by interp-train"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise InterpError(f"claims to unpack to more than {MAX_BYTES >> 20} MiB: refused")
            broken = archive.testzip()
        if broken is not None:
            raise InterpError(f"is damaged (checksum of {broken}): copy it again or take another checkpoint")
        return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InterpError(
            "holds pickled objects, which could run code and are never loaded: re-save its plain tensors with "
            "torch.save(model.state_dict(), path)"
        ) from error
    except InterpError:
        raise
    # Damaged archives raise almost anything in zipfile and torch; all of it means the same to the user.
    except Exception as error:
        raise InterpError(f"is truncated or damaged ({type(error).__name__}): copy it again") from error


def _describe(content: Any) -> str:
    """What someone else's file holds, and what is supported instead."""
    if isinstance(content, dict):
        tensors = [f"{name} {list(value.shape)}" for name, value in content.items() if isinstance(value, Tensor)]
        names = tensors or [repr(key)[:40] for key in content]
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        held = f"it holds {shown}" if names else "it is an empty mapping"
    else:
        held = f"it holds a {type(content).__name__}"
    return f"{held}; supported are checkpoints written by interp-train (interp.checkpoint.save writes one from Python)"


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InterpError(f"expected {what} to be a mapping from names to values")
    return value


def _count(value: Any, what: str) -> int:
    if type(value) is not int or value < 0:
        raise InterpError(f"expected {what} to be a whole number of 0 or more, got {value!r:.40}")
    return value


def _train_indices(split: Any, p: int) -> Tensor | None:
    if split is None:
        return None
    train = _mapping(split, "split").get("train")
    if not isinstance(train, Tensor) or train.dtype != torch.int32 or train.dim() != 1 or not len(train):
        raise InterpError("expected the split's train to be a vector of int32 pair indices")
    train = train.long()
    if train.min() < 0 or train.max() >= p * p or len(train.unique()) != len(train) or len(train) == p * p:
        raise InterpError(f"expected the split's train to be distinct pair indices, fewer than all {p * p}")
    return train
