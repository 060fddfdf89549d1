"""What a page carries of all pairs, and the commands that make a network and its page again."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from small import OPTIONS

import analyses
import interp
from analyses.reports.page import pack
from analyses.reports.reproduce import not_said, training_command
from interp.arithmetic import Arithmetic
from interp.commands.train import _parse
from interp.commands.train import main as train_main
from interp.files import formats
from interp.files.checkpoint import Checkpoint
from interp.recipe import RECIPES

FOLDER = Path(__file__).parent.parent.parent / "checkpoints"


PIZZA, CLOCK = FOLDER / "zhong-59-rate-0.pt", FOLDER / "zhong-59-rate-1.pt"


def test_what_is_packed_for_a_pair_is_what_the_network_has() -> None:
    circuit = interp.load(CLOCK)
    shown = analyses.one_pair(circuit)
    about, content = pack.pairs(circuit, shown, with_logits=False)
    assert about["p"] == 59 and [each["k"] for each in about["hands"]] == [21, 24, 29]
    assert [name for name, _, _ in about["layout"]][:3] == ["margins", "answers", "right"]
    answers = struct.unpack(f"<{59 * 59}H", content[4 * 59 * 59 : 6 * 59 * 59])
    assert list(answers) == circuit.logits.argmax(-1).flatten().tolist()
    assert len(json.dumps(about)) < 1000


@pytest.mark.parametrize("name", ["quick-113", "nanda-113", "zhong-59-rate-0", "memorising-59"])
def test_the_training_command_is_read_back_as_the_same_recipe(name: str) -> None:
    saved = formats.load(FOLDER / f"{name}.pt")
    options, _ = _parse(training_command(saved).split()[1:])
    assert options.training == saved.recipe and options.seed == saved.seed


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_training_command_trains_the_same_network_again(tmp_path: Path, precision: str) -> None:
    """All that determines the weights is in it: precision and threads, too."""
    made = [*OPTIONS, "--steps", "12", "--seed", "3", "--precision", precision, "--threads", "2"]
    assert train_main(["--out", str(tmp_path / "run"), *made]) == 0
    saved = formats.load(tmp_path / "run" / "model.pt")
    command = training_command(saved)
    assert command.endswith("--threads 2") and ("--precision float64" in command) == (precision == "float64")
    assert not_said(saved) == ""
    assert train_main([*command.split()[1:], "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "model.pt").read_bytes() == (tmp_path / "run" / "model.pt").read_bytes()
    on_cuda = replace(saved, arithmetic=Arithmetic(device="cuda:1", threads=4))
    assert training_command(on_cuda).endswith("--device cuda:1 --threads 4")
    # An older file does not say on what it was trained; its precision can be seen.
    older = replace(saved, arithmetic=None)
    assert ("--precision float64" in training_command(older)) == (precision == "float64")
    assert "--threads" not in training_command(older) and not_said(older) == "the device and the number of threads"


def test_a_command_for_switches_and_none_for_what_nobody_trained() -> None:
    saved = formats.load(FOLDER / "quick-113.pt")
    recipe = RECIPES["zhong-2023"]
    other = replace(recipe, network=replace(recipe.network, causal=True, mlp_biases=False))
    command = training_command(replace(saved, recipe=other, seed=3))
    assert command == "interp-train --recipe zhong-2023 --seed 3 --network.causal --network.no-mlp-biases"
    assert _parse(command.split()[1:])[0].training == other
    assert training_command(Checkpoint(network=saved.network)) == ""
