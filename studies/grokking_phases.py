"""Grokking, published and here: the paper's own run beside ours, then the rule for the phases on runs it was not chosen on.

Prints three tables as Markdown. Trains what is missing (hours on one core: nanda-2023 takes 37 ms per step) and goes on
where it was cut off; everything is kept under --out.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import tyro
from timelines import first, markdown, recipe, thinned, timeline

from analyses.timeline.moment import Moment
from analyses.timeline.phases import phases
from interp.commands.command import run_command
from interp.recipe import RECIPES

QUICK_SEEDS = range(5)
Timeline = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    out: Path = Path("runs/grokking-phases")
    """Where runs are kept."""
    second_seed: bool = False
    """Look also at nanda-2023 with seed 1, 14,000 steps."""


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    return run_command("grokking_phases", lambda: _study(options.out, options.second_seed))


def _study(out: Path, second_seed: bool) -> int:
    nanda = timeline(
        out / "nanda-2023-seed0", recipe("nanda-2023", steps=20_000), recipe_name="nanda-2023", seed=0, record_every=100
    )
    others = {
        f"steady, seed {seed}": timeline(
            out / f"steady-seed{seed}", recipe("steady", steps=1500), recipe_name="steady", seed=seed, record_every=25
        )
        for seed in QUICK_SEEDS
    }
    pizza = timeline(
        out / "zhong-2023-pizza-seed0",
        recipe("zhong-2023", attention_rate=0.0, steps=2500),
        recipe_name="zhong-2023",
        seed=0,
        record_every=25,
    )
    runs = {"nanda-2023, seed 0": nanda}
    if second_seed:
        runs["nanda-2023, seed 1"] = timeline(
            out / "nanda-2023-seed1", recipe("nanda-2023", steps=14_000), recipe_name="nanda-2023", seed=1, record_every=100
        )
    runs = {**runs, **others, "zhong-2023, rate 0, seed 0": pizza}
    print(published(nanda))
    named = {"nanda-2023, seed 0": nanda, "... from what thinning keeps": of_thinned(nanda), **runs}
    print("\n" + boundaries(named))
    print("\n" + leads(runs, others))
    return 0


def published(run: Timeline) -> str:
    """nanda-2023, seed 0: what arXiv 2301.05217 and a rerun of its released code say, and what this run says.

    The rerun is an independent program's, from the same seed, to 14,000 steps.
    """
    moments = run["moments"]
    end = next(m for m in moments if m["step"] == 14_000)
    turn = min((m for m in moments if m["step"] <= 5000), key=lambda m: m["excluded_loss"])
    start, neurons = run["log"][0], RECIPES["nanda-2023"].network.d_mlp
    clusters = "/".join(str(round(share * neurons)) for share in end["neuron_shares"])
    clock = sum(t * t for t in end["clock_terms"])
    below_one = next(m["step"] for m in moments if m["test_loss"] < 1)
    numbers: list[tuple[str, float | str, float | str]] = [
        ("first training loss (114 outputs)", 4.76405226, start["train_loss"]),
        ("first test loss (114 outputs)", 4.76834731, start["test_loss"]),
        ("excluded loss, least", 6.8e-5, turn["excluded_loss"]),
        ("... at step", 1400, turn["step"]),
        ("test loss < 1 at step", 9400, below_one),
        ("test accuracy > .99 at step", 10_000, first(moments, "test_accuracy", 0.99) or "never"),
        ("key frequencies", "14 35 41 42 52", " ".join(map(str, run["key_frequencies"]))),
        ("test loss at 14,000", 4.0e-7, end["test_loss"]),
        ("restricted loss at 14,000", 4.9e-8, end["restricted_loss"]),
        ("excluded loss at 14,000", 5.9, end["excluded_loss"]),
        ("neurons ≥ .85 at 14,000", 455, round(end["specialised"] * neurons)),
        ("... by key frequency", "55/97/126/98/79", clusters),
        ("logit share on clock terms at 14,000", 0.97, clock),
        *(
            (f"{each['phase']} ends (paper)", step, f"{each['step']} ({each['earliest']}–{each['latest'] or 'later'})")
            for each, step in zip(run["phases"]["boundaries"], (1400, 9400, 14_000), strict=True)
        ),
    ]
    rows = [(name, theirs, ours, _difference(theirs, ours)) for name, theirs, ours in numbers]
    return markdown(("nanda-2023, seed 0", "published", "here", "difference"), rows)


def of_thinned(run: Timeline) -> Timeline:
    """The same run, seen only through those of its snapshots that are nearest to what interp-train keeps by default."""
    steps = {min((m["step"] for m in run["moments"]), key=lambda each: abs(each - step)) for step in thinned(run["log"])}
    kept = [m for m in run["moments"] if m["step"] in steps]
    moments = [Moment(**{name: _number(value) for name, value in m.items()}) for m in kept]
    return {**run, "moments": kept, "phases": asdict(phases(moments, run["p"]))}


def _number(value: Any) -> Any:
    """JSON has null for what is undefined."""
    if isinstance(value, list):
        return tuple(map(_number, value))
    return math.nan if value is None else value


def boundaries(runs: dict[str, Timeline]) -> str:
    """The rule for the phases on every run."""
    rows = []
    for name, run in runs.items():
        found, moments = run["phases"], run["moments"]
        ends = [f"{each['step'] or 'not yet'} ({each['earliest']}–{each['latest'] or 'later'})" for each in found["boundaries"]]
        reached = (first(moments, f"{split}_accuracy", 0.99) for split in ("train", "test"))
        rows.append((name, found["verdict"], *(ends or ["–"] * 3), *reached))
    columns = ("run", "verdict", "memorisation ends", "circuit formed", "clean-up ends", "train acc. .99", "test acc. .99")
    return markdown(columns, rows)


def leads(runs: dict[str, Timeline], spread: dict[str, Timeline]) -> str:
    """Steps before test accuracy moves at which each measure does; over the seeds of ``spread`` median and range."""
    by_run = {name: {each["measure"]: each for each in run["phases"]["moves"]} for name, run in runs.items()}
    alone = [name for name in runs if name not in spread and by_run[name]]
    seeds = [name for name in spread if by_run[name]]
    rows = []
    for measure in by_run[alone[0]]:
        found = [by_run[name][measure]["lead"] for name in seeds]
        each = [f"{m['lead']} ({m['least_lead']} to {m['most_lead']})" for m in (by_run[name][measure] for name in alone)]
        rows.append((measure, f"{median(found):g} ({min(found)} to {max(found)})", *each))
    return markdown(("steps before test accuracy", f"steady, {len(seeds)} seeds: median (range)", *alone), rows)


def _difference(theirs: float | str, ours: float | str) -> str:
    if isinstance(theirs, str) or isinstance(ours, str):
        return "" if theirs != ours else "0"
    return f"{100 * (ours / theirs - 1):+.1f}%" if ours != theirs and not math.isclose(ours, theirs, rel_tol=1e-8) else "0"


if __name__ == "__main__":
    raise SystemExit(main())
