"""How much memory is there, and is it enough for what has to be held at once?"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from torch import Tensor

ROWS = 16
"""Largest number of values of a that are looked at together; measured on one core at p = 113, where 8 to 32 do equally well."""
VALUES = 1 << 20
"""Number of values, over all pairs of these a, that are looked at together where that is less."""

_LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))
"""Files under /sys/fs/cgroup, of its two versions, with the bytes that a container may use and those that it uses."""


def available() -> int:
    """How many bytes can be used without pushing others out: of the machine, or of the container, whichever is less."""
    free = int(psutil.virtual_memory().available)
    for limit, used in _LIMITS:
        with suppress(OSError, ValueError):  # no such file, or the word "max"
            most, now = (int((Path("/sys/fs/cgroup") / name).read_text()) for name in (limit, used))
            free = min(free, max(most - now, 0))
    return free


def missing(needed: int) -> str:
    """What is said where so many bytes are more than there are; empty where there is room for them."""
    return "" if needed <= (free := available()) else f"{_shown(needed)} of memory, and {_shown(free)} are free"


def rows_at_once(values: int) -> int:
    """How many values of a are looked at together, each of which has so many values over its pairs?"""
    return max(1, min(ROWS, VALUES // values))


def in_rows(x: Tensor) -> tuple[Tensor, ...]:
    """A tensor over all pairs a few values of a at a time."""
    return x.split(rows_at_once(x[0].numel()))


def numbered(blocks: Iterable[Tensor]) -> Iterator[tuple[slice, Tensor]]:
    """The rows that blocks of consecutive rows are, and the blocks."""
    at = 0
    for block in blocks:
        yield slice(at, at := at + len(block)), block


def whole(length: int, parts: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of so many rows, by name, from parts that follow each other, each of which is gone when the next is made."""
    found: dict[str, Tensor] = {}
    at = 0
    for part in parts:
        for name, rows in part.items():
            if name not in found:
                found[name] = rows.new_empty(length, *rows.shape[1:])
            found[name][at : at + len(rows)] = rows
        at += max((len(rows) for rows in part.values()), default=0)
    return found


def _shown(count: int) -> str:
    return f"{count / 2**30:.2g} GiB" if count >= 2**28 else f"{count / 2**20:.0f} MiB"
