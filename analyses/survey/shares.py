"""Which share of the networks does what, and how sure is that?"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyses.findings.table import Cell, Table

Row = Mapping[str, Any]
Z = 1.959964
"""Deviations of a normal distribution that hold 95% of it."""


@dataclass(frozen=True)
class Share:
    """A share of networks, with its Wilson interval of 95%."""

    count: int
    """Number of networks that have it."""
    of: int
    """Number of networks that were asked."""

    @property
    def value(self) -> float:
        """The share, [0, 1]; NaN of no networks."""
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96: (0, 1) of no networks.

        It stays within 0 and 1, and holds the true share in about 95 of 100 censuses, few networks or extreme shares included.
        Source: Wilson 1927, Journal of the American Statistical Association 22.
        """
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.value
        middle, half = p + Z**2 / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        low, high = ((middle + side * half) / (1 + Z**2 / n) for side in (-1, 1))
        return low if self.count else 0.0, high if self.count < n else 1.0

    def __str__(self) -> str:
        if not self.of:
            return "–"
        low, high = self.interval
        return f"{self.value:.0%} ({low:.0%}–{high:.0%})"

    def holds(self, share: float) -> bool:
        """Is a share within the interval?"""
        low, high = self.interval
        return low <= share <= high


def share(rows: Sequence[Row], has: Callable[[Row], Any], of: Callable[[Row], Any] = lambda row: True) -> Share:
    """Which share of the rows of one kind is also of another?"""
    asked = [row for row in rows if of(row)]
    return Share(sum(bool(has(row)) for row in asked), len(asked))


def shares(groups: Mapping[str, Sequence[Row]]) -> dict[str, dict[str, int | Share]]:
    """How many networks does every group of rows have, how many failed, and which share generalises, has which circuit and is
    explained? The most frequent circuit is the first."""
    circuits = _circuits([row for rows in groups.values() for row in rows])
    return {name: _of_group(rows, circuits) for name, rows in groups.items()}


def _of_group(rows: Sequence[Row], circuits: Sequence[str]) -> dict[str, int | Share]:
    failed = sum(row["error"] is not None for row in rows)
    judged = [row for row in rows if row["generalises"] is not None]
    sound = [row for row in judged if row["generalises"]]
    named = Counter(row["circuit"] for row in sound)
    return {
        "number": len(rows),
        "failed": failed,
        "generalises": Share(len(sound), len(judged)),
        **{circuit: Share(named[circuit], len(sound)) for circuit in circuits},
        "explained": share(sound, lambda row: row["is_explained"], lambda row: row["is_explained"] is not None),
    }


def _circuits(rows: Sequence[Row]) -> list[str]:
    """The circuits of the networks that generalise, the most frequent first."""
    return [name for name, _ in Counter(row["circuit"] for row in rows if row["generalises"]).most_common() if name]


def shares_table(found: Mapping[str, Mapping[str, int | Share]], by: str) -> Table:
    """The shares as a table, a row per group; ``by``: what the groups are of."""
    columns = (by or "networks", *next(iter(found.values())))
    lines: list[tuple[Cell, ...]] = [
        (name, *(str(each) if isinstance(each, Share) else each for each in values.values())) for name, values in found.items()
    ]
    note = (
        "In brackets: from where to where the share may lie, at 95% (Wilson). Generalises, with at least .99 of the pairs "
        "right: of the networks whose accuracy is known. Circuits: of those that generalise. Explained: of those that "
        "generalise and of which it can be said."
    )
    return Table("What the networks do", columns, tuple(lines), note)


def plain(found: Mapping[str, Mapping[str, int | Share]]) -> list[dict[str, Any]]:
    """The shares as values that JSON knows, an object per group."""
    return [
        {
            "group": name,
            **{
                key: {"count": each.count, "of": each.of, "low": each.interval[0], "high": each.interval[1]}
                if isinstance(each, Share)
                else each
                for key, each in values.items()
            },
        }
        for name, values in found.items()
    ]
