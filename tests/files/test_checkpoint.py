"""Checkpoints: exact round trips, atomic writes, and one clear line for everything that is not a checkpoint."""

import os
import pickle
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import interp
from interp.arithmetic import Arithmetic
from interp.errors import InterpError
from interp.files import checkpoint, formats, plain
from interp.files.checkpoint import Checkpoint
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network
from interp.recipe import RECIPES
from interp.tasks.addition import Addition
from interp.training.loop import initial_network

CONFIG = NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4, d_mlp=16)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    checkpoint.save(path, Checkpoint(network=initialise(CONFIG, seed=0), step=3, seed=0))
    return path


def _rewrite(path: Path, **changes: Any) -> None:
    """Replace top-level entries of a checkpoint."""
    torch.save({**torch.load(path, weights_only=True), **changes}, path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_round_trip_is_exact(tmp_path: Path, dtype: torch.dtype) -> None:
    recipe = RECIPES["steady"]
    before = Checkpoint(
        network=initial_network(recipe, 5, dtype),
        step=17,
        seed=5,
        recipe=recipe,
        arithmetic=Arithmetic(precision="float64", device="cuda:1", threads=3),
        train_pairs=torch.tensor([0, 5, 12768]),
        losses={"train_loss": 0.1, "test_loss": 2e-300},
    )
    checkpoint.save(tmp_path / "model.pt", before)
    after = formats.load(tmp_path / "model.pt")
    assert isinstance(after.network, Network) and isinstance(before.network, Network)
    assert after.network.config == before.network.config and after.recipe == recipe
    assert after.arithmetic == before.arithmetic
    assert (after.step, after.seed, after.losses) == (17, 5, before.losses)
    assert after.train_pairs is not None and after.train_pairs.tolist() == [0, 5, 12768]
    for name, tensor in before.network.parameters.items():
        assert torch.equal(after.network.parameters[name], tensor) and after.network.parameters[name].dtype == dtype


def test_older_versions_are_read_and_say_nothing_of_what_they_did_not_hold(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    assert content["version"] == 5
    assert content["split"] is None or content["split"].pop("told") is None
    torch.save({**content, "version": 4}, saved)
    assert formats.load(saved).told is None
    for name in ("normalization", "rotary_base", "gated_mlp"):
        del content["config"][name]
    torch.save({**content, "version": 3}, saved)
    read = formats.load(saved)
    assert isinstance(read.network, Network) and read.network.config == CONFIG
    assert content.pop("task") == "addition"
    torch.save({**content, "version": 2}, saved)
    assert formats.load(saved).task == Addition(CONFIG.p)
    assert content.pop("arithmetic") is None
    torch.save({**content, "version": 1}, saved)
    read = formats.load(saved)
    assert read.arithmetic is None and read.step == 3 and read.seed == 0 and read.task == Addition(CONFIG.p)
    torch.save({**content, "version": 2}, saved)
    with pytest.raises(InterpError, match="missing or unknown: arithmetic"):
        formats.load(saved)


def test_a_failed_write_leaves_the_old_file_whole(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(InterpError, match="No space left on device; what was there before is untouched"):
        checkpoint.save(saved, Checkpoint(network=initialise(CONFIG, seed=1)))
    assert saved.read_bytes() == before and list(saved.parent.iterdir()) == [saved]


def test_files_are_as_readable_as_any_other(saved: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o666 & ~umask


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterpError, match=r"cannot write .*No such file or directory"):
        checkpoint.save(tmp_path / "missing" / "model.pt", Checkpoint(network=initialise(CONFIG, seed=0)))


def test_missing_empty_directory_and_foreign_files(tmp_path: Path) -> None:
    def message(path: Path) -> str:
        with pytest.raises(InterpError) as caught:
            interp.load(path)
        text = str(caught.value)
        assert "\n" not in text and str(path) in text
        return text

    assert "No such file" in message(tmp_path / "none.pt")
    assert "is a directory" in message(tmp_path)
    (tmp_path / "empty.pt").touch()
    assert "is empty" in message(tmp_path / "empty.pt")
    (tmp_path / "text.pt").write_text("hello")
    assert "neither a .pt archive" in message(tmp_path / "text.pt")
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    assert "holds one tensor [3], not a state dict" in message(tmp_path / "tensor.pt")
    torch.save(torch.zeros(9, 3, dtype=torch.int64), tmp_path / "data.pt")
    assert "holds whole numbers [9, 3]: a data set, it seems, and no network" in message(tmp_path / "data.pt")
    torch.save({"x": torch.zeros(9, 3, dtype=torch.int64), "y": torch.zeros(9, dtype=torch.int64)}, tmp_path / "pairs.pt")
    assert "holds whole numbers (x [9, 3], y [9]): a data set" in message(tmp_path / "pairs.pt")
    (tmp_path / "pointer.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:38a3\nsize 911770\n")
    assert "is a Git LFS pointer" in message(tmp_path / "pointer.pt") and "git lfs pull" in message(tmp_path / "pointer.pt")
    torch.save({"epoch": 3, "optimizer": {}}, tmp_path / "container.pt")
    assert "holds a mapping with epoch, optimizer, not a state dict" in message(tmp_path / "container.pt")


def test_an_archive_that_claims_to_unpack_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", b"\0" * (1 << 21))
    with pytest.raises(InterpError, match="claims to unpack to more than 1 MiB"):
        interp.load(tmp_path / "bomb.pt")


def test_every_truncation_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        saved.write_bytes(whole[:length])
        with pytest.raises(InterpError):
            interp.load(saved)


def test_a_flipped_bit_is_refused_or_harmless(saved: Path) -> None:
    """Harmless: in the padding between records, say. Never another network."""
    whole = saved.read_bytes()
    truth = formats.load(saved).network.parameters
    refused = 0
    for position in range(11, len(whole), max(1, len(whole) // 300)):
        saved.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        try:
            loaded = formats.load(saved).network.parameters
        except InterpError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert all(torch.equal(loaded[name], truth[name]) for name in truth)
    assert refused > 100


class _Hostile:
    """Unpickling this runs a command."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.save({"format": "interp", "parameters": _Hostile(canary)}, tmp_path / "zip.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(_Hostile(canary)))
    for name in ("zip.pt", "plain.pt"):
        with pytest.raises(InterpError):
            interp.load(tmp_path / name)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, "version 1 to 5, got 99: update interp"),
        ({"version": True}, "version 1 to 5, got True"),
        ({"arithmetic": {"threads": 0}}, "--threads of at least 1, got 0"),
        ({"arithmetic": {"precision": "float16"}}, "float32 or float64, got 'float16'"),
        ({"arithmetic": {"device": "tpu"}}, "expected device cpu or cuda, got 'tpu'"),
        ({"arithmetic": 4}, "arithmetic to be a mapping"),
        ({"surprise": 1}, "missing or unknown: surprise"),
        ({"step": -1}, "step to be a whole number"),
        ({"seed": "zero"}, "seed to be a whole number"),
        ({"config": {"p": 7, "colour": 1}}, "does not know: colour"),
        ({"config": {"p": "7"}}, "p of the network configuration to be int, got '7'"),
        ({"config": {"p": 1}}, "modulus p of at least 2"),
        ({"config": None}, "network configuration to be a mapping"),
        (
            {"config": {"p": 59}},
            r"expected embed.W_E of shape \[60, 128\], got \[8, 8\]: was it trained with another p",
        ),
        ({"config": {"n_layers": 10**9}}, "at most 64 layers"),
        ({"parameters": {}}, "parameters are missing"),
        ({"parameters": [1]}, "parameters to be a mapping"),
        ({"parameters": {"embed.W_E": 1.0}}, "every parameter to be a tensor"),
        ({"losses": {"train_loss": "low"}}, "every loss to be a number"),
        ({"recipe": {"steps": 3}}, "recipe is incomplete"),
        ({"recipe": [1]}, "recipe to be a mapping"),
        ({"split": {"train": torch.tensor([1, 1], dtype=torch.int32)}}, "distinct pair indices"),
        ({"split": {"train": torch.tensor([49], dtype=torch.int32)}}, "distinct pair indices"),
        ({"split": {"train": torch.tensor([0.5])}}, "int32 pair indices"),
        ({"split": 3}, "split to be a mapping"),
    ],
)
def test_a_checkpoint_that_lies_is_refused(saved: Path, changes: dict[str, Any], message: str) -> None:
    _rewrite(saved, **changes)
    with pytest.raises(InterpError, match=message) as caught:
        interp.load(saved)
    assert "\n" not in str(caught.value)


def test_nan_weights_are_refused(saved: Path) -> None:
    parameters = torch.load(saved, weights_only=True)["parameters"]
    parameters["blocks.0.mlp.b_in"][3] = torch.nan
    _rewrite(saved, parameters=parameters)
    with pytest.raises(InterpError, match="b_in holds NaN or infinite values"):
        interp.load(saved)
