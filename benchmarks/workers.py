"""How does the throughput of ``interp-train --seeds ... --workers N`` grow with N?

In turns: one network alone, then N at once, one thread each. Per network the steps per second between its second and its
last record, so that starting a process does not count; the throughput of N is the sum of theirs. Two cores that share
their memory and clock give at most what the bare matrix products would give, which is measured in the same turns.
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro
from rich.console import Console
from rich.table import Table

from interp.recipe import RECIPES
from interp.sweep.pool import work_all
from interp.sweep.unit import Training
from interp.training import run
from interp.training.run import Run
from interp.training.run_config import RunConfig

RECORD_EVERY = 50


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    workers: int = 2
    """How many networks are trained at once."""
    steps: int = 400
    """Steps of every network."""
    rounds: int = 3
    """How often each is measured."""


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    rates: dict[str, list[float]] = {"training": [], "products": []}
    for number in range(1, options.rounds + 1):
        print(f"round {number} of {options.rounds}", file=sys.stderr)
        rates["training"].append(_throughput(options.workers, options.steps) / _throughput(1, options.steps))
        rates["products"].append(_products(options.workers) / _products(1))
    table = Table("throughput", "median", "min–max", title=f"{options.workers} workers over 1")
    for name, ratios in rates.items():
        table.add_row(name, f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}–{max(ratios):.2f}")
    Console().print(table)


def _throughput(workers: int, steps: int) -> float:
    """Steps per second of this many networks together."""
    recipe = replace(RECIPES["nanda-2023"], steps=steps)
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            run.create(Path(folder) / str(seed), RunConfig(recipe=recipe, seed=seed, record_every=RECORD_EVERY))
            for seed in range(workers)
        ]
        work_all([Training(each.path) for each in runs], workers=workers, report=lambda status: None)
        return sum(_rate(each) for each in runs)


def _rate(each: Run) -> float:
    records = each.log()[1:]
    return (records[-1]["step"] - records[0]["step"]) / (records[-1]["seconds"] - records[0]["seconds"])


def _products(workers: int) -> float:
    """Matrix products per second, of the shape that a step has, in this many processes together."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return sum(pool.map(_product_rate, range(workers), chunksize=1))


def _product_rate(_: int) -> float:
    torch.set_num_threads(1)
    x, y = torch.ones(3830, 512), torch.ones(512, 114)
    out = torch.mm(x, y)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 4:
        torch.mm(x, y, out=out)
        count += 1
    return count / 4


if __name__ == "__main__":
    main()
