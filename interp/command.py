"""How every command of this project ends: its exit code, and one line on standard error for a user's mistake."""

import os
import sys
from collections.abc import Callable

from interp.errors import InterpError

MISTAKE, INTERRUPTED = 2, 130


def run_command(name: str, body: Callable[[], int]) -> int:
    """Run a command's body; its exit code, or 2 after one line for an InterpError, or 130 after Ctrl-C."""
    try:
        code = body()
        sys.stdout.flush()
        return code
    except InterpError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
