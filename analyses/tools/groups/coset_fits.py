"""How well are what the neurons read of a, and of b, functions of the cosets of a subgroup?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from analyses.tools.groups.sides import Sides, sides
from analyses.tools.last_layer import pre_activations
from interp.circuit import Circuit
from interp.groups.group import Group
from interp.groups.representations import projector, representations
from interp.groups.subgroups import subgroups
from interp.networks.model import Unavailable

LARGEST_INDEX, FEWEST = 12, 4
"""Largest index, and least number of elements, of a subgroup: of small enough ones every function is one of their cosets. In S4
random functions at the representation of its network are aligned with cosets of two elements each."""
ALIGNED = 0.9
"""Share of its variance that is a function of cosets, from which one side of a neuron is aligned with them."""
LIVE = 1e-8
"""Share of the largest variance on its side from which a neuron counts as live."""
BETTER = 1e-6
"""By how much a share has to be larger for a subgroup of larger index to be preferred."""


@dataclass(frozen=True, eq=False)
class CosetLabels:
    """One way in which elements lie in cosets."""

    cosets: Int[Tensor, " g"]
    """The coset of every element."""
    sign: Float[Tensor, " g"]
    """What a function is multiplied with before its means over cosets are taken: 1, or a character of dimension 1."""
    name: tuple[str, int, int]
    """Name of the subgroup, its index, and the number of its class of conjugates."""
    in_words: str
    """The cosets in words: gH, H = A4."""

    @cached_property
    def basis(self) -> Float[Tensor, "coset g"]:
        """Orthonormal functions on the group: on each coset the sign, and 0 elsewhere."""
        indicators = functional.one_hot(self.cosets).T.double() * self.sign
        return indicators / indicators.norm(dim=1, keepdim=True)


@dataclass(frozen=True, eq=False)
class CosetFits:
    """How well every neuron's side is a function of cosets."""

    energies: Float[Tensor, " neuron"]
    """Sum of squares of every side."""
    shares: Float[Tensor, " neuron"]
    """The largest share that is a function of cosets, [0, 1]."""
    best: Int[Tensor, " neuron"]
    """Which cosets these are."""

    @property
    def live(self) -> Tensor:
        """Which neurons read something on this side?"""
        return self.energies >= LIVE * self.energies.max()

    @property
    def aligned(self) -> Tensor:
        """Which live neurons are functions of cosets?"""
        return self.live & (self.shares >= ALIGNED)

    @staticmethod
    def of(u: Float[Tensor, "g neuron"], labels: list[CosetLabels]) -> "CosetFits":
        energies = u.square().sum(0)
        shares, best = torch.zeros_like(energies), torch.zeros(len(energies), dtype=torch.long)
        if not labels:
            return CosetFits(energies, shares, best)
        # All cosets at once: one product of matrices instead of one for every subgroup.
        parts = (torch.cat([each.basis for each in labels]) @ u).square().split([len(each.basis) for each in labels])
        for place, part in enumerate(parts):
            share = part.sum(0) / energies
            better = share > shares + BETTER
            shares[better], best[better] = share[better], place
        return CosetFits(energies, shares, best)

    def projected(self, u: Float[Tensor, "g neuron"], labels: list[CosetLabels]) -> Float[Tensor, "g neuron"]:
        """Each side as a function of its best cosets."""
        result = torch.zeros_like(u)
        for place in self.best.unique().tolist():
            mine, basis = (self.best == place).nonzero()[:, 0], labels[place].basis
            result[:, mine] = basis.T @ (basis @ u[:, mine])
        return result


def no_cosets(group: Group) -> str:
    """What is said of a group without subgroups whose cosets could be looked for."""
    name = group.name or "this one"
    return (
        f"needs a group with a proper subgroup of index {LARGEST_INDEX} or less and {FEWEST} elements or more; {name} has none"
    )


def coset_fits(circuit: Circuit) -> tuple[Sides, list[CosetLabels], tuple[CosetFits, CosetFits]]:
    """What the neurons read, the cosets of the group, and how well these fit."""

    def compute() -> tuple[Sides, list[CosetLabels], tuple[CosetFits, CosetFits]]:
        group, both = circuit.group, sides(circuit, pre_activations(circuit))
        labels = _labels_of(group)
        of_a, of_b = (CosetFits.of(u, labels) for u in (both.of_a, both.of_b))
        return both, labels, (of_a, of_b)

    return circuit.remember("cosets", compute)


def on_cosets(
    circuit: Circuit,
) -> tuple[tuple[Float[Tensor, "a neuron"], Int[Tensor, " neuron"]], tuple[Float[Tensor, "b neuron"], Int[Tensor, " neuron"]]]:
    """What each neuron reads of a, and of b, as a function of the cosets that fit it best, and the index of the subgroup."""
    both, labels, fits = coset_fits(circuit)
    if not labels:
        raise Unavailable(no_cosets(circuit.group))
    indices = torch.tensor([each.name[1] for each in labels])
    of_a, of_b = ((fit.projected(u, labels), indices[fit.best]) for u, fit in zip((both.of_a, both.of_b), fits, strict=True))
    return of_a, of_b


def _labels_of(group: Group) -> list[CosetLabels]:
    """All cosets of all subgroups, those of smallest index first."""
    characters = [each.character for each in representations(group) if each.dimension == 1 and each.character.min() < 0]
    plain, found = torch.ones(group.order, dtype=torch.float64), []
    for each in subgroups(group, min(LARGEST_INDEX, group.order // FEWEST)):
        signs = [plain, *(χ for χ in characters if χ[each.elements].min() < 0)]
        for number, sign in enumerate(signs):
            name = each.name + ("~" if number else "")
            of_both = [(f"gH, H = {name}", each.left_cosets())]
            if not group.is_abelian:
                of_both.append((f"Hg, H = {name}", each.right_cosets()))
            found += [CosetLabels(cosets, sign, (name, each.index, each.conjugates), words) for words, cosets in of_both]
    return found


def aligned_energy(both: list[CosetFits]) -> float:
    """Share of the variance of the live sides that is that of aligned ones."""
    live = sum(side.energies[side.live].sum().item() for side in both)
    return sum(side.energies[side.aligned].sum().item() for side in both) / live if live else math.nan


def random_sides(u: Float[Tensor, "g neuron"], group: Group, *, draws: int, seed: int) -> Iterator[Float[Tensor, "g neuron"]]:
    """Draws of random functions that have as much variance as these at every representation.

    At a representation ρ they are v·ρ(g)w with random v and w, as the neurons of a network that multiplies matrices are: a sum
    of many such functions would be aligned with no cosets, and beaten by chance. One random function a neuron and
    representation, dealt out anew among the neurons in every draw.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes, random = [], []
    for each in representations(group):
        size = (projector(group, [each]) @ u).norm(dim=0)
        if float(size.max()) > 0:
            v, w = torch.randn(2, u.shape[1], each.dimension, generator=generator, dtype=torch.float64)
            part = torch.einsum("gij,ni,nj->gn", each.matrices(), v, w)
            sizes.append(size)
            random.append(part / part.norm(dim=0))
    for _ in range(draws):
        order = torch.randperm(u.shape[1], generator=generator)
        yield torch.stack([part[:, order] * size for part, size in zip(random, sizes, strict=True)]).sum(0)
