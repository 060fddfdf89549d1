"""docs/census.md: its tables are made of the rows that are kept, and the rows are of networks that were planned."""

import math
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from interp.sweep.dataset import read_rows
from interp.sweep.spec import read_spec

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    return import_module("census")


def test_the_tables_are_those_of_the_rows(study: ModuleType) -> None:
    tables = study.document(*(read_rows(study.HERE / f"{name}.parquet") for name in ("census", "other_tasks")))
    assert tables in (ROOT / "docs" / "census.md").read_text(), "python studies/census.py"


@pytest.mark.parametrize("name", ["census", "other_tasks"])
def test_the_rows_are_of_networks_that_were_planned_each_once(study: ModuleType, name: str) -> None:
    points, rows = read_spec(study.HERE / f"{name}.toml").points, read_rows(study.HERE / f"{name}.parquet")
    assert len({row["name"] for row in rows}) == len(rows) and {row["name"] for row in rows} <= points.keys()
    for row in rows:
        config = points[row["name"]].config
        assert (row["seed"], row["attention_rate"], row["step"]) == (
            config.seed, config.recipe.network.attention_rate, config.recipe.steps,
        )  # fmt: skip


def test_the_published_criterion_divides_networks_in_four(study: ModuleType) -> None:
    kinds = {}
    for symmetry in (0.5, 0.99):
        for irrelevance in (0.3, 0.9):
            row = {"gradient_symmetry_paper_sample": symmetry, "distance_irrelevance_largest_wrong": irrelevance}
            kinds[symmetry, irrelevance] = (study.is_pizza(row), study.is_clock(row), study.both_high(row))
    assert kinds == {
        (0.99, 0.3): (True, False, False), (0.5, 0.9): (False, True, False), (0.99, 0.9): (False, False, True),
        (0.5, 0.3): (False, False, False),
    }  # fmt: skip
    assert study.passes({"circularity_circularity": 0.995}) and not study.passes({"circularity_circularity": 0.9949})


def test_networks_of_the_census_are_proven_as_the_document_says(study: ModuleType) -> None:
    rows = [row for row in read_rows(study.HERE / "census.parquet") if row["certificate_certified"] is not None]
    least = min(row["certificate_certified"] for row in rows)
    most = max(row["certificate_share_of_brute_force"] for row in rows)
    said = " ".join((ROOT / "docs" / "certificates.md").read_text().split())
    assert f"{len(rows)} networks were certified by low rank as they were trained: all of them on at least" in said
    assert (
        len(rows) >= 50
        and f"at least {f'{least:.4f}'[1:]} of the pairs, with at most {most:.3f} of the multiplications" in said
    )


def test_what_is_said_of_the_share_that_does_not_agree_is_so() -> None:
    share = 0.28
    as_many = sum(math.comb(4, n) * share**n * (1 - share) ** (4 - n) for n in (3, 4))
    text = " ".join((ROOT / "docs" / "census.md").read_text().split())
    assert f"in {as_many:.0%} of all censuses if the share were 28%" in text
    assert abs(1 - 0.95**8 - 1 / 3) < 0.01 and "Seven of the eight" in text and text.count("| no |") == 1
