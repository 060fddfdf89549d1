"""Weight decay off, weak, on and strong, from the same seed: which of the two circuits wins, and when?

The recipe is steady with p = 59 and 40% of the pairs to train on, which takes a minute and a half per run on one core.
Prints two tables as Markdown. Trains what is missing and goes on where it was cut off; everything is kept under --out.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from timelines import first, markdown, recipe, timeline

from interp.commands.command import run_command

WEIGHT_DECAYS = (0.0, 0.25, 0.5, 1.0, 2.0)
SHOWN = (0, 50, 100, 200, 300, 400, 600, 800, 1000, 1500)
"""Steps of the second table."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    out: Path = Path("runs/regularisation")
    """Where runs are kept."""
    seed: int = 0
    """Seed of weights and split, the same for all runs."""


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    return run_command("regularisation", lambda: _study(options.out, options.seed))


def _study(out: Path, seed: int) -> int:
    runs = {
        decay: timeline(
            out / (f"weight-decay-{decay:g}" + (f"-seed{seed}" if seed else "")),
            recipe("steady", p=59, train_fraction=0.4, weight_decay=decay, steps=1500),
            recipe_name="steady",
            seed=seed,
            record_every=25,
        )
        for decay in WEIGHT_DECAYS
    }
    print(outcome(runs))
    print("\n" + competition(runs))
    return 0


def outcome(runs: dict[float, dict[str, Any]]) -> str:
    """Where each run ends, and when it got there."""
    rows = []
    for decay, run in runs.items():
        moments, end = run["moments"], run["moments"][-1]
        gone = next((m["step"] for m in moments if m["train_accuracy"] >= 0.99 and m["memorising_score"] <= 0), None)
        formed = run["phases"]["boundaries"][1]["step"] if run["phases"]["boundaries"] else None
        weights, clock = sum(value for _, value in end["squared_weights"]), sum(t * t for t in end["clock_terms"])
        rows.append(
            (f"{decay:g}", run["phases"]["verdict"], first(moments, "train_accuracy", 0.99), gone, formed,
             first(moments, "test_accuracy", 0.99), end["train_loss"], end["test_loss"], end["test_accuracy"], clock, weights)
        )  # fmt: skip
    columns = ("weight decay", "verdict", "train acc. .99", "memorising score ≤ 0", "circuit formed", "test acc. .99",
               "train loss", "test loss", "test acc.", "clock terms", "squared weights")  # fmt: skip
    return markdown(columns, rows)


def competition(runs: dict[float, dict[str, Any]]) -> str:
    """The generalising and the memorising score through time: nats of the training loss that each circuit takes off."""
    rows = []
    for step in SHOWN:
        at = [next(m for m in run["moments"] if m["step"] == step) for run in runs.values()]
        rows.append((step, *(f"{m['generalising_score']:.1f} / {m['memorising_score']:.1f}" for m in at)))
    return markdown(("step", *(f"weight decay {decay:g}" for decay in runs)), rows)


if __name__ == "__main__":
    raise SystemExit(main())
