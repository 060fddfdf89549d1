"""Compare: what differs between two networks, or between two steps of a run?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analyses.evidence.amplitude_profile import NEAR, FrequencyProfile, amplitude_profile
from analyses.findings.drawing import finish, frequency_colours, say
from analyses.findings.finding import Finding
from analyses.findings.palette import SYMBOLS, VERDICT_COLOURS
from analyses.findings.table import Cell, Table
from analyses.reports.answer import Answer, examine
from analyses.reports.text import NOT_EXPLAINED
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go


NOTE = f"Difference: the second less the first. {NOT_EXPLAINED}"
"""What a reader needs to know of a comparison's table."""


@dataclass(frozen=True, kw_only=True)
class AtFrequency:
    """What two networks do at a frequency that is key in at least one of them; NaN and "" where it is not key."""

    k: int
    """Frequency, in turns per p numbers."""
    verdict_a: str
    """Verdict on the frequency in the first network: clock, pizza, mixture or undecided."""
    verdict_b: str
    """Verdict on the frequency in the second network: clock, pizza, mixture or undecided."""
    coordinate_a: float
    """Coordinate in the first network: 0 a clock, 1 a pizza."""
    coordinate_b: float
    """Coordinate in the second network: 0 a clock, 1 a pizza."""
    share_a: float
    """Share of the logits' variance that the frequency carries in the first network, [0, 1]."""
    share_b: float
    """Share of the logits' variance that the frequency carries in the second network, [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is compared of one network."""

    name: str
    """Name of the network."""
    task: str
    """Task of the network, in words."""
    network: str
    """Kind of network, in words."""
    step: int | None
    """Training step that it was taken at; None where not known."""
    accuracy: float
    """Share of all pairs answered right, [0, 1]."""
    loss: float
    """Mean cross-entropy on all pairs, nats."""
    test_accuracy: float
    """Share of the held-out pairs answered right, [0, 1]; NaN where not known."""
    test_loss: float
    """Mean cross-entropy on the held-out pairs, nats; NaN where not known."""
    circuit: str | None
    """Verdict on the circuit; None where there is none for this task."""
    keys: tuple[str, ...]
    """Key frequencies, or key representations of a group."""
    coordinate: float
    """Coordinate of the network: 0 a clock, 1 a pizza; NaN where it does not generalise, or there is none for this task."""
    unexplained: float
    """Share of the logits' variance that clocks and pizzas do not explain, [0, 1]; NaN where not known."""


@dataclass(frozen=True, kw_only=True)
class Comparison(Finding):
    """Two networks side by side, and what differs between them."""

    a: Side
    """The first network."""
    b: Side
    """The second network."""
    frequencies: tuple[AtFrequency, ...]
    """Frequencies that are key in either, ascending; empty where the tasks are none of addition, or of different moduli."""

    def differing(self) -> tuple[str, ...]:
        """The names of what differs, in the words of the table; a number that is known in one network only differs."""
        return tuple(name for name, a, b in self._pairs() if not _equal(a, b))

    def table(self) -> Table:
        rows = tuple((name, a, b, _difference(a, b)) for name, a, b in self._pairs())
        note = NOTE if self.differing() else f"Nothing that is compared differs. {NOTE}"
        return Table("Comparison", ("", self.a.name, self.b.name, "difference"), rows, note)

    def frequency_table(self) -> Table:
        """The table of every frequency that is key in either network."""
        rows = tuple(
            (
                f"k = {each.k}",
                _of_frequency(each.verdict_a, each.coordinate_a, each.share_a),
                _of_frequency(each.verdict_b, each.coordinate_b, each.share_b),
            )
            for each in self.frequencies
        )
        columns = ("", self.a.name, self.b.name)
        note = (
            "Each cell has the verdict, the coordinate (0 for a clock, 1 for a pizza) and the share of the output, the logits' "
            "variance, at this frequency. –: it is no key frequency of this network."
        )
        return Table("The key frequencies of both", columns, rows, note)

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, colours = go.Figure(), frequency_colours([each.k for each in self.frequencies])
        for name, left, right in (("clock", -NEAR, NEAR), ("mixture", NEAR, 1 - NEAR), ("pizza", 1 - NEAR, 1 + NEAR)):
            figure.add_vrect(
                x0=left, x1=right, fillcolor=VERDICT_COLOURS[name], opacity=0.18, line_width=0, layer="below",
                label={"text": name, "textposition": "top center"},
            )  # fmt: skip
        for each in self.frequencies:
            ends = [
                (x, y, f"{SYMBOLS[verdict]}{hollow}", side.name)
                for x, y, verdict, hollow, side in (
                    (each.coordinate_a, each.share_a, each.verdict_a, "-open", self.a),
                    (each.coordinate_b, each.share_b, each.verdict_b, "", self.b),
                )
                if verdict
            ]
            figure.add_scatter(
                x=[x for x, *_ in ends], y=[y for _, y, *_ in ends], mode="lines+markers", name=f"k = {each.k}",
                text=[f"{name}, k = {each.k}" for *_, name in ends], hovertemplate="%{text}<extra></extra>",
                line={"color": colours[each.k], "width": 1.5}, cliponaxis=False,
                marker={"size": 13, "symbol": [symbol for *_, symbol, _ in ends], "color": colours[each.k],
                        "line": {"width": 2, "color": colours[each.k]}},
            )  # fmt: skip
        if not self.frequencies:
            say(figure, "There are no key frequencies to compare.")
        at = [x for each in self.frequencies for x in (each.coordinate_a, each.coordinate_b) if x == x]
        return finish(
            figure,
            f"{self.a.name} and {self.b.name}: {self.a.circuit or 'no circuit'} and {self.b.circuit or 'no circuit'}",
            f"Every mark is a key frequency of one of the two networks: hollow in {self.a.name}, filled in {self.b.name}; a "
            "line joins those that are key in both. To the right: how much of a pizza it is, 0 for a clock and 1 for a pizza; "
            "upwards: how much of the output it carries.",
            xaxis={"title": "coordinate: 0 for a clock, 1 for a pizza", "range": [min([-0.3, *at]), max([1.3, *at])]},
            yaxis={"title": "share of the output (logits' variance)", "rangemode": "tozero"},
            showlegend=True,
        )

    def _pairs(self) -> Iterable[tuple[str, Cell, Cell]]:
        a, b = self.a, self.b
        yield "task", a.task, b.task
        yield "network", a.network, b.network
        yield "training step", a.step, b.step
        yield "accuracy", a.accuracy, b.accuracy
        yield "loss (nats)", a.loss, b.loss
        yield "held-out accuracy", a.test_accuracy, b.test_accuracy
        yield "held-out loss (nats)", a.test_loss, b.test_loss
        yield "circuit", a.circuit, b.circuit
        yield "key frequencies", " ".join(a.keys) or "none", " ".join(b.keys) or "none"
        yield "coordinate (0 clock, 1 pizza)", a.coordinate, b.coordinate
        yield "not explained", a.unexplained, b.unexplained


