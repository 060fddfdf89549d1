"""Which frequency does each neuron work at?"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from interp import fourier
from interp.circuit import Circuit
from interp.finding import Finding, Table, measurement

if TYPE_CHECKING:
    import plotly.graph_objects as go

EXPLAINED = 0.85
"""Share of its variance at one frequency from which a neuron counts as a member of that frequency's cluster."""


@dataclass(frozen=True)
class NeuronClusters(Finding):
    """Each neuron's best frequency and how much of it that frequency explains."""

    best_frequencies: tuple[int, ...]
    """Per neuron, the frequency with the largest share; 0 for a neuron that never changes."""
    shares: tuple[float, ...]
    """Per neuron, that share of its variance over all pairs, [0, 1]; NaN for a neuron that never changes."""
    specialisation: float
    """Share of the variance of all neurons together that lies at each one's own best frequency, [0, 1]; near 1 where
    neurons work at one frequency each, near 0 in a network without frequencies; NaN where no neuron ever changes."""

    @property
    def clusters(self) -> dict[int, int]:
        """Frequency → number of neurons with share ≥ .85 at it; frequencies without any are left out."""
        members = (k for k, share in zip(self.best_frequencies, self.shares, strict=True) if share >= EXPLAINED)
        return dict(sorted(Counter(members).items()))

    def table(self) -> Table:
        total = sum(self.clusters.values())
        note = (
            f"{total} of {len(self.shares)} neurons have ≥ .85 of their variance at one frequency; "
            f"of all neurons' variance {self.specialisation:.3f} lies at each one's own"
        )
        return Table("Neurons: clusters by frequency", ("k", "neurons"), tuple(self.clusters.items()), note)

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure(go.Scatter(x=self.best_frequencies, y=self.shares, mode="markers", marker={"opacity": 0.4}))
        figure.add_hline(y=EXPLAINED, line_dash="dot")
        return figure.update_layout(
            title="Each neuron at its best frequency", xaxis_title="best frequency k", yaxis_title="share of variance"
        )

    def to_dict(self) -> dict[str, object]:
        return {**super().to_dict(), "clusters": {str(k): count for k, count in self.clusters.items()}}


@measurement
def neuron_clusters(circuit: Circuit) -> NeuronClusters:
    """Which frequency does each neuron work at?

    For each centred neuron (after the nonlinearity, over all pairs) the share of its variance in the 8 products
    {1, cos w_k a, sin w_k a} × {1, cos w_k b, sin w_k b} minus the constant; it belongs to the k with the largest.

    Source: Nanda et al. 2023, arXiv 2301.05217.
    """
    neurons = circuit.neurons
    best, shares = best_frequencies(neurons)
    variances = neurons.flatten(0, 1).var(0, correction=0).double()
    explained = (variances * torch.tensor(shares, dtype=torch.float64)).nansum() / variances.sum()
    return NeuronClusters(best_frequencies=best, shares=shares, specialisation=explained.item())


def best_frequencies(x: Float[Tensor, "a b n"]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """For n functions of the pair: the frequency with the largest share of each one's variance, and that share.

    A function that never changes gets frequency 0 and share NaN.
    """
    best: list[int] = []
    shares: list[float] = []
    # In chunks: making float64 of all at once is what would cost time and memory, not the arithmetic.
    for chunk in x.split(64, dim=-1):
        values = chunk.double()
        variance = (values - values.mean((0, 1))).square().sum((0, 1))
        is_constant = variance <= 1e-20 * values.square().sum((0, 1))
        share, index = (fourier.pair_energies(values) / variance).max(0)
        best += torch.where(is_constant, 0, index + 1).tolist()
        shares += torch.where(is_constant, torch.nan, share).tolist()
    return tuple(best), tuple(shares)
