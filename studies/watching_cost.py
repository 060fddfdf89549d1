"""What do snapshots and measurements cost beside training? As ratios within one process, a little of each in turn, so
that other work on the machine slows all of them alike.

No sweep: it times pieces of training beside each other, and trains no network to its end.

Prints one table as Markdown. With --log RUN/log.jsonl it also says how many snapshots interp-train keeps of such a run
by default, with records every 100 steps, and how large they are together.
"""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
import tyro
from timelines import markdown, thinned

from analyses.timeline.live import measures
from interp.commands.command import run_command
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint
from interp.networks.kinds import network_of
from interp.recipe import RECIPES
from interp.training.loop import initial_network, labelled, training_split, training_step
from interp.training.optimisers import Optimiser

EVERY = 100
"""Steps between measurements, as interp-train has it by default."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    rounds: int = 12
    """How often ten steps, a measurement and a snapshot are timed."""
    log: tuple[Path, ...] = ()
    """The log.jsonl of runs to count the snapshots of."""


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    return run_command("watching_cost", lambda: _study(options.rounds, list(options.log)))


def _study(rounds: int, logs: list[Path]) -> int:
    torch.set_num_threads(1)
    nanda = RECIPES["nanda-2023"]
    train = training_split(nanda, 0).train_pairs
    parameters = {name: x.requires_grad_() for name, x in initial_network(nanda, 0).parameters.items()}
    optimiser, data = Optimiser(nanda, parameters), labelled(nanda, train)
    steps, measured, saved = [], [], []
    with tempfile.TemporaryDirectory(dir=".") as directory:
        path = Path(directory) / "snapshot.pt"
        for index in range(rounds + 1):
            start = time.perf_counter()
            for step in range(10):
                training_step(parameters, optimiser, 10 * index + step, data)
            steps.append((time.perf_counter() - start) / 10)
            network = network_of(nanda.config, {name: x.detach() for name, x in parameters.items()})
            seen = Checkpoint(network=network, step=index, seed=0, recipe=nanda, train_pairs=train)
            start = time.perf_counter()
            measures(seen)
            measured.append(time.perf_counter() - start)
            start = time.perf_counter()
            checkpoint.save(path, seen)
            saved.append(time.perf_counter() - start)
        size = path.stat().st_size
    # The first round warms up. Neighbours in time are compared, then the median over the rounds is taken.
    per_measurement = median(m / (EVERY * s) for m, s in zip(measured[1:], steps[1:], strict=True))
    in_steps = median(w / s for w, s in zip(saved[1:], steps[1:], strict=True))
    rows: list[tuple[object, ...]] = [
        ("a step", f"{1e3 * median(steps[1:]):.0f} ms", ""),
        (
            "a measurement (analyses.timeline.live)",
            f"{1e3 * median(measured[1:]):.0f} ms",
            f"{per_measurement:.1%} at n = {EVERY}",
        ),
        ("a snapshot, written and synced", f"{1e3 * median(saved[1:]):.0f} ms", f"{in_steps:.1f} steps, {size / 1e3:.0f} kB"),
    ]
    for log in logs:
        records = [json.loads(line) for line in log.read_text().splitlines()]
        count = len(thinned(records))
        length = records[-1]["step"]
        rows.append(
            (
                f"thinned snapshots of {length} steps",
                f"{count}, {count * size / 1e6:.0f} MB",
                f"{count * in_steps / length:.2%}",
            )
        )
    print(markdown(("what", "cost", "of training"), rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
