"""How do the numbers come to their circles in the course of a run?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyses.adding.circles import READING, FrequencyCircle, Point, circle_grid, circle_of, circle_trace, panel, walk_trace
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding, cells
from analyses.findings.table import Table
from analyses.timeline.frames import add_slider, evenly
from analyses.timeline.snapshots import Reader

if TYPE_CHECKING:
    import plotly.graph_objects as go

FRAMES = 60
"""Largest number of moments that are drawn: what a page can carry, and more than an eye wants."""


@dataclass(frozen=True)
class MovingCircles(Finding):
    """The circles of the final key frequencies, through time."""

    p: int
    """The modulus."""
    steps: tuple[int, ...]
    """Step of each moment, ascending."""
    circles: tuple[tuple[FrequencyCircle, ...], ...]
    """Per moment, one circle per final key frequency, in ascending order of k."""

    def table(self) -> Table:
        rows = tuple((step, *(c.off for c in each)) for step, each in zip(self.steps, self.circles, strict=True))
        columns = ("step", *(f"k = {c.k}" for c in self.circles[-1]))
        apart = f"neighbours are {1 / self.p:.4f} turns apart"
        note = f"The angle by which a number is out of place, in turns (root mean square); {apart}."
        return Table("How far the numbers are out of place", columns, rows, note)

    def records(self) -> Iterator[dict[str, Any]]:
        for step, circles in zip(self.steps, self.circles, strict=True):
            for each in circles:
                yield {"step": step, **dict(cells(each))}

    def figure(self) -> "go.Figure":
        last = self.circles[-1]
        figure, colours = circle_grid([c.k for c in last]), self.colours(c.k for c in last)
        seen = [[(_seen(c, end.radius), c.k) for c, end in zip(each, last, strict=True)] for each in self.circles]
        frames = [
            [*(circle_trace(points, k) for points, k in each), *(walk_trace(points, k, colours[k]) for points, k in each)]
            for each in seen
        ]
        figure.add_traces([{**trace, **panel(index % len(last))} for index, trace in enumerate(frames[-1])])
        moving = [[{"type": "scatter", "x": t["x"], "y": t["y"]} for t in traces] for traces in frames]
        add_slider(figure, self.steps, moving)
        return finish(
            figure,
            f"The numbers come to their circles: step {self.steps[0]} to {self.steps[-1]}",
            "The embedding in the plane of each final key frequency, in units of its last radius, at the step that the "
            "slider picks. At first the numbers lie at random; then each comes to its place on a circle, one frequency "
            f"sooner than another. {READING}",
        )


def moving_circles(networks: Sequence[Reader], keys: Sequence[int]) -> MovingCircles:
    """How do the numbers come to their circles in the course of a run?

    ``networks``: those that the run kept, in order of step; at most ``FRAMES`` of them are looked at, spread evenly. ``keys``:
    the frequencies to look at, those of the last. Raises InterpError on a damaged one, Unavailable where there is no embedding.
    """
    p, found = 0, []
    for network in evenly(networks, FRAMES):
        circuit, step = network()
        p = circuit.p
        found.append((step, tuple(circle_of(circuit.embedding, k) for k in keys)))
    steps, circles = zip(*found, strict=True)
    return MovingCircles(p, steps, circles)


def _seen(circle: FrequencyCircle, radius: float) -> list[Point]:
    """A circle's numbers in units of ``radius``, to a thousandth, which is all an eye can tell."""
    scale = circle.radius / radius
    return [(round(x * scale, 3), round(y * scale, 3)) for x, y in circle.points]
