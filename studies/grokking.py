"""Grokking, published and here: the paper's own run beside ours, then the rule for the phases on runs it was not chosen on.

interp-sweep studies/grokking.toml    trains them; their rows are studies/grokking.parquet
python studies/grokking.py            print the tables of docs/timeline.md
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from timelines import first, markdown, thinned

from analyses.survey.through_time import ENDS, moments, of_phases
from analyses.timeline.phases import phases
from interp.sweep.dataset import read_rows
from interp.sweep.network import RECORDED

ROWS = Path(__file__).with_suffix(".parquet")
Row = Mapping[str, Any]


def runs(found: Sequence[Row]) -> dict[str, Row]:
    """The rows by what they are called, the paper's run first."""
    order = ["nanda-2023", "steady", "zhong-2023"]
    by_recipe = sorted(found, key=lambda row: (order.index(row["recipe_name"]), row["seed"]))
    return {f"{row['recipe_name']}{', rate 0' if row['label'] else ''}, seed {row['seed']}": row for row in by_recipe}


def published(row: Row) -> str:
    """nanda-2023, seed 0: what arXiv 2301.05217 and a rerun of its released code say, and what this run says.

    The rerun is an independent program's, from the same seed, to 14,000 steps.
    """
    seen = moments(row)
    end = next(m for m in seen if m.step == 14_000)
    turn = min((m for m in seen if m.step <= 5000), key=lambda m: m.excluded_loss)
    clusters = "/".join(str(round(share * row["d_mlp"])) for share in end.neuron_shares)
    below_one = next(m.step for m in seen if m.test_loss < 1)
    numbers: list[tuple[str, float | str, float | str]] = [
        ("first training loss (114 outputs)", 4.76405226, row["records_train_loss"][0]),
        ("first test loss (114 outputs)", 4.76834731, row["records_test_loss"][0]),
        ("excluded loss, least", 6.8e-5, turn.excluded_loss),
        ("... at step", 1400, turn.step),
        ("test loss < 1 at step", 9400, below_one),
        ("test accuracy > .99 at step", 10_000, first(row, "test_accuracy", 0.99) or "never"),
        ("key frequencies", "14 35 41 42 52", " ".join(map(str, row["timeline_key_frequencies"]))),
        ("test loss at 14,000", 4.0e-7, end.test_loss),
        ("restricted loss at 14,000", 4.9e-8, end.restricted_loss),
        ("excluded loss at 14,000", 5.9, end.excluded_loss),
        ("neurons ≥ .85 at 14,000", 455, round(end.specialised * row["d_mlp"])),
        ("... by key frequency", "55/97/126/98/79", clusters),
        ("logit share on clock terms at 14,000", 0.97, sum(t * t for t in end.clock_terms)),
        *((f"{phase} ends (paper)", step, _end(row, phase)) for phase, step in zip(ENDS, (1400, 9400, 14_000), strict=True)),
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


def boundaries(found: Mapping[str, Row]) -> str:
    """The rule for the phases on every run."""
    rows = []
    for name, row in found.items():
        ends = [_end(row, phase) for phase in ENDS] if row["phases"] == "grokking" else ["–"] * 3
        rows.append((name, row["phases"], *ends, *(first(row, f"{split}_accuracy", 0.99) for split in ("train", "test"))))
    columns = ("run", "verdict", "memorisation ends", "circuit formed", "clean-up ends", "train acc. .99", "test acc. .99")
    return markdown(columns, rows)


def leads(found: Mapping[str, Row]) -> str:
    """Steps before test accuracy moves at which each measure does; over the seeds of ``steady`` median and range."""
    grok = {name: _leads(row) for name, row in found.items() if row["phases"] == "grokking"}
    alone = {name: moves for name, moves in grok.items() if found[name]["recipe_name"] != "steady"}
    seeds = [moves for name, moves in grok.items() if name not in alone]
    rows = []
    for measure in next(iter(alone.values())):
        of_seeds = [moves[measure][0] for moves in seeds]
        each = ["{} ({} to {})".format(*moves[measure]) for moves in alone.values()]
        rows.append((measure, f"{median(of_seeds):g} ({min(of_seeds)} to {max(of_seeds)})", *each))
    return markdown(("steps before test accuracy", f"steady, {len(seeds)} seeds: median (range)", *alone), rows)


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
    name, nanda = next(iter(found.items()))
    named = {name: nanda, "... from what thinning keeps": of_thinned(nanda), **found}
    print(published(nanda), boundaries(named), leads(found), sep="\n\n")


if __name__ == "__main__":
    main()
