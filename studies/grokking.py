"""Grokking, published and here: the paper's own network beside ours, then the rule for the phases on runs it was not chosen on.

    interp-sweep studies/grokking.toml    trains the runs; their rows are studies/grokking.parquet
    python studies/grokking.py            print the tables of docs/timeline.md

What is said of the paper's own network is measured on checkpoints/nanda-113.pt and its snapshots, which are that run.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from timelines import first, markdown, thinned

import interp
from analyses.evidence.key_frequencies import key_frequencies
from analyses.survey.through_time import ENDS, moments, of_phases
from analyses.timeline.moment import moment
from analyses.timeline.phases import phases
from interp.recipe import RECIPES
from interp.sweep.dataset import read_rows
from interp.sweep.network import RECORDED

ROWS = Path(__file__).with_suffix(".parquet")
CHECKPOINTS = ROWS.parent.parent / "checkpoints"
Row = Mapping[str, Any]


def runs(found: Sequence[Row]) -> dict[str, Row]:
    """The rows by what they are called, the paper's run first."""
    order = ["nanda-2023", "steady", "zhong-2023"]
    by_recipe = sorted(found, key=lambda row: (order.index(row["recipe_name"]), row["seed"]))
    return {f"{row['recipe_name']}{', rate 0' if row['label'] else ''}, seed {row['seed']}": row for row in by_recipe}


def published() -> str:
    """nanda-2023, seed 0: what arXiv 2301.05217 and a rerun of its released code say, and what is in checkpoints/.

    The rerun is an independent program's, from the same seed, to 14,000 steps.
    """
    log = [json.loads(line) for line in (CHECKPOINTS / "nanda-113.log.jsonl").read_text().splitlines()]
    last, at_1400 = (interp.load(CHECKPOINTS / name) for name in ("nanda-113.pt", "nanda-113-step-1400.pt"))
    keys, neurons = key_frequencies(last).frequencies, RECIPES["nanda-2023"].network.d_mlp
    end, turn = moment(last, keys, 14_000), moment(at_1400, keys, 1400)
    clusters = "/".join(str(round(share * neurons)) for share in end.neuron_shares)
    numbers: list[tuple[str, float | str, float | str]] = [
        ("first training loss (114 outputs)", 4.76405226, log[0]["train_loss"]),
        ("first test loss (114 outputs)", 4.76834731, log[0]["test_loss"]),
        ("excluded loss at 1,400, its least as published", 6.8e-5, turn.excluded_loss),
        ("test loss < 1 at step", 9400, next(record["step"] for record in log if record["test_loss"] < 1)),
        ("test accuracy > .99 at step", 10_000, next(record["step"] for record in log if record["test_accuracy"] > 0.99)),
        ("key frequencies", "14 35 41 42 52", " ".join(map(str, keys))),
        ("test loss at 14,000", 4.0e-7, end.test_loss),
        ("restricted loss at 14,000", 4.9e-8, end.restricted_loss),
        ("excluded loss at 14,000", 5.9, end.excluded_loss),
        ("neurons ≥ .85 at 14,000", 455, round(end.specialised * neurons)),
        ("... by key frequency", "55/97/126/98/79", clusters),
        ("logit share on clock terms at 14,000", 0.97, sum(t * t for t in end.clock_terms)),
    ]
    rows = [(name, theirs, ours, _difference(theirs, ours)) for name, theirs, ours in numbers]
    return markdown(("nanda-2023, seed 0", "published", "here", "difference"), rows)


def of_thinned(row: Row) -> Row:
    """The same run, seen only through those of its records that are nearest to the snapshots that interp-train keeps by
    default."""
    records = [
        dict(zip(RECORDED, values, strict=True)) for values in zip(*(row[f"records_{x}"] for x in RECORDED), strict=True)
    ]
    steps = {min(row["timeline_step"], key=lambda each: abs(each - step)) for step in thinned(records)}
    kept = moments(row, sorted(steps))
    accuracies = {f"timeline_{part}_accuracy": [getattr(m, f"{part}_accuracy") for m in kept] for part in ("train", "test")}
    return {**of_phases(phases(kept, row["p"])), **accuracies, "timeline_step": [m.step for m in kept]}


def with_thinned(found: Mapping[str, Row]) -> dict[str, Row]:
    """The runs, the first of them also from what thinning keeps."""
    name, first_run = next(iter(found.items()))
    return {name: first_run, "... from what thinning keeps": of_thinned(first_run), **found}


def boundaries(found: Mapping[str, Row]) -> str:
    """The rule for the phases on every run."""
    rows = []
    for name, row in found.items():
        ends = [_end(row, phase) for phase in ENDS] if row["phases"] == "grokking" else ["–"] * 3
        rows.append((name, row["phases"], *ends, *(first(row, f"{split}_accuracy", 0.99) for split in ("train", "test"))))
    columns = ("run", "verdict", "memorisation ends", "circuit formed", "clean-up ends", "train acc. .99", "test acc. .99")
    return markdown(columns, rows)


def leads(found: Mapping[str, Row]) -> str:
    """Steps before test accuracy moves at which each measure does: of several seeds of a recipe median and range, of one alone
    its own."""
    grok = {name: row for name, row in found.items() if row["phases"] == "grokking"}
    columns: dict[str, list[dict[str, tuple[int, int, int]]]] = {}
    for row in grok.values():
        columns.setdefault(row["recipe_name"], []).append(_leads(row))
    rows = []
    for measure in next(iter(columns.values()))[0]:
        cells = []
        for runs_of in columns.values():
            middle = [moves[measure][0] for moves in runs_of]
            alone = "{} ({} to {})".format(*runs_of[0][measure])
            cells.append(alone if len(middle) == 1 else f"{median(middle):g} ({min(middle)} to {max(middle)})")
        rows.append((measure, *cells))
    counted = {recipe: "one seed" if len(of) == 1 else f"{len(of)} seeds: median (range)" for recipe, of in columns.items()}
    names = [f"{recipe}, {seeds}" for recipe, seeds in counted.items()]
    return markdown(("steps before test accuracy", *names), rows)


def _leads(row: Row) -> dict[str, tuple[int, int, int]]:
    """Measure → its lead, the least and the most, in steps."""
    columns = (row[f"moves_{which}"] for which in ("lead", "least_lead", "most_lead"))
    return dict(zip(row["moves"], zip(*columns, strict=True), strict=True))


def _end(row: Row, phase: str) -> str:
    """The step at which a phase ends, and its range."""
    step, earliest, latest = (row[f"{ENDS[phase]}{which}"] for which in ("", "_earliest", "_latest"))
    return f"{step or 'not yet'} ({earliest}–{latest or 'later'})"


def _difference(theirs: float | str, ours: float | str) -> str:
    if isinstance(theirs, str) or isinstance(ours, str):
        return "" if theirs != ours else "0"
    return f"{100 * (ours / theirs - 1):+.1f}%" if ours != theirs and not math.isclose(ours, theirs, rel_tol=1e-8) else "0"


def main() -> None:
    found = runs(read_rows(ROWS))
    print(published(), boundaries(with_thinned(found)), leads(found), sep="\n\n")


if __name__ == "__main__":
    main()
