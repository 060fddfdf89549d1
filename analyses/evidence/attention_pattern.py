"""Where does each head look from the answering position, and does that depend on the inputs?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from analyses.evidence.neuron_clusters import best_frequencies
from analyses.findings.drawing import finish
from analyses.findings.finding import ONLY_DRAWN, Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp.circuit import Circuit
from interp.memory import in_rows

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class AttentionPattern(Finding):
    """The last layer's attention from the answering position, α·softmax + (1-α)·ones, over all pairs."""

    attention_rate: float
    """Attention rate α of α·softmax + (1-α)·ones: at 1 attention is the softmax, at 0 it is 1 everywhere."""
    positions: tuple[str, ...]
    """Names of the positions looked at: a, b and, where there is one, '='."""
    means: tuple[tuple[float, ...], ...]
    """Per head, the mean attention to each position over all pairs."""
    deviations: tuple[tuple[float, ...], ...]
    """Per head, the standard deviation of the attention to each position over all pairs: 0 where it ignores the inputs."""
    best_frequencies: tuple[int, ...]
    """Per head, the frequency that explains most of the variance of its attention to a; 0 where this attention is constant."""
    shares: tuple[float, ...]
    """Per head, the share of the variance of its attention to a at its best frequency, [0, 1]; NaN where it is constant."""
    to_a: tuple[tuple[tuple[float, ...], ...], ...] = field(metadata=ONLY_DRAWN)
    """Per head, the attention to a for every pair, ``[head][a][b]``: what the figure draws."""

    def records(self) -> Iterator[dict[str, Any]]:
        to = {f"to_{position}": column for position, column in zip(self.positions, zip(*self.means, strict=True), strict=True)}
        heads = range(len(self.shares))
        yield from side_by_side(head=heads, **to, best_frequency=self.best_frequencies, share=self.shares)

    def table(self) -> Table:
        columns = ("head", *(f"to {name}" for name in self.positions), "to a varies by", "frequency k", "share at k")
        rows = tuple(
            (head, *mean, deviation[0], k, share)
            for head, (mean, deviation, k, share) in enumerate(
                zip(self.means, self.deviations, self.best_frequencies, self.shares, strict=True)
            )
        )
        note = (
            "To: mean share of the attention over all pairs. To a varies by: its standard deviation, of whose squares the "
            f"share at k is at the frequency k. The attention rate is {self.attention_rate:g}: 1 is softmax, 0 treats all alike"
        )
        return Table("Attention from the answering position", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        import numpy as np
        from plotly.subplots import make_subplots

        heads, columns = len(self.to_a), 2 if len(self.to_a) > 1 else 1
        names = [f"head {h}" + (f": k = {k}" if k else ": constant") for h, k in enumerate(self.best_frequencies)]
        rows = -(-heads // columns)
        figure = make_subplots(
            rows, columns, subplot_titles=names, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.04,
            vertical_spacing=0.16 / rows,
        )  # fmt: skip
        for head, values in enumerate(self.to_a):
            row, column = divmod(head, columns)
            # Single precision to a thousandth: what an eye or a hover can tell, in a sixth of the space.
            shown = np.asarray(values).round(3).astype(np.float32)
            hover = f"head {head}<br>a = %{{y}}, b = %{{x}}<br>attention to a %{{z:.3f}}<extra></extra>"
            figure.add_heatmap(z=shown, coloraxis="coloraxis", hovertemplate=hover, row=row + 1, col=column + 1)
        figure.update_xaxes(title="b", row=rows)
        figure.update_yaxes(title="a", col=1)
        figure.update_layout(meta={"panels": heads})
        varies = max((each[0] for each in self.deviations), default=0.0)
        return finish(
            figure,
            "Attention to a " + ("depends on the inputs" if varies > 0.01 else "is the same for every pair"),
            "From the answering position, for every pair of inputs, by head; what a does not get goes to b and '='. "
            "Stripes are waves of a and b at the frequency named. A clock multiplies waves by attending differently to "
            f"different pairs; a pizza can do without. The attention rate is {self.attention_rate:g} (1 is softmax, 0 "
            f"treats all alike); over the pairs the attention to a varies by at most {varies:.3f} (standard deviation).",
            coloraxis={"colorscale": "Cividis", "cmin": 0, "cmax": 1, "colorbar": {"title": "attention<br>to a"}},
            height=90 + 330 * rows,
        )


@measurement(place=60, needs=("addition", "attention"))
def attention_pattern(circuit: Circuit) -> AttentionPattern:
    """Where does each head look from the answering position, and does that depend on the inputs?

    The clock needs attention that depends on a and b; a pizza can do without (attention rate 0 is a pizza).

    Sources: Nanda et al. 2023, arXiv 2301.05217; Zhong et al. 2023, arXiv 2306.17844 (attention rate).
    """
    pattern = circuit.pattern.double()
    best, shares, _ = best_frequencies(in_rows(pattern[..., 0]))
    return AttentionPattern(
        attention_rate=circuit.network.attention_rate(),
        positions=("a", "b", "=")[: pattern.shape[-1]],
        means=_rows(pattern.mean((0, 1))),
        deviations=_rows(pattern.std((0, 1), correction=0)),
        best_frequencies=best,
        shares=shares,
        to_a=tuple(_rows(pattern[:, :, head, 0]) for head in range(pattern.shape[2])),
    )


def _rows(matrix: Float[Tensor, "row column"]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
