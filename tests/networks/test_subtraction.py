"""Subtraction is the addition of a and -b: a circuit planted in it is found as that of the addition, in its own words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign import random_network
from planted import planted

import analyses
import interp
from analyses.commands.analyze import main
from analyses.commands.convert import main as convert
from analyses.findings.measurement import in_order, suits
from analyses.reports.page.pack import pairs
from analyses.timeline.live import measures
from analyses.timeline.moment import moment
from interp.circuit import Circuit
from interp.commands.train import main as train_main
from interp.files import checkpoint, formats
from interp.files.checkpoint import Checkpoint
from interp.networks.transformer import Network
from interp.recipe import RECIPES
from interp.tasks.addition import Addition
from interp.tasks.subtraction import Subtraction
from interp.training.loop import train, training_split

P = 13


def both(**planting: tuple[int, ...]) -> tuple[Circuit, Circuit]:
    """A network that adds, whose b has tokens of its own, and the same network with the token of b standing for -b."""
    network = planted(P, **planting)  # type: ignore[arg-type]
    config = replace(network.config, separate_vocabularies=True)
    W_E = network.parameters["embed.W_E"]
    a, b, rest = W_E[:P], W_E[:P], W_E[P:]
    adding = {**network.parameters, "embed.W_E": torch.cat([a, b + 0, rest])}
    subtracting = {**network.parameters, "embed.W_E": torch.cat([a, b[-torch.arange(P) % P], rest])}
    return Circuit(Network(config, adding)), Circuit(Network(config, subtracting), task=Subtraction(P))


def test_answers_are_differences_mod_p_and_are_said_so() -> None:
    assert Subtraction(5).table().tolist() == [[(a - b) % 5 for b in range(5)] for a in range(5)]
    assert Subtraction(97).sentence == "a - b mod 97" and Subtraction(7).of_pair(2, 6) == "2 - 6 mod 7"
    words = Subtraction(7).words
    assert (words.sum, words.difference, words.b, words.wave) == ("a - b", "a + b", "-b", "a-b-c")


@pytest.mark.parametrize("planting", [{"clocks": (1, 5)}, {"pizzas": (2, 3)}, {"clocks": (4,), "pizzas": (6,)}])
def test_every_measurement_of_a_subtraction_is_that_of_the_addition_that_it_is(planting: dict[str, tuple[int, ...]]) -> None:
    adding, subtracting = both(**planting)
    assert analyses.performance(subtracting).accuracy == 1.0 and subtracting.p == P
    assert torch.equal(subtracting.own_logits, adding.logits[:, -torch.arange(P) % P])
    for name in in_order():
        if name not in ("one_pair", "residual", "explanation"):  # which write of the pair, or of waves of a + b, in their words
            measure = analyses.MEASUREMENTS[name]
            if suits(adding, name):
                mine, theirs = measure(subtracting).to_dict(), measure(adding).to_dict()
                gini = mine.pop("plain_gini", 0.0), theirs.pop("plain_gini", 0.0)  # of the same rows, summed in another order
                assert mine == theirs and gini[0] == pytest.approx(gini[1]), name
    assert analyses.explanation(subtracting).is_explained == analyses.explanation(adding).is_explained
    verdict = {"clocks": "clock", "pizzas": "pizza"}.get("".join(planting), "hybrid")
    assert analyses.clock_or_pizza(subtracting).verdict == verdict


def test_a_pair_is_shown_in_its_own_numbers_with_the_hand_of_minus_b() -> None:
    adding, subtracting = both(clocks=(1, 5))
    shown, same = analyses.one_pair(subtracting, a=4, b=9), analyses.one_pair(adding, a=4, b=-9 % P)
    assert shown.question == "4 - 9 mod 13" and shown.answer == shown.right == 8
    assert shown.sentence().startswith("4 - 9 mod 13: ")
    assert shown.logits == same.logits and shown.waves() == same.waves()
    for ours, theirs in zip(shown.hands, same.hands, strict=True):
        assert (ours.a, ours.b, ours.output) == (theirs.a, theirs.b, theirs.output)
        assert ours.ring_b == tuple(theirs.ring_b[-n % P] for n in range(P)) and ours.ring_answer == theirs.ring_a
    assert shown.table().columns[2:7] == ("a at", "-b at", "together", "output at", "a - b at")
    assert "the angles of a and -b" in shown.caption() and "4 - 9 mod 13 = 8" in shown.figure().layout.title.text


def test_words_are_those_of_the_subtraction() -> None:
    report = str(analyses.report(both(clocks=(1, 5))[1], only=in_order()))
    assert report.startswith("a - b mod 13, a one-layer transformer: it generalises, with 169 of 169 pairs right")
    for text in ("over the distance a + b", "ellipses cos w(a-b+c)", "functions of a-b", "other functions of a-b and c"):
        assert text in report, text
    assert "the distance a - b" not in report and "a+b-c" not in report and "a + b mod" not in report


def test_a_subtraction_is_trained_kept_and_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    options = ["--task", "subtraction", "--p", "7", "--train-fraction", "0.5", "--steps", "30", "--record-every", "10"]
    assert train_main(["--out", str(out), *options]) == 0
    assert "a - b mod 7, seed 0" in capsys.readouterr().err
    saved = formats.load(out / "model.pt")
    assert saved.task == Subtraction(7) and saved.recipe is not None and saved.recipe.task == "subtraction"
    assert saved.train_pairs is not None and torch.equal(saved.train_pairs, training_split(saved.recipe, 0).train_pairs)
    circuit = interp.load(out / "model.pt")
    assert circuit.task == Subtraction(7) and analyses.performance(circuit).train_accuracy == saved.losses["train_accuracy"]
    assert main([str(out), "--json"]) == 0  # the timeline
    assert main([str(out)]) == 0
    assert "a - b mod 7, " in capsys.readouterr().out


def test_a_foreign_file_is_told_what_it_computes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = both(clocks=(1, 5))[1].network
    torch.save(dict(network.weights()), tmp_path / "theirs.pt")
    assert main([str(tmp_path / "theirs.pt"), "--task", "subtraction", "--attention-rate", "1", "--activation", "relu"]) == 0
    assert "a - b mod 13, a one-layer transformer: it generalises" in capsys.readouterr().out
    # What nobody says is tried: it is the subtraction that decides.
    tried = interp.load(tmp_path / "theirs.pt", task="subtraction", attention_rate=1.0)
    assert "it answers 1.0000 of the pairs tried right" in tried.notes[-1] and "Under neither" not in tried.notes[-1]
    assert main([str(tmp_path / "theirs.pt"), "--task", "magic"]) == 2
    assert "expected a task such as addition" in capsys.readouterr().err
    own = replace(RECIPES["steady"], task="subtraction", p=7)
    assert own.task_value == Subtraction(7)


def test_what_the_page_s_sliders_move_is_in_the_order_of_its_own_pairs() -> None:
    circuit = both(clocks=(1, 5))[1]
    shown = analyses.one_pair(circuit)
    about, content = pairs(circuit, shown, with_logits=True)
    assert (about["question"], about["b_as"]) == ("{a} - {b} mod 13", "-b")
    parts, offset = dict[str, np.ndarray](), 0
    for name, kind, size in about["layout"]:
        parts[name] = np.frombuffer(content, dtype=kind, count=size, offset=offset)
        offset += parts[name].nbytes
    for a, b in ((0, 1), (4, 9), (12, 3)):
        one, index = analyses.one_pair(circuit, a=a, b=b), P * a + b
        assert parts["answers"][index] == one.answer and parts["right"][index] == one.right == (a - b) % P
        for hand in one.hands:
            assert parts[f"hand {hand.k}"][2 * index : 2 * index + 2] / 127 == pytest.approx(hand.output, abs=0.01)
        assert int(parts["logits"][P * index : P * index + P].argmax()) == one.answer


def test_a_timeline_of_a_subtraction_knows_its_training_pairs() -> None:
    """Of a random network, whose loss is another one at every pair."""
    trained = torch.tensor([1, 5, 17, 30, 44])
    saved = Checkpoint(network=random_network(p=7), task=Subtraction(7), train_pairs=trained)
    exact = analyses.performance(saved.circuit())
    assert exact.train_loss != pytest.approx(exact.test_loss, rel=0.01)
    then, now = moment(saved.circuit(), (1, 2), 3), measures(saved)
    assert then.train_loss == now["train_loss"] == pytest.approx(exact.train_loss, rel=1e-9)
    assert then.test_loss == now["test_loss"] == pytest.approx(exact.test_loss, rel=1e-9)


def test_other_formats_say_or_keep_the_task(tmp_path: Path) -> None:
    recipe = replace(RECIPES["steady"], task="subtraction", p=7, network=replace(RECIPES["steady"].network, d_mlp=32), steps=0)
    *_, last = train(recipe, seed=0)
    saved = Checkpoint(network=last.network, task=Subtraction(7), recipe=recipe, seed=0)
    checkpoint.save(tmp_path / "model.pt", saved)
    for target, more in (("ours.safetensors", []), ("folder", []), ("native.pt", ["--to", "transformer-lens"])):
        assert convert([str(tmp_path / "model.pt"), str(tmp_path / target), *more]) == 0
        read = interp.load(tmp_path / target)
        assert read.task == Subtraction(7) and torch.allclose(read.own_logits, Circuit(last.network).logits, atol=1e-5)
    assert "a - b mod 7" in (tmp_path / "folder" / "README.md").read_text()
    # What another project calls a task need not be one of ours.
    (tmp_path / "config_native.json").write_text('{"task": "modular_addition", "p": 7, "n_heads": 4, "act_fn": "relu"}')
    assert interp.load(tmp_path / "native.pt").task == Addition(7)
