"""What can be proven without computing a single neuron of a single pair, from cells of pairs on which most neurons are linear?

In front of the neurons of one frequency a pair is a few numbers v: pre = c + N v + rest. Pairs with nearby v make a cell. On a
cell most neurons ReLU(x) = ½x + ½|x| are certainly on or certainly off, so that ½|x| is linear in v; for the others it lies
between a line and that line less a known gap. So all neurons are summed up once for a cell, however many pairs are in it.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analyses.tools.proofs.clusters import COORDINATES, KEPT, SAMPLE, Cluster, clusters
from analyses.tools.proofs.readout import readout
from analyses.tools.proofs.rounding import OUTWARD, UNIT, gamma
from analyses.tools.proofs.rung import margins
from analyses.tools.proofs.token_forward import TokenForward
from analyses.tools.proofs.work import Work
from interp.tasks.task import Relabelling

SIZES = (0.6, 0.4, 0.3, 0.25, 0.2, 0.15, 0.12, 0.1)
"""Sizes of cells that are tried, each as a share of the largest distance of a pair from the middle."""
MOST = 0.5
"""Largest number of cells that is tried, as a share of the pairs: with more it would be as well to compute the neurons."""


class Cells:
    """A network's neurons in clusters, and its logits past the neurons with half of the pre-activations in them."""

    def __init__(self, tables: TokenForward, numbers: Relabelling) -> None:
        """``tables``: with ``half_past_neurons``."""
        assert tables.activation == "relu"
        self.tables, self.readout = tables, readout(tables.V, numbers.c)
        self.clusters = clusters(tables, self.readout.members, numbers)

    def cut(self, size: float) -> "list[Cut] | None":
        """Every cluster's pairs in cells of a size; None where there would be too many cells."""
        found = [_numbered(cluster, size) for cluster in self.clusters]
        if any(int(cell.max()) + 1 > MOST * self.tables.p**2 for cell in found):
            return None
        pairs = zip(self.clusters, found, strict=True)
        return [Cut(cluster, self.readout.A[cluster.neurons], cell) for cluster, cell in pairs]

    def certified(self, cuts: "list[Cut]", answers: Int[Tensor, "a b"]) -> tuple[Bool[Tensor, "a b"], int]:
        """The pairs of which these cells certify the answer, and the number of those that need a bound for every wrong answer.

        For most the bound that is largest does.
        """
        p, B, nothing = self.tables.p, self.readout.B, torch.zeros(1, dtype=torch.float64)
        numbers = sum((cut.y for cut in cuts), nothing)
        unknown = torch.cat([sum((cut.half for cut in cuts), nothing), *(cut.cluster.rest[:, None] / 2 for cut in cuts)], 1)
        length = sum((cut.cluster.lengths().square() for cut in cuts), nothing).sqrt()
        outside = length / 2 * self.readout.missing
        apart, most = self.readout.apart, self.readout.apart.amax(2)
        found, closely = torch.zeros_like(answers, dtype=torch.bool), 0
        for a, (y, u, o) in enumerate(zip(numbers.split(p), unknown.split(p), outside.split(p), strict=True)):
            direct, own = self.tables.direct(a), answers[a]
            sums = gamma(len(B) + 2) * (y.norm(dim=1).max().item() * B.norm(dim=0).max().item() + direct.largest)
            rest, margin = o + 2 * (direct.error + sums), margins(y @ B + direct.value, own)
            right = own.clamp(min=0)
            at_once = margin.amin(1) > ((u * most[:, right].T).sum(1) + rest) * OUTWARD
            others = (~at_once & (own >= 0) & (margin.amin(1) > 0)).nonzero()[:, 0]
            need = torch.einsum("bn,nbc->bc", u[others], apart[:, right[others]]) + rest[others, None]
            found[a] = at_once & (own >= 0)
            found[a, others] = (margin[others] > need * OUTWARD).all(1)
            closely += len(others)
        return found, closely

    def products(self, cuts: "list[Cut]", closely: int, work: Work) -> int:
        """Multiplications of the proof: the tables, and those of ½ pre V; of a few pairs' pre-activations the directions; what
        neurons add to the answers; every token in coordinates, and what these leave out; the cells; and for every pair its
        attention, its coordinates and the lengths of all that is left out, its numbers, and the logits and bounds from them."""
        p, n, columns, found = work.p, work.neurons, len(self.readout.B), len(cuts)
        sample = SAMPLE * n * (work.slots + SAMPLE + KEPT) + 2 * n * KEPT**2 + found * 10 * SAMPLE**3
        tokens = sum(table.value.shape[0] * table.value.shape[1] for table in self.tables.to_neurons) * n * (KEPT + 1)
        coordinates = work.slots * found * (KEPT + 2) + found * (2 * KEPT + COORDINATES + 4)
        numbers = sum(cut.cluster.N.shape[1] for cut in cuts) * columns + 2 * columns + found
        pair = work.attention + work.slots * p + coordinates + numbers + columns * p
        cells = sum(cut.products for cut in cuts)
        each = p * p * pair + closely * p * (columns + found)
        return work.tables + work.linear + sample + self.readout.products + tokens + cells + each


