"""What was the network told, and what does it answer?"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyses.findings.drawing import finish
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import PAIRS
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.logit_sums import own_scores
from analyses.tools.wrong_labels import Shares, shares, sides_of
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = ("held out", "told the truth", "wrong label, answered truly", "wrong label, answered as told", "answered otherwise")
"""What a pair is in the picture, by its place here: a pair that is neither answered truly nor as told is the last."""
OTHERWISE = len(KINDS) - 1
"""Place of the last of these kinds."""


@dataclass(frozen=True)
class WrongLabels(Finding):
    """What a network was told about its training pairs, and what it answers: by this, what it has done with wrong labels."""

    shares: Shares
    """Shares of the pairs by label and answer."""
    phase: str
    """Phase by what becomes of the wrong labels, see ``Shares.phase``; empty where no label is wrong."""
    published_phase: str
    """Phase as published, by training and held-out accuracy, see ``Shares.published_phase``; empty where no label is wrong."""
    kinds: tuple[tuple[int, ...], ...] = field(metadata=ONLY_DRAWN)
    """What every pair is, a row for each a and a column for each b: a place in KINDS."""

    def in_words(self) -> str:
        """What becomes of the wrong labels, in one sentence."""
        found = self.shares
        if not self.phase:
            trained, others = f"{found.train:.1%} of the trained", f"{found.held_out:.1%} of all other pairs"
            return f"Every label was right; {trained} and {others} are answered so."
        return (
            f"Of the {found.wrong:.1%} of its training pairs about which it was told something wrong, it answers "
            f"{found.told:.1%} as it was told and {found.truth:.1%} truly; of the pairs that it never saw {found.held_out:.1%} "
            f"truly: {self.phase}."
        )

    def table(self) -> Table:
        found = self.shares
        rows = (
            ("trained, wrong label: answered as told", found.told),
            ("trained, wrong label: answered truly", found.truth),
            ("trained, wrong label: answered otherwise", found.otherwise),
            ("trained, right label: answered truly", found.clean),
            ("trained, all: answered as told", found.train),
            ("held out: answered truly", found.held_out),
        )
        phases = (
            f"The phase is {self.phase}; judged by two accuracies, as published, it is {self.published_phase}"
            if self.phase
            else ""
        )
        return Table("What it was told, what it answers", ("pairs", "share"), rows, sentences(self.in_words(), phases))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure(heat_map(self.kinds))
        return finish(
            figure,
            self.phase[:1].upper() + self.phase[1:] if self.phase else "Every label was right",
            f"{self.in_words()} Every square is a pair, a downwards and b to the right.",
            xaxis={"title": "b", "constrain": "domain"},
            yaxis={"title": "a", "autorange": "reversed", "scaleanchor": "x"},
            height=620,
        )


def heat_map(kinds: tuple[tuple[int, ...], ...]) -> "go.Heatmap":
    """The trace of a table of pairs, coloured by what each pair is."""
    import plotly.graph_objects as go

    count = len(KINDS)
    steps = [(edge / count, colour) for index, colour in enumerate(PAIRS) for edge in (index, index + 1)]
    bar = {"tickvals": list(range(count)), "ticktext": list(KINDS), "len": 0.6}
    return go.Heatmap(
        z=kinds, zmin=-0.5, zmax=count - 0.5, colorscale=steps, colorbar=bar, hovertemplate="a %{y}, b %{x}<extra></extra>"
    )


def kinds_of(circuit: Circuit) -> tuple[tuple[int, ...], ...]:
    """What every pair is, by what the network was told about it and what it answers: a place in KINDS, row by row."""
    sides, truth = sides_of(circuit), circuit.task.table().flatten()
    answers = own_scores(circuit).answer.flatten()
    kinds = sides.clean.long()
    kinds[sides.wrong & (answers == truth)] = 2
    kinds[sides.wrong & (answers == sides.labels)] = 3
    neither = (answers != truth) & (answers != sides.labels)
    kinds[neither & (sides.wrong | sides.clean | sides.held_out)] = OTHERWISE
    p = circuit.task.p
    return tuple(tuple(row) for row in kinds.reshape(p, p).tolist())


@measurement(place=12, needs=("labels",))
def wrong_labels(circuit: Circuit) -> WrongLabels:
    """What was the network told about its training pairs, and what does it answer?

    Answers, the largest logits, compared with the labels of training and with the truth, apart for training pairs with a wrong
    label, training pairs with the right one, and held-out pairs; and the phase that these shares are.

    Source: Doshi, Das, He, Gromov 2023, arXiv 2310.13061; the phase by the fate of the wrong labels is this project's.
    """
    found = shares(circuit)
    return WrongLabels(found, found.phase, found.published_phase, kinds=kinds_of(circuit))
