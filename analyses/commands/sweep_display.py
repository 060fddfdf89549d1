"""What interp-sweep shows: one bar in a terminal, a line per finished network anywhere else."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from interp.sweep.network import Result
from interp.sweep.sweep import Progress
from interp.sweep.unit import Status


class SweepDisplay:
    """How many networks are done, running and failed, how many an hour, and how long the others take."""

    def __init__(self, console: Console) -> None:
        self._console, self._started = console, time.monotonic()
        columns = (BarColumn(20), MofNCompleteColumn(), TextColumn("{task.fields[status]}"))
        self._bars = Bars(*columns, console=console, disable=not console.is_terminal)
        self._has_begun = False
        self._task = self._bars.add_task("networks", total=None, status="starting")

    def __enter__(self) -> "SweepDisplay":
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def show(self, progress: Progress, status: Status) -> None:
        """Show what a unit says of itself."""
        if not self._has_begun and not self._console.is_terminal:
            self._print(f"{progress.total - progress.before} networks to train")
        self._has_begun = True
        so_far = _so_far(progress, time.monotonic() - self._started)
        self._bars.update(self._task, total=progress.total, completed=progress.before + progress.done, status=so_far)
        finished = isinstance(status.result, Result)
        if status.note:
            self._print(f"{status.path.name}: {status.note}")
        if (finished or status.failed) and not self._console.is_terminal:
            self._print(f"{progress.before + progress.done} of {progress.total}  {_said(status)}{so_far}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _said(status: Status) -> str:
    """The outcome of a finished network."""
    if not isinstance(status.result, Result):
        return ""
    row = status.result.row
    accuracy = "" if row.get("test_accuracy") is None else f"  test accuracy {row['test_accuracy']:.3f}"
    return f"{row['name']}{' ' + row['label'] if row['label'] else ''}{accuracy}, {row.get('circuit') or 'no circuit'}  "


def _so_far(progress: Progress, seconds: float) -> str:
    failed = f", {progress.failed} failed" if progress.failed else ""
    running = f"{len(progress.running)} running{failed}"
    if not progress.done:
        return running
    rate = progress.done / seconds
    open_networks = progress.total - progress.before - progress.done
    return f"{running}, {rate * 3600:.0f} an hour, {duration(open_networks / rate)} to go"


def duration(seconds: float) -> str:
    """A length of time as people say it: 40 s, 12 min, 3 h 20 min, 5 days."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours / 24:.1f} days"


def size(count: int) -> str:
    """A number of bytes as people say it."""
    for power, unit in enumerate(("B", "kB", "MB", "GB")):
        if count < 1000 ** (power + 1):
            return f"{count / 1000**power:.0f} {unit}"
    return f"{count / 1e12:.1f} TB"
