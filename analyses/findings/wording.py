"""Wording: how numbers and reasons are put into sentences, the same wherever they are said."""

import math
from collections.abc import Sequence

MOST_TIMES = 1e6
"""Ratio of two likelihoods beyond which only "over a million times" is said."""


def times_likelier(margin: float) -> str:
    """How many times likelier one answer is than another whose logit is ``margin`` nats smaller: exp(margin), two digits."""
    ratio = math.exp(min(margin, 700.0))
    if ratio > MOST_TIMES:
        return "over a million times likelier"
    return f"{float(f'{ratio:.2g}'):,.0f} times likelier" if ratio >= 9.95 else f"{ratio:.1f} times likelier"


def sentences(*parts: str) -> str:
    """Several remarks as sentences one after the other: each with a capital and a full stop; empty ones are left out."""
    whole = (part.strip().rstrip(".") for part in parts)
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in whole if part)


def listed(several: Sequence[int | str]) -> str:
    """Several things as one writes them: 7, 11 and 38."""
    *first, last = map(str, several)
    return f"{', '.join(first)} and {last}" if first else last
