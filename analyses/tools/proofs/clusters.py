"""The neurons of one frequency, whose pre-activations are few numbers of a pair: what these are, and what they leave out."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.tools.proofs.low_rank import unorthogonal
from analyses.tools.proofs.rounding import OUTWARD, UNIT, Bounded, gamma
from analyses.tools.proofs.token_forward import TokenForward
from interp.tasks.task import Relabelling

COORDINATES, KEPT, OF_THE_LARGEST = 8, 16, 0.02
"""Largest number of coordinates by which a cluster's pairs are divided; of those whose lengths are known; and how large, beside
the largest, the spread along a coordinate must be."""
ROWS, SAMPLE = 8, 64
"""Number of values of a, and of pairs, from which a cluster's coordinates are found."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cluster:
    """Neurons with pre = c + N v + rest for every pair, v = Nᵀ(pre - c)."""

    neurons: Int[Tensor, " mine"]
    """Which neurons."""
    c: Float[Tensor, " mine"]
    """Their pre-activations at v = 0."""
    N: Float[Tensor, "mine v"]
    """Directions of the coordinates."""
    v: Float[Tensor, "pair v"]
    """Coordinates of every pair, a·p + b."""
    off: float
    """Bound on how far any of them is from what exact arithmetic gives."""
    rest: Float[Tensor, " pair"]
    """Bound on the length of what the coordinates leave out."""

    def lengths(self) -> Float[Tensor, " pair"]:
        """Bound on the length of each pair's c + N v."""
        width, count = self.N.shape
        along, longest = self.v @ (self.N.T @ self.c), self.v.norm(dim=1)
        squared = self.c.square().sum() + 2 * along + longest.square() * (1 + unorthogonal(self.N))
        slack = 4 * gamma(width + count + 10) * (self.c.norm() + 2 * math.sqrt(count) * longest).square()
        return ((squared + slack).clamp(min=0).sqrt() + 2 * math.sqrt(count) * self.off) * OUTWARD


def clusters(tables: TokenForward, members: list[Tensor], numbers: Relabelling) -> list[Cluster]:
    """The neurons of a network, divided as ``members`` says; ``numbers``: in which the task is addition."""
    # Which pairs are looked at decides how much is proven, never whether it is true.
    generator = torch.Generator().manual_seed(0)
    sample = _sample(tables, numbers, generator)
    centre = sample.mean(0)
    bases = [_directions(sample[:, mine] - centre[mine]) for mine in members]
    coordinates, outside = _coordinates(tables, members, [M for M, _ in bases], centre)
    found, first = [], 0
    for number, (mine, (M, count)) in enumerate(zip(members, bases, strict=True)):
        here = coordinates.value[:, first : first + M.shape[1]]
        first += M.shape[1]
        beyond = (here[:, count:].norm(dim=1) + math.sqrt(M.shape[1]) * coordinates.error) * (1 + unorthogonal(M))
        rest = (beyond + outside[:, number]) * OUTWARD
        v = here[:, :count]
        found.append(Cluster(neurons=mine, c=centre[mine], N=M[:, :count], v=v, off=coordinates.error, rest=rest))
    return found


