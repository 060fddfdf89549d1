"""The run of a network in a sweep, as columns of its row: its phases, and what a timeline says of every record."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from analyses.survey.row import Kind
from analyses.timeline.moment import Moment, moment
from analyses.timeline.phases import Phases
from analyses.timeline.progress import progress_of
from analyses.timeline.snapshots import circuit_at, snapshots
from interp.files.checkpoint import Checkpoint
from interp.networks.model import Unavailable
from interp.training import run

ENDS = {"memorisation": "memorisation_ends", "circuit formation": "circuit_formed", "clean-up": "clean_up_ends"}
"""Phase → column of the step at which it ends."""
NUMBERS = (
    "train_loss", "test_loss", "train_accuracy", "test_accuracy", "restricted_loss", "excluded_loss", "generalising_score",
    "memorising_score", "gini_embedding", "gini_neuron_logit_map", "specialised", "explained", "loss", "accuracy",
)  # fmt: skip
"""Numbers of a moment that become columns, timeline_train_loss and so on: lists, one number for every record."""
OF_KEYS = ("clock_terms", "embedding_shares", "neuron_shares", "variations")
"""Numbers of a moment that there are of every key frequency of the last network: lists of lists."""

COLUMNS: Mapping[str, Kind] = {
    "phases": str,
    "phases_reason": str,
    **{f"{name}{which}": int for name in ENDS.values() for which in ("", "_earliest", "_latest")},
    "moves": list[str],
    "moves_lead": list[int],
    "moves_least_lead": list[int],
    "moves_most_lead": list[int],
    "timeline_key_frequencies": list[int],
    "timeline_step": list[int],
    **{f"timeline_{name}": list[float] for name in (*NUMBERS, "squared_weights")},
    **{f"timeline_{name}": list[list[float]] for name in OF_KEYS},
}
"""Columns of a run: the verdict on its phases and why; steps at which they end, at the earliest and at the latest; measures by
name, and how many steps before test accuracy they move; of every record what ``Moment`` has, seen with the key frequencies that
the run ends with. Runs of tasks that have no frequencies have none of these."""


def timeline(path: Path) -> dict[str, Any]:
    """The values of these columns for the run in a directory."""
    each = run.load(path)
    files = [file for file in snapshots(each) if each.is_on_beat(int(file.stem.removeprefix("step-")))]
    try:
        found = progress_of([partial(circuit_at, each, file) for file in files])
    except Unavailable:
        return {}
    seen = found.moments
    lists = {name: [getattr(m, name) for m in seen] for name in NUMBERS}
    tables = {name: [list(getattr(m, name)) for m in seen] for name in OF_KEYS}
    return {
        **of_phases(found.phases),
        "timeline_key_frequencies": list(found.key_frequencies),
        "timeline_step": [m.step for m in seen],
        "timeline_squared_weights": [m.squared_weights_sum for m in seen],
        **{f"timeline_{name}": values for name, values in (lists | tables).items()},
    }


def of_phases(found: Phases) -> dict[str, Any]:
    """The columns of a run's phases."""
    values: dict[str, Any] = {"phases": found.verdict, "phases_reason": found.reason}
    for end in found.boundaries:
        name = ENDS[end.phase]
        values |= {name: end.step, f"{name}_earliest": end.earliest, f"{name}_latest": end.latest}
    columns: dict[str, Callable[[Any], Any]] = {
        "moves": lambda m: m.measure, "moves_lead": lambda m: m.lead, "moves_least_lead": lambda m: m.least_lead,
        "moves_most_lead": lambda m: m.most_lead,
    }  # fmt: skip
    return values | {name: [value(move) for move in found.moves] for name, value in columns.items()}


def moments(row: Mapping[str, Any], steps: Sequence[int] | None = None) -> list[Moment]:
    """The moments that a row was made of, without what is told apart by weight; ``steps``: those that are wanted."""
    found = []
    for index, step in enumerate(row["timeline_step"]):
        if steps is None or step in steps:
            said: dict[str, Any] = {name: _number(row[f"timeline_{name}"][index]) for name in NUMBERS}
            said |= {name: tuple(map(_number, row[f"timeline_{name}"][index])) for name in OF_KEYS}
            found.append(Moment(step=step, squared_weights=(("all", row["timeline_squared_weights"][index]),), **said))
    return found


def _number(value: float | None) -> float:
    """A data set has null for what is undefined where another program wrote it."""
    return math.nan if value is None else value


def one_moment(saved: Checkpoint) -> None:
    """What is measured of a record, to see how long it takes."""
    moment(saved.circuit(), range(1, 5), 0)
