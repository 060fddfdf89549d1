"""What is plain in a file with pickled objects can be had, and nothing of the objects is run, imported or needed."""

import argparse
import os
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import hooked

import interp
from analyses.commands.convert import main
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import plain
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

NETWORK = initialise(NetworkConfig(p=5, d_model=8, n_heads=2, d_head=4, d_mlp=16, answers_equals=False), seed=0)
STATE = hooked(NETWORK)


class Settings:
    """A configuration of somebody's own, as it is pickled."""

    def __init__(self) -> None:
        self.act_fn, self.nested = "relu", {"lr": 1e-3, "by": argparse.Namespace(name="me")}


@pytest.mark.parametrize(
    "content",
    [
        {"model": STATE, "config": Settings()},
        {"state_dict": STATE, "args": argparse.Namespace(act_fn="relu", path=Path("x"))},
        argparse.Namespace(weights=STATE, act_fn="relu"),
        [argparse.Namespace(epoch=3), STATE],
        {"checkpoint": {"net": OrderedDict(STATE), "config": {"act_fn": "relu", "class": Settings}}},
    ],
)
def test_the_advice_works_whatever_the_file_is(content: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, copied = tmp_path / "theirs.pt", tmp_path / "plain.pt"
    torch.save(content, path)
    with pytest.raises(InterpError) as caught:
        interp.load(path)
    assert "are never loaded: interp-convert THIS_FILE plain.pt --to plain" in str(caught.value)
    assert main([str(path), str(copied), "--to", "plain"]) == 0
    assert "left out: " in capsys.readouterr().out
    if isinstance(content, list):  # no place where a network is looked for, but it is there
        copy = torch.load(copied, weights_only=True)
        torch.save(copy[1], copied)
    assert torch.equal(interp.load(copied, activation="relu").logits, Circuit(NETWORK).logits)
    assert main([str(path), str(copied), "--to", "plain"]) == 2  # nothing is overwritten


def test_a_pickled_module_becomes_its_state_dict(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sequential(torch.nn.LayerNorm(3), torch.nn.ReLU()))
    module.register_buffer("mask", torch.ones(2, dtype=torch.bool))
    torch.save({"model": module, "step": 7}, tmp_path / "module.pt")
    content, left = plain.read_without_objects(tmp_path / "module.pt")
    assert content["step"] == 7 and content["model"].keys() == module.state_dict().keys()
    assert all(torch.equal(content["model"][name], tensor) for name, tensor in module.state_dict().items())
    assert "torch.nn.modules.linear.Linear" in left


def test_what_is_left_out_needs_no_code_of_its_own(tmp_path: Path) -> None:
    """The class of this configuration is gone when the file is read."""
    (tmp_path / "gone.py").write_text("class Config:\n    def __init__(self):\n        self.p = 5\n")
    script = (
        f"import sys, torch; sys.path.insert(0, {str(tmp_path)!r}); import gone; torch.save({{'c': gone.Config()}}, 'x.pt')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert plain.read_without_objects(tmp_path / "x.pt") == ({"c": {"p": 5}}, ("gone.Config",))


class Hostile:
    """Unpickling this runs a command, in one of the ways there are."""

    def __init__(self, canary: Path, way: str) -> None:
        self.canary, self.way = canary, way

    def __reduce__(self) -> tuple[Any, ...]:
        command = f"touch {self.canary}"
        match self.way:
            case "call":
                return os.system, (command,)
            case "evaluate":
                return eval, (f"__import__('os').system({command!r})",)
            case _:
                return Settings, (), {"x": 1}, None, None, _set_state


def _set_state(_: Any, __: Any) -> None:
    raise AssertionError("this was run")


@pytest.mark.parametrize("way", ["call", "evaluate", "state"])
def test_a_hostile_object_is_left_out_and_not_run(tmp_path: Path, way: str) -> None:
    canary = tmp_path / "canary"
    torch.save({"trap": Hostile(canary, way), "weights": torch.ones(2)}, tmp_path / "hostile.pt")
    content, left = plain.read_without_objects(tmp_path / "hostile.pt")
    assert torch.equal(content["weights"], torch.ones(2)) and left and not canary.exists()


def test_what_cannot_be_copied_is_one_line_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"config": Settings(), "w": torch.zeros(3)}, tmp_path / "whole.pt")
    raw = (tmp_path / "whole.pt").read_bytes()
    shared: Any = [1]
    for _ in range(12):
        shared = [shared] * 50
    torch.save([shared, Settings()], tmp_path / "deep.pt")
    (tmp_path / "torn.pt").write_bytes(raw[: len(raw) // 2])
    (tmp_path / "text.pt").write_text("hello")
    for name, message in (("torn", "damaged"), ("text", "is no .pt archive"), ("none", "No such file"), ("deep", "deep")):
        assert main([str(tmp_path / f"{name}.pt"), str(tmp_path / "out.pt"), "--to", "plain"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and message in said, said
    assert main([str(tmp_path / "whole.pt"), str(tmp_path / "out.safetensors"), "--to", "plain"]) == 2
    assert not (tmp_path / "out.pt").exists()