def compare(a: Circuit, b: Circuit, *, names: tuple[str, str] = ("a", "b")) -> Comparison:
    """What differs between two networks, or between two steps of a run?

    ``names``: what to call them in table and figure. Frequencies are those that ``key_frequencies`` finds in either, each with
    its coordinate and share as ``amplitude_profile`` measures them, whether or not the network generalises.
    """
    answers = [examine(each, path=Path(name), only=["performance"]) for each, name in zip((a, b), names, strict=True)]
    in_a, in_b = (_profiles(a), _profiles(b)) if a.p == b.p else ({}, {})
    return Comparison(
        a=_side(answers[0], names[0]),
        b=_side(answers[1], names[1]),
        frequencies=tuple(_at(k, in_a.get(k), in_b.get(k)) for k in sorted({*in_a, *in_b})),
        words=a.task.words,
    )


def _at(k: int, a: FrequencyProfile | None, b: FrequencyProfile | None) -> AtFrequency:
    return AtFrequency(
        k=k,
        verdict_a=a.verdict if a else "",
        verdict_b=b.verdict if b else "",
        coordinate_a=a.coordinate if a else math.nan,
        coordinate_b=b.coordinate if b else math.nan,
        share_a=a.share if a else math.nan,
        share_b=b.share if b else math.nan,
    )


def _profiles(circuit: Circuit) -> dict[int, FrequencyProfile]:
    """Profile of each key frequency; nothing where the task is no addition, or there is no embedding."""
    try:
        return {each.k: each for each in amplitude_profile(circuit).profiles}
    except Unavailable:
        return {}


def _side(answer: Answer, name: str) -> Side:
    found, names, measured = answer.clock_or_pizza, answer.key_representations, answer.performance
    return Side(
        name=name,
        task=answer.circuit.task.sentence,
        network=answer.circuit.network.describe(),
        step=answer.circuit.step,
        accuracy=measured.accuracy,
        loss=measured.loss,
        test_accuracy=measured.test_accuracy,
        test_loss=measured.test_loss,
        circuit=answer.circuit_name,
        keys=tuple(map(str, names.keys if names else answer.frequencies or ())),
        coordinate=math.nan if found is None else found.coordinate,
        unexplained=math.nan if found is None else found.unexplained,
    )


def _of_frequency(verdict: str, coordinate: float, share: float) -> str | None:
    return f"{verdict} {coordinate:.2f}, {share:.1%}" if verdict else None


def _equal(a: Cell, b: Cell) -> bool:
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def _difference(a: Cell, b: Cell) -> Cell:
    """The second less the first; in words where they are no numbers."""
    if _equal(a, b):
        return None
    known = isinstance(a, int | float) and isinstance(b, int | float) and not math.isnan(b - a)
    return b - a if known else "differs"  # type: ignore[operator]
