"""What every command of this project has: exit codes, one line on standard error for a user's mistake, an end on Ctrl-C."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from interp.errors import InterpError, one_line

MISTAKE, DEFECT, INTERRUPTED = 2, 70, 130


def run_command(name: str, body: Callable[[], int]) -> int:
    """Run a command's body; its exit code, or 2 after one line for a mistake or a refusal of the system, 130 after
    Ctrl-C. A defect of this project is 70 with its traceback, so that no script takes it for an answer.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ≥ gets ? instead of no answer
    try:
        code = body()
        sys.stdout.flush()
        return code
    except InterpError as error:
        print(f"{name}: {one_line(str(error))}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, MemoryError) as error:
        print(f"{name}: {one_line(str(error)) or 'out of memory'}", file=sys.stderr)
        return MISTAKE
    except Exception:
        traceback.print_exc()
        return DEFECT


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
