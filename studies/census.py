"""The census beside the published table: what docs/census.md says, from studies/census.parquet.

    interp-sweep studies/census.toml --out runs/census        trains it (hours); its rows are studies/census.parquet
    python studies/census.py                                  print the tables of docs/census.md

studies/census.toml says what is compared, and said so before any of the networks was trained.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from timelines import markdown

from analyses.survey.shares import share
from interp.sweep.dataset import read_rows
from interp.sweep.spec import read_spec

Row = Mapping[str, Any]
HERE = Path(__file__).parent
CIRCULAR, SYMMETRY, IRRELEVANCE = 0.995, 0.98, 0.6
"""Cut-offs of Zhong et al. 2023: circularity, gradient symmetry, distance irrelevance."""


def passes(row: Row) -> bool:
    """Does a network pass the published filter?"""
    return bool(row["circularity_circularity"] >= CIRCULAR)


def is_pizza(row: Row) -> bool:
    """Is a network a pizza by the published criterion, on the logit of the largest wrong answer?"""
    return bool(row["gradient_symmetry_paper_sample"] > SYMMETRY and row["distance_irrelevance_largest_wrong"] < IRRELEVANCE)


def is_clock(row: Row) -> bool:
    """Is a network a clock by it?"""
    return bool(row["gradient_symmetry_paper_sample"] <= SYMMETRY and row["distance_irrelevance_largest_wrong"] >= IRRELEVANCE)


def both_high(row: Row) -> bool:
    """Are gradient symmetry and distance irrelevance both high?"""
    return bool(row["gradient_symmetry_paper_sample"] > SYMMETRY and row["distance_irrelevance_largest_wrong"] >= IRRELEVANCE)


Question = tuple[str, Callable[[Row], bool], Callable[[Row], bool], float]


def _between(low: float, high: float) -> Callable[[Row], bool]:
    """Networks that pass the filter and have an attention rate above ``low``, up to ``high``."""
    return lambda row: passes(row) and low < row["attention_rate"] <= high


PUBLISHED: tuple[Question, ...] = (
    ("of all: circular", passes, lambda row: True, 0.343),
    ("of circular ones: pizza", is_pizza, passes, 0.523),
    ("of circular ones: clock", is_clock, passes, 0.345),
    ("α up to .4: pizza, or both numbers high", lambda row: is_pizza(row) or both_high(row), _between(-1, 0.4), 1.0),
    ("α in (.4, .5]: pizza", is_pizza, _between(0.4, 0.5), 0.85),
    ("α in (.5, .6]: pizza", is_pizza, _between(0.5, 0.6), 0.28),
    ("α in (.6, .7]: clock", is_clock, _between(0.6, 0.7), 0.65),
    ("α in (.8, 1]: clock", is_clock, _between(0.8, 1.0), 0.99),
)
"""What is asked, who has it, of whom, and the share in the table of 2,373 runs of Zhong et al. 2023, arXiv 2306.17844."""


def sound(rows: Sequence[Row]) -> list[Row]:
    """The networks that count: those that reach .99 of all pairs."""
    return [row for row in rows if row["generalises"]]


def beside_published(rows: Sequence[Row]) -> str:
    """Each published share beside ours and its interval, in Markdown."""
    lines: list[tuple[str, ...]] = []
    for name, has, of, published in PUBLISHED:
        found = share(sound(rows), has, of)
        agrees = "–" if not found.of else "yes" if found.holds(published) else "no"
        lines.append((name, f"{found.count} of {found.of}", str(found), f"{published:.1%}", agrees))
    return markdown(("networks", "here", "share (95%)", "published", "agrees"), lines)


def by_project(rows: Sequence[Row]) -> str:
    """What this project says of the networks that pass the filter and of those left aside, in Markdown."""
    lines: list[tuple[str, ...]] = []
    for name, of in (("circular", passes), ("left aside by the filter", lambda row: not passes(row))):
        those = [row for row in sound(rows) if of(row)]
        circuits = [str(share(those, lambda row, kind=kind: row["circuit"] == kind)) for kind in CIRCUITS]  # type: ignore[misc]
        lines.append((name, str(len(those)), *circuits, str(share(those, lambda row: row["is_explained"]))))
    return markdown(("networks", "number", *CIRCUITS, "explained"), lines)


CIRCUITS = ("clock", "pizza", "hybrid", "mixture", "undecided")
"""Verdicts of this project on a network that generalises."""


def of_the_study() -> list[Row]:
    """The networks of other widths and with GELU, which the study of every network trained by the same recipe."""
    names = {"width": "d_model", "rate": "attention_rate", "explained": "is_explained"}
    rows = [{names.get(name, name): x for name, x in row.items()} for row in read_rows(HERE / "every_network.parquet")]
    trained = [row for row in rows if (row["study"], row["kind"]) == ("published", "trained")]
    return [row for row in trained if (row["d_model"], row["activation"]) != (128, "relu")]


def by_width(rows: Sequence[Row]) -> str:
    """What this project says of networks of every width and activation, in Markdown."""
    every, lines = [*rows, *of_the_study()], list[tuple[str, ...]]()
    kinds = sorted({(row["d_model"], row["activation"]) for row in every}, key=lambda kind: (kind[1] != "relu", kind[0]))
    groups = [
        (f"width {width}, {name}", [r for r in every if (r["d_model"], r["activation"]) == (width, name)])
        for width, name in kinds
    ]
    for name, those in [*groups, ("all", every)]:
        counts = Counter(row["circuit"] for row in sound(those))
        circuits = ", ".join(f"{counts[kind]} {kind}" for kind in CIRCUITS if counts[kind])
        explained = share(sound(those), lambda row: row["is_explained"])
        lines.append((name, str(len(those)), str(len(sound(those))), circuits, str(explained)))
    return markdown(("networks", "number", "generalise", "circuits", "explained"), lines)


def other_tasks(rows: Sequence[Row]) -> str:
    """What the networks of studies/other_tasks.toml do, by task, in Markdown."""
    lines: list[tuple[str, ...]] = []
    for task in dict.fromkeys(row["task"] for row in rows):
        those = [row for row in rows if row["task"] == task]
        circuits = Counter(row["circuit"] for row in sound(those))
        named = ", ".join(f"{count} {circuit}" for circuit, count in circuits.most_common())
        explained = sum(row["is_explained"] is True for row in sound(those))
        lines.append((task, str(len(those)), str(len(sound(those))), named or "–", str(explained)))
    return markdown(("task", "networks", "generalise", "circuits", "explained"), lines)


def document(rows: Sequence[Row], others: Sequence[Row]) -> str:
    """The tables of docs/census.md."""
    planned = len(read_spec(HERE / "census.toml").points)
    counted = (
        f"{len(rows)} of the {planned} networks have been trained; {share(rows, lambda row: row['generalises'])} generalise."
    )
    return "\n\n".join([counted, beside_published(rows), by_project(rows), by_width(rows), other_tasks(others)])


def main() -> int:
    print(document(read_rows(HERE / "census.parquet"), read_rows(HERE / "other_tasks.parquet")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
