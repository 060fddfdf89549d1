"""docs/timeline.md: its tables are those of the rows that are kept, and these are the networks that the specs name."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from analyses.survey.through_time import moments, of_phases
from analyses.timeline.phases import phases
from interp.sweep.dataset import read_rows
from interp.sweep.spec import read_spec

ROOT = Path(__file__).parent.parent.parent
DOCS = (ROOT / "docs" / "timeline.md").read_text()


@pytest.fixture
def regularisation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    return import_module("regularisation")


@pytest.fixture
def grokking(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    return import_module("grokking")


def test_the_tables_of_phases_are_those_of_the_rows_and_of_the_checkpoints(grokking: ModuleType) -> None:
    found = grokking.runs(read_rows(grokking.ROWS))
    planned = read_spec(ROOT / "studies" / "grokking.toml").points
    assert {row["name"] for row in found.values()} == planned.keys() - {
        name for name, point in planned.items() if point.config.recipe_name == "nanda-2023"
    }
    for table in (grokking.published(), grokking.boundaries(grokking.with_thinned(found)), grokking.leads(found)):
        assert table in DOCS, "python studies/grokking.py"


def test_clean_up_ends_with_the_first_fall_of_the_weights(grokking: ModuleType) -> None:
    for row in grokking.runs(read_rows(grokking.ROWS)).values():
        if row["recipe_name"] == "steady":
            weights = dict(zip(row["timeline_step"], row["timeline_squared_weights"], strict=True))
            falls_through = all(weights[step] < 0.98 * weights[step - 100] for step in range(700, 1100, 100))
            ends_late = row["clean_up_ends"] is None or row["clean_up_ends"] > 1000
            assert falls_through == ends_late == (row["seed"] in (2, 3)) and weights[1500] < weights[1300]
    assert "the weights of seeds 0, 1 and 4 stop falling, or rise, for hundreds of steps" in DOCS


def test_a_row_has_the_timeline_that_its_phases_were_found_in(grokking: ModuleType) -> None:
    for row in read_rows(grokking.ROWS):
        found = of_phases(phases(moments(row), row["p"]))
        assert found == {name: row[name] for name in found}


def test_the_tables_of_weight_decays_are_those_of_the_rows(regularisation: ModuleType) -> None:
    found = read_rows(regularisation.ROWS)
    assert {row["name"] for row in found} == read_spec(ROOT / "studies" / "regularisation.toml").points.keys()
    for table in (regularisation.outcome(found), regularisation.competition(found)):
        assert table in DOCS, "python studies/regularisation.py"


def test_with_weight_decay_the_generalising_circuit_wins_and_sooner_with_more(regularisation: ModuleType) -> None:
    without, *others = regularisation.by_decay(read_rows(regularisation.ROWS))
    assert without["phases"] == "no grokking here" and without["timeline_memorising_score"][-1] > 5
    formed = [row["circuit_formed"] for row in others]
    assert formed == sorted(formed, reverse=True) and len(set(formed)) == 4
    assert all(row["timeline_generalising_score"][-1] > row["timeline_memorising_score"][-1] for row in others)
