"""Are the neurons functions of cosets: does what a neuron reads depend only on which coset of a subgroup an element lies in?"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.findings.drawing import finish, say
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.groups.coset_fits import (
    CosetFits,
    CosetLabels,
    aligned_energy,
    coset_fits,
    no_cosets,
    random_sides,
)
from analyses.tools.last_layer import pre_activations
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

DRAWS = 20
"""Number of draws of the null."""


@dataclass(frozen=True)
class Cosets(Finding):
    """How much of what the neurons read of a and of b is a function of cosets of a subgroup of index 12 or less."""

    aligned_energy: float
    """Share of the variance of live sides that is that of aligned ones, [0, 1]. A side is what a neuron reads of a, or of b; it
    is aligned where at least .9 of its variance is a function of the cosets of one subgroup."""
    of_a: float
    """Share of the variance of live sides that read a that is that of aligned ones, [0, 1]."""
    of_b: float
    """Share of the variance of live sides that read b that is that of aligned ones, [0, 1]."""
    live: int
    """Number of live sides: those with at least 1e-8 of the variance of the strongest on theirs."""
    aligned: int
    """Number of aligned sides."""
    null_most: float
    """Largest ``aligned_energy`` of 20 draws in which every side is v·ρ(g)w at each representation ρ, v and w random, with the
    same share of its variance there, [0, 1]."""
    classes: tuple[tuple[str, int, float], ...]
    """Classes of conjugate subgroups with which sides are aligned: name, with ~ where the function also changes sign as a
    character of dimension 1 does; index; share of the aligned variance, [0, 1]; largest first."""
    strongest: str
    """The cosets with which the aligned neuron of largest variance is aligned, those of a and those of b."""
    lacking: str
    """Why nothing can be said of cosets; empty where something can. The shares are then NaN."""
    blocks: tuple[tuple[float, ...], ...] = field(default=(), repr=False, metadata=ONLY_DRAWN)
    """Pre-activation of the neuron of largest aligned variance, ``[a][b]``, both in the order of their cosets."""
    borders: tuple[tuple[int, ...], tuple[int, ...]] = field(default=((), ()), repr=False, metadata=ONLY_DRAWN)
    """Where the cosets of a, and those of b, end in ``blocks``."""

    def table(self) -> Table:
        rows = tuple(self.classes)
        note = (
            f"What neurons read of a, or of b, is a function of cosets for {self.aligned} of {self.live} that vary, and for "
            f"{self.aligned_energy:.4f} of their variance (of a {self.of_a:.4f}, of b {self.of_b:.4f}); for random functions "
            f"at the same representations it is at most {self.null_most:.4f}. ~: up to a sign"
        )
        return Table("Cosets", ("subgroup", "index", "share of the aligned variance"), rows, sentences(self.lacking or note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure()
        if not self.blocks:
            say(figure, sentences(self.lacking or "no neuron is aligned with the cosets of a subgroup"))
        else:
            figure.add_heatmap(z=self.blocks, colorscale="RdBu", zmid=0, hovertemplate="pre-activation %{z:.3g}<extra></extra>")
            for border in self.borders[0]:
                figure.add_hline(y=border - 0.5, line_width=0.6)
            for border in self.borders[1]:
                figure.add_vline(x=border - 0.5, line_width=0.6)
        return finish(
            figure,
            f"{self.aligned_energy:.1%} of what the neurons read depends on cosets alone",
            f"What the strongest aligned neuron reads of every pair, the elements ordered by their cosets ({self.strongest}): "
            "within a block of equal colour the network does not tell the elements apart.",
            xaxis={"title": "b, by coset", "constrain": "domain", "showticklabels": False},
            yaxis={"title": "a, by coset", "scaleanchor": "x", "autorange": "reversed", "showticklabels": False}, height=620,
        )  # fmt: skip


@measurement(place=17, needs=("group", "neurons"))
def cosets(circuit: Circuit) -> Cosets:
    """Are the neurons functions of cosets?

    Per neuron and side, u is the mean of its pre-activation over the other input, centred over the group. Its share on the
    cosets gH of a subgroup H is |mean over h of u(gh)|² / |u|², on the cosets Hg with u(hg); up to a sign with χ(h)u(gh), χ a
    real character of dimension 1 that is not constant on H. Every proper subgroup of index ≤ 12 and of 4 elements or more is
    tried, and the best taken; of equals that of smallest index. Smaller subgroups give larger shares, hence the limits and the
    null.

    Source: Stander et al. 2023, arXiv 2312.06581 (cosets); the null is this project's.
    """
    group, pre = circuit.group, pre_activations(circuit)
    both, labels, (of_a, of_b) = coset_fits(circuit)
    random = [random_sides(u, group, draws=DRAWS, seed=seed) for seed, u in enumerate((both.of_a, both.of_b))]
    null = [] if not labels else [aligned_energy([CosetFits.of(u, labels) for u in draw]) for draw in zip(*random, strict=True)]
    classes: dict[tuple[str, int, int], float] = {}
    for side in (of_a, of_b):
        for place, energy in zip(side.best[side.aligned].tolist(), side.energies[side.aligned].tolist(), strict=True):
            name = labels[place].name
            classes[name] = classes.get(name, 0.0) + energy
    total = sum(classes.values()) or math.nan
    blocks, borders, strongest = _blocks(pre, of_a, of_b, labels)
    return Cosets(
        aligned_energy=aligned_energy([of_a, of_b]) if labels else math.nan,
        of_a=aligned_energy([of_a]) if labels else math.nan,
        of_b=aligned_energy([of_b]) if labels else math.nan,
        live=sum(int(side.live.sum()) for side in (of_a, of_b)),
        aligned=sum(int(side.aligned.sum()) for side in (of_a, of_b)),
        null_most=max(null, default=math.nan),
        classes=tuple(
            (name, index, energy / total) for (name, index, _), energy in sorted(classes.items(), key=lambda each: -each[1])
        ),
        strongest=strongest,
        lacking="" if labels else no_cosets(group),
        blocks=blocks,
        borders=borders,
    )


def _blocks(
    pre: Float[Tensor, "a b neuron"], of_a: CosetFits, of_b: CosetFits, labels: list[CosetLabels]
) -> tuple[tuple[tuple[float, ...], ...], tuple[tuple[int, ...], tuple[int, ...]], str]:
    """The neuron of largest aligned variance, its pairs ordered by cosets, where these end, and which they are."""
    energies = torch.where(of_a.aligned & of_b.aligned, of_a.energies + of_b.energies, 0.0)
    if not bool(energies.max() > 0):
        return (), ((), ()), ""
    neuron = int(energies.argmax())
    chosen = [labels[int(side.best[neuron])] for side in (of_a, of_b)]
    # With a sign, the elements of a coset lie by it in two parts.
    orders = [(2 * each.cosets + (each.sign < 0)).argsort(stable=True) for each in chosen]
    borders = [
        tuple((each.cosets[order].diff() != 0).nonzero()[:, 0].add(1).tolist())
        for each, order in zip(chosen, orders, strict=True)
    ]
    ordered = pre[..., neuron].double()
    ordered = (ordered - ordered.mean())[orders[0]][:, orders[1]]
    blocks = tuple(map(tuple, ordered.tolist()))
    return blocks, (borders[0], borders[1]), f"a by {chosen[0].in_words}; b by {chosen[1].in_words}"
