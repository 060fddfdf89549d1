"""Which neurons hold the wrong answers that a network was told, and which the right ones?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, QUIET
from analyses.findings.table import Table
from analyses.tools.last_layer import pre_activations
from analyses.tools.wrong_labels import Shares, shares
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

STEPS = 10
"""Number of equal parts that the neurons are pruned in, one part after the other."""
DRAWS = 5
"""Number of random orders that pruning is tried in."""
PERIODIC = 0.5
"""Inverse participation ratio from which a neuron counts as periodic: that of one with half of its energy squared at one
frequency; noise has about 2 in (p - 1)/2."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What is left of a network when some of its neurons are set to 0."""

    share: float
    """Share of the neurons that are set to 0, [0, 1]."""
    told: float
    """Share of the training pairs with a wrong label that are answered as they were told; where no label is wrong, of all."""
    held_out: float
    """Share of the held-out pairs that are answered truly."""


@dataclass(frozen=True)
class Memorisation(Finding):
    """Which neurons carry what a network was told, told apart by how periodic they are: by pruning.

    A neuron's inverse participation ratio is Σ_k |x_k|⁴ / (Σ_k |x_k|²)² over the Fourier components x_k, k = 1…⌊p/2⌋, of what a
    adds to it, b adds to it and it adds to the answers' logits, the mean of the three: 1 for a cosine.
    """

    shares: Shares
    """Shares of the pairs by label and answer, of the whole network."""
    ratios: tuple[float, ...] = field(metadata=ONLY_DRAWN)
    """The inverse participation ratio of each neuron, (0, 1]; NaN for a neuron that reads or writes nothing."""
    periodic: float
    """Share of the neurons with a ratio of at least .5, [0, 1]."""
    only_periodic: Pruned
    """The network with all other neurons set to 0."""
    only_others: Pruned
    """The network with the periodic neurons set to 0."""
    least_first: tuple[Pruned, ...]
    """The network pruned further and further, the least periodic neurons first."""
    most_first: tuple[Pruned, ...]
    """The network pruned further and further, the most periodic neurons first."""
    at_random: tuple[tuple[Pruned, ...], ...]
    """The network pruned further and further in random orders, the same shares as above, an order each."""

    @property
    def median_ratio(self) -> float:
        """The median inverse participation ratio of the neurons, (0, 1]."""
        return torch.tensor(self.ratios).nanmedian().item()

    def in_words(self) -> str:
        """Which neurons hold what, in one sentence."""
        whole, kept, others = self.shares, self.only_periodic, self.only_others
        what = "the wrong labels" if self._has_wrong else "the training pairs"
        told = whole.told if self._has_wrong else whole.train
        return (
            f"{self.periodic:.1%} of the neurons are periodic. As it is, the network answers {told:.1%} of {what} as it was "
            f"told and {whole.held_out:.1%} of the held-out pairs truly; with nothing but these neurons {kept.told:.1%} and "
            f"{kept.held_out:.1%}, with nothing but the others {others.told:.1%} and {others.held_out:.1%}."
        )

    @property
    def _has_wrong(self) -> bool:
        return not math.isnan(self.shares.told)

    def table(self) -> Table:
        rows = []
        for index, (least, most) in enumerate(zip(self.least_first, self.most_first, strict=True)):
            drawn = [order[index] for order in self.at_random]
            told, held_out = [each.told for each in drawn], [each.held_out for each in drawn]
            rows.append((least.share, least.told, least.held_out, most.told, most.held_out, _range(told), _range(held_out)))
        columns = (
            "switched off", "least periodic first: as told", "held out", "most periodic first: as told", "held out",
            "at random: as told", "held out",
        )  # fmt: skip
        note = (
            f"{self.in_words()} Shares of pairs that are answered as the network was told, and of held-out pairs that are "
            f"answered truly, when so many neurons are switched off; at random: least to most of {DRAWS} orders."
        )
        return Table("Switching neurons off by how periodic they are (pruning)", columns, tuple(rows), note)

    def figure(self) -> "go.Figure":
        from plotly.subplots import make_subplots

        figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
        told = "told" if self._has_wrong else "train"
        for column, name in enumerate(("told", "held_out"), start=1):
            start = getattr(self.shares, told if name == "told" else name)
            for order in self.at_random:
                _line(figure, order, name, start, column, QUIET, "random order", dash="dot", legend=order is self.at_random[0])
            _line(figure, self.least_first, name, start, column, COLOURS[0], "least periodic first")
            _line(figure, self.most_first, name, start, column, COLOURS[1], "most periodic first")
            says = "pairs answered as told" if name == "told" else "held-out pairs answered truly"
            figure.update_xaxes(title_text="share of neurons set to 0", row=1, col=column)
            figure.update_yaxes(title_text=f"share of {says}", range=[-0.02, 1.02], row=1, col=column)
        pairs = "the training pairs with a wrong label" if self._has_wrong else "the training pairs"
        return finish(
            figure,
            f"{self.periodic:.0%} of the neurons are periodic",
            f"Neurons are set to 0, more and more of them. Left: of {pairs}, how many are still answered as the network was "
            "told; right: of the pairs that it never saw, how many truly. Where what was told is held by other neurons than "
            "the sum is, the two orders part; dotted: random orders.",
        )


