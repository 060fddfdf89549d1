"""What the studies share: tables in Markdown, and the run in a row of a sweep."""

from collections.abc import Mapping, Sequence
from typing import Any

from interp.recipe import RECIPES
from interp.training import thinning
from interp.training.run_config import RunConfig


def thinned(records: Sequence[Mapping[str, Any]]) -> set[int]:
    """The steps of the snapshots that interp-train keeps by default of a run with this log (``interp.training.thinning``)."""
    default = RunConfig(recipe=RECIPES["steady"], seed=0)
    last, end = None, int(records[-1]["step"])
    kept = {step for step in range(end) if thinning.is_spaced(step, default.snapshots_per_decade)}
    for record in records:
        step = int(record["step"])
        on_beat = step % default.record_every == 0 or step == end
        if on_beat and (step in kept or step == end or thinning.has_moved(last, record)):
            last = record
            kept.add(step)
    return kept


def first(row: Mapping[str, Any], name: str, least: float) -> int | None:
    """The step of the first record at which a number of a row's timeline has reached this."""
    both = zip(row["timeline_step"], row[f"timeline_{name}"], strict=True)
    return next((step for step, value in both if value >= least), None)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as the README shows it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines)


def _text(cell: object) -> str:
    return "–" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else str(cell)
