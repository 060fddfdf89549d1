"""Sparkline: how do these numbers run, in one line of text?"""

import math
from collections.abc import Iterator, Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60
"""Most characters of a line."""


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """How do these numbers run? One block each, as high as it is far from the least of all and 0; a gap where undefined.

    The scale begins at 0, so that numbers which hardly differ look flat; with negative ones, at the least. More numbers
    than ``width`` are pooled, equally many to a block: it shows the largest of them, so that no peak is lost.
    """
    size = pooled(len(values), width)
    pools = list(_pools(values, size))
    known = [value for value in pools if math.isfinite(value)]
    least, most = min([0.0, *known]), max([0.0, *known])
    return "".join(_block(value, least, most) for value in pools)


def pooled(count: int, width: int = WIDTH) -> int:
    """How many of this many numbers share a block."""
    return max(math.ceil(count / width), 1)


def _pools(values: Sequence[float], size: int) -> Iterator[float]:
    for start in range(0, len(values), size):
        yield max((value for value in values[start : start + size] if math.isfinite(value)), default=math.nan)


def _block(value: float, least: float, most: float) -> str:
    if not math.isfinite(value):
        return " "
    # Halved: the span of the largest numbers is no longer one.
    span = most / 2 - least / 2
    height = (value / 2 - least / 2) / span if span else 0.0
    return BLOCKS[min(int(height * len(BLOCKS)), len(BLOCKS) - 1)]
