"""How soon does a mod-113 network compute every sum, over learning rate and weight decay, and with which circuit?

    python studies/faster.py train --seeds-for 0.01,2       every pair with seed 0, this one with all five seeds
    python studies/faster.py table

Every run is a directory below --out with a snapshot every 50 steps and is kept: a study that was broken off goes on where
it stopped. All else is the recipe nanda-2023.

accurate: first record with test accuracy 1. sure: first with test loss below 1e-5. clean: first accurate one whose test loss
and restricted loss (of the key frequencies alone, on all pairs) are within a factor of ten of each other.
"""

import re
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table

from analyses.evidence.clock_or_pizza import clock_or_pizza
from analyses.evidence.key_frequencies import key_frequencies
from analyses.timeline.parts import part_losses
from interp.files import formats
from interp.recipe import RECIPES
from interp.sweep.pool import work_all
from interp.sweep.unit import Status, Training
from interp.training import run
from interp.training.run import Run
from interp.training.run_config import RunConfig

LEARNING_RATES = (3e-3, 5e-3, 1e-2)
WEIGHT_DECAYS = (1.0, 2.0, 3.0, 5.0)
SEEDS = range(5)
STEPS = 2_000
STOP = 1e-6
"""Test loss below which nothing more is asked of a run."""
CLEAN = 10.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    what: Annotated[Literal["train", "table"], tyro.conf.Positional]
    """Train the runs, or print the table of those that there are."""
    out: Path = Path("runs/faster")
    """Where the runs are."""
    seeds_for: tuple[str, ...] = ()
    """RATE,DECAY pairs to train with all five seeds."""
    workers: int = 1
    """How many networks are trained at once."""


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    if options.what == "table":
        Console(width=140).print(_table(sorted(options.out.glob("lr*-wd*-seed*"))))
        return
    trained = [(rate, decay, 0) for rate in LEARNING_RATES for decay in WEIGHT_DECAYS]
    for text in options.seeds_for:
        rate, decay = map(float, text.split(","))
        trained += [(rate, decay, seed) for seed in SEEDS if (rate, decay, seed) not in trained]
    runs = [_run(options.out / f"lr{rate:g}-wd{decay:g}-seed{seed}", rate, decay, seed) for rate, decay, seed in trained]

    def report(status: Status) -> None:
        if status.note or (status.losses is not None and status.step % 500 == 0):
            print(f"{status.path.name}: step {status.step}, {status.note or status.losses}", file=sys.stderr, flush=True)

    work_all([Training(each.path) for each in runs], workers=options.workers, report=report)


def _run(path: Path, rate: float, decay: float, seed: int) -> Run:
    if (path / "config.json").exists():
        return run.load(path)
    recipe = replace(RECIPES["nanda-2023"], learning_rate=rate, weight_decay=decay, steps=STEPS, stop_test_loss=STOP)
    return run.create(path, RunConfig(recipe=recipe, seed=seed, recipe_name="nanda-2023", record_every=50, snapshots=True))


@dataclass(frozen=True)
class Outcome:
    """One run: the steps at which it was accurate, sure and clean (None: never), and where it ended."""

    accurate: int | None
    sure: int | None
    clean: int | None
    test_loss: float
    circuit: str
    unexplained: float


def _outcome(each: Run) -> Outcome:
    records = each.log()
    last = formats.load(each.model_path)
    verdict = clock_or_pizza(last.circuit())
    accurate = [record["step"] for record in records if record["test_accuracy"] == 1]
    sure = [record["step"] for record in records if record["test_loss"] < 1e-5]
    return Outcome(
        accurate=min(accurate, default=None),
        sure=min(sure, default=None),
        clean=next((step for step in accurate if _is_clean(each, step)), None),
        test_loss=records[-1]["test_loss"],
        circuit=verdict.verdict,
        unexplained=verdict.unexplained,
    )


def _is_clean(each: Run, step: int) -> bool:
    saved = formats.load(each.path / "snapshots" / f"step-{step:06d}.pt")
    circuit = saved.circuit()
    assert circuit.train_numbers is not None
    losses = part_losses(circuit.logits, key_frequencies(circuit).frequencies, circuit.train_numbers)
    return 1 / CLEAN < losses.restricted / losses.test < CLEAN


def _table(paths: list[Path]) -> Table:
    outcomes: dict[tuple[float, float], list[Outcome]] = defaultdict(list)
    for path in paths:
        print(path, file=sys.stderr, flush=True)
        rate, decay = map(float, re.findall(r"lr([\d.e-]+)-wd([\d.]+)-", path.name)[0])
        outcomes[rate, decay].append(_outcome(run.load(path)))
    columns = (
        "learning rate",
        "weight decay",
        "seeds",
        "accurate",
        "sure",
        "clean",
        "last test loss",
        "circuits",
        "unexplained",
    )
    table = Table(*columns, title=f"steps (median, least–most), at most {STEPS}")
    for (rate, decay), runs in sorted(outcomes.items()):
        circuits = Counter(each.circuit for each in runs)
        table.add_row(
            f"{rate:g}",
            f"{decay:g}",
            str(len(runs)),
            _steps(each.accurate for each in runs),
            _steps(each.sure for each in runs),
            _steps(each.clean for each in runs),
            f"{statistics.median(each.test_loss for each in runs):.1e}",
            ", ".join(f"{count} {name}" for name, count in circuits.most_common()),
            f"{statistics.median(each.unexplained for each in runs):.3f}",
        )
    return table


def _steps(found: Iterable[int | None]) -> str:
    steps = list(found)
    reached = sorted(step for step in steps if step is not None)
    if not reached:
        return "never"
    spread = "" if len(steps) == 1 else f" ({reached[0]}–{reached[-1]})"
    never = "" if len(reached) == len(steps) else f", {len(steps) - len(reached)} never"
    return f"{statistics.median(reached):g}{spread}{never}"


if __name__ == "__main__":
    main()
