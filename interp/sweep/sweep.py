"""A sweep: the networks of a spec that have no row yet are trained and measured, and their rows written, each exactly once.

DIR/rows/          the data set: a row per network (``dataset``)
DIR/networks/      NAME.pt of the networks whose weights are kept
DIR/unfinished/    NAME, the run directory of a network that has no row yet
DIR/.lock          held by the process that writes here

The process that holds the lock is the only one that writes rows. Units are done by an engine and hand over what they found; a
network is done once its row is in the files, and not before. So whatever is killed, and whenever: what has a row is not done
again, what has none is, from the last record of its run, and no row is there twice.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from interp.errors import InterpError, WriteError
from interp.files import directories
from interp.files.atomic import remove_unfinished, write_atomically
from interp.sweep.dataset import Columns, DataSet, Row
from interp.sweep.engine import Engine
from interp.sweep.network import Look, LookBack, Result, SweptNetwork, own_columns, row_of
from interp.sweep.point import Point
from interp.sweep.spec import Spec
from interp.sweep.unit import Status


@dataclass
class Progress:
    """How far a sweep is."""

    total: int
    """Number of networks in the sweep."""
    before: int
    """Number of them that had a row when it was started."""
    done: int = 0
    """Number of rows that were written since."""
    failed: int = 0
    """Number of networks that failed, now or before."""
    running: dict[str, Status] = field(default_factory=dict)
    """Networks that are being trained, by name, and how far they are."""


@dataclass(frozen=True)
class Sweep:
    """A sweep in a directory."""

    path: Path
    """The directory."""
    spec: Spec
    """What is trained, and what is kept."""
    columns: Columns
    """Columns of what ``look`` and ``look_back`` find."""
    look: Look
    """What is measured of every network."""
    look_back: LookBack | None = None
    """What is measured of every run, which then has a snapshot of every record; None for nothing."""

    def run(
        self,
        engine: Engine,
        *,
        again_failed: bool = False,
        on_progress: Callable[[Progress, Status], None] = lambda progress, status: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Progress:
        """Do what is missing. ``again_failed``: also the networks that failed before.

        ``on_progress`` hears of every word of a unit. Raises InterpError where another process works here, or where the
        directory holds rows with other columns, and WriteError where something cannot be written; rows stay whole.
        """
        points = self.spec.points
        directories.make(self.path / "unfinished")
        with directories.held(self.path, f"another process works in {self.path}: wait for it, or name another directory"):
            rows = DataSet(self.path / "rows", {**own_columns(records=self.spec.records), **self.columns})
            if again_failed:
                rows.drop_failed(points.keys())
            missing = {name: point for name, point in points.items() if name not in rows}
            progress = Progress(total=len(points), before=len(points) - len(missing), failed=len(rows.failed & points.keys()))
            writer = _Writer(self.path, missing, rows, progress)
            writer.clear_away()

            def report(status: Status) -> None:
                writer.hear(status)
                on_progress(progress, status)

            runs, spec = self.path / "unfinished", self.spec
            units = [
                SweptNetwork(
                    point=each,
                    runs=runs,
                    look=self.look,
                    keep=each.is_kept(spec.keep),
                    records=spec.records,
                    look_back=self.look_back,
                )
                for each in missing.values()
            ]
            engine.work(units, report, lambda: writer.write_waiting() is not None or should_stop())
            writer.finish()
        return progress


class _Writer:
    """Writes what units hand over: weights first, then the row, and only then the run directory goes."""

    def __init__(self, path: Path, points: Mapping[str, Point], rows: DataSet, progress: Progress) -> None:
        self._path, self._points, self._rows, self._progress = path, points, rows, progress
        self._handed_over: list[str] = []
        self.error: WriteError | None = None
        """Why nothing more is written."""

    def clear_away(self) -> None:
        """Remove the run directories of networks that have a row, and files that were cut off."""
        remove_unfinished(self._path / "networks")
        for directory in (self._path / "unfinished").glob("*"):
            if directory.name in self._rows:
                shutil.rmtree(directory, ignore_errors=True)

    def hear(self, status: Status) -> None:
        """Take what a unit says."""
        name = status.path.name
        if name in self._rows:  # its process was killed when it had handed over its row, and it did it again
            return
        self._progress.running[name] = status
        try:
            if status.unwritable:
                raise WriteError(status.note)
            if isinstance(status.result, Result):
                self._take(name, status.result.row, status.result.weights)
            elif status.failed:
                self._take_failed(name, status.note)
            self._write(urgent=False)
        except WriteError as error:
            self.error = self.error or error

    def write_waiting(self) -> WriteError | None:
        """Write the rows that have waited for others; why nothing more can be written, if so."""
        if self.error is None:
            try:
                self._write(urgent=False)
            except WriteError as error:
                self.error = error
        return self.error

    def finish(self) -> None:
        """Write what is not written yet. Raises WriteError where something could not be."""
        if self.error is not None:
            raise self.error
        self._write(urgent=True)

    def _take(self, name: str, row: Row, weights: bytes | None) -> None:
        if weights is not None:
            directories.make(self._path / "networks")
            write_atomically(self._path / "networks" / f"{name}.pt", weights)
        try:
            self._rows.add(row)
        except InterpError as error:
            self._take_failed(name, str(error))
            return
        self._handed_over.append(name)
        self._progress.done += 1
        del self._progress.running[name]

    def _take_failed(self, name: str, why: str) -> None:
        self._progress.failed += 1
        self._take(name, row_of(self._points[name], why), None)

    def _write(self, *, urgent: bool) -> None:
        if self._rows.write(urgent=urgent):
            for name in self._handed_over:
                shutil.rmtree(self._path / "unfinished" / name, ignore_errors=True)
            self._handed_over.clear()
