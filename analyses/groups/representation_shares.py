"""Where in the network do the representations live, and does the output need them?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from analyses.findings.drawing import finish, frequency_colours
from analyses.findings.finding import Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.groups.key_representations import key_representations
from analyses.tools.groups.sides import inputs, sides
from interp.circuit import Circuit
from interp.groups.representations import energies, projector, representations

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN = 10
"""Largest number of representations in a table or a figure."""


@dataclass(frozen=True)
class RepresentationShares(Finding):
    """Each part of the network by representation, and the loss with and without what its neurons hold at the key ones.

    The tuples with one entry per representation are in the order of ``names``.
    """

    names: tuple[str, ...]
    """Name of every real irreducible representation of the group."""
    keys: tuple[str, ...]
    """Names of the key representations (key_representations), with the published threshold of .005."""
    embedding_a: tuple[float, ...]
    """Share of the energy of a's embedding at each representation, [0, 1], the trivial one (its mean) among them; they sum to
    1. In a network without attention: of what the first neurons read of a."""
    embedding_b: tuple[float, ...]
    """Share of the energy of b's embedding at each representation, [0, 1]; those of a where both share one."""
    unembedding: tuple[float, ...]
    """Share of the energy of W_L = W_out W_U over c at each representation, [0, 1]; they sum to 1."""
    neurons_a: tuple[float, ...]
    """Share of the variance of the last neurons' activations that is a function of a alone, at each representation, [0, 1]."""
    neurons_b: tuple[float, ...]
    """Share of the variance of the last neurons' activations that is a function of b alone, at each representation, [0, 1]."""
    neurons_ab: tuple[float, ...]
    """Share of the variance of the last neurons' activations that is a function of the product ab alone, at each, [0, 1]."""
    restricted_loss: float
    """Loss on all pairs, nats, with nothing but what the neurons hold, as functions of ab, at the key representations."""
    excluded_loss: float
    """Loss on the training pairs, nats, with that taken away from the neurons; NaN where the training pairs are not known."""
    restricted_losses: tuple[float, ...]
    """``restricted_loss`` with one of the key representations alone, in the order of ``keys``."""
    excluded_losses: tuple[float, ...]
    """``excluded_loss`` without one of the key representations alone, in the order of ``keys``."""

    def of_keys(self, shares: Sequence[float]) -> float:
        """The sum of the shares of the key representations."""
        return sum((share for name, share in zip(self.names, shares, strict=True) if name in self.keys), 0.0)

    @property
    def neurons_explained(self) -> float:
        """Share of the variance of the neurons that is functions of a, of b or of ab at key representations, [0, 1]."""
        return sum(map(self.of_keys, (self.neurons_a, self.neurons_b, self.neurons_ab)))

    def records(self) -> Iterator[dict[str, Any]]:
        parts = ("embedding_a", "embedding_b", "unembedding", "neurons_a", "neurons_b", "neurons_ab")
        yield from side_by_side(
            name=self.names, is_key=[name in self.keys for name in self.names], **{part: getattr(self, part) for part in parts}
        )

    def table(self) -> Table:
        parts: tuple[tuple[float, ...], ...] = (
            self.embedding_a,
            self.embedding_b,
            self.neurons_a,
            self.neurons_b,
            self.neurons_ab,
            self.unembedding,
        )
        of_each = dict(zip(self.names, zip(*parts, strict=True), strict=True))
        rows = [(name, *of_each[name]) for name in sorted(of_each, key=lambda name: -max(of_each[name]))[:SHOWN]]
        total: tuple[Cell, ...] = ("all key ones", *map(self.of_keys, parts))
        note = (
            "Shares of the variance of each part of the network. Neurons: as functions of a, of b or of ab; "
            f"{self.neurons_explained:.4f} of their variance is at key representations. With only the part of ab at these the "
            f"loss is {self.restricted_loss:.4g} nats, without it {_shown(self.excluded_loss)}"
        )
        columns = ("representation", "embedding a", "embedding b", "neurons a", "neurons b", "neurons ab", "unembedding")
        return Table("Where the representations live (shares)", columns, (*rows, total), sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        parts = {
            "embedding of a": self.embedding_a, "embedding of b": self.embedding_b, "neurons, of a": self.neurons_a,
            "neurons, of b": self.neurons_b, "neurons, of ab": self.neurons_ab, "unembedding": self.unembedding,
        }  # fmt: skip
        most = {name: max(shares) for name, *shares in zip(self.names, *parts.values(), strict=True)}
        shown = sorted(most, key=lambda name: -most[name])[:SHOWN]
        figure = go.Figure()
        colours = frequency_colours(map(self.names.index, self.keys))
        for name in (each for each in self.names if each in shown):
            place = self.names.index(name)
            figure.add_bar(
                y=list(parts), x=[shares[place] for shares in parts.values()], name=name, orientation="h",
                marker={"color": colours.get(place, QUIET), "line": {"width": 0.5, "color": "white"}},
            )  # fmt: skip
        return finish(
            figure,
            f"{self.neurons_explained:.1%} of what the neurons do is at the key representations",
            "Every part of the network, divided by representation. Where a bar of neurons is empty, they are no function of a, "
            "of b or of ab alone. Grey ones are not key. As functions of ab the neurons hold what the answer is read from.",
            barmode="stack", xaxis={"title": "share", "range": [0, 1]}, yaxis={"autorange": "reversed"},
        )  # fmt: skip


@measurement(place=16, needs=("group", "embedding", "neurons"))
def representation_shares(circuit: Circuit) -> RepresentationShares:
    """Where in the network do the representations live, and does the output need them?

    A share is tr(E'PE) / tr(E'E) with the projector P of the representation (key_representations), for the embedding, not
    centred, and for W_L over c. Neurons: the activations h, less their means over all pairs; their means m over b, over a and
    over each product ab, and n tr(m'Pm) / ‖h‖². Restricted loss: cross-entropy on all pairs of the logits (P m)(ab) W_L, P that
    of the key representations, m not centred, what comes past the neurons left out. Excluded: of (h - (P m)(ab)) W_L, on the
    training pairs.

    Source: Chughtai et al. 2023, arXiv 2302.03025.
    """
    group, h, W_L = circuit.group, circuit.neurons, circuit.neuron_logit_map.double()
    every = representations(group)
    keys = [each for each in every if each.name in key_representations(circuit).published]
    E_a, E_b = inputs(circuit)
    means, variance = sides(circuit, h), (h.double() - h.double().mean((0, 1))).square().sum()
    of_product = means.of_product + means.mean
    of_key = [projector(group, [each]) @ of_product for each in keys]
    together = torch.stack(of_key).sum(0) if of_key else torch.zeros_like(of_product)
    all_pairs = torch.arange(circuit.p**2)

    def loss(logits: Float[Tensor, "a b c"], pairs: Int[Tensor, " pair"] | None) -> float:
        if pairs is None:
            return math.nan
        return functional.cross_entropy(logits.flatten(0, 1)[pairs], circuit.answers.flatten()[pairs]).item()

    def restricted(part: Float[Tensor, "g neuron"]) -> float:
        return loss((part @ W_L)[group.table], all_pairs)

    def excluded(part: Float[Tensor, "g neuron"]) -> float:
        if circuit.train_numbers is None:
            return math.nan
        return loss((h.double() - part[group.table]) @ W_L, circuit.train_numbers)

    def shares(x: Tensor, whole: Tensor) -> tuple[float, ...]:
        return tuple((energies(group, x) / whole).tolist())

    return RepresentationShares(
        names=tuple(each.name for each in every),
        keys=tuple(each.name for each in keys),
        embedding_a=shares(E_a, E_a.double().square().sum()),
        embedding_b=shares(E_b, E_b.double().square().sum()),
        unembedding=shares(W_L.T, W_L.square().sum()),
        neurons_a=shares(means.of_a, variance / group.order),
        neurons_b=shares(means.of_b, variance / group.order),
        neurons_ab=shares(means.of_product, variance / group.order),
        restricted_loss=restricted(together),
        excluded_loss=excluded(together),
        restricted_losses=tuple(map(restricted, of_key)),
        excluded_losses=tuple(map(excluded, of_key)),
    )


def _shown(loss: float) -> str:
    return "–" if math.isnan(loss) else f"{loss:.4g}"
