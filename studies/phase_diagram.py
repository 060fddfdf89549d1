"""The phase diagram as an SVG of its own: no browser is needed to write it, and it stays small."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from summary import kind_of, name_of

from analyses.findings.palette import VERDICT_COLOURS

WIDTH, HEIGHT, MARGIN, GAP = 300, 260, 58, 60
LOW, HIGH = -0.25, 1.5
"""Coordinates shown; those beyond are drawn at the border."""


def phase_diagram(rows: Sequence[dict[str, Any]]) -> str:
    """Clock–pizza coordinate of every key frequency against the attention rate, one panel per width and activation (p = 59).

    The area of a mark is the frequency's share of the logits' variance; the frequencies of one network are joined.
    """
    shown = [row for row in rows if kind_of(row) == "trained" and row["generalises"] and row["p"] == 59]
    widths, activations = ([*dict.fromkeys(sorted(row[key] for row in shown))] for key in ("d_model", "activation"))
    panels = [
        _panel([r for r in shown if (r["d_model"], r["activation"]) == (width, kind)], f"{kind}, width {width}", x, y)
        for y, kind in enumerate(reversed(activations))
        for x, width in enumerate(widths)
    ]
    size = f"0 0 {MARGIN + len(widths) * (WIDTH + 24)} {70 + len(activations) * (HEIGHT + GAP)}"
    marks = " ".join(f'<tspan fill="{color}">● {name}</tspan>' for name, color in VERDICT_COLOURS.items())
    title = "Clock or pizza, frequency by frequency, against the attention rate"
    key = f'{marks} <tspan fill="#555">· area: share of the logits · lines join the frequencies of one network</tspan>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="12">',
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="{MARGIN}" y="20" font-size="15">{title}</text>',
            f'<text x="{MARGIN}" y="38">{key}</text>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(rows: Sequence[dict[str, Any]], name: str, column: int, line: int) -> str:
    left, top = MARGIN + column * (WIDTH + 24), 70 + line * (HEIGHT + GAP)

    def x(rate: float) -> float:
        return round(left + rate * WIDTH, 1)

    def y(coordinate: float) -> float:
        inside = min(max(coordinate, LOW), HIGH)
        return round(top + HEIGHT * (HIGH - inside) / (HIGH - LOW), 1)

    parts = [
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        f'<text x="{left + WIDTH / 2}" y="{top - 6}" text-anchor="middle">{name}</text>',
        f'<text x="{left + WIDTH / 2}" y="{top + HEIGHT + 34}" text-anchor="middle">attention rate α</text>',
    ]
    for cut in (0.25, 0.75):
        across = f'y1="{y(cut)}" y2="{y(cut)}"'
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" {across} stroke="#bbb" stroke-dasharray="3 3"/>')
    for level, label in ((0.0, "clock 0"), (0.5, ".5"), (1.0, "pizza 1")):
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y(level)}" y2="{y(level)}" stroke="#ddd"/>')
        if column == 0:
            parts.append(f'<text x="{left - 4}" y="{y(level) + 4}" text-anchor="end">{label}</text>')
    for rate in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(f'<text x="{x(rate)}" y="{top + HEIGHT + 16}" text-anchor="middle">{rate:g}</text>')
    for row in rows:
        ys = [y(coordinate) for coordinate in row["coordinates"]]
        at = x(row["attention_rate"])
        parts.append(f'<line x1="{at}" x2="{at}" y1="{min(ys)}" y2="{max(ys)}" stroke="#bbb"/>')
        of_frequencies = (row[name] for name in ("key_frequencies", "verdicts", "coordinates", "shares"))
        for k, verdict, coordinate, share in zip(*of_frequencies, strict=True):
            radius = round(1.5 + 8 * math.sqrt(max(share, 0)), 1)
            title = escape(f"{name_of(row)}: k = {k}, {verdict}, coordinate {coordinate:.2f}, share {share:.2f}")
            parts.append(
                f'<circle cx="{at}" cy="{y(coordinate)}" r="{radius}" fill="{VERDICT_COLOURS[verdict]}" fill-opacity="0.65">'
                f"<title>{title}</title></circle>"
            )
    return "\n".join(parts)
