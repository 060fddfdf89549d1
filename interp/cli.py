"""interp-train: train one network from a seed, into a run directory."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from interp import run
from interp.command import INTERRUPTED, run_command
from interp.errors import InterpError
from interp.recipe import RECIPES, Recipe
from interp.train import Snapshot, train

_DESCRIPTION = """\
Train a network on a + b mod p, full batch, from a seed.

Pick a recipe, change any of its numbers, and a run directory gets the configuration, a log line per record
(log.jsonl) and the newest checkpoint (model.pt). Ctrl-C stops after the current step and keeps a usable
checkpoint.

Then: interp-analyze RUN/model.pt

Examples:
  interp-train                                        a mod-113 network that generalises, in minutes
  interp-train --recipe zhong-2023 --network.attention-rate 0 --steps 2500
  interp-train --recipe nanda-2023 --seed 0 --stop-test-loss 1e-6 --out runs/nanda-0
  interp-train --network.p 59 --network.d-mlp 256

Exit codes: 0 trained, 2 impossible options or a run that diverged, 130 stopped with Ctrl-C (checkpoint kept).
"""

RecipeName = Literal["quick", "nanda-2023", "zhong-2023"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-train can be told; the training options are the fields of Recipe and NetworkConfig."""

    recipe: RecipeName = "quick"
    """Where all other defaults come from: quick (this project's), nanda-2023 or zhong-2023 (published)."""
    seed: int = 0
    """Determines the initial weights and the split."""
    out: Path | None = None
    """Run directory to make. Default: runs/RECIPE-p113-seed0, and so on."""
    record_every: int = 100
    """Steps between records: log line, newest checkpoint, progress."""
    snapshots: bool = False
    """Keep the checkpoint of every record, not only the newest."""
    precision: Literal["float32", "float64"] = "float32"
    """Of weights and arithmetic; the loss is always float64."""
    training: Annotated[Recipe, tyro.conf.arg(name="")] = field(default_factory=lambda: RECIPES["quick"])
    """The recipe's own numbers."""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-train; returns its exit code."""
    return run_command("interp-train", lambda: _train(_parse(sys.argv[1:] if arguments is None else arguments)))


def _parse(arguments: list[str]) -> Options:
    """The options, with the defaults of the recipe that they name."""
    # A first pass reads nothing but the recipe's name, which the defaults shown and used by the second depend on.
    named = [value for name, value in pairwise(arguments) if name == "--recipe"]
    named += [argument.removeprefix("--recipe=") for argument in arguments if argument.startswith("--recipe=")]
    recipe = RECIPES.get(named[-1] if named else "quick", RECIPES["quick"])
    return tyro.cli(Options, prog="interp-train", args=arguments, description=_DESCRIPTION, default=Options(training=recipe))


def _train(options: Options) -> int:
    if options.record_every < 1:
        raise InterpError(f"expected --record-every of at least 1, got {options.record_every}")
    if not 0 <= options.seed < 1 << 63:
        raise InterpError(f"expected a seed of 0 or more and below 2⁶³, got {options.seed}")
    recipe = options.training
    out = options.out or Path("runs") / f"{options.recipe}-p{recipe.network.p}-seed{options.seed}"
    writer = run.create(out, recipe, options.seed, recipe_name=options.recipe, precision=options.precision)
    console = Console(stderr=True)
    starting = f"interp-train: recipe {options.recipe}, p = {recipe.network.p}, seed {options.seed} → {out}"
    console.print(starting, markup=False, highlight=False, soft_wrap=True)
    with _interruptible() as interrupted, _Progress(console, recipe.steps) as progress:
        for snapshot in train(
            recipe,
            seed=options.seed,
            record_every=options.record_every,
            dtype=getattr(torch, options.precision),
            should_stop=lambda: bool(interrupted),
            on_step=progress.step,
        ):
            writer.record(snapshot, keep=options.snapshots)
            progress.record(snapshot)
    print(
        f"{writer.model_path}: step {snapshot.step}, train loss {snapshot.train_loss:.3g}, "
        f"test loss {snapshot.test_loss:.3g}, test accuracy {snapshot.test_accuracy:.4f}"
    )
    return INTERRUPTED if interrupted else 0


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM is noted in the list for the loop to see; a second one acts as usual."""
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Progress:
    """A bar with losses, accuracy, steps per second and time left; one plain line per record where nobody watches."""

    def __init__(self, console: Console, steps: int) -> None:
        self._console, self._steps = console, steps
        self._bar = Progress(
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=steps, status="")
        self._record = ""
        self._start, self._done = time.monotonic(), 0

    def __enter__(self) -> "_Progress":
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    @property
    def _rate(self) -> float:
        return self._done / max(time.monotonic() - self._start, 1e-9)

    def step(self, done: int) -> None:
        self._done = done
        self._bar.update(self._task, completed=done, status=f"{self._record}  {self._rate:.1f} steps/s")

    def record(self, snapshot: Snapshot) -> None:
        self._record = f"train {snapshot.train_loss:.2e}  test {snapshot.test_loss:.2e}  accuracy {snapshot.test_accuracy:.3f}"
        if not self._console.is_terminal:
            speed = ""
            if self._done:
                left = (self._steps - snapshot.step) / self._rate
                speed = f"  {self._rate:.1f} steps/s  at most {left:.0f} s left"
            self._console.print(
                f"step {snapshot.step:>6}  {self._record}{speed}",
                soft_wrap=True,
                highlight=False,
            )


if __name__ == "__main__":
    sys.exit(main())
