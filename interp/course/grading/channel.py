"""Values sent between the grader and the process in which a submission runs: plain ones, read without running anything."""

import io
import socket
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from interp.course.exercise import StoppedError
from interp.errors import InterpError
from interp.files.plain import MAX_BYTES, from_archive

ENDED = "the process ended, by itself or for want of memory"
"""What is said of a process that is gone."""
_LENGTH = 8
"""Number of bytes that say how long a message is."""


def send(connection: socket.socket, value: Any) -> None:
    """Send plain values and tensors. Raises OSError where nobody is there any more."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    message = buffer.getvalue()
    connection.sendall(len(message).to_bytes(_LENGTH, "little") + message)


def receive(connection: socket.socket, seconds: float | None = None) -> Any:
    """Plain values and tensors that the other side sent, whole and within so many seconds, where these are given.

    Raises StoppedError on anything else: silence, an end, too much, or what is no such message.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    length = int.from_bytes(_read(connection, _LENGTH, deadline, seconds), "little")
    if length > MAX_BYTES:
        raise StoppedError(f"it answered with more than {MAX_BYTES >> 20} MiB")
    try:
        return from_archive(_read(connection, length, deadline, seconds))
    except InterpError as error:
        raise StoppedError(f"its answer {error}") from error


def plain(value: Any) -> Any:
    """A value as it can be sent: tensors and arrays by themselves, numbers, words, and containers of these.

    Raises TypeError on anything else.
    """
    match value:
        case Tensor():
            return value.detach().cpu().clone().contiguous()
        case None | bool() | int() | float() | str():
            return value
        case Path():
            return str(value)
        case dict():
            return {plain(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case set() | frozenset() | range():
            return [plain(each) for each in sorted(value)]
    if hasattr(value, "__array__"):
        return torch.as_tensor(value).clone()
    raise TypeError(f"a value of type {type(value).__name__} is no answer to an exercise")


def _read(connection: socket.socket, length: int, deadline: float | None, seconds: float | None) -> bytes:
    parts: list[bytes] = []
    while length:
        try:
            connection.settimeout(None if deadline is None else max(deadline - time.monotonic(), 0.001))
            part = connection.recv(min(length, 1 << 20))
        except TimeoutError as error:
            raise StoppedError(f"no answer within {seconds:g} seconds: does it go on for ever?") from error
        except OSError as error:
            raise StoppedError(ENDED) from error
        if not part:
            raise StoppedError(ENDED)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
