"""Many runs at once: a process of its own for each, restarted from its last record where the system kills it."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from interp.errors import InterpError
from interp.training import run
from interp.training.run import Run
from interp.training.watching import NOT_WATCHING, Watching

MAX_RESTARTS = 3
"""Of one run without a record in between: what kills it every time will go on doing so."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a worker says of its run."""

    path: Path
    step: int
    losses: dict[str, float] | None = None
    """At a record."""
    note: str = ""
    """Something to tell the user: it was restarted, or it failed."""
    failed: bool = False
    """It will not go on."""


@dataclass(eq=False)
class _Worker:
    run: Run
    watching: Watching
    restarts: int = 0
    step: int = 0
    error: str = ""
    process: SpawnProcess = field(init=False)
    connection: "Connection[Any, Any]" = field(init=False)

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_train, args=(self.run.path, self.watching, theirs), daemon=True)
        self.process.start()
        theirs.close()


def train_all(
    runs: Sequence[Run],
    *,
    workers: int,
    report: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    watching: Watching = NOT_WATCHING,
) -> None:
    """Train runs, ``workers`` at a time; ``report`` hears of every record and a few times per second of the steps.

    A run that fails is reported and does not keep the others. When ``should_stop()`` says so, every worker is asked to
    record where it is and end.
    """
    waiting, working, asked = list(runs), list[_Worker](), False
    while working or (waiting and not asked):
        while waiting and len(working) < workers and not asked:
            working.append(_Worker(waiting.pop(0), watching))
            working[-1].start()
        # A worker's process ends with its connection, so this wakes for both; the timeout is for should_stop.
        wait([worker.connection for worker in working], timeout=0.2)
        for worker in list(working):
            _hear(worker, report)
            if worker.connection.closed and not _go_on(worker, report, asked):
                working.remove(worker)
        if should_stop() and not asked:
            asked = True
            for worker in working:
                worker.process.terminate()


def _hear(worker: _Worker, report: Callable[[Progress], None]) -> None:
    """Pass on what the worker has said; close the connection where it has ended."""
    try:
        while worker.connection.poll():
            progress: Progress = worker.connection.recv()
            if progress.losses is not None:
                worker.restarts = 0
            worker.step, worker.error = progress.step, progress.note
            report(progress)
    except (EOFError, OSError):
        worker.connection.close()


def _go_on(worker: _Worker, report: Callable[[Progress], None], asked: bool) -> bool:
    """Restart an ended worker where the system killed it; False where it is done, failed, or asked to end."""
    worker.process.join()
    code = worker.process.exitcode or 0
    if code == 0 or worker.error or asked:
        return False
    again = code < 0 and worker.restarts < MAX_RESTARTS
    what = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    then = "restarted from its last record" if again else "given up: resume it with --resume"
    report(Progress(path=worker.run.path, step=worker.step, note=f"{what}, {then}", failed=not again))
    if again:
        worker.restarts += 1
        worker.start()
    return again


def _train(path: Path, watching: Watching, connection: "Connection[Any, Any]") -> None:
    """In the worker's process: train one run and say how it goes."""
    asked: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on as SIGTERM
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    spoke = [0, 0.0]

    def say(step: int, **what: Any) -> None:
        spoke[:] = step, time.monotonic()
        connection.send(Progress(path=path, step=step, **what))

    def on_step(step: int) -> None:
        if time.monotonic() - spoke[1] > 0.2:
            say(step)

    try:
        for snapshot in run.load(path).train(should_stop=lambda: bool(asked), on_step=on_step, watching=watching):
            say(snapshot.step, losses=snapshot.losses)
    except InterpError as error:
        say(int(spoke[0]), note=str(error), failed=True)
    except BrokenPipeError:  # the parent is gone, and with it whoever wanted this
        return
