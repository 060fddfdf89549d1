"""The rows of a sweep: whole at every moment, each once, and open to everyone's tools as they are."""

import threading
from pathlib import Path
from typing import Any

import pytest

from interp.errors import InterpError
from interp.sweep import dataset
from interp.sweep.dataset import DataSet, read_rows

COLUMNS = {"name": str, "error": str, "accuracy": float, "steps": int, "explained": bool, "keys": list[int], "kinds": list[str]}


def row(number: int, **values: Any) -> dict[str, Any]:
    return {"name": f"n{number}", "error": None, "accuracy": number / 8, "steps": number, **values}


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five rows, two to a file, one of them of a network that failed."""
    monkeypatch.setattr(dataset, "ROWS_OF_A_PART", 2)
    rows = DataSet(tmp_path, COLUMNS)
    for number in range(5):
        error = "broke" if number == 3 else None
        rows.add(row(number, explained=bool(number % 2), keys=[3, number], kinds=["clock"], error=error))
    assert rows.write()
    return tmp_path


def test_rows_come_back_as_they_were_given(filled: Path) -> None:
    assert [path.name for path in sorted(filled.iterdir())] == [f"part-00000{number}.parquet" for number in range(3)]
    rows = read_rows(filled)
    assert [each["name"] for each in rows] == ["n0", "n1", "n2", "n3", "n4"]
    assert rows[4] == {**row(4), "explained": False, "keys": [3, 4], "kinds": ["clock"]}


def test_pandas_polars_and_duckdb_open_it_as_it_is(filled: Path) -> None:
    import duckdb
    import pandas
    import polars

    frame = pandas.read_parquet(filled)
    assert list(frame["steps"]) == list(range(5)) and list(frame.columns) == list(COLUMNS)
    assert polars.read_parquet(filled)["keys"].to_list() == [[3, number] for number in range(5)]
    assert polars.scan_parquet(filled).filter(polars.col("explained")).collect()["name"].to_list() == ["n1", "n3"]
    found = duckdb.sql(f"select sum(steps), count(error) from '{filled}/*.parquet'")
    assert found is not None and found.fetchall() == [(10, 1)]


def test_it_goes_on_where_it_was_left(filled: Path) -> None:
    again = DataSet(filled, COLUMNS)
    assert len(again) == 5 and "n4" in again and "n5" not in again and again.failed == {"n3"}
    again.add(row(5))
    again.add(row(6))
    assert again.write()
    assert [each["name"] for each in read_rows(filled)] == [f"n{number}" for number in range(7)]
    with pytest.raises(InterpError, match="n6 has a row already"):
        again.add(row(6))


def test_networks_that_failed_can_be_forgotten(filled: Path) -> None:
    again = DataSet(filled, COLUMNS)
    again.drop_failed({"n3", "n4"})
    assert "n3" not in again and not again.failed
    again.add(row(3))
    assert again.write()
    assert sorted(each["name"] for each in read_rows(filled)) == [f"n{number}" for number in range(5)]


def test_a_file_that_was_taken_out_leaves_its_number_free(filled: Path) -> None:
    (filled / "part-000000.parquet").unlink()
    again = DataSet(filled, COLUMNS)
    for number in range(10, 14):
        again.add(row(number))
    assert again.write()
    assert [each["name"] for each in read_rows(filled)] == ["n2", "n3", "n4", "n10", "n11", "n12", "n13"]


@pytest.mark.parametrize("values", [{"steps": "many"}, {"steps": 10**30}, {"explained": float("nan")}, {"keys": ["x"]}])
def test_a_row_that_the_columns_cannot_hold_is_refused_and_no_other(filled: Path, values: dict[str, Any]) -> None:
    again = DataSet(filled, COLUMNS)
    with pytest.raises(InterpError, match="does not fit the columns"):
        again.add(row(5, **values))
    again.add(row(5))
    assert again.write() and len(read_rows(filled)) == 6


def test_what_is_not_urgent_waits_for_others(tmp_path: Path) -> None:
    rows = DataSet(tmp_path, COLUMNS)
    rows.add(row(0))
    assert rows.write(urgent=False)  # the first does not wait
    rows.add(row(1))
    assert not rows.write(urgent=False) and len(read_rows(tmp_path)) == 1
    assert rows.write() and len(read_rows(tmp_path)) == 2


def test_columns_that_were_added_are_empty_in_the_rows_before(filled: Path) -> None:
    import pandas

    wider = DataSet(filled, {**COLUMNS, "rung": int})
    wider.add(row(5, rung=2))
    assert wider.write()
    frame = pandas.read_parquet(filled)
    assert list(frame["rung"].isna()) == [True] * 5 + [False] and list(frame["steps"]) == list(range(6))


@pytest.mark.parametrize("columns", [{**COLUMNS, "steps": float}, {name: COLUMNS[name] for name in ("name", "error")}])
def test_a_directory_with_other_columns_is_refused(filled: Path, columns: dict[str, Any]) -> None:
    before = read_rows(filled)
    with pytest.raises(InterpError, match="rows with other columns"):
        DataSet(filled, columns)
    assert read_rows(filled) == before


def test_a_column_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterpError, match="no column extra"):
        DataSet(tmp_path, COLUMNS).add(row(0, extra=1))


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"x" * 5000])
def test_a_damaged_file_is_named(filled: Path, content: bytes) -> None:
    (filled / "part-000001.parquet").write_bytes(content)
    for reading in (read_rows, lambda path: DataSet(path, COLUMNS)):
        with pytest.raises(InterpError, match=r"part-000001\.parquet"):
            reading(filled)


def test_a_file_cut_off_anywhere_is_no_shorter_data_set(filled: Path) -> None:
    whole = (filled / "part-000000.parquet").read_bytes()
    for share in range(1, 10):
        (filled / "part-000000.parquet").write_bytes(whole[: len(whole) * share // 10])
        with pytest.raises(InterpError):
            read_rows(filled)


def test_readers_never_see_half_a_row_or_one_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas

    monkeypatch.setattr(dataset, "ROWS_OF_A_PART", 7)
    rows, done, seen = DataSet(tmp_path, COLUMNS), threading.Event(), list[int]()
    rows.add(row(0))
    rows.write()

    def read() -> None:
        while not done.is_set():
            names = list(pandas.read_parquet(tmp_path)["name"])
            assert len(set(names)) == len(names)
            seen.append(len(names))

    reader = threading.Thread(target=read)
    failed: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    reader.start()
    for number in range(1, 60):
        rows.add(row(number))
        rows.write()
    done.set()
    reader.join()
    assert not failed and seen == sorted(seen) and len(read_rows(tmp_path)) == 60
