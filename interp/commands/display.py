"""What interp-train shows while it trains: a bar per run in a terminal, a line per record anywhere else."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from interp.sweep.unit import Status
from interp.training.run import Run


class Display:
    """Bars with losses, accuracy, steps per second and time left."""

    def __init__(self, console: Console, runs: Sequence[Run]) -> None:
        self._console = console
        named = len(runs) > 1
        self._bars = Bars(
            *([TextColumn("{task.description}")] if named else []),
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._shown = {run.path: _Shown(self._bars, run, named) for run in runs}

    def __enter__(self) -> "Display":
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def show(self, status: Status) -> None:
        """Show what a run says of itself."""
        shown = self._shown[status.path]
        shown.step(status.step)
        if status.losses is not None:
            shown.record(status.losses)
        if status.note:
            self._print(f"{status.path}: {status.note}")
        elif status.losses is not None and not self._console.is_terminal:
            self._print(shown.line())

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Shown:
    """One run's bar, and its line."""

    def __init__(self, bars: Bars, run: Run, named: bool) -> None:
        self._bars, self._steps = bars, run.config.recipe.steps
        self._name = f"{run.path.name}  " if named else ""
        self._task = bars.add_task(run.path.name, total=self._steps, status="")
        self._record, self._now = "", 0
        self._started, self._from = 0.0, 0

    @property
    def _rate(self) -> float:
        return (self._now - self._from) / max(time.monotonic() - self._started, 1e-9)

    def step(self, step: int) -> None:
        if not self._started or step < self._now:  # it begins, or was restarted
            self._started, self._from = time.monotonic(), step
        self._now = step
        self._update()

    def record(self, losses: dict[str, float]) -> None:
        self._record = (
            f"train {losses['train_loss']:.2e}  test {losses['test_loss']:.2e}  accuracy {losses['test_accuracy']:.3f}"
        )
        self._update()

    def _update(self) -> None:
        self._bars.update(self._task, completed=self._now, status=f"{self._record}  {self._rate:.1f} steps/s")

    def line(self) -> str:
        """The newest record in a line, with the time that the steps to come would take."""
        speed = ""
        if self._now > self._from:
            speed = f"  {self._rate:.1f} steps/s  at most {(self._steps - self._now) / self._rate:.0f} s left"
        return f"{self._name}step {self._now:>6}  {self._record}{speed}"