def _line(
    figure: "go.Figure",
    pruned: Sequence[Pruned],
    what: str,
    start: float,
    column: int,
    colour: str,
    name: str,
    *,
    dash: str = "solid",
    legend: bool = True,
) -> None:
    figure.add_scatter(
        x=[0.0, *(each.share for each in pruned)],
        y=[start, *(getattr(each, what) for each in pruned)],
        name=name,
        legendgroup=name,
        showlegend=legend and column == 1,
        line={"color": colour, "dash": dash},
        mode="lines",
        row=1,
        col=column,
    )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


@measurement(place=146, slow=True, needs=("labels", "neurons", "addition"))
def memorisation(circuit: Circuit) -> Memorisation:
    """Which neurons hold the wrong answers that a network was told, and which the right ones?

    Neurons in the order of their inverse participation ratio, least and most first, are set to 0 in tenths, beside random
    orders; and the periodic ones (ratio ≥ .5) and the others are each left alone. Where all labels were right, "told" is about
    all training pairs. Raises Unavailable where these are not known.

    Source: Doshi, Das, He, Gromov 2023, arXiv 2310.13061, who publish no random control, and read the weights with their mean;
    here it is left out, since a constant belongs to no input.
    """
    ratios = participation_ratios(circuit)
    order = ratios.nan_to_num(0.0).argsort(stable=True)
    generator = torch.Generator().manual_seed(0)
    random = [torch.randperm(len(order), generator=generator) for _ in range(DRAWS)]
    periodic = ratios >= PERIODIC
    return Memorisation(
        shares=shares(circuit),
        ratios=tuple(ratios.tolist()),
        periodic=periodic.double().mean().item(),
        only_periodic=_pruned(circuit, ~periodic),
        only_others=_pruned(circuit, periodic),
        least_first=_in_parts(circuit, order),
        most_first=_in_parts(circuit, order.flip(0)),
        at_random=tuple(_in_parts(circuit, each) for each in random),
    )


def participation_ratios(circuit: Circuit) -> Float[Tensor, " neuron"]:
    """The inverse participation ratio of each neuron of the last layer, (0, 1]: see ``Memorisation``."""
    pre = pre_activations(circuit).double()
    sides = (pre.mean(1), pre.mean(0), circuit.neuron_logit_map.double().T)
    return torch.stack([_ratio(side) for side in sides]).mean(0)


def _ratio(values: Float[Tensor, "p neuron"]) -> Float[Tensor, " neuron"]:
    """Inverse participation ratio of each column over its Fourier components, without the constant; NaN for a column of 0."""
    energies = torch.fft.rfft(values, dim=0)[1:].abs().square()
    return energies.square().sum(0) / energies.sum(0).square()


def _in_parts(circuit: Circuit, order: Tensor) -> tuple[Pruned, ...]:
    """The network with the first tenth of its neurons in an order set to 0, then the second too, and so on but for the last."""
    counts = [round(len(order) * part / STEPS) for part in range(1, STEPS)]
    nothing = torch.zeros(len(order), dtype=torch.bool)
    return tuple(_pruned(circuit, nothing.index_fill(0, order[:count], True)) for count in counts)


def _pruned(circuit: Circuit, out: Bool[Tensor, " neuron"]) -> Pruned:
    kept = (~out).to(circuit.logits.dtype)
    found = shares(circuit.with_activation(circuit.network.neurons_name(), lambda post: post * kept))
    told = found.train if math.isnan(found.told) else found.told
    return Pruned(share=out.double().mean().item(), told=told, held_out=found.held_out)
