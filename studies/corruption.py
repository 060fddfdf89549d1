"""What becomes of wrong labels, over their share and the weight decay? The phases of Doshi et al. 2023, arXiv 2310.13061.

    interp-sweep studies/corruption.toml --out runs/corruption    trains it; its rows are studies/corruption.parquet
    python studies/corruption.py                                  draw studies/corruption.svg, print docs/corruption.md's tables

studies/corruption.toml says what is trained.
"""

import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from timelines import markdown

from analyses.findings.palette import LOOKS, PHASE_COLOURS
from analyses.tools.wrong_labels import Shares
from interp.sweep.dataset import read_rows

Row = dict[str, Any]
HERE = Path(__file__).parent
SHARES = (0.05, 0.15, 0.25, 0.35, 0.45, 0.6)
DECAYS = (0.0, 2.0, 5.0, 10.0, 15.0, 20.0)
"""Shares of wrong labels and weight decays of the network of the paper."""
TRANSFORMERS = (
    ("cross-entropy", 2.0),
    ("cross-entropy", 10.0),
    ("mse", 1.0),
    ("mse", 3.0),
    ("mse", 10.0),
    ("mse", 50.0),
)
"""Loss and weight decay of the transformers."""


def at(row: Row, step: int) -> Shares:
    """What a network of the study did at a step."""
    index = row["records_step"].index(step)
    train, test, told, truth, clean = (
        row[f"records_{name}_accuracy"][index] for name in ("train", "test", "told", "truth", "clean")
    )
    return Shares(wrong=row["corrupt"], train=train, told=told, truth=truth, clean=clean, held_out=test)


def cells(found: Sequence[Row]) -> dict[tuple[float, float], list[Shares]]:
    """Share of wrong labels and weight decay → what the networks of each seed did at the end, in the order of the seeds."""
    chosen = sorted((row for row in found if row["label"] == "doshi"), key=lambda row: int(row["seed"]))
    return {
        (share, decay): [at(row, 2_000) for row in chosen if (row["corrupt"], row["weight_decay"]) == (share, decay)]
        for share in SHARES
        for decay in DECAYS
    }


def phase_table(found: Sequence[Row]) -> str:
    """The phase of every cell at the end, of each seed where they differ; in brackets as published, where that is another."""
    columns, lines = ["wrong labels", *(f"decay {decay:g}" for decay in DECAYS)], list[list[str]]()
    of_cells = cells(found)
    for share in SHARES:
        line = [f"{share:g}"]
        for decay in DECAYS:
            own, published = ([getattr(each, name) for each in of_cells[share, decay]] for name in ("phase", "published_phase"))
            line.append(_counted(own) + (f" ({_counted(published)})" if published != own else ""))
        lines.append(line)
    return markdown(columns, lines)


def _counted(names: Sequence[str]) -> str:
    counts = Counter(names).most_common()
    return ", ".join(name if len(counts) == 1 else f"{count} {name}" for name, count in counts)


def known_values(found: Sequence[Row]) -> str:
    """Trajectories of cells of which values are known, seed 0, in Markdown."""
    steps = (50, 100, 150, 200, 400, 1_000, 2_000)
    columns, lines = ["wrong labels, decay", "pairs", *map(str, steps)], list[list[str]]()
    for share, decay in ((0.35, 0.0), (0.35, 15.0), (0.35, 20.0), (0.15, 5.0)):
        row = next(each for each in found if (each["corrupt"], each["weight_decay"], each["seed"]) == (share, decay, 0))
        for name in ("told", "truth", "held_out"):
            values = [f"{getattr(at(row, step), name):.2f}" for step in steps]
            lines.append([f"{share:g}, {decay:g}", name.replace("_", " "), *values])
    return markdown(columns, lines)


def transformer_table(found: Sequence[Row]) -> str:
    """What the transformers of both seeds did on their way, in Markdown."""
    steps = (400, 800, 1_500, 4_000)
    columns, lines = ["loss, decay", "pairs", *map(str, steps)], list[list[str]]()
    for loss, decay in TRANSFORMERS:
        both = [
            row
            for row in sorted(found, key=lambda row: int(row["seed"]))
            if row["label"] == "transformer" and (row["loss"], row["weight_decay"]) == (loss, decay)
        ]
        for name in ("told", "truth", "held_out"):
            values = [" / ".join(f"{getattr(at(row, step), name):.2f}" for row in both) for step in steps]
            lines.append([f"{loss}, {decay:g}", name.replace("_", " "), *values])
    return markdown(columns, lines)


def picture(found: Sequence[Row]) -> str:
    """The phases as an SVG: a square per cell, a stripe per seed, coloured by what became of the wrong labels."""
    side, left, top = 84, 90, 64
    parts = []
    for (share, decay), those in cells(found).items():
        x, y = left + DECAYS.index(decay) * side, top + (len(SHARES) - 1 - SHARES.index(share)) * side
        for index, each in enumerate(those):
            width = (side - 4) / len(those)
            place = f'x="{x + index * width:.1f}" y="{y}" width="{width:.1f}" height="{side - 4}"'
            title = f"seed {index}: {each.phase}, as published {each.published_phase}"
            parts.append(f'<rect {place} fill="{PHASE_COLOURS[each.phase]}"><title>{title}</title></rect>')
        for line, name in enumerate(("told", "held_out")):
            text = f"{name.replace('_', ' ')} {statistics.median(getattr(each, name) for each in those):.2f}"
            place = f'x="{x + side / 2 - 2}" y="{y + 38 + 16 * line}"'
            parts.append(f'<text {place} text-anchor="middle" font-size="11">{text}</text>')
    below = top + len(SHARES) * side
    parts += [
        f'<text x="{left + index * side + side / 2 - 2}" y="{below + 14}" text-anchor="middle">{decay:g}</text>'
        for index, decay in enumerate(DECAYS)
    ]
    parts += [
        f'<text x="{left - 8}" y="{below - index * side - side / 2}" text-anchor="end">{share:g}</text>'
        for index, share in enumerate(SHARES)
    ]
    marks = " ".join(f'<tspan fill="{colour}">■</tspan> {name}' for name, colour in PHASE_COLOURS.items())
    width, height = left + len(DECAYS) * side + 10, below + 44
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
            f'<rect width="100%" height="100%" fill="{LOOKS["light"][0]}"/>',
            f'<text x="{left}" y="22" font-size="15">What becomes of wrong labels by weight decay, p = 97</text>',
            f'<text x="{left}" y="44">{marks}</text>',
            *parts,
            f'<text x="{left + len(DECAYS) * side / 2}" y="{below + 34}" text-anchor="middle">weight decay</text>',
            f'<text x="20" y="{(top + below) / 2}" transform="rotate(-90 20 {(top + below) / 2})">share of wrong labels</text>',
            "</svg>\n",
        ]
    )


def main() -> int:
    found = read_rows(HERE / "corruption.parquet")
    (HERE / "corruption.svg").write_text(picture(found))
    print(phase_table(found), known_values(found), transformer_table(found), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
