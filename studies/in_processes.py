"""Many networks of a study, in processes that each train one after the other; a row of plain values each, kept as it comes."""

import json
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

Row = dict[str, Any]
T = TypeVar("T")


def finish(work: Callable[[T], Row], units: Mapping[str, T], path: Path, workers: int) -> None:
    """Do every unit whose name has no row in a file yet; ``work``, a function of a module, makes its row.

    What was broken off is done again from its start, and nothing else is.
    """
    done = {row["name"] for row in rows(path)}
    missing = [(work, name, unit) for name, unit in units.items() if name not in done]
    path.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, torch.set_num_threads, (1,)) as pool, path.open("a") as file:
        for count, row in enumerate(pool.imap_unordered(_row, missing), start=1):
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(f"{count} of {len(missing)}: {row['name']}", file=sys.stderr, flush=True)


def rows(path: Path) -> list[Row]:
    """The rows in a file, without a last line that was cut off."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def _row(unit: tuple[Callable[[T], Row], str, T]) -> Row:
    work, name, what = unit
    return {"name": name, **work(what)}
