"""What became of every pair that the network was told something wrong about, in the course of a run?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyses.basics.wrong_labels import heat_map, kinds_of
from analyses.findings.drawing import finish
from analyses.findings.finding import ONLY_DRAWN, Finding, cells
from analyses.findings.table import Table
from analyses.timeline.frames import add_slider, evenly
from analyses.timeline.snapshots import Reader
from analyses.tools.wrong_labels import Shares, shares

if TYPE_CHECKING:
    import plotly.graph_objects as go

FRAMES = 24
"""Largest number of moments that are drawn: a table of all pairs each."""


@dataclass(frozen=True)
class MovingAnswers(Finding):
    """The answers to all pairs, by what the network was told about them, through time."""

    steps: tuple[int, ...]
    """Step of each moment, ascending."""
    shares: tuple[Shares, ...]
    """Shares of the pairs by label and answer, per moment."""
    kinds: tuple[tuple[tuple[int, ...], ...], ...] = field(metadata=ONLY_DRAWN)
    """What every pair is, per moment: see ``wrong_labels``."""

    def records(self) -> Iterator[dict[str, Any]]:
        for step, each in zip(self.steps, self.shares, strict=True):
            yield {"step": step, **dict(cells(each))}

    def table(self) -> Table:
        rows = tuple(
            (step, each.phase, each.told, each.truth, each.held_out) for step, each in zip(self.steps, self.shares, strict=True)
        )
        columns = ("step", "phase", "wrong label, answered as told", "wrong label, answered truly", "held out, answered truly")
        return Table("Every pair through training", columns, rows, "The steps that the slider picks.")

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure(heat_map(self.kinds[-1]))
        add_slider(figure, self.steps, [[{"type": "heatmap", "z": kinds}] for kinds in self.kinds])
        return finish(
            figure,
            f"What it was told, what it answers: step {self.steps[0]} to {self.steps[-1]}",
            "Every square is a pair, a downwards and b to the right, at the step that the slider picks. Red: a wrong label "
            "that the network knows by heart; green: one that it answers truly all the same, never having been told.",
            xaxis={"title": "b", "constrain": "domain"},
            yaxis={"title": "a", "autorange": "reversed", "scaleanchor": "x"},
            height=640,
        )


def moving_answers(networks: Sequence[Reader]) -> MovingAnswers | None:
    """What became of every pair that the network was told something wrong about? None where no label was wrong.

    ``networks``: those that the run kept, in order of step; at most ``FRAMES`` of them are looked at, spread evenly. Raises
    InterpError on a damaged one.
    """
    if networks[-1]()[0].told is None:
        return None
    found = []
    for network in evenly(networks, FRAMES):
        circuit, step = network()
        found.append((step, shares(circuit), kinds_of(circuit)))
    steps, of_labels, kinds = zip(*found, strict=True)
    return MovingAnswers(steps, of_labels, kinds)
