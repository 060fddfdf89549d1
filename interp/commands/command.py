"""How every command of this project ends: its exit code, and one line on standard error for a user's mistake."""

import os
import sys
import traceback
from collections.abc import Callable
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
