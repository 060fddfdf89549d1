"""How much of the output is cosines of a + b - c, and at which frequencies?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyses.findings.drawing import bars, finish
from analyses.findings.finding import Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.groups.products import trace_similarities
from analyses.tools.logit_sums import logit_sums
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

KEY = 0.05
"""Clock term t_k, a correlation, from which a frequency is key."""


@dataclass(frozen=True)
class LogitSpectrum(Finding):
    """How much of the logits, less their mean over c (Lc), lies on the clock terms C_k = cos w_k(a+b-c), w_k = 2πk/p."""

    frequencies: tuple[int, ...]
    """Frequencies k = 1..⌊p/2⌋, the order of ``clock_terms``."""
    clock_terms: tuple[float, ...]
    """Clock term of each frequency, t_k = ⟨Lc, C_k⟩ / (‖Lc‖‖C_k‖), [-1, 1]; NaN where the logits do not depend on c."""
    clock_share: float
    """Share of the variance of Lc on clock terms, Σ t_k², [0, 1]."""
    sum_share: float
    """Share of the variance of Lc that is a function of a + b and c alone, [0, 1]."""
    raw_clock_share: float
    """Clock share of the logits with only their overall mean removed, [0, 1]: lower than ``clock_share``, for comparison with
    publications that do not centre over c."""

    def records(self) -> Iterator[dict[str, Any]]:
        yield from side_by_side(k=self.frequencies, clock_term=self.clock_terms)

    def table(self) -> Table:
        strongest = sorted(zip(self.clock_terms, self.frequencies, strict=True), reverse=True)[:10]
        note = (
            "The number t_k is the correlation of the logits with the wave at k that is largest at the right answer. Such "
            f"waves account for {self.clock_share:.4f} of the output, the logits' variance, all functions of "
            f"{self.words.tight_sum} for {self.sum_share:.4f}; {1 - self.clock_share:.4f} is not explained by these waves"
        )
        rows, axis = tuple((k, t) for t, k in strongest), f"k = 1 … {len(self.frequencies)}"
        return Table(
            "Output: the strongest clock terms",
            ("frequency k", "t_k"),
            rows,
            sentences(note),
            (("t_k", self.clock_terms),),
            axis,
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        keys = [k for k, t in zip(self.frequencies, self.clock_terms, strict=True) if t >= KEY]
        figure = go.Figure(go.Bar(x=self.frequencies, y=self.clock_terms, marker=bars(self.frequencies, self.colours(keys))))
        figure.add_hline(y=KEY, line_dash="dot", annotation_text="key from .05 on")
        return finish(
            figure,
            f"{self.clock_share:.1%} of the output is cosines of {self.words.sum} - c, at {len(keys)} key frequencies",
            f"Correlation of the logits with the wave of {self.words.wave} at each frequency, which is largest at the right "
            "answer. Its square is the share of the logits' variance on this wave.",
            xaxis_title="frequency k (turns per p numbers)",
            yaxis_title="clock term t_k (correlation)",
        )


@measurement(place=40)
def logit_spectrum(circuit: Circuit) -> LogitSpectrum:
    """How much of the output is cosines of a + b - c, and at which frequencies?

    t_k = ⟨Lc, C_k⟩ / (‖Lc‖‖C_k‖) over all p³ entries, C_k = cos w_k(a+b-c): the trace similarity of the cyclic group's
    representation k (see key_representations). Every number is NaN where the logits do not depend on c.

    Source: Chughtai et al. 2023.
    """
    sums, p = logit_sums(circuit), circuit.p
    square = sums.square or math.nan
    terms = trace_similarities(circuit)
    clock_terms = tuple(terms["sign" if 2 * k == p else f"freq_{k}"] for k in fourier.frequencies(p))
    clock_share = sum(t * t for t in clock_terms)

    return LogitSpectrum(
        frequencies=tuple(fourier.frequencies(p)),
        clock_terms=clock_terms,
        clock_share=clock_share,
        sum_share=p * sums.by_product.square().sum().item() / square,
        raw_clock_share=clock_share * square / (sums.raw_square or math.nan),
    )
