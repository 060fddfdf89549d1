"""An explanation for every network: trains the study's networks, explains each, makes the table and the picture.

    python studies/every_network.py train       networks into runs/every-network (hours; --study fast: the other study's)
    python studies/every_network.py explain     a row per network into studies/every_network.parquet (seconds each)
    python studies/every_network.py show        docs/every_network.md and studies/phase_diagram.svg, from the Parquet file

Training and explaining go on where they were stopped.

Needs pyarrow: pip install -e '.[sweep]'.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import torch
import tyro
from phase_diagram import phase_diagram
from plan import Making, Planned, Study, every_network
from rows import Row, row
from summary import MARK, summary

from interp.sweep.pool import work_all
from interp.sweep.unit import Status

WEIGHTS, HERE = Path("runs/every-network"), Path(__file__).parent
TABLE, PICTURE = HERE / "every_network.parquet", HERE / "phase_diagram.svg"
DOCUMENT = HERE.parent / "docs" / "every_network.md"


def train(planned: list[Planned], folder: Path, workers: int) -> None:
    """Train what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    units = [Making(each, folder / f"{each.name}.pt") for each in planned]
    missing = [unit for unit in units if not unit.path.exists()]
    done = 0

    def report(status: Status) -> None:
        nonlocal done
        if status.losses is not None:
            done += 1
            losses = ", ".join(f"{name} {value:.3g}" for name, value in status.losses.items())
            print(f"{done} of {len(missing)} {status.path.stem}: step {status.step}, {losses}", file=sys.stderr, flush=True)
        if status.note:
            print(f"{status.path}: {status.note}", file=sys.stderr, flush=True)

    work_all(missing, workers=workers, report=report)


def explain(study: Study, folder: Path) -> list[Row]:
    """The row of every network of a study that has been trained; computed once, and kept beside its weights."""
    rows = []
    there = [each for each in every_network(study) if (folder / f"{each.name}.pt").exists()]
    for number, each in enumerate(there, start=1):
        path = folder / f"{each.name}.json"
        if not path.exists():
            path.write_text(json.dumps(row(study, each, folder / f"{each.name}.pt")))
            explained = json.loads(path.read_text())["explained"]
            print(f"{number} of {len(there)} {each.name}: explained {explained}", file=sys.stderr, flush=True)
        rows.append(json.loads(path.read_text()))
    return rows


def show(rows: list[Row]) -> None:
    """Write the tables of the document below its own words, and the picture."""
    words, _, _ = DOCUMENT.read_text().partition(MARK)
    DOCUMENT.write_text(f"{words}{MARK}\n{summary(rows)}")
    PICTURE.write_text(phase_diagram(rows))
    print(f"{DOCUMENT}, {PICTURE}: {len(rows)} networks")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    what: Annotated[Literal["train", "explain", "show"], tyro.conf.Positional]
    """Train the networks, explain them, or show what came of it."""
    study: Study = "published"
    """Networks to train: by the published recipe, or by one with five times its learning rate (plan.py)."""
    weights: Path = WEIGHTS
    """Directory of the networks, with one directory for each of the two studies."""
    workers: int = 1
    """How many networks are trained at once."""


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    torch.set_num_threads(1)
    if options.what == "train":
        train(list(every_network(options.study)), options.weights / options.study, options.workers)
        return
    import pyarrow
    import pyarrow.parquet

    if options.what == "explain":
        rows = [row for study in get_args(Study) for row in explain(study, options.weights / study)]
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), TABLE, compression="zstd")
        print(f"{TABLE}: {len(rows)} networks")
    else:
        rows = pyarrow.parquet.read_table(TABLE).to_pylist()
        show(rows)


if __name__ == "__main__":
    main()
