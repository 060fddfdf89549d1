"""A session: a submission in a process of its own, with limits, and its functions as seen from the grader."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from interp.course.exercise import Exercise, NotDoneError, RaisedError, StoppedError, WrongError
from interp.course.grading.channel import ENDED, plain, receive, send

_START = 60.0
"""Number of seconds that a process may take until it listens, on a slow machine: it imports torch."""


class Session:
    """A process that has run the cells of a submission, in an empty folder, and calls its functions."""

    def __init__(self, cells: Sequence[str], *, seconds: float, megabytes: int) -> None:
        """Start the process and run the cells. Raises StoppedError where they do not come to an end."""
        self._seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="interp-grade-", ignore_cleanup_errors=True)
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "interp.course.grading.worker", str(theirs.fileno()), str(megabytes)],
                pass_fds=[theirs.fileno()],
                cwd=self._folder.name,
                env=_environment(self._folder.name),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            self._ask({"cells": []}, _START)
            raised = self._ask({"cells": list(cells)}, seconds)
        except BaseException:
            self.close()
            raise
        self.raised: dict[int, str] = {int(number): str(text) for number, text in raised.items()}
        """Cells that raised something, and what."""

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process and all that it started, and remove its folder."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()
        self._folder.cleanup()

    def handed_in(self, exercise: Exercise) -> list[Any]:
        """What the submission hands in for an exercise, in the order in which its check takes it.

        Raises NotDoneError where something is not there, WrongError where it is nothing that can be handed in.
        """
        return [self._value(name, is_file=name in exercise.files) for name in exercise.hands_in]

    def _value(self, name: str, *, is_file: bool) -> Any:
        found = self._ask({"name": name}, self._seconds)
        if found.get("is_function"):
            return self._function(name)
        if "raised" in found:
            raise WrongError(f"{name} cannot be handed in: {found['raised']}")
        value = found.get("value")
        if value is None:
            raise NotDoneError
        if is_file and isinstance(value, str):
            path = (Path(self._folder.name) / value).resolve()
            if not path.is_relative_to(Path(self._folder.name).resolve()) or not path.is_file():
                raise WrongError(f"{name} names no file that the submission has written: {value!r:.60}")
            return path
        return value

    def _function(self, name: str) -> Callable[..., Any]:
        """A function of the submission, as one of this process."""

        def call(*arguments: Any) -> Any:
            found = self._ask({"name": name, "arguments": plain(list(arguments))}, self._seconds)
            if found.get("is_stub"):
                raise NotDoneError
            if "raised" in found:
                raise RaisedError(str(found["raised"]))
            return found.get("value")

        return call

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[Any, Any]:
        try:
            self._connection.settimeout(seconds)
            send(self._connection, request)
        except OSError as error:
            raise StoppedError(ENDED) from error
        answer = receive(self._connection, seconds)
        if not isinstance(answer, dict):
            raise StoppedError("its answer is none that the grader understands")
        return answer


def _environment(home: str) -> dict[str, str]:
    """What the process needs of this one's environment, and no more: there may be passwords in it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV") if name in os.environ}
    path = os.pathsep.join(str(Path(each).resolve()) for each in sys.path if each)
    return {**kept, "PYTHONPATH": path, "HOME": home, "TMPDIR": home, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
