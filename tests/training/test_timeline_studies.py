"""docs/timeline.md: its tables are those of the rows that are kept, and these are the networks that the specs name."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from interp.sweep.dataset import read_rows
from interp.sweep.spec import read_spec

ROOT = Path(__file__).parent.parent.parent
DOCS = (ROOT / "docs" / "timeline.md").read_text()


@pytest.fixture
def regularisation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    return import_module("regularisation")


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
