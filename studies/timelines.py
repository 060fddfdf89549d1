"""For the studies of whole runs: train what is missing, measure what is not measured, and remember it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from analyses.timeline.progress import progress
from interp.errors import InterpError
from interp.recipe import RECIPES, Recipe
from interp.training import run, thinning
from interp.training.run_config import RunConfig


def timeline(path: Path, recipe: Recipe, *, recipe_name: str, seed: int, record_every: int) -> dict[str, Any]:
    """The timeline of one run, as ``Progress.to_dict`` has it, and its log.

    Trained where it is not there, gone on with where it was cut off, with a snapshot at every record; the measurements are
    kept beside it in timeline.json. One thread: several processes share a machine better than several threads.
    """
    torch.set_num_threads(1)
    config = RunConfig(recipe=recipe, seed=seed, recipe_name=recipe_name, record_every=record_every, snapshots=True, threads=1)
    each = run.load(path) if (path / "config.json").exists() else run.create(path, config)
    if replace(each.config, snapshots_per_decade=config.snapshots_per_decade) != config:
        raise InterpError(f"{path} holds another run than this study's: name another directory with --out")
    if not (each.log() and each.log()[-1]["step"] == recipe.steps):
        for snapshot in each.train():
            say(f"{path}: trained to step {snapshot.step} of {recipe.steps}, test loss {snapshot.test_loss:.3g}")
    kept = path / "timeline.json"
    if not kept.exists():
        found = progress(path, on_moment=lambda done, count: say(f"{path}: measured {done} of {count} snapshots"))
        kept.write_text(json.dumps(found.to_dict(), allow_nan=False))
    return {**json.loads(kept.read_text()), "log": each.log()}


def thinned(records: Sequence[dict[str, Any]]) -> set[int]:
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


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr)


def recipe(name: str, *, p: int | None = None, attention_rate: float = 1.0, **changes: Any) -> Recipe:
    """A named recipe with some numbers changed, which never stops before its last step."""
    named = RECIPES[name]
    network = replace(named.network, attention_rate=attention_rate)
    return replace(named, p=p or named.p, network=network, stop_test_loss=0.0, **changes)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as the README shows it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines)


def first(moments: Sequence[dict[str, Any]], name: str, least: float) -> int | None:
    """The step of the first snapshot at which a measure has reached this."""
    return next((m["step"] for m in moments if m[name] >= least), None)


def _text(cell: object) -> str:
    return "–" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else str(cell)
