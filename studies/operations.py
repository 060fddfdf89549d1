"""Which operations does a network learn from which share of their pairs, and what does it do then? One row per network.

python studies/operations.py RUN ...     look at the newest checkpoint of these runs, keep their rows in
                                         studies/operations.json, and print the table
python studies/operations.py             print the table of docs/groups.md from the rows that are kept

The runs of the table: interp-train --recipe quick --task TASK [--p 97] --train-fraction FRACTION --steps 6000 --threads 1.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analyses.reports.answer import Answer, examine
from interp.files import formats
from interp.training import run

Row = dict[str, Any]
KEPT = Path(__file__).parent / "operations.json"
COLUMNS = ("task", "fraction", "published", "steps", "held out", "frequencies or representations", "circuit", "explained")

PUBLISHED = {
    "addition": 0.3, "subtraction": 0.3, "multiplication": 0.3, "a^2+b^2": 0.3, "(a+b)^2": 0.3, "a^2-b^2": 0.3, "2a+3b": 0.4,
    "ab+b": 0.5, "a^2+ab+b^2": 0.8, "a^3+ab": 0.9, "a^3+ab^2+b": None,
}  # fmt: skip
"""Least share of the pairs from which Furuta et al. 2024, arXiv 2402.16726, report that each operation is learned mod 97; None
for never. Of 0.3, 0.4, and so on."""


def main(arguments: Sequence[str]) -> int:
    """Look at the runs that are named, if any, and print the table."""
    kept: list[Row] = json.loads(KEPT.read_text()) if KEPT.exists() else []
    for argument in arguments:
        path = run.load(Path(argument)).model_path
        found = row(path)
        kept = [each for each in kept if (each["task"], each["fraction"]) != (found["task"], found["fraction"])] + [found]
        print(f"{argument}: {found['circuit']}", file=sys.stderr, flush=True)
    if arguments:
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    print(table(kept))
    return 0


def row(path: Path) -> Row:
    """What a trained network does, and how it was trained; None where something cannot be said."""
    saved = formats.load(path)
    answer = examine(saved.circuit(), path=path, checkpoint=saved, more=["explanation", "group_explanation"])
    measured = answer.performance
    assert saved.recipe is not None, "a checkpoint of interp-train"
    return {
        "task": saved.task.name,
        "sentence": saved.task.sentence,
        "fraction": saved.recipe.train_fraction,
        "seed": saved.seed,
        "steps": saved.step,
        "held_out": round(measured.test_accuracy, 4),
        "accuracy": round(measured.accuracy, 4),
        "apart": [measured.apart_pairs, measured.apart_accuracy] if measured.apart_pairs else None,
        "keys": _keys(answer),
        "circuit": answer.circuit_name,
        "explained": answer.is_explained,
        "rung": answer.rung,
    }


def _keys(answer: Answer) -> list[str]:
    """Key frequencies or key representations; none of a network that does not compute its task."""
    if not answer.performance.generalises:
        return []
    if answer.key_representations is not None:
        return list(answer.key_representations.keys)
    return list(map(str, answer.frequencies or ()))


def table(kept: Sequence[Row]) -> str:
    """The rows as a table in Markdown: those of one task together, in the order of their first, by fraction."""
    order = list(dict.fromkeys(row["task"] for row in kept))
    shown = [_shown(row) for row in sorted(kept, key=lambda row: (order.index(row["task"]), row["fraction"]))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(COLUMNS), ["---"] * len(COLUMNS), *shown])


def _shown(row: Row) -> list[str]:
    published = "–"
    if row["task"] in PUBLISHED:
        published = "never" if PUBLISHED[row["task"]] is None else f"{PUBLISHED[row['task']]:g}"
    explained = {True: f"rung {row['rung']}", False: "no", None: "–"}[row["explained"]]
    circuit = row["circuit"] or "–"
    keys = ", ".join(row["keys"]) or "–"
    held_out = f"{row['held_out']:.4f}"
    return [row["sentence"], f"{row['fraction']:g}", published, str(row["steps"]), held_out, keys, circuit, explained]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