def _sample(tables: TokenForward, numbers: Relabelling, generator: torch.Generator) -> Float[Tensor, "sample neuron"]:
    """The pre-activations of some pairs, the same whatever symbols the numbers have."""
    rows = numbers.a[torch.randperm(numbers.modulus, generator=generator)[:ROWS]].tolist()
    columns = [numbers.b[torch.randint(numbers.modulus, (SAMPLE // len(rows),), generator=generator)] for _ in rows]
    return torch.cat([tables.pre(a, b).value for a, b in zip(rows, columns, strict=True)])


def _directions(sample: Float[Tensor, "sample mine"]) -> tuple[Float[Tensor, "mine kept"], int]:
    """Orthonormal directions in which pairs differ most, and how many of them are coordinates."""
    sizes, combinations = torch.linalg.eigh(sample @ sample.T)
    sizes, kept = sizes.flip(0).clamp(min=0).sqrt(), min(KEPT, sample.shape[1])
    directions, _ = torch.linalg.qr(sample.T @ combinations.flip(1)[:, :kept])
    return directions, min(COORDINATES, kept, max(1, int((sizes > OF_THE_LARGEST * sizes[0]).sum())))


def _coordinates(
    tables: TokenForward,
    members: list[Tensor],
    bases: list[Tensor],
    centre: Float[Tensor, " neuron"],
) -> tuple[Bounded, Float[Tensor, "pair cluster"]]:
    """Every pair's coordinates along all directions of all clusters, and bounds on what these leave out of each cluster.

    pre - c = Σ weight (T - T̄) + Σ (weight - w̄) T̄ + (last + Σ w̄ T̄ - c) with T what is taken from each token, and T̄ and w̄ any
    constants: what lies outside of the directions is no longer than the lengths of these terms outside of them, weighted.
    """
    p = tables.p
    wide = torch.zeros(len(centre), sum(M.shape[1] for M in bases), dtype=torch.float64)
    first = 0
    for mine, M in zip(members, bases, strict=True):
        wide[mine, first : first + M.shape[1]] = M
        first += M.shape[1]
    projected = [table.times(wide) for table in tables.to_neurons]
    shift = Bounded(-centre[None], 0.0).times(wide)
    last = tables.last_neurons.times(wide)
    last = last + Bounded(shift.value.expand_as(last.value), shift.error)

    usual = torch.stack([tables.weights(a).value.mean(0) for a in range(0, p, max(1, p // ROWS))]).mean(0)
    means = torch.stack([table.value.mean(0) for table in tables.to_neurons], 1)  # head, position, neuron
    constant = torch.einsum("hs,hsn->n", usual, means) - centre

    def outside(x: Tensor, error: float) -> Float[Tensor, "*token cluster"]:
        return torch.stack([_outside(x[..., mine], M, error) for mine, M in zip(members, bases, strict=True)], -1)

    # The constant's own rounding: a sum of as many terms as there are slots, none larger than this.
    size = means.abs().max().item() * usual.abs().max().item() * usual.numel() + centre.abs().max().item()
    rounding = gamma(usual.numel() + 4) * (size + tables.last_neurons.largest)
    of_last = outside(tables.last_neurons.value + constant, tables.last_neurons.error + rounding)
    of_tokens = [
        outside(table.value - means[:, place], table.error + 2 * UNIT * (table.largest + means.abs().max().item()))
        for place, table in enumerate(tables.to_neurons)
    ]
    of_means = outside(means, 0.0)
    values, lengths, error = [], [], 0.0
    for a in range(p):
        row = tables.mixed(a, projected, last)
        weights, (of_a, *others) = tables.weights(a), of_tokens
        each = torch.stack([x.expand(p, -1, -1) for x in (of_a[a : a + 1], *others)], 2)  # b, head, position, cluster
        length = torch.einsum("bhs,bhsk->bk", weights.value + weights.error, each)
        length = length + torch.einsum("bhs,hsk->bk", (weights.value - usual).abs() + weights.error + 4 * UNIT, of_means)
        values.append(row.value)
        lengths.append((length + of_last.expand(p, -1)) * OUTWARD)
        error = max(error, row.error)
    return Bounded(torch.cat(values), error), torch.cat(lengths)


def _outside(x: Float[Tensor, "*token mine"], M: Float[Tensor, "mine kept"], error: float) -> Float[Tensor, "*token"]:
    """Bound on ‖(1 - M Mᵀ) x‖ of vectors whose entries may be so far off, M nearly orthonormal."""
    width, kept = M.shape
    length, along = x.norm(dim=-1), (x @ M).norm(dim=-1)
    squared = length.square() - along.square() * (1 - unorthogonal(M))
    rounding = 8 * math.sqrt(kept) * gamma(width + kept + 8) * length.square()
    return ((squared + rounding).clamp(min=0).sqrt() + math.sqrt(width) * error * (1 + unorthogonal(M))) * OUTWARD
