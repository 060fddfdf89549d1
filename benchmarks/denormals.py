"""What do numbers below the least normal one cost? Steps of networks that are sure, counting them as 0 and computing with them.

The networks are those of checkpoints/, on one thread, with the recipe that each was trained by; medians of interleaved steps.
"""

import statistics
import sys
import time
from pathlib import Path

import torch

from interp.files import formats
from interp.training.loop import labelled, training_split, training_step
from interp.training.optimisers import Optimiser

NETWORKS = ("zhong-59-rate-0", "zhong-59-rate-1", "quick-113", "nanda-113")
"""Names of checkpoints."""
STEPS = 15
"""Number of steps that are timed either way."""


def main() -> int:
    torch.set_num_threads(1)
    folder = Path(__file__).parent.parent / "checkpoints"
    print("| network | train loss | as 0, ms | computed with, ms | longer |\n|---|---|---|---|---|")
    for name in NETWORKS:
        saved = formats.load(folder / f"{name}.pt")
        assert saved.recipe is not None and saved.seed is not None
        data = labelled(saved.recipe, training_split(saved.recipe, saved.seed).train_pairs)
        parameters = {key: x.clone().requires_grad_() for key, x in saved.network.parameters.items()}
        optimiser = Optimiser(saved.recipe, parameters)
        took: dict[bool, list[float]] = {True: [], False: []}
        for step in range(STEPS + 2):
            for flushed in took:
                torch.set_flush_denormal(flushed)
                started = time.perf_counter()
                training_step(parameters, optimiser, 0, data)  # of the warm-up's first step, which moves nothing
                if step >= 2:
                    took[flushed].append(time.perf_counter() - started)
        zero, with_them = (statistics.median(took[flushed]) * 1000 for flushed in (True, False))
        loss = saved.losses["train_loss"]
        print(f"| {name} | {loss:.1e} | {zero:.1f} | {with_them:.1f} | {with_them / zero:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
