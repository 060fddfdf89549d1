"""Do the first principal components of the embedding lie on circles? (legacy, for comparison only)"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

CIRCULAR = 0.995
"""Mean share of the best frequency from which the paper (Zhong et al. 2023) calls an embedding circular."""


@dataclass(frozen=True)
class Circularity(Finding):
    """The filter that the clock-and-pizza paper applied before it classified a network."""

    circularity: float
    """Mean over the first principal components of the share of their best frequency, [0, 1], NaN without any component; the
    paper calls ≥ .995 circular."""
    components: tuple[float, ...]
    """Per principal component of the embedding (of the first 4, those that do not vanish), the largest share of its energy at
    one frequency, [0, 1]."""
    best_frequencies: tuple[int, ...]
    """Per principal component of the embedding, the frequency with the largest share of its energy."""

    def table(self) -> Table:
        rows = tuple(
            (f"{i + 1}", k, share) for i, (k, share) in enumerate(zip(self.best_frequencies, self.components, strict=True))
        )
        note = (
            f"The mean is {self.circularity:.4f}; the paper calls an embedding circular from .995 on. Networks whose "
            "frequencies are about equally strong fail it, although they are circular: no verdict rests on it"
        )
        return Table(
            "Circularity, a published measure", ("principal component", "frequency k", "share at k"), rows, sentences(note)
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names = [f"PC {i + 1} (k = {k})" for i, k in enumerate(self.best_frequencies)]
        figure = go.Figure(go.Bar(x=names, y=self.components, width=0.5))
        figure.add_hline(y=CIRCULAR, line_dash="dot", annotation_text="circular from .995 on average")
        return finish(
            figure,
            f"Circularity {self.circularity:.4f} (a published measure, for comparison)",
            "How much of each of the embedding's first principal components is one frequency. Networks whose "
            "frequencies are about equally strong mix them in their components, and fail although they are perfectly "
            "circular: no verdict rests on it.",
            xaxis_title="principal component of the embedding",
            yaxis={"title": "largest share of one frequency", "range": [0, 1.05]},
        )


@measurement(place=320, needs=("addition", "embedding"))
def circularity(circuit: Circuit) -> Circularity:
    """Do the first principal components of the embedding lie on circles?

    Mean over principal components v = 1..4 of the centred embedding of max_k 2|Σ_j v_j e^{2πijk/p}|² / (p Σ v²).

    The measure fails perfectly circular networks whose frequencies have near-equal energy, because principal components mix
    such frequencies: no verdict of this project depends on it. Source: Zhong et al. 2023, arXiv 2306.17844.
    """
    W_E = circuit.embedding.double()
    U, S, _ = torch.linalg.svd(W_E - W_E.mean(0), full_matrices=False)
    kept = S[:4] > 1e-6 * S[0]  # an embedding of one circle has two components, not four
    if not kept.any():
        return Circularity(circularity=math.nan, components=(), best_frequencies=())
    projections = (U * S)[:, :4][:, kept]
    spectrum = torch.fft.rfft(projections, dim=0)[1:].abs().square()
    shares = 2 * spectrum / (circuit.p * projections.square().sum(0))
    if circuit.p % 2 == 0:
        shares[-1] /= 2  # at k = p/2 there is one coefficient, not a conjugate pair
    best, index = shares.max(0)
    return Circularity(
        circularity=best.mean().item(),
        components=tuple(best.tolist()),
        best_frequencies=tuple((index + 1).tolist()),
    )
