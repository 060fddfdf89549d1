"""How much of the spread of the logits does the distance a - b not explain?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.tools.logit_sums import logit_sums
from analyses.tools.pairs import by_distance
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class DistanceIrrelevance(Finding):
    """Distance irrelevance, two published variants: near 0 the distance a - b decides the logit (pizza), near 1 not (clock)."""

    correct: float
    """Distance irrelevance of the right answer's logit, the paper's definition, [0, 1]; NaN where this logit is constant."""
    largest_wrong: float
    """Distance irrelevance of the largest logit of a wrong answer, the variant in the table published with the paper, [0, 1];
    NaN where this logit is constant."""
    mean_correct: tuple[float, ...]
    """Mean logit of the right answer, nats, among pairs with a - b = d mod p, for d = 0..p-1."""

    def table(self) -> Table:
        rows = (("right answer's logit", self.correct), ("largest wrong logit", self.largest_wrong))
        return Table(
            "Distance irrelevance, a published measure",
            ("measured on", "distance irrelevance"),
            rows,
            f"How little the distance {self.words.difference} matters for a logit: near 0 the distance decides it, near 1 it "
            "does not matter. A pizza is below .6.",
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure(go.Scatter(y=self.mean_correct, mode="lines"))
        return finish(
            figure,
            f"Distance irrelevance {self.correct:.3f}: how sure the network is "
            + ("depends on " if self.correct < 0.6 else "depends little on ")
            + self.words.difference,
            f"Mean logit of the right answer, by the distance {self.words.difference}. "
            "Flat for a clock; a pizza is surer of some "
            "distances than of others. The published measure, for comparison: near 0 the distance decides the logit, "
            "near 1 it does not matter.",
            xaxis_title=f"distance {self.words.difference} mod p",
            yaxis={"title": "logit of the right answer (nats)", "rangemode": "tozero"},
        )


@measurement(place=330)
def distance_irrelevance(circuit: Circuit) -> DistanceIrrelevance:
    """How much of the spread of the logits does the distance a - b not explain?

    With x[a,b] a logit: mean over d of std{x[a,b]: a-b = d} / std{x}, population standard deviations.

    Source: Zhong et al. 2023, arXiv 2306.17844; its released table holds the variant on the largest wrong logit.
    """
    scores = logit_sums(circuit).scores
    correct, wrong = by_distance(scores.right), by_distance(scores.wrong)
    return DistanceIrrelevance(
        correct=_irrelevance(correct),
        largest_wrong=_irrelevance(wrong),
        mean_correct=tuple(correct.mean(-1).tolist()),
    )


def _irrelevance(x: Float[Tensor, "d a"]) -> float:
    spread = x.std(correction=0)
    return (x.std(-1, correction=0).mean() / spread).item() if spread > 0 else float("nan")
