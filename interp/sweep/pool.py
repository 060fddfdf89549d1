"""Many units of work at once, in processes that each do one after the other; a process that the system kills is replaced."""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from interp.errors import InterpError, WriteError
from interp.sweep.unit import Status, Unit

MAX_RESTARTS = 3
"""Largest number of restarts of one unit without a record in between: what kills it every time will go on doing so."""
SPEAK_EVERY = 0.2
"""Seconds between two words of a worker about its steps."""
Say = Callable[[Status], None]
_NOTHING = Status(path=Path(), step=0)
"""Word of a worker that has said nothing."""


def work_all(
    units: Iterable[Unit],
    *,
    workers: int,
    report: Say,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Do these units, ``workers`` at a time; one worker, or one unit, is this process.

    ``report`` hears of every record, and of the steps in between. A unit that fails is reported and does not keep the others.
    When ``should_stop()`` says so, no other unit is begun, and every unit that is being done is asked to record where it is and
    end.
    """
    waiting = deque(units)
    if workers == 1 or len(waiting) == 1:
        while waiting and not should_stop():
            attempt(waiting.popleft(), report, should_stop)
    else:
        _elsewhere(waiting, min(workers, len(waiting)), report, should_stop)


def attempt(unit: Unit, say: Say, should_stop: Callable[[], bool]) -> None:
    """Do a unit; where it fails, ``say`` hears of that."""
    step = 0

    def heard(status: Status) -> None:
        nonlocal step
        step = status.step
        say(status)

    try:
        unit.work(heard, should_stop)
    except InterpError as error:
        unwritable = isinstance(error, WriteError)
        say(Status(path=unit.path, step=step, note=str(error), failed=True, unwritable=unwritable))
    except (BrokenPipeError, KeyboardInterrupt):  # who wanted this is gone
        raise
    except Exception as error:
        traceback.print_exc()
        note = f"a defect of this project: {type(error).__name__}: {error}"
        say(Status(path=unit.path, step=step, note=note, failed=True))


class _Worker:
    """A process that does units, and the one that it is doing."""

    def __init__(self) -> None:
        self.unit: Unit | None = None
        self.restarts = self.step = 0
        self.is_done = False
        """Has the unit been heard to its end? Then it is not done again, whatever becomes of the process."""
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, unit: Unit) -> None:
        """Let it do a unit."""
        self.unit, self.restarts, self.step, self.is_done = unit, 0, 0, False
        self._send()

    def _send(self) -> None:
        try:
            self.connection.send(self.unit)
        except BrokenPipeError:  # it has just been killed, which ``hear`` finds out
            return

    def hear(self, report: Say) -> bool:
        """Pass on what it has said; False where its process has ended."""
        while True:
            try:
                status: Status | None = self.connection.recv() if self.connection.poll() else _NOTHING
            except (EOFError, OSError):
                self.connection.close()
                self.process.join()
                return False
            if status is _NOTHING:
                return True
            if status is None:  # the unit is done, and the process waits for another
                self.unit = None
                continue
            self.is_done = self.is_done or status.result is not None or status.failed
            self.restarts = 0 if status.losses is not None else self.restarts
            self.step = status.step
            report(status)

    def replace(self, report: Say, needed: bool) -> bool:
        """Start another process in the place of the one that has ended; False where none is needed."""
        code = self.process.exitcode or 0
        if not needed:
            return False
        if self.unit is None or self.is_done:
            self.unit = None
            self.start()
            return True
        again = self.restarts < MAX_RESTARTS
        what = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
        then = "restarted from its last record" if again else f"given up{self.unit.remedy}"
        report(Status(path=self.unit.path, step=self.step, note=f"{what}, {then}", failed=not again))
        self.start()
        if again:
            self.restarts += 1
            self._send()
        else:
            self.unit = None
        return True


def _elsewhere(waiting: deque[Unit], count: int, report: Say, should_stop: Callable[[], bool]) -> None:
    """As many units at a time as there are workers, each of which is a process of its own."""
    workers, asked = [_Worker() for _ in range(count)], False
    try:
        while True:
            for worker in workers:
                if worker.unit is None and waiting and not asked:
                    worker.give(waiting.popleft())
            if all(worker.unit is None for worker in workers):
                break
            # A worker's process ends with its connection, so this wakes for both; the timeout is for should_stop.
            wait([worker.connection for worker in workers], timeout=0.2)
            for worker in list(workers):
                needed = not asked and (worker.unit is not None or bool(waiting))
                if not worker.hear(report) and not worker.replace(report, needed):
                    workers.remove(worker)
            if should_stop() and not asked:
                asked = True
                for worker in workers:
                    worker.process.terminate()
    finally:
        for worker in workers:
            worker.process.terminate()
            worker.connection.close()
            worker.process.join()


def _serve(connection: "Connection[Any, Any]") -> None:
    """In the worker's process: do the units that come, and say how it goes; None says that one is done."""
    asked: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on as SIGTERM
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    spoke = 0.0

    def say(status: Status) -> None:
        nonlocal spoke
        if status.losses is not None or status.result is not None or status.note or time.monotonic() - spoke > SPEAK_EVERY:
            spoke = time.monotonic()
            connection.send(status)

    try:
        while not asked:  # a unit that was ended early is not done
            attempt(connection.recv(), say, lambda: bool(asked))
            if not asked:
                connection.send(None)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent is done with it, or gone
        return


def _end_with_parent() -> None:
    """End this process at once when its parent is gone: the parent that is started next finds nobody at work."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
