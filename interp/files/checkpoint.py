"""One network on disk: plain values, written atomically, read strictly.

A ``.pt`` holds

    {"format": "interp", "version": 5, "step": int or None, "seed": int or None,
     "task": "addition" or another name of ``interp.tasks``,
     "architecture": "transformer" or "attention-free",
     "config": {...},                       the NetworkConfig, or the AttentionFreeConfig
     "recipe": {...} or None,               the Recipe, without its task, its p and its network
     "arithmetic": {...} or None,           the Arithmetic that it was trained with
     "split": {"train": int32 tensor of pair indices a·p + b,
               "told": int32 tensor of their labels in training, or None for right answers} or None,
     "losses": {"train_loss": float, "test_loss": float, "train_accuracy": float, "test_accuracy": float},
     "parameters": {name: float tensor}}    TransformerLens's names, or those of ``attention_free``

``seed``, ``recipe``, ``arithmetic`` and ``split`` are None for a network that no recipe trained, and so is a ``step`` that
nobody knows. Version 1 had no
``arithmetic``, versions 1 and 2 no ``task``: it was addition; before version 5 all labels were right.
A ``.safetensors`` holds all of this too: the
parameters and ``split.train`` as tensors, all else as JSON in its metadata under "interp", with a checksum of the tensors (the
format has none of its own).
"""

import io
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from interp.arithmetic import Arithmetic
from interp.circuit import Circuit
from interp.configuration import from_plain
from interp.errors import InterpError
from interp.files.as_safetensors import from_safetensors, to_safetensors
from interp.files.atomic import write_atomically
from interp.function import Function
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.transformer import Network
from interp.recipe import Recipe, architecture_of
from interp.tasks import stored_task
from interp.tasks.addition import Addition
from interp.tasks.task import Task

FORMAT, VERSION = "interp", 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """A network with its task and its origin: how it was trained, or how its file was read."""

    network: Network | AttentionFree | Function
    task: Task = None  # type: ignore[assignment]
    """Task that the network has to compute; addition where none is given."""
    step: int | None = None
    """Number of updates of the weights done; None where not known."""
    seed: int | None = None
    recipe: Recipe | None = None
    arithmetic: Arithmetic | None = None
    """Arithmetic that the network was trained with; None where the file does not say."""
    train_pairs: Int[Tensor, " train"] | None = None
    """Indices a·p + b of the pairs that were trained on; None where not known."""
    told: Int[Tensor, " train"] | None = None
    """Labels of these pairs in training, in their order; None where they are the right answers, or not known."""
    losses: dict[str, float] = field(default_factory=dict)
    """Losses in nats and accuracies by name, as a run's log has them."""
    notes: tuple[str, ...] = ()
    """Notes on how another project's file was read; not saved."""
    assumed: tuple["Assumption", ...] = ()
    """Assumptions made in reading another project's file, one for every other reading that fits too; not saved."""
    instead: str = ""
    """Operation that another project's network computes instead of its task, in words; "" for none that is known; not saved."""

    answers: Mapping[str, Any] | None = None
    """Answers to what another project's tensors leave open, under which they were read; None for a known make; not saved."""

    def __post_init__(self) -> None:
        if self.task is None:
            object.__setattr__(self, "task", Addition(self.network.p))

    def circuit(self) -> Circuit:
        """The circuit of the network, which holds its activations on all pairs."""
        return Circuit(self.network, self.train_pairs, self.told, notes=self.notes, task=self.task, step=self.step)


@dataclass(frozen=True, eq=False, kw_only=True)
class Assumption:
    """A reading that was taken without being known to be right, beside the reading that was not taken."""

    taken: str
    """What was assumed, in the words of the options, such as activation relu."""
    other: str
    """What could have been assumed instead, in the words of the options, such as activation gelu."""
    network: Network | AttentionFree
    """The network under the reading that was not taken."""


