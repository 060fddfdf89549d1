"""The phase diagram as an SVG of its own: no browser is needed to write it, and it stays small."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from analyses.findings.palette import VERDICT_COLOURS

WIDTH, HEIGHT, MARGIN = 300, 300, 58
LOW, HIGH = -0.25, 1.5
"""Coordinates shown; those beyond are drawn at the border."""


def phase_diagram(rows: Sequence[dict[str, Any]]) -> str:
    """Clock–pizza coordinate of every key frequency against the attention rate, one panel per width (p = 59).

    The area of a mark is the frequency's share of the logits' variance; the frequencies of one network are joined.
    """
    shown = [row for row in rows if row["kind"] == "trained" and row["generalises"] and row["p"] == 59]
    widths = sorted({row["width"] for row in shown})
    panels = [_panel([row for row in shown if row["width"] == width], width, i) for i, width in enumerate(widths)]
    total = MARGIN + len(widths) * (WIDTH + 24)
    marks = " ".join(f'<tspan fill="{color}">● {name}</tspan>' for name, color in VERDICT_COLOURS.items())
    size = f'viewBox="0 0 {total} {HEIGHT + 110}" font-family="sans-serif" font-size="12"'
    title = "Clock or pizza, frequency by frequency, against the attention rate"
    key = f'{marks} <tspan fill="#555">· area: share of the logits · lines join the frequencies of one network</tspan>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="{MARGIN}" y="20" font-size="15">{title}</text>',
            f'<text x="{MARGIN}" y="38">{key}</text>',
            *panels,
            "</svg>\n",
        ]
    )


def _panel(rows: Sequence[dict[str, Any]], width: int, number: int) -> str:
    left, top = MARGIN + number * (WIDTH + 24), 70

    def x(rate: float) -> float:
        return round(left + rate * WIDTH, 1)

    def y(coordinate: float) -> float:
        inside = min(max(coordinate, LOW), HIGH)
        return round(top + HEIGHT * (HIGH - inside) / (HIGH - LOW), 1)

    parts = [
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        f'<text x="{left + WIDTH / 2}" y="{top - 6}" text-anchor="middle">width {width}</text>',
        f'<text x="{left + WIDTH / 2}" y="{top + HEIGHT + 34}" text-anchor="middle">attention rate α</text>',
    ]
    for level, name in ((0.0, "clock 0"), (0.5, ".5"), (1.0, "pizza 1")):
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y(level)}" y2="{y(level)}" stroke="#ddd"/>')
        if number == 0:
            parts.append(f'<text x="{left - 4}" y="{y(level) + 4}" text-anchor="end">{name}</text>')
    for rate in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(f'<text x="{x(rate)}" y="{top + HEIGHT + 16}" text-anchor="middle">{rate:g}</text>')
    for row in rows:
        ys = [y(coordinate) for coordinate in row["coordinate"]]
        at = x(row["rate"])
        parts.append(f'<line x1="{at}" x2="{at}" y1="{min(ys)}" y2="{max(ys)}" stroke="#bbb"/>')
        for k, verdict, coordinate, share in zip(row["k"], row["verdict"], row["coordinate"], row["share"], strict=True):
            radius = round(1.5 + 8 * math.sqrt(max(share, 0)), 1)
            title = escape(f"{row['name']}: k = {k}, {verdict}, coordinate {coordinate:.2f}, share {share:.2f}")
            parts.append(
                f'<circle cx="{at}" cy="{y(coordinate)}" r="{radius}" fill="{VERDICT_COLOURS[verdict]}" fill-opacity="0.65">'
                f"<title>{title}</title></circle>"
            )
    return "\n".join(parts)
