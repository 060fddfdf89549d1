"""Which frequency does each neuron work at?"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp import fourier
from interp.by_rows import neurons_by_rows
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

EXPLAINED = 0.85
"""Share of its variance at one frequency from which a neuron counts as a member of the frequency's cluster."""


@dataclass(frozen=True)
class NeuronClusters(Finding):
    """Each neuron's best frequency, and how much of the neuron's variance lies at it."""

    best_frequencies: tuple[int, ...]
    """Per neuron, the frequency with the largest share of its variance; 0 for a neuron that never changes."""
    shares: tuple[float, ...]
    """Per neuron, the share of its variance over all pairs at its best frequency, [0, 1]; NaN for one that never changes."""
    specialisation: float
    """Share of the variance of all neurons together that lies at each one's own best frequency, [0, 1]; near 1 where
    neurons work at one frequency each, near 0 in a network without frequencies; NaN where no neuron ever changes."""

    @property
    def clusters(self) -> dict[int, int]:
        """Frequency → number of neurons with share ≥ .85 at it; frequencies without any are left out."""
        members = (k for k, share in zip(self.best_frequencies, self.shares, strict=True) if share >= EXPLAINED)
        return dict(sorted(Counter(members).items()))

    def records(self) -> Iterator[dict[str, Any]]:
        neurons = range(len(self.shares))
        yield from side_by_side(neuron=neurons, best_frequency=self.best_frequencies, share=self.shares)

    def table(self) -> Table:
        total = sum(self.clusters.values())
        note = (
            f"{total} of {len(self.shares)} neurons have at least .85 of their variance at one frequency and are counted "
            f"there; of the variance of all neurons together {self.specialisation:.3f} lies at each one's own frequency"
        )
        return Table(
            "Neurons: clusters by frequency", ("frequency k", "neurons"), tuple(self.clusters.items()), sentences(note)
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        clusters, colours = self.clusters, self.colours(self.clusters)
        figure = go.Figure(
            go.Scatter(
                x=self.best_frequencies, y=self.shares, mode="markers",
                marker={"opacity": 0.5, "color": [colours.get(k, QUIET) for k in self.best_frequencies]},
                hovertemplate="k = %{x}<br>%{y:.3f} of its variance<extra></extra>",
            )
        )  # fmt: skip
        figure.add_hline(
            y=EXPLAINED, line_dash="dot", annotation_text="member of a cluster from .85", annotation_position="bottom left"
        )
        for k, count in clusters.items():
            figure.add_annotation(x=k, y=1.05, text=f"{count}", showarrow=False)
        return finish(
            figure,
            f"{sum(clusters.values())} of {len(self.shares)} neurons work at one frequency each",
            "Every point is a neuron: the frequency that explains most of its activation over all pairs, and how much "
            "that is. The numbers above count the members of each cluster. Of all neurons' variance "
            f"{self.specialisation:.1%} lies at each one's own frequency.",
            xaxis_title="best frequency k (turns per p numbers)",
            yaxis={"title": "share of its variance at this frequency", "range": [0, 1.12]},
        )

    def to_dict(self) -> dict[str, object]:
        return {**super().to_dict(), "clusters": {str(k): count for k, count in self.clusters.items()}}


@measurement(place=50, needs=("addition", "neurons"))
def neuron_clusters(circuit: Circuit) -> NeuronClusters:
    """Which frequency does each neuron work at?

    For each centred neuron (after the nonlinearity, over all pairs) the share of its variance in the 8 products
    {1, cos w_k a, sin w_k a} × {1, cos w_k b, sin w_k b} minus the constant; a neuron belongs to the k with its largest share.

    Source: Nanda et al. 2023, arXiv 2301.05217.
    """
    best, shares, variances = best_frequencies(neurons_by_rows(circuit))
    explained = sum(share * variance for share, variance in zip(shares, variances, strict=True) if variance)
    total = sum(variances)
    return NeuronClusters(best_frequencies=best, shares=shares, specialisation=explained / total if total else math.nan)


def best_frequencies(
    rows: Iterable[Float[Tensor, "_ b n"]],
) -> tuple[tuple[int, ...], tuple[float, ...], tuple[float, ...]]:
    """For n functions of the pair: each one's frequency with the largest share of its variance, this share, and its variance
    times p²; of equal ones the smallest. A function that never changes gets frequency 0, share NaN and variance 0.

    ``rows``: the values for a few a at a time, in the order of a.
    """
    waves = fourier.pair_waves(rows)
    variance = waves.variance
    is_constant = variance <= 1e-12 * waves.square
    shares = waves.energies / variance
    share = shares.amax(0)
    index = (shares >= share * (1 - 1e-9)).int().argmax(0)  # a neuron that is active at one pair has as much of every frequency
    best = torch.where(is_constant, 0, index + 1)
    share, variance = torch.where(is_constant, torch.nan, share), torch.where(is_constant, 0.0, variance)
    return tuple(best.tolist()), tuple(share.tolist()), tuple(variance.tolist())
