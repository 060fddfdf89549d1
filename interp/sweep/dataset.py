"""The rows of a sweep: one Parquet data set, a row per network, that readers can open while it grows.

DIR/part-000000.parquet and so on, of at most 1,000 rows each and all with the same columns. Only the last part is written
anew, whole, when rows come to it, and no row ever moves from one file to another: whoever reads the files sees a row once.
"""

import io
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from interp.errors import InterpError
from interp.files import directories
from interp.files.atomic import remove_unfinished, write_atomically

if TYPE_CHECKING:
    import pyarrow

ROWS_OF_A_PART = 1_000
"""Largest number of rows in a file."""
EVERY = 1.0
"""Least number of seconds between two writings that are not urgent: a thousand networks a minute are not written one by one."""

Row = dict[str, Any]
"""Column → value; None, or no entry, where there is none."""
Columns = Mapping[str, type | GenericAlias]
"""Column → bool, int, float, str, or a list of one of these, as list[int], or a list of such lists."""


class DataSet:
    """The data set in a directory, with the rows that are still to be written to it. One process may write it at a time."""

    def __init__(self, path: Path, columns: Columns) -> None:
        """Raises InterpError where the directory holds rows with other columns, and WriteError where it cannot be made."""
        self.path, self._schema = path, _schema(columns)
        directories.make(path)
        remove_unfinished(path)
        for part in self._parts():
            self._widen(part)
        errors = [row for part in self._parts() for row in _read(part, ["name", "error"]).to_pylist()]
        self._names = {row["name"] for row in errors}
        self.failed = {row["name"] for row in errors if row["error"] is not None}
        """Names of the networks that failed."""
        self._fresh: list[Row] = []
        self._wrote = 0.0
        self._last, self._last_rows = self._last_part()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def add(self, row: Row) -> None:
        """Add a row, which is in the files once ``write`` has been called.

        Raises InterpError on a name that has a row, and on a row that the columns cannot hold.
        """
        if row["name"] in self._names:
            raise InterpError(f"the network {row['name']} has a row already")
        if unknown := sorted(row.keys() - set(self._schema.names)):
            raise InterpError(f"the data set has no column {', '.join(unknown)}")
        pyarrow = _pyarrow()
        try:
            pyarrow.Table.from_pylist([row], schema=self._schema)
        except (pyarrow.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise InterpError(f"its row does not fit the columns: {error}") from error
        self._names.add(row["name"])
        self.failed |= {row["name"]} if row["error"] is not None else set()
        self._fresh.append(row)

    def write(self, *, urgent: bool = True) -> bool:
        """Write the rows that were added; True once they are in the files. What is not urgent may wait for others.

        Raises WriteError where they cannot be written; the files are then whole, and hold what they held.
        """
        if self._fresh and not urgent and time.monotonic() - self._wrote < EVERY:
            return False
        while self._fresh:
            fitting = self._fresh[: ROWS_OF_A_PART - len(self._last_rows)]
            self._write_part(self._last, [*self._last_rows, *fitting])
            self._last_rows, self._fresh = [*self._last_rows, *fitting], self._fresh[len(fitting) :]
            if len(self._last_rows) == ROWS_OF_A_PART:
                self._last, self._last_rows = self._last_part()
            self._wrote = time.monotonic()
        return True

    def drop_failed(self, names: Collection[str]) -> None:
        """Take out the rows of those of these networks that failed, so that they are done again."""
        for part in self._parts():
            rows = _read(part).to_pylist()
            good = [row for row in rows if row["error"] is None or row["name"] not in names]
            if len(good) < len(rows):
                self._write_part(part, good)
        self._names -= self.failed & set(names)
        self.failed -= set(names)
        self._last, self._last_rows = self._last_part()

    def _widen(self, part: Path) -> None:
        """Give a file the columns that were added since it was written. Raises InterpError where it has others."""
        rows = _read(part)
        if any(each not in self._schema for each in rows.schema):
            raise InterpError(
                f"{self.path} holds rows with other columns: name another directory, or ask for the same findings"
            )
        if len(rows.schema) < len(self._schema):
            self._write_part(part, rows.to_pylist())

    def _parts(self) -> list[Path]:
        return sorted(self.path.glob("part-*.parquet"))

    def _last_part(self) -> tuple[Path, list[Row]]:
        """The file that the next rows go to, and the rows that it has."""
        parts = self._parts()
        rows: list[Row] = _read(parts[-1]).to_pylist() if parts else []
        if parts and len(rows) < ROWS_OF_A_PART:
            return parts[-1], rows
        number = int(parts[-1].stem.removeprefix("part-")) + 1 if parts else 0
        return self.path / f"part-{number:06d}.parquet", []

    def _write_part(self, path: Path, rows: list[Row]) -> None:
        pyarrow, buffer = _pyarrow(), io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=self._schema), buffer, compression="zstd")
        write_atomically(path, buffer.getvalue())


def read_rows(path: str | Path) -> list[Row]:
    """The rows in a data set's directory, or in one Parquet file. Raises InterpError on a damaged file."""
    return [row for table in read_tables(path) for row in table.to_pylist()]


def read_tables(path: str | Path) -> "list[pyarrow.Table]":
    """Tables of the rows in a data set's directory, one for every file, or in one Parquet file: smaller than rows of Python
    values, and what other tools work on. Raises InterpError on a damaged file."""
    path = Path(path)
    return [_read(part) for part in (sorted(path.glob("part-*.parquet")) if path.is_dir() else [path])]


def _read(part: Path, columns: list[str] | None = None) -> "pyarrow.Table":
    pyarrow = _pyarrow()
    try:
        return pyarrow.parquet.read_table(part, columns=columns)
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or "it is damaged"
        raise InterpError(f"cannot read {part}: {why}") from error
    except pyarrow.ArrowException as error:
        raise InterpError(f"{part} is no Parquet file, or damaged: {error}") from error


def _schema(columns: Columns) -> "pyarrow.Schema":
    pyarrow = _pyarrow()
    kinds = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    lists: dict[Any, Any] = {GenericAlias(list, kind): pyarrow.list_(each) for kind, each in kinds.items()}
    tables = {GenericAlias(list, kind): pyarrow.list_(each) for kind, each in lists.items()}
    return pyarrow.schema([(name, (tables | lists | kinds)[kind]) for name, kind in columns.items()])


def _pyarrow() -> Any:
    """The module, which plain installation does without."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InterpError('sweeps need pyarrow, which is not installed: pip install "interp[sweep]"') from error
    return pyarrow
