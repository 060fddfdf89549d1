"""Weights in the user's own module, from the shell: the user's file is run, nothing of the checkpoint is."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import interp
from analyses.commands.analyze import main
from interp.networks.transformer import Network

CODE = '''\
"""Somebody's own code, which imports what lies beside it, prints, and has a dataclass."""

from __future__ import annotations

from dataclasses import dataclass

import helper
import torch
from torch import nn

print("hello from the user's file")


@dataclass
class Sizes:
    d: int = helper.D


class Net(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.emb = nn.Embedding(59, sizes.d)
        self.up, self.down = nn.Linear(sizes.d, 512), nn.Linear(512, sizes.d)
        self.head = nn.Linear(sizes.d, 59, bias=False)

    def forward(self, t):
        x = helper.read(self.emb(t)).sum(1)
        return self.head(x + self.down(torch.relu(self.up(x))))


def build():
    return Net(Sizes())


def build_and_say():
    return Net(Sizes()), {"tokens": lambda a, b: torch.stack([b, a], 1), "neurons": "down:input", "p": 59}


def fails():
    raise ValueError("it has\\nno weights")


def gives_a_number():
    return 3


def says_too_much():
    return Net(Sizes()), {"colour": "red"}
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code_of_theirs.py").write_text(CODE)
    (tmp_path / "helper.py").write_text("D = 128\n\n\ndef read(x):\n    return x\n")
    return tmp_path


@pytest.fixture
def weights(folder: Path) -> Path:
    """The pizza at attention rate 0, whose attention adds both residues, as a perceptron of the user's."""
    known = interp.load("checkpoints/zhong-59-rate-0.pt").network
    assert isinstance(known, Network)
    W = known.parameters
    OV = torch.einsum("hdk,hke->de", W["blocks.0.attn.W_V"], W["blocks.0.attn.W_O"])
    # The stream at the answering position is (x_a + x_b) OV + x_b; here b's own part is shared between a and b.
    where = W["pos_embed.W_pos"].sum(0) @ OV + W["pos_embed.W_pos"][1]
    state = {
        "emb.weight": W["embed.W_E"] @ (OV + torch.eye(128) / 2) + where / 2,
        "up.weight": W["blocks.0.mlp.W_in"].T,
        "up.bias": W["blocks.0.mlp.b_in"],
        "down.weight": W["blocks.0.mlp.W_out"].T,
        "down.bias": W["blocks.0.mlp.b_out"],
        "head.weight": W["unembed.W_U"].T,
    }
    path = folder / "theirs.pt"
    torch.save({"model": {f"module.{name}": x for name, x in state.items()}, "step": 3}, path)
    return path


def test_the_users_module_is_built_filled_and_analysed(folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = folder / "code_of_theirs.py"
    for function in ("build", "build_and_say"):
        assert main([str(weights), "--module", f"{code}:{function}", "--json"]) == 0
        captured = capsys.readouterr()
        answer = json.loads(captured.out)  # what the user's file prints is not in it
        assert "hello from the user's file" in captured.err
        assert answer["network"] == "a torch module (Net)" and answer["modulus"] == 59 and answer["accuracy"] > 0.99
        assert answer["key_frequencies"] == [21, 24, 29] and answer["circuit"] == "pizza"
        assert "neurons down:input (relu)" in answer["notes"]
        assert answer["findings"]["gradient_symmetry"]["mean"] == pytest.approx(1, abs=1e-5)
    said = ["--task", "subtraction", "--modulus", "59", "--only", "performance"]
    assert main([str(weights), "--module", f"{code}:build", *said]) == 0
    assert "a - b mod 59, a torch module (Net): it does not generalise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("code_of_theirs.py:fails", "{code}, line 40: ValueError: it has no weights"),
        ("code_of_theirs.py:bild", "defines no function bild: there are dataclass, Sizes, Net, build, build_and_say, "),
        (
            "code_of_theirs.py:gives_a_number",
            "to return a torch.nn.Module, or one and a dict of arguments, got int",
        ),
        ("code_of_theirs.py:says_too_much", "says_too_much gives colour, which interp.from_module does not take"),
        ("code_of_theirs.py", "expected FILE.py:FUNCTION, got "),
        ("missing.py:build", "missing.py: no such file, where a function build is to build the module"),
        ("raises.py:build", "{code}, line 3: ZeroDivisionError: division by zero"),
        ("misspelt.py:build", "{code}, line 2: SyntaxError: "),
        ("exits.py:build", "{code}, line 1: SystemExit: 0"),
        ("fails_when_run.py:build", "theirs.pt: is no state dict of this module: it holds beside module.down.bias, "),
    ],
)
def test_mistakes_in_the_users_code_are_one_line(
    code: str, message: str, folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "raises.py").write_text("x = 1\n\ny = x / 0\n")
    (folder / "misspelt.py").write_text("x = 1\ndef build(:\n")
    (folder / "exits.py").write_text("raise SystemExit(0)\n")
    (folder / "fails_when_run.py").write_text("from torch import nn\n\n\ndef build():\n    return nn.Identity()\n")
    assert main([str(weights), "--module", f"{folder / code}"]) == 2
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if not line.startswith("hello")]
    assert len(lines) == 1 and lines[0].startswith("interp-analyze: ") and captured.out == ""
    assert message.format(code=folder / code.partition(":")[0]) in lines[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("up.bias"), "is no state dict of this module: it lacks up.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "is no state dict of this module: it holds beside extra"),
        (lambda state: state.update({"up.bias": torch.zeros(3)}), "does not fit the module: here up.bias [3], there [512]"),
        (lambda state: state.clear(), "holds no state dict"),
    ],
)
def test_weights_that_are_not_the_modules_are_one_line(
    change: Callable[[dict[str, torch.Tensor]], object],
    message: str,
    folder: Path,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = {name.removeprefix("module."): x for name, x in torch.load(weights)["model"].items()}
    change(state)
    torch.save(state, weights)
    assert main([str(weights), "--module", f"{folder / 'code_of_theirs.py'}:build"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert message in error[-1] and f"interp-analyze: {weights}: " in error[-1]


class Bomb:
    """What a pickle can do when it is loaded by those who trust it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.makedirs, (str(self.path),)


def test_nothing_of_the_checkpoint_is_run(folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = folder / "was_run"
    torch.save({**torch.load(weights), "optimizer": Bomb(mark)}, weights)
    assert main([str(weights), "--module", f"{folder / 'code_of_theirs.py'}:build"]) == 2
    assert "holds pickled objects" in capsys.readouterr().err and not mark.exists()
    torch.load(weights, weights_only=False)
    assert mark.exists()  # it would have been


def test_options_that_the_module_answers_itself_are_refused(
    folder: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"{folder / 'code_of_theirs.py'}:build"
    assert main([str(weights), "--module", code, "--activation", "gelu"]) == 2
    assert "give no reading option but --task and --modulus" in capsys.readouterr().err
    assert main([str(weights), "--module", code, "--modulus", "61"]) == 2
    assert "61 rows, got one of 59" in capsys.readouterr().err
