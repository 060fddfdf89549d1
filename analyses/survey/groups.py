"""Groups of networks: by the values of a column, or by where its numbers lie."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from interp.errors import InterpError

Row = Mapping[str, Any]
MOST = 10
"""Largest number of different numbers that are a group each; of more, five groups of equal size are made."""
PARTS = 5
"""Number of those groups."""


def grouped(rows: Sequence[Row], by: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of every group, in ascending order of their values; one group of all where nothing is asked.

    ``by``: columns, as "d_model", or "attention_rate:0,.4,.6,1" with edges, the upper of which belongs to a group. Raises
    InterpError on a column that there is not, and on edges that are no ascending numbers.
    """
    if not by:
        return {"all": list(rows)}
    cuts = [Cut(rows, each) for each in by]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    names: dict[tuple[Any, ...], str] = {}
    for row in rows:
        places = [cut(row) for cut in cuts]
        key = tuple(place for place, _ in places)
        groups.setdefault(key, []).append(row)
        names[key] = ", ".join(name for _, name in places)
    return {names[key]: groups[key] for key in sorted(groups)}


class Cut:
    """Where a row belongs by one column: a place to sort by, and its name."""

    def __init__(self, rows: Sequence[Row], said: str) -> None:
        self.column, _, edges = said.partition(":")
        if not rows or self.column not in rows[0]:
            near = [name for name in (rows[0] if rows else ()) if self.column.lower() in name.lower()]
            raise InterpError(f"no column {self.column!r:.60}{', but ' + ', '.join(near[:8]) if near else ''}")
        self.edges = self._given(rows, edges) if edges else self._of_equal_size(rows)

    def _given(self, rows: Sequence[Row], text: str) -> list[float]:
        if any(not (row[self.column] is None or isinstance(row[self.column], int | float)) for row in rows):
            raise InterpError(f"expected edges only for a column of numbers, not for {self.column}")
        try:
            edges = [float(each) for each in text.split(",")]
        except ValueError:
            edges = []
        if len(edges) < 2 or not all(map(math.isfinite, edges)) or any(low >= high for low, high in pairwise(edges)):
            raise InterpError(f"expected edges like {self.column}:0,.4,.6,1 in ascending order, got {text!r:.60}")
        return edges

    def _of_equal_size(self, rows: Sequence[Row]) -> list[float]:
        """Edges for a column of many different numbers; none for any other."""
        values = sorted(float(row[self.column]) for row in rows if _is_number(row[self.column]))
        if len(set(values)) <= MOST or any(isinstance(row[self.column], str) for row in rows):
            return []
        inner = [values[round(len(values) * part / PARTS)] for part in range(1, PARTS)]
        return sorted({values[0], *inner, values[-1]})

    def __call__(self, row: Row) -> tuple[tuple[int, Any], str]:
        value = row[self.column]
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return (1, ""), f"{self.column} unknown"
        if not self.edges:
            if isinstance(value, list):
                return (0, tuple(value)), f"{self.column} {', '.join(map(str, value)) or 'none'}"
            return (0, value), str(value) if isinstance(value, str) and value else f"{self.column} {_shown(value)}"
        for place, (low, high) in enumerate(pairwise(self.edges)):
            if low < value <= high or (place == 0 and value == low):
                return (0, place), f"{self.column} {'(' if place else '['}{_shown(low)}, {_shown(high)}]"
        return (1, "outside"), f"{self.column} outside {_shown(self.edges[0])} to {_shown(self.edges[-1])}"


def _shown(value: Any) -> str:
    """A value with all its digits: two groups never have one name."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
