"""Directories that are made, and held by one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from interp.errors import WriteError


def make(directory: Path) -> None:
    """Make a directory where it is missing, and those above it. Raises WriteError where it cannot be made."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make {directory}: {error.strerror}") from error


@contextmanager
def held(directory: Path, refusal: str) -> Iterator[None]:
    """Hold a directory; the system lets go of it when the process ends, however it ends.

    Raises WriteError with the ``refusal`` where another process holds it.
    """
    try:
        with FileLock(directory / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise WriteError(refusal) from error
