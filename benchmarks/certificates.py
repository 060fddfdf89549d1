"""What is proven of the networks of checkpoints/, by every rung: the tables of docs/certificates.md.

python benchmarks/certificates.py                             print them (minutes)
"""

import sys
import time
from functools import cache
from pathlib import Path

import analyses
import interp
from analyses.evidence.certificate import Certificate
from analyses.tools.proofs.rung import Rung
from interp.networks.model import Unavailable

sys.path.insert(0, str(Path(__file__).parent.parent / "studies"))
from timelines import markdown

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
RUNGS = ("network", "accuracy", "low rank", "rank", "work", "waves", "number", "cells", "number", "work", "strongest")
"""Heads of the table of what each rung proves at the setting that it chooses."""
CELLS = ("network", "cells", "proven", "work", "/ tokens once")
"""Heads of the table of what cells of every size prove."""
OF_CELLS = ("zhong-59-rate-0", "zhong-59-rate-1", "nanda-113")
"""Networks whose cells are shown at every size."""


def names() -> list[str]:
    """The networks of checkpoints/, folders last."""
    paths = [path.relative_to(CHECKPOINTS).with_suffix("") for path in CHECKPOINTS.rglob("*.pt")]
    return [str(path) for path in sorted(paths, key=lambda path: (len(path.parts), path))]


@cache
def certificate(name: str) -> Certificate | None:
    """What is proven of one of them; None where certificates do not apply."""
    try:
        return analyses.certificate(interp.load(CHECKPOINTS / f"{name}.pt"))
    except Unavailable:
        return None


def row(name: str, found: Certificate) -> tuple[str, ...]:
    """What each rung proves of a network."""
    waves, cells = found.rungs[2:]
    rank, costs = str(found.rank) if found.certified else "–", f"{found.share_of_brute_force:.3f}"
    return (
        name, f"{found.accuracy:.4f}", f"{found.certified:.4f}", rank, costs, *_best(waves),
        *_best(cells), _work(cells, found), found.proven_by.split(",")[0] if found.proven else "–",
    )  # fmt: skip


def rows_of_cells(name: str, found: Certificate) -> list[tuple[str, ...]]:
    """What cells of every size prove of a network."""
    return [
        (
            name, step.detail.split()[0], f"{step.certified:.4f}", f"{step.products / found.brute_force:.3f}",
            f"{step.products / found.shared:.2f}",
        )
        for step in found.rungs[3].steps
    ]  # fmt: skip


def _best(rung: Rung) -> tuple[str, str]:
    """The share that a rung proves, and the number of waves or cells that it takes for it."""
    if rung.best is None:
        return "–", "–"
    return f"{rung.best.certified:.4f}", rung.best.detail.split()[0] if rung.best.certified else "–"


def _work(rung: Rung, found: Certificate) -> str:
    return f"{rung.best.products / found.brute_force:.3f}" if rung.best is not None else "–"


def main() -> int:
    made: dict[str, Certificate] = {}
    for name in names():
        print(f"{name}, after {time.process_time():.0f} s of one core", file=sys.stderr)
        if (found := certificate(name)) is not None:
            made[name] = found
    print(markdown(RUNGS, [row(name, found) for name, found in made.items()]), end="\n\n")
    print(markdown(CELLS, [line for name in OF_CELLS for line in rows_of_cells(name, made[name])]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
