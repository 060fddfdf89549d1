"""Which operations does a network learn from which share of their pairs, and what does it do then? One row per network.

python studies/operations.py RUN ...     look at the newest checkpoint of these runs, keep their rows in
                                         studies/operations.json, and print the table
python studies/operations.py             print the tables of docs/groups.md and docs/training.md from the rows that are kept

Runs of docs/groups.md: interp-train --recipe steady --task TASK [--p 97] --train-fraction FRACTION --steps 6000 --threads 1
Those of docs/training.md: interp-train --recipe RECIPE --task TASK [--train-fraction FRACTION] --record-every 500 --device
cuda with --stop-test-loss 1e-6 for chughtai-2023 and 1e-5 for furuta-2024.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from timelines import markdown

from analyses.reports.answer import Answer, examine
from interp.files import formats
from interp.training import run

Row = dict[str, Any]
KEPT = Path(__file__).parent / "operations.json"
COLUMNS = ("task", "fraction", "published", "steps", "held out", "frequencies or representations", "circuit", "explained")
OWN = "steady"
"""The recipe of the table in docs/groups.md; the others are those of docs/training.md."""
KNOWN = 0.99
"""Share of pairs from which they count as known."""
SAME = ("recipe", "task", "fraction", "seed")
"""Columns that tell one network from another."""

PUBLISHED = {
    "addition": 0.3, "subtraction": 0.3, "multiplication": 0.3, "a^2+b^2": 0.3, "(a+b)^2": 0.3, "a^2-b^2": 0.3, "2a+3b": 0.4,
    "ab+b": 0.5, "a^2+ab+b^2": 0.8, "a^3+ab": 0.9, "a^3+ab^2+b": None,
}  # fmt: skip
"""Least share of the pairs from which Furuta et al. 2024, arXiv 2402.16726, report that each operation is learned mod 97; None
for never. Of 0.3, 0.4, and so on."""

RELEASED = {"S5": 0.6, "A5": 0.6, "D59": 0.3, "addition": 0.3}
"""Share of the pairs that the networks of Chughtai et al. 2023, arXiv 2302.03025, were trained on, which were then right on
all; addition is that mod 118, their C118."""


def main(arguments: Sequence[str]) -> int:
    """Look at the runs that are named, if any, and print the table."""
    kept: list[Row] = json.loads(KEPT.read_text()) if KEPT.exists() else []
    for argument in arguments:
        found = row(run.load(Path(argument)))
        kept = [each for each in kept if any(each[name] != found[name] for name in SAME)] + [found]
        print(f"{argument}: {found['circuit']}", file=sys.stderr, flush=True)
    if arguments:
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    print(table(kept), published_table(kept), sep="\n\n")
    return 0


def row(finished: run.Run) -> Row:
    """What the network of a run does, by which recipe it was trained, and when its pairs were known for good."""
    known = {name: _known(finished, f"{name}_accuracy") for name in ("train", "test")}
    return {"recipe": finished.config.recipe_name, "known": known, **measured_row(finished.model_path)}


def measured_row(path: Path) -> Row:
    """What a trained network does, and on what it was trained; None where something cannot be said."""
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


def _known(finished: run.Run, accuracy: str) -> int | None:
    """The first recorded step from which on the pairs are known; None if they are not at the end."""
    steps = None
    for record in finished.log():
        steps = (steps if steps is not None else record["step"]) if record[accuracy] >= KNOWN else None
    return steps


def table(kept: Sequence[Row]) -> str:
    """The networks of this project's own recipe: those of one task together, in the order of their first, by fraction."""
    own = [row for row in kept if row["recipe"] == OWN]
    order = list(dict.fromkeys(row["task"] for row in own))
    return markdown(COLUMNS, [_shown(row) for row in sorted(own, key=lambda row: (order.index(row["task"]), row["fraction"]))])


def published_table(kept: Sequence[Row]) -> str:
    """The networks of published recipes, and when their pairs were known for good."""
    columns = (COLUMNS[0], "seed", *COLUMNS[1:3], "trained on known", "held out known", *COLUMNS[3:])
    shown = []
    for row in sorted((row for row in kept if row["recipe"] != OWN), key=lambda row: row["recipe"]):
        task, fraction, published, *rest = _shown(row)
        known = [str(row["known"][name] or "–") for name in ("train", "test")]
        shown.append([task, str(row["seed"]), fraction, published, *known, *rest])
    return markdown(columns, shown)


def _shown(row: Row) -> list[str]:
    fractions: Mapping[str, float | None] = RELEASED if row["recipe"] == "chughtai-2023" else PUBLISHED
    published = "–"
    if row["task"] in fractions:
        published = "never" if fractions[row["task"]] is None else f"{fractions[row['task']]:g}"
    explained = {True: f"rung {row['rung']}", False: "no", None: "–"}[row["explained"]]
    circuit = row["circuit"] or "–"
    keys = ", ".join(row["keys"]) or "–"
    held_out = f"{row['held_out']:.4f}"
    return [row["sentence"], f"{row['fraction']:g}", published, str(row["steps"]), held_out, keys, circuit, explained]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
