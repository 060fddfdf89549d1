"""What does a neuron see: how active is the strongest one of each key frequency on every pair of numbers?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.evidence.neuron_clusters import neuron_clusters
from analyses.findings.drawing import finish, say
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import NEGATIVE_TO_POSITIVE
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN = 113
"""Largest number of numbers a, and of b, that a map shows: more have no pixel of their own."""
Percent = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class NeuronMap:
    """The neuron of one frequency whose activation varies most, beside its best wave."""

    k: int
    """The frequency."""
    neuron: int
    """Number of the neuron in its layer, from 0."""
    members: int
    """Number of neurons whose best frequency this is."""
    deviation: float
    """Standard deviation of the neuron's activation over all pairs, in units of activation."""
    fitted: float
    """Share of the activation's variance over all pairs that the fit has, [0, 1]."""
    activation: Percent = field(metadata=ONLY_DRAWN)
    """Activation on the pair (a, b), row b, in percent of its largest absolute value; of the first 113 numbers at most."""
    fit: Percent = field(metadata=ONLY_DRAWN)
    """Fit to the activation, in the same units."""


@dataclass(frozen=True)
class NeuronMaps(Finding):
    """The strongest neuron of each key frequency, on all pairs."""

    p: int
    """The modulus."""
    maps: tuple[NeuronMap, ...]
    """One map per key frequency that is the best of any neuron, in ascending order of k."""
    without: tuple[int, ...]
    """Key frequencies that are no neuron's best."""

    def table(self) -> Table:
        rows = tuple((m.k, m.neuron, m.members, m.deviation, m.fitted) for m in self.maps)
        none = f"; no neuron has its best frequency at {', '.join(map(str, self.without))}" if self.without else ""
        note = (
            "Neuron: the number of the one that varies most among the members, those whose best frequency is k. Varies by: "
            "standard deviation of its activation over all pairs. Fitted: how much of its variance waves of a and of b at k "
            f"and their products give, 1 is all{none}"
        )
        return Table(
            "The strongest neuron of each key frequency",
            ("frequency k", "neuron", "members", "varies by", "fitted"),
            rows,
            sentences(note),
        )

    def figure(self) -> "go.Figure":
        import numpy as np
        from plotly.subplots import make_subplots

        panels = [
            panel
            for m in self.maps
            for panel in ((f"neuron {m.neuron}, k = {m.k}", m.activation), (f"its fit: {m.fitted:.1%}", m.fit))
        ]
        columns = 4 if len(panels) > 2 else 2
        rows = max(-(-len(panels) // columns), 1)
        figure = make_subplots(
            rows, columns, subplot_titles=[name for name, _ in panels], horizontal_spacing=0.05, vertical_spacing=0.28 / rows
        )
        for index, (_, values) in enumerate(panels):
            row, column = divmod(index, columns)
            figure.add_heatmap(
                z=np.array(values, dtype=np.int8), coloraxis="coloraxis", row=row + 1, col=column + 1,
                hovertemplate=f"a = %{{x}}, {self.words.b} = %{{y}}<br>%{{z}}% of the largest<extra></extra>",
            )  # fmt: skip
        figure.update_xaxes(title=self.words.a, constrain="domain", showgrid=False)
        figure.update_yaxes(constrain="domain", showgrid=False)
        figure.update_yaxes(title=self.words.b, col=1)
        for column in range(2, columns + 1, 2):  # a fit has the axis of its neuron
            figure.update_yaxes(showticklabels=False, col=column)
        for axis in figure.select_yaxes():
            axis.scaleanchor = axis.anchor  # as wide as high
        if not panels:
            say(figure, "no neuron has its best frequency at a key one")
        scale = {"colorscale": NEGATIVE_TO_POSITIVE, "cmin": -100, "cmax": 100, "colorbar": {"title": "% of largest"}}
        corner = f"the first {SHOWN} numbers of " if self.p > SHOWN else ""
        figure.update_layout(meta={"panels": len(panels)})
        return finish(
            figure,
            "What a neuron sees: waves of a and of b at one frequency",
            f"How active the strongest neuron of each key frequency is on every pair, {corner}{self.words.a} to the right and "
            f"{self.words.b} upwards; beside it what waves of a and of b at its frequency, and their products, make of it, "
            "with their share of its variance. A neuron that knew pairs by heart would show dots, and its fit would be pale.",
            height=90 + 270 * rows,
            coloraxis=scale,
            showlegend=False,
        )


@measurement(place=52, needs=("addition", "neurons"))
def neuron_maps(circuit: Circuit) -> NeuronMaps:
    """What does a neuron see: how active is the strongest one of each key frequency on every pair of numbers?

    The strongest is the one whose activation, after the nonlinearity, varies most over all pairs, among those with their best
    frequency there (neuron_clusters). The fit is the least-squares one on the products {1, cos w_k a, sin w_k a} ×
    {1, cos w_k b, sin w_k b}.

    Source: Nanda et al. 2023, arXiv 2301.05217, who show such maps.
    """
    keys, best = key_frequencies(circuit).frequencies, torch.tensor(neuron_clusters(circuit).best_frequencies)
    maps = tuple(_maps(circuit.neurons, keys, best))
    found = {each.k for each in maps}
    return NeuronMaps(p=circuit.p, maps=maps, without=tuple(k for k in keys if k not in found))


def _maps(neurons: Float[Tensor, "a b neuron"], keys: tuple[int, ...], best: Tensor) -> Iterator[NeuronMap]:
    p = len(neurons)
    for k in keys:
        members = (best == k).nonzero()[:, 0]
        if not len(members):
            continue
        # One by one: float64 copies of all at once are what would cost memory.
        variances = [neurons[..., member].double().var(correction=0).item() for member in members.tolist()]
        strongest = max(range(len(variances)), key=variances.__getitem__)
        x = neurons[..., members[strongest]].double()
        waves = fourier.basis(p)[[0, *fourier.row_numbers(k, p)]]
        fit = waves.T @ (waves @ x @ waves.T) @ waves
        largest = x.abs().max()
        yield NeuronMap(
            k=k,
            neuron=int(members[strongest]),
            members=len(members),
            deviation=variances[strongest] ** 0.5,
            fitted=1 - ((x - fit).square().mean() / variances[strongest]).item(),
            activation=_percent(x / largest),
            fit=_percent(fit / largest),
        )


def _percent(x: Float[Tensor, "a b"]) -> Percent:
    """Row b, column a, as a picture has them; a fit may overshoot, which a picture cuts off."""
    shown = (100 * x[:SHOWN, :SHOWN].T).round().clamp(-127, 127).int()
    return tuple(tuple(row) for row in shown.tolist())
