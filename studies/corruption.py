"""What becomes of wrong labels, over their share and the weight decay? The phases of Doshi et al. 2023, arXiv 2310.13061.

python studies/corruption.py [--workers 2] [--device cuda]    train what is missing in studies/corruption.jsonl

The network is recipe doshi-2023, p = 97, half of the pairs, 2,000 steps; three seeds a cell, a record every 50 steps. Beside it
the transformer of zhong-2023, p = 59, .8 of the pairs, a tenth of the labels wrong, with both losses. Which phase a cell is in
was defined by the paper, before any of these networks was trained.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import tyro
from in_processes import Row, finish

from interp.recipe import RECIPES, Recipe
from interp.training.loop import TrainingDivergedError, train

SHARES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.6)
DECAYS = (0.0, 2.0, 5.0, 10.0, 15.0, 20.0)
SEEDS = range(3)
TRANSFORMERS: tuple[tuple[Literal["cross-entropy", "mse"], float], ...] = (
    ("cross-entropy", 2.0),
    ("cross-entropy", 10.0),
    ("mse", 1.0),
    ("mse", 3.0),
    ("mse", 10.0),
    ("mse", 50.0),
)
"""Loss and weight decay of the transformers."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    rows: Path = Path(__file__).parent / "corruption.jsonl"
    """Where the rows of the networks are."""
    workers: int = 2
    """How many networks are trained at once."""
    device: str = "cpu"
    """Where they are trained."""


def units(device: str) -> dict[str, tuple[Recipe, int, str]]:
    """Every network of the study by name: recipe, seed and device."""
    doshi, zhong = RECIPES["doshi-2023"], replace(RECIPES["zhong-2023"], learning_rate=1e-3, steps=4_000, corrupt=0.1)
    found = {
        f"doshi share {share:g} decay {decay:g} seed {seed}": (replace(doshi, corrupt=share, weight_decay=decay), seed, device)
        for seed in SEEDS
        for share in SHARES
        for decay in DECAYS
    }
    for loss, decay in TRANSFORMERS:
        recipe = replace(zhong, loss=loss, weight_decay=decay)
        found |= {f"transformer {loss} decay {decay:g} seed {seed}": (recipe, seed, device) for seed in range(2)}
    return found


def row(unit: tuple[Recipe, int, str]) -> Row:
    """The records of one network: at every step, shares of pairs to four digits."""
    recipe, seed, device = unit
    kept = ("train_accuracy", "test_accuracy", "told_accuracy", "truth_accuracy", "clean_accuracy")
    every = 50 if recipe.attention_free else 100
    try:
        records = [
            [each.step, *(round(each.losses[name], 4) for name in kept)]
            for each in train(recipe, seed=seed, device=device, record_every=every)
        ]
    except TrainingDivergedError as error:
        return {"share": recipe.corrupt, "decay": recipe.weight_decay, "loss": recipe.loss, "seed": seed, "error": str(error)}
    return {
        "network": "doshi" if recipe.attention_free else "transformer",
        "share": recipe.corrupt,
        "decay": recipe.weight_decay,
        "loss": recipe.loss,
        "seed": seed,
        "device": device,
        "columns": ["step", *kept],
        "records": records,
    }


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    finish(row, units(options.device), options.rows, options.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
