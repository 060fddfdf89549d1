"""How much time and memory does an analysis take as p grows? Whole processes, beside `import torch`.

    python benchmarks/large.py                 # p = 59, 113, 199, 293, 397, 499: plain interp-analyze of an untrained network
    python benchmarks/large.py 113 --explain   # any p, and options of interp-analyze

Prints one line per p: processor seconds, their ratio to those of an `import torch` just before, and the largest memory.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from interp.files.checkpoint import Checkpoint, save
from interp.recipe import RECIPES
from interp.tasks.addition import Addition
from interp.training.loop import initial_network

TIMES = 5
"""Number of runs of each process, each after one of `import torch`. Medians count: the speed of a shared machine changes."""


def measured(command: list[str]) -> tuple[float, float]:
    """Processor seconds of a process, and its largest memory in MiB."""
    # In a process of its own: the memory that the system tells of children is that of the largest one so far.
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-c", program, *command]
    found = subprocess.run(run, capture_output=True, text=True, check=True, env=environment).stdout
    seconds, memory = map(float, found.split())
    return seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("p", type=int, nargs="*", default=[59, 113, 199, 293, 397, 499])
    chosen, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        for p in chosen.p:
            path = Path(folder) / f"untrained-{p}.pt"
            network = initial_network(replace(RECIPES["nanda-2023"], p=p), 0)
            save(path, Checkpoint(network=network, task=Addition(p)))
            command = [sys.executable, "-m", "analyses.commands.analyze", str(path), *options]
            runs = [(*measured([sys.executable, "-c", "import torch"]), *measured(command)) for _ in range(TIMES)]
            torch_alone, _, seconds, memory = zip(*runs, strict=True)
            ratios = [whole / torch for whole, torch in zip(seconds, torch_alone, strict=True)]
            print(
                f"p = {p:4}: {statistics.median(seconds):6.2f} s, {statistics.median(ratios):5.2f} ({min(ratios):.2f} to "
                f"{max(ratios):.2f}) times import torch, {max(memory):6.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