@dataclass(frozen=True, eq=False)
class Cut:
    """The pairs of a cluster in cells: what its neurons ½|x| add along the directions that the answers read, and bounds."""

    cluster: Cluster
    A: Float[Tensor, "mine column"]
    """What its neurons write along each direction of the answers."""
    cell: Int[Tensor, " pair"]
    """Number of the cell of every pair."""

    @property
    def number(self) -> int:
        """The number of cells."""
        return int(self.cell.max()) + 1

    @property
    def products(self) -> int:
        """Multiplications of the cells: where each neuron is in each, and by how much; its line, in every column."""
        mine, v = self.cluster.N.shape
        columns = self.A.shape[1]
        return self.number * mine * (2 * v + 4 + columns * (v + 2)) + mine * columns * v

    @cached_property
    def _sums(self) -> tuple[Tensor, Tensor]:
        """Every pair's Σ ½|x| A, and half of the width of the interval around it, [pair, column]."""
        cluster, cell = self.cluster, self.cell
        v, N, A, c = cluster.v, cluster.N, self.A, cluster.c
        width, count = N.shape
        away = cell[:, None].expand_as(v)
        low = torch.full((self.number, count), torch.inf, dtype=v.dtype).scatter_reduce(0, away, v, "amin")
        high = torch.full((self.number, count), -torch.inf, dtype=v.dtype).scatter_reduce(0, away, v, "amax")
        largest = v.abs().max().item()
        middle = (low + high) / 2
        half = (high - low) / 2 * OUTWARD + cluster.off + 4 * UNIT * largest
        at = c + middle @ N.T
        row = N.norm(dim=1).max().item()
        tiny = gamma(count + 4) * (c.abs().max().item() + row * middle.norm(dim=1).max().item())
        reach = (half @ N.abs().T + tiny) * OUTWARD
        # |x| on [at - reach, at + reach] is slope·x plus something in [0, gap], whatever the slope in [-1, 1] is.
        certain = at.abs() > reach
        slope = torch.where(certain, at.sign(), (at / reach.clamp(min=1e-300)).clamp(-1, 1))
        gap = torch.maximum((at + reach) * (1 - slope), (reach - at) * (1 + slope)) * OUTWARD
        gap = torch.where(certain, 0.0, gap)
        of_v = (slope @ (A[:, :, None] * N[:, None, :]).flatten(1)).unflatten(1, (A.shape[1], count)) / 2
        constant = (slope * c + gap / 2) @ A / 2
        y = constant[cell] + torch.einsum("pcv,pv->pc", of_v[cell], v)
        longest_A, longest_N = A.norm(dim=0).max().item(), N.norm(dim=0).max().item()
        constants = longest_A * (c.norm().item() + gap.norm(dim=1).max().item())
        lines = longest_A * longest_N * count
        off = 2 * OUTWARD * (gamma(width + count + 8) * (constants + lines * largest) + lines * cluster.off)
        return y, (gap @ A.abs() / 4)[cell] * OUTWARD + off

    @property
    def y(self) -> Float[Tensor, "pair column"]:
        """The middle of the interval in which Σ ½|x| A lies, for x = c + N v."""
        return self._sums[0]

    @property
    def half(self) -> Float[Tensor, "pair column"]:
        """Half of the interval's width."""
        return self._sums[1]


def _numbered(cluster: Cluster, size: float) -> Int[Tensor, " pair"]:
    """The number of each pair's cell: those in the same box of coordinates are in the same cell."""
    edge = size / 2 * cluster.v.norm(dim=1).max()
    boxes: Tensor = (cluster.v / edge.clamp(min=1e-30)).round().long()
    return torch.unique(boxes, dim=0, return_inverse=True)[1]
