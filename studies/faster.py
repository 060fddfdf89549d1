"""How soon does a mod-113 network compute every sum, over learning rate and weight decay, and with which circuit?

First every pair of learning rate and weight decay with one seed, then the most promising with five. Every run goes to a
directory below --out and is kept: a study that was broken off goes on where it stopped.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from interp import run
from interp.errors import InterpError
from interp.recipe import RECIPES
from interp.run import Run, RunConfig

LEARNING_RATES = (3e-3, 1e-2, 2e-2)
WEIGHT_DECAYS = (1.0, 2.0, 3.0, 5.0)
SEEDS = range(5)
STEPS = 2_000
STOP = 1e-6
"""Test loss below which nothing more is asked of a run: far below that of an accurate and unclean circuit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/faster"), help="where the runs are (default: runs/faster)")
    parser.add_argument("--seeds-for", nargs="*", default=[], metavar="RATE,DECAY", help="train these with all five seeds too")
    options = parser.parse_args()
    pairs = [(rate, decay, 0) for rate in LEARNING_RATES for decay in WEIGHT_DECAYS]
    for text in options.seeds_for:
        rate, decay = map(float, text.split(","))
        pairs += [(rate, decay, seed) for seed in SEEDS if (rate, decay, seed) not in pairs]
    for number, (rate, decay, seed) in enumerate(pairs, start=1):
        each = _run(options.out / f"lr{rate:g}-wd{decay:g}-seed{seed}", rate, decay, seed)
        _train(each, f"{number} of {len(pairs)}: {each.path.name}")


def _run(path: Path, rate: float, decay: float, seed: int) -> Run:
    if (path / "config.json").exists():
        return run.load(path)
    recipe = replace(RECIPES["nanda-2023"], learning_rate=rate, weight_decay=decay, steps=STEPS, stop_test_loss=STOP)
    return run.create(path, RunConfig(recipe=recipe, seed=seed, recipe_name="nanda-2023", record_every=50, snapshots=True))


def _train(each: Run, name: str) -> None:
    try:
        for snapshot in each.train():
            if snapshot.step % 500 == 0 or snapshot.is_last:
                print(f"{name}: step {snapshot.step}, {snapshot.losses}", file=sys.stderr, flush=True)
    except InterpError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