def save(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, as safetensors where the path ends so; a crash or a full disk leaves the old file whole.

    Raises InterpError where the path cannot be written.
    """
    path, content = Path(path), to_content(checkpoint)
    if path.suffix == ".safetensors":
        write_atomically(path, to_safetensors(content, FORMAT))
        return
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def to_content(checkpoint: Checkpoint) -> dict[str, Any]:
    """The checkpoint as plain values and tensors. Raises InterpError on a network of which only the logits are known."""
    if isinstance(checkpoint.network, Function):
        raise InterpError(f"{checkpoint.network.describe()} has no weights that a checkpoint could hold")
    recipe = None if checkpoint.recipe is None else checkpoint.recipe.to_dict()
    if recipe is not None:
        for elsewhere in ("network", "task", "p"):
            del recipe[elsewhere]
    return {
        "format": FORMAT,
        "version": VERSION,
        "step": checkpoint.step,
        "seed": checkpoint.seed,
        "task": sys.intern(checkpoint.task.name),
        "architecture": "transformer" if isinstance(checkpoint.network, Network) else "attention-free",
        "config": asdict(checkpoint.network.config),
        "recipe": recipe,
        "arithmetic": None if checkpoint.arithmetic is None else _interned(asdict(checkpoint.arithmetic)),
        "split": _split_content(checkpoint),
        "losses": dict(checkpoint.losses),
        # Copies: tied weights are two tensors here, and a slice does not bring its whole storage along.
        "parameters": {
            name: x.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, x in checkpoint.network.parameters.items()
        },
    }


def _split_content(checkpoint: Checkpoint) -> dict[str, Any] | None:
    if checkpoint.train_pairs is None:
        return None
    told = None if checkpoint.told is None else checkpoint.told.to(torch.int32)
    return {"train": checkpoint.train_pairs.to(torch.int32), "told": told}


def _interned(values: dict[str, Any]) -> dict[str, Any]:
    """A mapping with equal strings made one object: pickle writes "cpu", which torch writes too, twice if there are two."""
    return {name: sys.intern(value) if isinstance(value, str) else value for name, value in values.items()}


def from_content(content: Any, metadata: dict[str, str]) -> Checkpoint | None:
    """The checkpoint in a file's plain values, every entry checked; None where it is not one of this project's.

    Raises InterpError on one that is not whole and sane.
    """
    if FORMAT in metadata:
        content = from_safetensors(content, metadata[FORMAT])
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    for version, migrate in ((1, _from_version_1), (2, _from_version_2), (3, _from_version_3), (4, _from_version_4)):
        if type(content.get("version")) is int and content["version"] == version:
            content = migrate(content)
    if type(content.get("version")) is not int or content["version"] != VERSION:
        raise InterpError(
            f"expected checkpoint version 1 to {VERSION}, got {content.get('version')!r:.40}: update interp to read it"
        )
    entries = ["format", "version", "step", "seed", "task", "architecture", "config", "recipe", "arithmetic", "split", "losses",
               "parameters"]  # fmt: skip
    if content.keys() != set(entries):
        differing = ", ".join(sorted(ascii(key)[1:-1] for key in content.keys() ^ set(entries)))
        raise InterpError(f"entries missing or unknown: {differing:.200}")

    parameters, losses = _mapping(content["parameters"], "parameters"), _mapping(content["losses"], "losses")
    if not all(isinstance(tensor, Tensor) for tensor in parameters.values()):
        raise InterpError("expected every parameter to be a tensor")
    if not all(isinstance(loss, float) for loss in losses.values()):
        raise InterpError("expected every loss to be a number")
    network = _network(content["architecture"], content["config"], parameters)
    recipe, arithmetic = content["recipe"], content["arithmetic"]
    if arithmetic is not None:
        arithmetic = from_plain(Arithmetic, arithmetic, "arithmetic")
    if not isinstance(content["task"], str):
        raise InterpError(f"expected task to be a name, got {content['task']!r:.40}")
    task = stored_task(content["task"], network.p)
    if recipe is not None:
        elsewhere = {"task": task.name, "p": task.p, "network": architecture_of(network.config)}
        recipe = from_plain(Recipe, {**_mapping(recipe, "recipe"), **elsewhere}, "recipe")
    train_pairs = _train_pairs(content["split"], task)
    return Checkpoint(
        network=network,
        task=task,
        step=None if content["step"] is None else _count(content["step"], "step"),
        seed=None if content["seed"] is None else _count(content["seed"], "seed"),
        recipe=recipe,
        arithmetic=arithmetic,
        train_pairs=train_pairs,
        told=_told(content["split"], train_pairs, task),
        losses=losses,
    )


def _from_version_1(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 as version 2: until 2026-11 no checkpoint said with which precision, device and threads it was trained."""
    return {"arithmetic": None, **content, "version": 2}


def _from_version_2(content: dict[str, Any]) -> dict[str, Any]:
    """Version 2 as version 3: until 2026-11 addition was the only task, and no checkpoint named it."""
    return {"task": "addition", **content, "version": 3}


def _from_version_3(content: dict[str, Any]) -> dict[str, Any]:
    """Version 3 as version 4: until 2026-11 a configuration had no normalisation, gates, rotary positions and the like."""
    return {**content, "version": 4}


def _from_version_4(content: dict[str, Any]) -> dict[str, Any]:
    """Version 4 as version 5: until 2026-11 no network was told anything but right answers."""
    split = content.get("split")
    return {**content, "split": {**split, "told": None} if isinstance(split, dict) else split, "version": 5}


def _network(architecture: Any, config: Any, parameters: Parameters) -> Network | AttentionFree:
    match architecture:
        case "transformer":
            return Network(from_plain(NetworkConfig, config, "network configuration"), parameters)
        case "attention-free":
            return AttentionFree(from_plain(AttentionFreeConfig, config, "network configuration"), parameters)
        case _:
            raise InterpError(f"expected architecture transformer or attention-free, got {architecture!r:.40}")


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InterpError(f"expected {what} to be a mapping from names to values")
    return value


def _count(value: Any, what: str) -> int:
    if type(value) is not int or value < 0:
        raise InterpError(f"expected {what} to be a whole number of 0 or more, got {value!r:.40}")
    return value


def _train_pairs(split: Any, task: Task) -> Tensor | None:
    if split is None:
        return None
    train = _mapping(split, "split").get("train")
    if not isinstance(train, Tensor) or train.dtype != torch.int32 or train.dim() != 1 or not len(train):
        raise InterpError("expected the split's train to be a vector of int32 pair indices")
    train, pairs = train.long(), task.pairs()
    if not torch.isin(train, pairs).all() or len(train.unique()) != len(train) or len(train) == len(pairs):
        raise InterpError(f"expected the split's train to be distinct pair indices, fewer than all {len(pairs)}")
    return train


def _told(split: Any, train: Tensor | None, task: Task) -> Tensor | None:
    told = None if train is None else split.get("told")
    if told is None or train is None:
        return None
    if not isinstance(told, Tensor) or told.dtype != torch.int32 or told.shape != train.shape:
        raise InterpError("expected the split's told to be an int32 label for each pair of train")
    if not bool(((told >= 0) & (told < task.p)).all()):
        raise InterpError(f"expected the split's labels to be from 0 to {task.p - 1}")
    return told.long()
