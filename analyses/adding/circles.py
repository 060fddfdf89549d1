"""Do the numbers sit on circles, and in order?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish, say
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET, ROUND
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

Point = tuple[float, float]


@dataclass(frozen=True)
class FrequencyCircle:
    """How the numbers 0..p-1 lie in the embedding's plane of one frequency."""

    k: int
    """The frequency: the numbers 0..p-1 go round k times."""
    radius: float
    """Root mean square distance of the numbers from the centre, in units of the embedding."""
    roundness: float
    """Least distance of a number from the centre over the largest, [0, 1]: 1 for a circle."""
    off: float
    """Root mean square of the angle by which a number is out of place, in turns; neighbours are 1/p apart."""
    pure: float
    """Share of the variance in this plane that is the frequency's own, [0, 1]; the rest is that of others, which
    overlap with it."""
    points: tuple[Point, ...] = field(metadata=ONLY_DRAWN)
    """Place of each number n in the plane, in units of ``radius``; its ideal place is at angle 2πk·n/p."""


@dataclass(frozen=True)
class Circles(Finding):
    """The circles on which the embedding has the numbers, at the key frequencies."""

    p: int
    """The modulus."""
    circles: tuple[FrequencyCircle, ...]
    """One circle per key frequency, in ascending order of k."""
    symbols: tuple[str, ...] = field(default=(), repr=False, metadata=ONLY_DRAWN)
    """The symbol that each number stands for: 3, 9, 27 and so on, where 3 to the n has the number n."""

    def table(self) -> Table:
        rows = tuple((c.k, c.radius, c.roundness, c.off, c.pure) for c in self.circles)
        columns = ("frequency k", "radius", "roundness", "out of place by (turns)", "its own")
        note = (
            "Roundness: least distance from the centre over the largest, 1 is a circle. Out of place by: how far numbers are "
            f"from where they belong on it; neighbours are {1 / self.p:.4f} turns apart. Its own: how much of what is seen in "
            "its plane belongs to this frequency, 1 is all"
        )
        return Table("Circles of the numbers in the embedding", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        figure, colours = circle_grid([c.k for c in self.circles]), self.colours(c.k for c in self.circles)
        if not self.circles:
            say(figure, "The network has no key frequencies.")
        for index, c in enumerate(self.circles):
            figure.add_trace({**circle_trace(c.points, c.k, self.symbols), **panel(index)})
        for index, c in enumerate(self.circles):
            figure.add_trace({**walk_trace(c.points, c.k, colours[c.k], self.symbols), **panel(index)})
        sit = f"sit on {len(self.circles)} circles"
        title = f"The numbers 0 to {self.p - 1} {sit}"
        if self.symbols != tuple(map(str, range(self.p))):
            title = f"{self.p} symbols {sit} in the order of their numbers, {self.words.a}"
        return finish(
            figure,
            title if self.circles else "No circles to see",
            f"The whole embedding, seen in the plane of each key frequency k, in units of the mean radius. {READING} "
            "Hover for the numbers. What lies off the circle is what other frequencies add to this plane.",
        )


READING = (
    "Every number n is coloured by where it belongs, k·n/p turns from 0: where the colours make one rainbow, the circle works. "
    "The line goes from the first number to the second and the third, k/p of a turn each time; on through all numbers it goes "
    "round k times."
)
"""How to read a panel of circles."""


@measurement(place=70, needs=("addition", "embedding"))
def circles(circuit: Circuit) -> Circles:
    """Do the numbers sit on circles, and in order?

    The plane of frequency k is spanned by the components of W_E along cos w_k n and sin w_k n; its axes are the orthonormal
    pair that is closest to these two. The whole centred embedding is projected onto the plane, not its part at frequency k
    alone, which would be an ellipse by construction.

    Source: this project; the circles are those of Nanda et al. 2023, arXiv 2301.05217.
    """
    keys = key_frequencies(circuit).frequencies
    symbols = tuple(circuit.task.symbols[symbol] for symbol in circuit.numbers.a.tolist())
    return Circles(p=circuit.p, circles=tuple(circle_of(circuit.embedding, k) for k in keys), symbols=symbols)


def plane_coordinates(E: Float[Tensor, "p d"], k: int) -> Float[Tensor, "p 2"]:
    """Place of each number in the plane of frequency k, number 0 near angle 0; at k = p/2 all lie on a line."""
    E = E.double()
    rows = fourier.rows(k, len(E)) @ E
    U, _, Vh = torch.linalg.svd(rows, full_matrices=False)
    flat = (E - E.mean(0)) @ (U @ Vh).T
    return flat if flat.shape[1] == 2 else torch.cat([flat, torch.zeros_like(flat)], dim=1)


def circle_grid(keys: Sequence[int]) -> "go.Figure":
    """A figure with an empty square panel per frequency, three in a row, and the colours of the places on a circle."""
    from plotly.subplots import make_subplots

    columns = min(max(len(keys), 1), 3)
    rows = -(-max(len(keys), 1) // columns)
    figure = make_subplots(
        rows, columns, horizontal_spacing=0.06, vertical_spacing=0.3 / rows, subplot_titles=[f"k = {k}" for k in keys]
    )
    figure.update_xaxes(range=[-1.5, 1.5], tickvals=[-1, 0, 1], title="along cos (radii)", constrain="domain")
    figure.update_yaxes(range=[-1.5, 1.5], tickvals=[-1, 0, 1], constrain="domain")
    figure.update_yaxes(title="along sin (radii)", col=1)
    for axis in figure.select_yaxes():
        axis.scaleanchor = axis.anchor  # as wide as high
    return figure.update_layout(
        coloraxis={"colorscale": ROUND, "cmin": 0, "cmax": 1, "colorbar": {"title": "k·n/p (turns)"}},
        height=90 + 320 * rows,
        showlegend=False,
        meta={"panels": len(keys)},
    )


def panel(index: int) -> dict[str, str]:
    """The names of the axes of one panel of a ``circle_grid``, panels counted from 0."""
    number = "" if index == 0 else str(index + 1)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def circle_trace(points: Sequence[Point], k: int, symbols: Sequence[str] = ()) -> dict[str, Any]:
    """A trace of the numbers in the plane of frequency k, coloured by the place where each belongs, named by their symbols."""
    numbers, p = list(range(len(points))), len(points)
    places = [round(k * n % p / p, 4) for n in numbers]
    marker = {"color": places, "coloraxis": "coloraxis", "size": 8, "line": {"color": QUIET, "width": 0.5}}
    hover = f"<b>%{{customdata}}</b><br>k = {k}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>"
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return {
        "type": "scatter", "x": xs, "y": ys, "mode": "markers", "marker": marker,
        "customdata": list(symbols or numbers),
        "hovertemplate": hover, "name": f"k = {k}",
    }  # fmt: skip


def walk_trace(points: Sequence[Point], k: int, colour: str, symbols: Sequence[str] = ()) -> dict[str, Any]:
    """A trace from number 0 over 1 to 2, in the colour of frequency k, with the three numbers' symbols written beside them."""
    first, p = points[:3], len(points)
    angles = [2 * math.pi * k * n / p for n in range(len(first))]
    sides = [f"{_side(math.sin(angle), 'top', 'bottom')} {_side(math.cos(angle), 'right', 'left')}" for angle in angles]
    return {
        "type": "scatter", "x": [x for x, _ in first], "y": [y for _, y in first], "mode": "lines+markers+text",
        "line": {"color": colour, "width": 2.5}, "marker": {"color": colour, "size": 10, "symbol": "circle-open"},
        "text": [f"<b>{symbol}</b>" for symbol in (symbols or [str(n) for n in range(p)])[: len(first)]],
        "textposition": sides, "textfont": {"size": 14},
        "hoverinfo": "skip", "name": f"0, 1, 2 at k = {k}",
    }  # fmt: skip


def _side(along: float, positive: str, negative: str) -> str:
    """The word for a direction where a label goes beside a point."""
    if abs(along) < 0.38:
        return "middle" if positive == "top" else "center"
    return positive if along > 0 else negative


def circle_of(E: Float[Tensor, "p d"], k: int) -> FrequencyCircle:
    """How do the numbers lie in the plane of frequency k of the embeddings ``E``?"""
    p, flat = len(E), plane_coordinates(E, k)
    radii = flat.norm(dim=1)
    radius = radii.square().mean().sqrt()
    cosine, sine = fourier.waves(k, p)
    # The angle from a number's ideal place to its own: that of its point, turned back by the ideal angle.
    angle = torch.atan2(flat[:, 1] * cosine - flat[:, 0] * sine, flat[:, 0] * cosine + flat[:, 1] * sine)
    own = (fourier.rows(k, p) @ flat).square().sum() / flat.square().sum()
    return FrequencyCircle(
        k=k,
        radius=radius.item(),
        roundness=(radii.min() / radii.max()).item(),
        off=angle.square().mean().sqrt().item() / (2 * math.pi),
        pure=own.item(),
        points=tuple((x, y) for x, y in (flat / radius).tolist()),
    )
