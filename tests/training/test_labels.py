"""Wrong labels: as many as were asked for, the same again by seed, kept with run and checkpoint, never the held-out ones."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import SMALL

from interp.errors import InterpError
from interp.files import checkpoint, formats
from interp.recipe import RECIPES, Recipe
from interp.tasks import task_named
from interp.tasks.labels import told
from interp.training import run
from interp.training.loop import corrupted_accuracies, told_labels, train, training_split
from interp.training.run_config import RunConfig

DOSHI = RECIPES["doshi-2023"]


def test_a_share_of_the_training_pairs_gets_drawn_answers() -> None:
    recipe = replace(DOSHI, corrupt=0.35)
    pairs, labels = training_split(recipe, 0).train_pairs, told_labels(recipe, 0)
    assert labels is not None
    wrong = labels != recipe.task_value.answers(pairs)
    count = int(0.35 * len(pairs))
    assert count * 0.97 < int(wrong.sum()) < count  # one in 97 is right by chance
    shares = torch.bincount(labels[wrong], minlength=97) / wrong.sum()
    assert float(shares.max()) < 3 / 97 and float(shares.min()) > 0
    again, other = told_labels(recipe, 0), told_labels(recipe, 1)
    assert again is not None and other is not None
    assert torch.equal(again, labels) and not torch.equal(other, labels)
    assert told_labels(DOSHI, 0) is None


def test_a_wrong_map_labels_its_part() -> None:
    recipe = replace(SMALL, corrupt=0.5, wrong_labels="a+b+1")
    pairs, labels = training_split(recipe, 3).train_pairs, told_labels(recipe, 3)
    assert labels is not None
    shift = (labels - recipe.task_value.answers(pairs)) % 7
    assert int((shift == 1).sum()) == int(0.5 * len(pairs)) and int((shift == 0).sum()) == len(pairs) - int(0.5 * len(pairs))


def test_labels_that_another_task_does_not_have_are_refused() -> None:
    addition, division = task_named("addition", 7), task_named("division", 7)
    with pytest.raises(InterpError, match="division has no answer to some of the pairs"):
        told(addition, torch.arange(49), corrupt=1.0, wrong=division, seed=0)


def test_shares_of_what_was_told_and_of_the_truth() -> None:
    answers, labels, truth = (torch.tensor(each) for each in ([1, 2, 3, 4, 5], [1, 0, 0, 4, 6], [1, 2, 0, 0, 5]))
    # Wrong labels: at 1 (answered truly), 3 (as told), 4 (truly); right ones: at 0 (answered so) and 2 (otherwise).
    found = corrupted_accuracies(answers, labels, truth)
    assert found == pytest.approx({"told_accuracy": 1 / 3, "truth_accuracy": 2 / 3, "clean_accuracy": 1 / 2})


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("recipe", [replace(SMALL, corrupt=0.4), replace(DOSHI, p=7, corrupt=0.4, steps=20)])
def test_run_and_checkpoint_keep_the_labels(recipe: Recipe, suffix: str, tmp_path: Path) -> None:
    each = run.create(tmp_path / "run", RunConfig(recipe=recipe, seed=2, record_every=10))
    list(each.train())
    saved = formats.load(each.model_path)
    labels = told_labels(recipe, 2)
    assert saved.told is not None and labels is not None and torch.equal(saved.told, labels)
    assert saved.recipe == recipe and saved.network.parameters.keys() == next(train(recipe, seed=2)).network.parameters.keys()
    assert {"told_accuracy", "truth_accuracy", "clean_accuracy"} <= each.log()[-1].keys()
    assert saved.losses["train_accuracy"] == each.log()[-1]["train_accuracy"]
    copy = tmp_path / f"copy{suffix}"
    checkpoint.save(copy, saved)
    read = formats.load(copy)
    assert read.told is not None and torch.equal(read.told, labels)
    circuit = read.circuit()
    assert circuit.told is not None and torch.equal(circuit.told, labels)


def test_a_checkpoint_with_spoiled_labels_is_refused(tmp_path: Path) -> None:
    each = run.create(tmp_path / "run", RunConfig(recipe=replace(SMALL, corrupt=0.4, steps=0), seed=2))
    list(each.train())
    content = checkpoint.to_content(formats.load(each.model_path))
    for spoiled in (content["split"]["told"][:-1], content["split"]["told"] + 7, content["split"]["told"].long()):
        torch.save({**content, "split": {**content["split"], "told": spoiled}}, tmp_path / "spoiled.pt")
        with pytest.raises(InterpError, match=r"the split's (told|labels) to be"):
            formats.load(tmp_path / "spoiled.pt")


@pytest.mark.parametrize(("weight_decay", "told", "truth"), [(2.0, 0.9, 0.1), (10.0, 0.1, 0.9)])
def test_weight_decay_decides_whether_wrong_answers_are_kept(weight_decay: float, told: float, truth: float) -> None:
    """The network of Doshi et al. 2023 in small: coexistence, and inversion, where the held-out pairs are right in both."""
    network = replace(DOSHI.network, d_mlp=128)
    recipe = replace(DOSHI, p=31, network=network, corrupt=0.1, weight_decay=weight_decay, train_fraction=0.8, steps=600)
    *_, last = train(recipe, seed=0, record_every=600)
    assert last.test_accuracy > 0.99 and last.corrupted["clean_accuracy"] > 0.99
    assert abs(last.corrupted["told_accuracy"] - told) <= 0.1 and abs(last.corrupted["truth_accuracy"] - truth) <= 0.1
