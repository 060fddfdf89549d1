"""The study of every network: its spec trains what it says, and its rows and pictures are those of the networks there."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from interp.sweep import dataset, spec
from interp.sweep.point import Point
from interp.training.loop import told_labels, training_split

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "studies"))
from phase_diagram import phase_diagram
from summary import kind_of, study_of

STUDIES = Path(__file__).parent.parent.parent / "studies"
CONTROLS = ("untrained", "memorising", "shuffled", "near miss")


@pytest.fixture(scope="module")
def points() -> list[Point]:
    return list(spec.read_spec(STUDIES / "every_network.toml").points.values())


@pytest.fixture(scope="module")
def rows() -> list[dataset.Row]:
    return dataset.read_rows(STUDIES / "every_network.parquet")


@pytest.mark.parametrize(("study", "trained", "p_113"), [("published", 102, 0), ("fast", 62, 10)])
def test_the_spec_has_the_networks_that_the_study_needs(points: list[Point], study: str, trained: int, p_113: int) -> None:
    kinds = Counter(each.label for each in points)
    assert all(kinds[f"{study}: {kind}"] == 12 for kind in CONTROLS) and kinds[f"{study}: trained"] == trained
    those = [each for each in points if each.label == f"{study}: trained"]
    assert all(each.best for each in those) and not any(each.best for each in points if "trained" not in each.label.split())
    recipes = [each.config.recipe for each in those]
    assert sum(recipe.p == 113 for recipe in recipes) == p_113
    small = Counter((r.network.d_model, r.network.activation) for r in recipes if r.p == 59)
    assert set(small) == {(width, activation) for width in (64, 128, 256) for activation in ("relu", "gelu")}
    assert max(small.values()) - min(small.values()) <= 1
    rates = [recipe.network.attention_rate for recipe in recipes if recipe.p == 59]
    assert min(rates) < 0.1 and max(rates) > 0.9 and 0.4 < sum(rates) / len(rates) < 0.6


def test_no_network_is_in_both_studies(points: list[Point]) -> None:
    fast, published = (
        {(each.label.partition(": ")[2], each.config.seed) for each in points if each.label.startswith(study)}
        for study in ("fast", "published")
    )
    assert not fast & published


def test_the_rows_are_those_of_the_spec_but_for_two_kinds_that_it_trains_otherwise(
    points: list[Point], rows: list[dataset.Row]
) -> None:
    def otherwise(label: str) -> bool:
        return label in ("published: trained", "published: shuffled", "fast: shuffled")

    assert {row["name"] for row in rows if not otherwise(row["label"])} == {
        each.name for each in points if not otherwise(each.label)
    }
    told_apart = ("p", "d_model", "d_mlp", "activation", "attention_rate", "learning_rate", "train_fraction", "steps")

    def said(values: dict[str, object]) -> tuple[object, ...]:
        return (values["seed"], *(values[name] for name in told_apart))

    for label in {row["label"] for row in rows}:
        planned = {said(each.configuration()) for each in points if each.label == label}
        assert {said(row) for row in rows if row["label"] == label} == planned
    assert all((row["study"], row["kind"]) == (study_of(row), kind_of(row)) for row in rows)


def test_near_misses_stopped_at_their_accuracy(points: list[Point], rows: list[dataset.Row]) -> None:
    targets = {each.name: each.config.recipe.stop_accuracy for each in points if each.label.endswith("near miss")}
    found = {row["name"]: row["accuracy"] for row in rows if row["name"] in targets}
    assert len(found) == 24
    for name, accuracy in found.items():
        assert targets[name] <= accuracy < min(targets[name] + 0.03, 0.99)
    assert sorted(targets.values())[::2] == pytest.approx([0.5 + 0.4 * index / 11 for index in range(12)])


def test_shuffled_controls_are_told_nothing_of_their_task(points: list[Point]) -> None:
    config = next(each.config for each in points if each.label == "fast: shuffled")
    recipe, pairs = config.recipe, training_split(config.recipe, config.seed).train_pairs
    labels = told_labels(recipe, config.seed)
    assert labels is not None and (labels == recipe.task_value.answers(pairs)).double().mean().item() < 3 / recipe.p


def test_the_picture_shows_every_frequency_of_what_generalises() -> None:
    def network(label: str, **values: object) -> dict[str, object]:
        usual = {"label": f"{label}: trained", "generalises": True, "p": 59, "d_model": 64, "activation": "relu", "seed": 1,
                 "attention_rate": 0.5, "key_frequencies": [3, 5], "verdicts": ["clock", "pizza"], "coordinates": [0.1, 9.0],
                 "shares": [0.4, 0.5]}  # fmt: skip
        return {**usual, **values}

    picture = phase_diagram([network("<a>"), network("b", generalises=False), network("c", d_model=128)])
    assert picture.count("<circle") == 4 and "relu, width 64" in picture and "relu, width 128" in picture
    assert "&lt;a&gt;, width 64, relu, α 0.500, seed 1: k = 5, pizza, coordinate 9.00" in picture and "<a>" not in picture


def test_the_picture_in_the_docs_is_that_of_the_rows(rows: list[dataset.Row]) -> None:
    assert phase_diagram(rows) == (STUDIES / "phase_diagram.svg").read_text(), "python studies/every_network.py"


def test_the_tables_of_optimisers_are_those_of_the_rows() -> None:
    from optimisers import METHODS, rows, table, to_the_end

    tried, end = rows(STUDIES / "optimisers.jsonl"), dataset.read_rows(STUDIES / "quick.parquet")
    written = (STUDIES.parent / "docs" / "speed.md").read_text()
    assert table(tried) in written and to_the_end(end) in written
    tries = Counter(row["method"] for row in tried if row["seed"] == 0)
    assert tries == dict.fromkeys(METHODS, 8)  # the same number for each
    assert spec.read_spec(STUDIES / "quick.toml").points.keys() == {row["name"] for row in end}
