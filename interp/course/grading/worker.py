"""The process that a submission runs in: it runs cells, then says what the names in them are, and calls functions.

``python -m interp.course.grading.worker DESCRIPTOR MEGABYTES`` is started by ``session``, which it serves over that socket.
What a submission does to this process changes what it answers, and nothing else: the checks are not here.
"""

import contextlib
import resource
import socket
import sys
from typing import Any

from interp.course.grading.channel import plain, receive, send
from interp.errors import one_line

_LARGEST_FILE = 1 << 28
"""Largest size in bytes of a file that a submission can write."""


def main(arguments: list[str]) -> None:
    """Serve the grader until it is gone."""
    descriptor, megabytes = map(int, arguments)
    for limit, most in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # macOS knows not all of them
            resource.setrlimit(limit, (most, most))
    _draw_nothing()
    with socket.socket(fileno=descriptor) as connection:
        names: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown, **how: None}
        while True:
            request = receive(connection)
            send(connection, _answer(request, names))


def _answer(request: dict[str, Any], names: dict[str, Any]) -> Any:
    """What a request is answered with: what cells raised, what a name stands for, or what a function gives."""
    if "cells" in request:
        return _run(request["cells"], names)
    value = names.get(request["name"])
    try:
        if "arguments" in request:
            return {"value": plain(value(*request["arguments"]))}  # type: ignore[misc]
        if callable(value):
            return {"is_function": True}
        return {"value": None if value is ... else plain(value), "is_there": request["name"] in names}
    except NotImplementedError:
        return {"is_stub": True}
    except BaseException as error:  # also sys.exit, which is no answer
        return {"raised": _said(error)}


def _run(cells: list[str], names: dict[str, Any]) -> dict[int, str]:
    """Runs cells, one after the other whatever happens in them, and says which of them raised what."""
    raised: dict[int, str] = {}
    for number, source in enumerate(cells, start=1):
        try:
            exec(compile(source, f"<cell {number}>", "exec"), names)
        except BaseException as error:
            raised[number] = _said(error)
    return raised


def _said(error: BaseException) -> str:
    try:
        return one_line(f"{type(error).__name__}: {error}", 300)
    except Exception:  # an exception whose own text fails
        return type(error).__name__


def _draw_nothing() -> None:
    """Figures that are shown go nowhere: not to a browser, which plotly would open."""
    import plotly.io

    plotly.io.renderers.default = ""


if __name__ == "__main__":
    main(sys.argv[1:])
