"""Many units of work at once: a process of its own for each, restarted where the system kills it."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from interp.errors import InterpError
from interp.sweep.unit import Status, Unit

MAX_RESTARTS = 3
"""Largest number of restarts of one unit without a record in between: what kills it every time will go on doing so."""
SPEAK_EVERY = 0.2
"""Seconds between two words of a worker about its steps."""


def work_all(
    units: Sequence[Unit],
    *,
    workers: int,
    report: Callable[[Status], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Do these units, ``workers`` at a time, each in a process of its own; one worker, or one unit, is this process.

    ``report`` hears of every record, and of the steps in between. A unit that fails is reported and does not keep the others.
    When ``should_stop()`` says so, every unit that is being done is asked to record where it is and end.
    """
    if workers == 1 or len(units) == 1:
        _here(units, report, should_stop)
    else:
        _elsewhere(units, workers, report, should_stop)


def _here(units: Sequence[Unit], report: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
    """One unit after the other, in this process."""
    for unit in units:
        step = 0

        def say(status: Status) -> None:
            nonlocal step
            step = status.step
            report(status)

        try:
            unit.work(say, should_stop)
        except InterpError as error:
            report(Status(path=unit.path, step=step, note=str(error), failed=True))
        if should_stop():
            return


@dataclass(eq=False)
class _Worker:
    """A process that does one unit."""

    unit: Unit
    restarts: int = 0
    step: int = 0
    error: str = ""
    process: SpawnProcess = field(init=False)
    connection: "Connection[Any, Any]" = field(init=False)

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(self.unit, theirs), daemon=True)
        self.process.start()
        theirs.close()


def _elsewhere(units: Sequence[Unit], workers: int, report: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
    """As many units at a time as there are workers, each in a process of its own."""
    waiting, working, asked = list(units), list[_Worker](), False
    while working or (waiting and not asked):
        while waiting and len(working) < workers and not asked:
            working.append(_Worker(waiting.pop(0)))
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


def _hear(worker: _Worker, report: Callable[[Status], None]) -> None:
    """Pass on what the worker has said; close the connection where it has ended."""
    try:
        while worker.connection.poll():
            status: Status = worker.connection.recv()
            if status.losses is not None:
                worker.restarts = 0
            worker.step, worker.error = status.step, status.note
            report(status)
    except (EOFError, OSError):
        worker.connection.close()


def _go_on(worker: _Worker, report: Callable[[Status], None], asked: bool) -> bool:
    """Restart an ended worker where the system killed it; False where it is done, failed, or asked to end."""
    worker.process.join()
    code = worker.process.exitcode or 0
    if code == 0 or worker.error or asked:
        return False
    again = code < 0 and worker.restarts < MAX_RESTARTS
    what = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    then = "restarted from its last record" if again else "given up: resume it with --resume"
    report(Status(path=worker.unit.path, step=worker.step, note=f"{what}, {then}", failed=not again))
    if again:
        worker.restarts += 1
        worker.start()
    return again


def _work(unit: Unit, connection: "Connection[Any, Any]") -> None:
    """In the worker's process: do one unit and say how it goes."""
    asked: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on as SIGTERM
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    last, spoke = 0, 0.0

    def say(status: Status) -> None:
        nonlocal last, spoke
        last = status.step
        if status.losses is not None or time.monotonic() - spoke > SPEAK_EVERY:
            spoke = time.monotonic()
            connection.send(status)

    try:
        unit.work(say, lambda: bool(asked))
    except InterpError as error:
        connection.send(Status(path=unit.path, step=last, note=str(error), failed=True))
    except BrokenPipeError:  # the parent is gone, and with it whoever wanted this
        return
