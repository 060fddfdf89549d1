"""Which frequencies are in the embedding, and are they circles?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.findings.drawing import bars, finish
from analyses.findings.finding import Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

PRESENT = 0.02
"""Energy share from which a frequency counts as present in the embedding."""


@dataclass(frozen=True)
class EmbeddingSpectrum(Finding):
    """The Fourier spectrum of W_E over the residues."""

    frequencies: tuple[int, ...]
    """Frequencies k = 1..⌊p/2⌋, the order of the tuples of this finding."""
    shares: tuple[float, ...]
    """Share of the energy of W_E at each frequency, its constant left out, [0, 1]; all shares sum to 1."""
    axis_ratios: tuple[float, ...]
    """Axis ratio of each frequency, σ₂/σ₁ of its cosine and sine rows, [0, 1]: 1 a circle, 0 a line (always 0 at k = p/2)."""
    effective_frequencies: float
    """Effective number of frequencies that carry the embedding, 1 / Σ share², from 1 to ⌊p/2⌋."""
    gini: float
    """Gini coefficient of the norms of the Fourier components of W_E: 0 all equal, near 1 few carry all."""
    plain_gini: float
    """Gini coefficient of the norms with the rows of W_E in the order of the task's own symbols: of residues instead of their
    logarithms. It equals ``gini`` where the numbers are the symbols."""
    inverse_participation_ratio: float
    """Inverse participation ratio: mean over the columns of W_E of Σ_k (|F_k|/‖F‖)⁴, F the column's rfft without its constant;
    1 is a pure wave."""

    @property
    def present(self) -> tuple[int, ...]:
        """Frequencies with an energy share of at least .02, strongest first."""
        found = [(share, k) for share, k in zip(self.shares, self.frequencies, strict=True) if share >= PRESENT]
        return tuple(k for _, k in sorted(found, reverse=True))

    def records(self) -> Iterator[dict[str, Any]]:
        yield from side_by_side(k=self.frequencies, share=self.shares, axis_ratio=self.axis_ratios)

    def table(self) -> Table:
        rows = tuple((k, self.shares[k - 1], self.axis_ratios[k - 1]) for k in self.present)
        note = (
            "The energy share says how much of the embedding is at k. Axis ratio: 1 is a circle, 0 a line. It is as if "
            f"{self.effective_frequencies:.2f} equally strong frequencies carried it (effective number); Gini, 0 where all are "
            f"equal and 1 where there is one: {self.gini:.3f}"
        )
        if self.plain_gini != self.gini:
            note += f", in the order of the symbols {self.plain_gini:.3f}"
        columns, axis = ("frequency k", "energy share", "axis ratio"), f"k = 1 … {len(self.frequencies)}"
        return Table(
            "Embedding: frequencies with a share of at least .02",
            columns,
            rows,
            sentences(note),
            (("share", self.shares),),
            axis,
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        marker = bars(self.frequencies, self.colours(self.present))
        figure = go.Figure(go.Bar(x=self.frequencies, y=self.shares, customdata=self.axis_ratios, marker=marker,
            hovertemplate="k = %{x}<br>share %{y:.4f}<br>axis ratio %{customdata:.3f}<extra></extra>"))  # fmt: skip
        figure.add_hline(y=PRESENT, line_dash="dot", annotation_text="present from .02 on")
        return finish(
            figure,
            f"About {self.effective_frequencies:.1f} frequencies carry the embedding",
            "Energy of the embedding W_E at each frequency, as a share of all but its constant. Coloured ones are present, "
            "with .02 or more. A network that learned nothing has a little of everything. Hover for the axis ratio: 1 is a "
            "circle, 0 a line.",
            xaxis_title="frequency k (turns per p numbers)",
            yaxis_title="share of energy",
        )


@measurement(place=310, needs=("addition", "embedding"))
def embedding_spectrum(circuit: Circuit) -> EmbeddingSpectrum:
    """Which frequencies are in the embedding, and are they circles?

    Share of frequency k: e_k / Σ_{k≥1} e_k, e_k = |cos row|² + |sin row|² of W_E in the orthonormal Fourier basis over the p
    residues.

    Sources: Nanda et al. 2023, arXiv 2301.05217 (spectrum, Gini); Doshi et al. 2024 (inverse participation ratio).
    """
    W_E, p = circuit.embedding.double(), circuit.p
    ks = fourier.frequencies(p)
    energies, shares = fourier.energies(W_E), fourier.energy_shares(W_E)
    ratios = []
    for k in ks:
        singular = torch.linalg.svdvals(fourier.rows(k, p) @ W_E)
        ratios.append((singular[1] / singular[0]).item() if len(singular) > 1 else 0.0)
    spectrum = torch.fft.rfft(W_E, dim=0)[1:].abs()
    participation = (spectrum / spectrum.norm(dim=0)).pow(4).sum(0).mean()
    return EmbeddingSpectrum(
        frequencies=tuple(ks),
        shares=tuple(shares.tolist()),
        axis_ratios=tuple(ratios),
        effective_frequencies=fourier.effective_number(shares),
        gini=fourier.gini(energies.sqrt()),
        plain_gini=fourier.gini(fourier.energies(_in_order_of_symbols(circuit)).sqrt()),
        inverse_participation_ratio=participation.item(),
    )


def _in_order_of_symbols(circuit: Circuit) -> Float[Tensor, "p d_embedding"]:
    """W_E with its rows in the order of the symbols that stand for the numbers, those of b in their own order."""
    E_a, E_b = circuit.tables
    orders = circuit.numbers.a.argsort(), circuit.numbers.b.argsort()
    rows = [E[order] for E, order in zip((E_a, E_b), orders, strict=True)]
    return rows[0] if circuit.embedding is E_a else torch.cat(rows, dim=1)
