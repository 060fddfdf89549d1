"""What a survey says: shares with their intervals, groups, figures, queries, on rows that are made up; and what a row is."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

import analyses
from analyses.commands.survey import main
from analyses.findings.measurement import MEASUREMENTS, suits
from analyses.survey import row as survey_row
from analyses.survey.groups import grouped
from analyses.survey.page import cards, survey_page
from analyses.survey.pictures import pictures
from analyses.survey.shares import Share, shares, shares_table
from interp.errors import InterpError
from interp.files import formats
from interp.sweep.dataset import DataSet
from interp.sweep.network import own_columns

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"


def made_up(number: int, **values: Any) -> dict[str, Any]:
    """A row of a network that generalises as a clock at two frequencies."""
    empty = dict.fromkeys([*own_columns(), *survey_row.VERDICT])
    usual = {"name": f"n{number}", "label": "", "seed": number, "attention_rate": number / 10,
             "d_model": 64 + 64 * (number % 2),
             "accuracy": 1.0, "generalises": True, "circuit": "clock", "is_explained": True, "rung": 1, "coordinate": 0.1,
             "key_frequencies": [3, 5], "verdicts": ["clock", "pizza"], "coordinates": [0.1, 0.9], "shares": [0.6, 0.3],
             "steps_to_train": 100, "steps_to_test": 100 * number, "test_accuracy": 1.0}  # fmt: skip
    return {**empty, **usual, **values}


ROWS = [
    *(made_up(number) for number in range(1, 7)),
    made_up(7, circuit="pizza", is_explained=False, d_model=64),
    made_up(8, generalises=False, accuracy=0.5, circuit="not generalising", is_explained=False, key_frequencies=[], verdicts=[],
            coordinates=[], shares=[], steps_to_test=None),
    made_up(9, error="it broke <b>", generalises=None, circuit=None, is_explained=None, accuracy=None, key_frequencies=None,
            verdicts=None, coordinates=None, shares=None, steps_to_train=None, steps_to_test=None),
]  # fmt: skip


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    rows = DataSet(tmp_path / "census" / "rows", {**own_columns(), **survey_row.VERDICT})
    for row in ROWS:
        rows.add(row)
    rows.write()
    return tmp_path / "census"


def test_wilsons_interval_is_the_published_one() -> None:
    # Source: Newcombe 1998, Statistics in Medicine 17, table I, method 3.
    for count, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert Share(count, of).interval == pytest.approx((low, high), abs=5e-5)
    assert all(Share(n, n).holds(1.0) and Share(0, n).holds(0.0) for n in range(1, 400))
    assert Share(0, 0).interval == (0.0, 1.0) and math.isnan(Share(0, 0).value)


def test_the_interval_holds_the_true_share_as_often_as_it_says() -> None:
    chance = random.Random(0)
    held = sum(Share(sum(chance.random() < 0.1 for _ in range(40)), 40).holds(0.1) for _ in range(2000))
    assert 0.93 < held / 2000 < 0.97


def test_shares_are_of_the_networks_that_they_are_about() -> None:
    found = shares({"all": ROWS})
    (row,) = shares_table(found, "").rows
    assert row == ("all", 9, 1, str(Share(7, 8)), str(Share(6, 7)), str(Share(1, 7)), str(Share(6, 7)))
    assert shares_table(found, "").columns == (
        "networks", "number", "failed", "generalises", "clock", "pizza", "explained",
    )  # fmt: skip


def test_groups_are_by_value_by_edges_or_of_equal_size() -> None:
    assert {name: len(rows) for name, rows in grouped(ROWS, ["d_model"]).items()} == {"d_model 64": 5, "d_model 128": 4}
    edges = grouped(ROWS, ["attention_rate:.1,.4,.5,.8"])
    assert {name: len(rows) for name, rows in edges.items()} == {
        "attention_rate [0.1, 0.4]": 4, "attention_rate (0.4, 0.5]": 1, "attention_rate (0.5, 0.8]": 3,
        "attention_rate outside 0.1 to 0.8": 1,
    }  # fmt: skip
    many = [made_up(number) for number in range(50)]
    assert [len(rows) for rows in grouped(many, ["seed"]).values()] == [11, 10, 10, 10, 9]
    both = grouped(ROWS, ["circuit", "d_model"])
    assert len(both["clock, d_model 64"]) == 3 and len(both["circuit unknown, d_model 128"]) == 1
    assert grouped(ROWS, []) == {"all": ROWS}
    large = [made_up(number, seed=1_234_567_000 + number) for number in range(50)]
    assert [len(rows) for rows in grouped(large, ["seed"]).values()] == [11, 10, 10, 10, 9]
    assert {name: len(rows) for name, rows in grouped(ROWS, ["key_frequencies"]).items()} == {
        "key_frequencies none": 1, "key_frequencies 3, 5": 7, "key_frequencies unknown": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("rate", "no column 'rate', but .*attention_rate"),
        ("seed:3", "edges"),
        ("seed:3,2", "edges"),
        ("seed:a,b", "edges"),
        ("seed:nan,1", "edges"),
        ("circuit:0,1", "only for a column of numbers"),
    ],
)
def test_what_is_no_group_is_refused(by: str, message: str) -> None:
    with pytest.raises(InterpError, match=message):
        grouped(ROWS, [by])


def test_every_key_frequency_is_a_point_and_every_network_can_be_opened() -> None:
    figures = pictures(ROWS, "attention_rate")
    points = {trace.name: list(zip(trace.x, trace.y, trace.customdata, strict=True)) for trace in figures["phase_diagram"].data}
    assert len(points["clock"]) == len(points["pizza"]) == 7 and (0.3, 0.9, "n3") in points["pizza"]
    assert list(figures["frequencies"].data[0].y) == [7]
    reached = figures["steps"].data[1]
    assert list(reached.x) == [100 * number for number in range(1, 8)] and reached.y[-1] == 7 / 8  # of those that did not fail
    found = cards(ROWS)
    assert [card["name"] for card in found] == [row["name"] for row in ROWS]
    assert found[0]["words"] == "Circuit: clock; explained, on rung 1." and "p" not in dict(found[0]["values"])
    assert found[7]["words"].startswith("It does not generalise: 50.0%") and found[8]["words"] == "It failed: it broke <b>"
    page = survey_page(ROWS, shares_table(shares({"all": ROWS}), ""), title="a <census>", over="attention_rate")
    assert "<census>" not in page and "9 networks: 7 generalise, of which 6 are explained. 1 failed" in page


def test_what_was_not_looked_at_is_not_counted_as_wrong() -> None:
    unseen = [made_up(1, generalises=None, accuracy=None, circuit=None, is_explained=None), made_up(2)]
    assert shares({"all": unseen})["all"]["generalises"] == Share(1, 1)
    assert "not looked at" in cards(unseen)[0]["words"]


def test_the_command_prints_groups_and_writes_a_page(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(sweep), "--by", "d_model", "--html", str(sweep / "page.html")]) == 0
    shown = capsys.readouterr()
    assert "9 networks: 7 generalise" in shown.out and "d_model 128" in shown.out and "MB, open it" in shown.err
    assert (sweep / "page.html").stat().st_size > 1e6
    assert main([str(sweep), str(sweep / "rows" / "part-000000.parquet"), "--json"]) == 0
    all_of_them = json.loads(capsys.readouterr().out)
    # Each network once, though it was named twice.
    assert all_of_them["group"] == "all" and all_of_them["number"] == 9
    assert all_of_them["pizza"] == pytest.approx({"count": 1, "of": 7, "low": 0.0257, "high": 0.5131}, abs=1e-4)


def test_a_query_is_duckdbs_and_sees_nothing_but_the_rows(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "select circuit, count(*) as n, avg(coordinate) as mean from networks where generalises group by circuit order by n"
    assert main([str(sweep), "--sql", query, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["circuit"], row["n"]) for row in rows] == [("pizza", 1), ("clock", 6)]
    assert rows[0]["mean"] == pytest.approx(0.1)
    assert main([str(sweep), "--sql", "select nothing from networks"]) == 2
    assert "the query fails" in capsys.readouterr().err
    assert main([str(sweep), "--sql", ";"]) == 2 and "expected a query" in capsys.readouterr().err
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    assert main([str(sweep), "--sql", f"select * from '{secret}'"]) == 2
    assert main([str(sweep), "--sql", f"copy networks to '{tmp_path / 'out.csv'}'"]) == 2
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere"], "nowhere"), (["SWEEP", "--over", "width"], "no column 'width'"), (["SWEEP", "--by", "widths"], "no column")],
)
def test_what_cannot_be_said_is_one_line(
    sweep: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([str(sweep) if each == "SWEEP" else each for each in arguments]) == 2
    assert message in (said := capsys.readouterr().err) and len(said.splitlines()) == 1


NAMES = ["performance", "distance_irrelevance", "explanation"]


@pytest.mark.parametrize("name", ["zhong-59-rate-0.pt", "memorising-59.pt", "operations/d13.pt"])
def test_a_row_has_the_numbers_of_the_findings_and_no_other_columns(tmp_path: Path, name: str) -> None:
    saved = formats.load(CHECKPOINTS / name)
    columns, values, circuit = survey_row.columns(NAMES), survey_row.look(NAMES)(saved), saved.circuit()
    kept = DataSet(tmp_path, {"name": str, "error": str, **columns})
    kept.add({"name": "it fits", "error": None, **values})
    assert values.keys() <= columns.keys() and values["accuracy"] == analyses.performance(circuit).accuracy
    for measurement in NAMES:
        found = MEASUREMENTS[measurement](circuit).scalars() if suits(circuit, measurement) else {}
        expected = {
            column: repr(None if columns[column] is bool and value != value else value)
            for number, value in found.items()
            for column in [f"{measurement}_{number.replace('.', '_')}"]
        }
        assert {column: repr(x) for column, x in values.items() if column.startswith(f"{measurement}_")} == expected


def test_every_measurement_says_what_numbers_it_finds() -> None:
    for name in MEASUREMENTS:
        assert not name.startswith("_") and isinstance(survey_row.columns([name]), dict)
