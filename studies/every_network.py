"""An explanation for every network: trains the study's networks, explains each, makes the table and the pictures.

python studies/every_network.py train       networks into runs/every-network; goes on where it was stopped
python studies/every_network.py explain     one row per network into studies/every_network.parquet
python studies/every_network.py show        the README's table, every network that is not explained, the phase diagram
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from plan import Planned, every_network

from interp import checkpoint

WEIGHTS = Path("runs/every-network")


def train(planned: list[Planned], folder: Path) -> None:
    """Train what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(planned, start=1):
        path = folder / f"{each.name}.pt"
        if path.exists():
            continue
        started = time.monotonic()

        def on_step(step: int, each: Planned = each, number: int = number) -> None:
            if step % 50 == 0 and sys.stderr.isatty():
                print(f"\r{number} of {len(planned)} {each.name}: step {step}\033[K", end="", file=sys.stderr)

        saved = each.network(on_step)
        checkpoint.save(path, saved)
        losses = ", ".join(f"{name} {value:.3g}" for name, value in (saved.losses or {}).items())
        seconds = time.monotonic() - started
        end = f"\r{number} of {len(planned)} {each.name}: step {saved.step}, {losses}, {seconds:.0f} s\033[K"
        print(end if sys.stderr.isatty() else end.strip("\r").removesuffix("\033[K"), file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "explain", "show"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help=f"where the networks are; default {WEIGHTS}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "train":
        train(list(every_network()), options.weights)


if __name__ == "__main__":
    main()
