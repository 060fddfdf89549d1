"""Which operations does a network learn from which share of their pairs, and what does it do then? One row per network.

interp-sweep studies/operations.toml    trains them; their rows are studies/operations.parquet
python studies/operations.py            print the tables of docs/groups.md and docs/training.md
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from timelines import markdown

from interp.sweep.dataset import read_rows
from interp.sweep.spec import read_spec
from interp.tasks import task_named

Row = dict[str, Any]
ROWS, SPEC = (Path(__file__).with_suffix(ending) for ending in (".parquet", ".toml"))
COLUMNS = ("task", "fraction", "published", "steps", "held out", "frequencies or representations", "circuit", "explained")

PUBLISHED = {
    "addition": 0.3, "subtraction": 0.3, "multiplication": 0.3, "a^2+b^2": 0.3, "(a+b)^2": 0.3, "a^2-b^2": 0.3, "2a+3b": 0.4,
    "ab+b": 0.5, "a^2+ab+b^2": 0.8, "a^3+ab": 0.9, "a^3+ab^2+b": None,
}  # fmt: skip
"""Least share of the pairs from which Furuta et al. 2024, arXiv 2402.16726, report that each operation is learned mod 97; None
for never. Of 0.3, 0.4, and so on."""

RELEASED = {"S5": 0.6, "A5": 0.6, "D59": 0.3, "addition": 0.3}
"""Share of the pairs that the networks of Chughtai et al. 2023, arXiv 2302.03025, were trained on, which were then right on
all; addition is that mod 118, their C118."""


def rows() -> list[Row]:
    """The rows that are kept, in the order of the spec."""
    order = list(read_spec(SPEC).points)
    return sorted(read_rows(ROWS), key=lambda row: order.index(row["name"]))


def table(found: Sequence[Row]) -> str:
    """The networks of this project's own recipe."""
    return markdown(COLUMNS, [_shown(row) for row in found if row["label"] == "own"])


def published_table(found: Sequence[Row]) -> str:
    """The networks of published recipes, and when their pairs were known for good."""
    columns = (COLUMNS[0], "seed", *COLUMNS[1:3], "trained on known", "held out known", *COLUMNS[3:])
    shown = []
    for row in found:
        if row["label"] == "published":
            task, fraction, published, *rest = _shown(row)
            known = [str(row[f"steps_to_{part}_for_good"] or "–") for part in ("train", "test")]
            shown.append([task, str(row["seed"]), fraction, published, *known, *rest])
    return markdown(columns, shown)


def _shown(row: Row) -> list[str]:
    fractions: Mapping[str, float | None] = RELEASED if row["recipe_name"] == "chughtai-2023" else PUBLISHED
    published = "–"
    if row["task"] in fractions:
        published = "never" if fractions[row["task"]] is None else f"{fractions[row['task']]:g}"
    explained = {True: f"rung {row['rung']}", False: "no", None: "–"}[row["is_explained"]]
    keys = (row["key_frequencies"] or row["key_representations"] or ()) if row["generalises"] else ()
    names = ", ".join(map(str, keys)) or "–"
    sentence, held_out = task_named(row["task"], row["p"]).sentence, f"{row['test_accuracy']:.4f}"
    fraction = f"{row['train_fraction']:g}"
    return [sentence, fraction, published, str(row["step"]), held_out, names, row["circuit"] or "–", explained]


def main() -> None:
    found = rows()
    print(table(found), published_table(found), sep="\n\n")


if __name__ == "__main__":
    main()
