"""What every command of this project has: exit codes, one line on standard error for a user's mistake, an end on Ctrl-C."""

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper

from rich.console import Console

from interp.errors import InterpError, one_line

MISTAKE, DEFECT, INTERRUPTED, BROKEN_PIPE = 2, 70, 130, 141

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of the settings in malloc.h of the GNU C library."""


def run_command(name: str, body: Callable[[], int]) -> int:
    """Run a command's body; its exit code, or 2 after one line for a mistake or a refusal of the system, 130 after
    Ctrl-C, 141 where nobody reads on (head, less), as with every command that a closed pipe ends. A defect of this project is
    70 with its traceback, so that no script takes it for an answer.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ≥ gets ? instead of no answer
    _keep_memory()
    try:
        return _run(name, body)
    except BrokenPipeError:
        # What is still to be written goes nowhere, so that Python does not complain about it at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return BROKEN_PIPE


def _keep_memory() -> None:
    """Leave memory with the process, which ends soon anyway: a page takes a tenth less time then (docs/speed.md).

    What was imported is no longer searched for garbage. Arrays of up to 32 MiB that are freed do not go back to the system,
    which fills their pages with zeros for every new one; only the C library of GNU can be told so.
    """
    if gc.get_freeze_count():
        return
    gc.freeze()
    with suppress(AttributeError, OSError, TypeError):  # other systems have no such setting
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, 1 << 25)  # its largest possible value
        mallopt(M_TRIM_THRESHOLD, 1 << 29)  # --explain at p = 499: 4.3 GiB with half of it, 5.0 with it, 5.3 without a limit


def _run(name: str, body: Callable[[], int]) -> int:
    try:
        try:
            return body()
        finally:
            sys.stdout.flush()  # also after --help, which exits
    except InterpError as error:
        print(f"{name}: {one_line(str(error))}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except (OSError, MemoryError) as error:
        print(f"{name}: {one_line(str(error)) or 'out of memory'}", file=sys.stderr)
        return MISTAKE
    except Exception:
        traceback.print_exc()
        return DEFECT


class _Output(Console):
    """Standard output, which leaves it to ``run_command`` what to do when nobody reads on: rich would exit with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def output() -> Console:
    """A console as wide as the terminal; piped, wide enough that no row is folded."""
    return _Output() if sys.stdout.isatty() else _Output(width=240)


def cores() -> int:
    """The number of processor cores that this process may use; all of them where the system, as macOS, does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM is noted in the list for the loop to see; a second one acts as usual."""
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
