"""What do neurons add to the answers? A few waves of these, by which the neurons are divided, and what the waves leave out."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.tools.proofs.rounding import OUTWARD, Bounded, columns_apart, gamma, less_product
from interp import fourier

MOST_CLUSTERS = 8
"""Largest number of frequencies by which neurons are divided."""
OF_THE_OUTPUT = 0.02
"""Least share of the squares of V at a frequency that has neurons of its own."""
FURTHER, OF_THE_LARGEST = 8, 0.01
"""Largest number of directions of the answers beside these frequencies, and how large what is written along one must be beside
what is written along the strongest wave."""
SKETCH = 12
"""Number of combinations of the answers from which these directions are found."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Readout:
    """V = A B + ρ for what neurons add to the answers, the rows of B waves of the answers and a few further directions."""

    members: list[Tensor]
    """For each of the large frequencies the neurons that write most there, among these."""
    A: Float[Tensor, "neuron column"]
    """What each neuron writes along each row of B."""
    B: Float[Tensor, "column c"]
    """Directions of the answers."""
    missing: float
    """Bound on ‖ρ_s - ρ_c‖ over all pairs of answers."""
    apart: Float[Tensor, "number s c"]
    """How far two answers are apart along each row of B; then, for the neurons of each frequency, bounds on ‖V_s - V_c‖."""

    @property
    def products(self) -> int:
        """Multiplications that it takes: frequencies of V, further directions, A, what is missing, distances of answers."""
        n, columns = self.A.shape
        p = self.B.shape[1]
        return n * p * p + (3 * n * p * SKETCH + 4 * n * SKETCH**2) + n * p * (3 * columns + 1) + n * p * p + p * p * columns


def readout(V: Bounded, order: Int[Tensor, " number"]) -> Readout:
    """What neurons add to the answers; ``order``: the symbols of the answers, in the order in which they are added."""
    modulus, (width, p) = len(order), V.value.shape
    frequencies = fourier.frequencies(modulus)
    basis = fourier.basis(modulus)
    waves = V.value[:, order] @ basis.T
    each = torch.stack([waves[:, [*fourier.row_numbers(k, modulus)]].square().sum(1) for k in frequencies], 1)
    total = each.sum(0)
    ranked = total.argsort(descending=True)[:MOST_CLUSTERS].tolist()
    large = [place for place in ranked if total[place] >= OF_THE_OUTPUT * total.sum()] or ranked[:1]
    own = each[:, large].argmax(1)
    rows = [row for place in large for row in fourier.row_numbers(frequencies[place], modulus)]
    B = torch.zeros(len(rows), p, dtype=torch.float64)
    B[:, order] = basis[rows]
    B = _completed(V.value, B)
    A = V.value @ B.T  # any A and B are good: what they miss is bounded
    rest = less_product(V, A, B)
    missing = 2 * (rest.value.norm(dim=0).max().item() * (1 + gamma(width + 4)) + math.sqrt(width) * rest.error) * OUTWARD
    members = [(own == place).nonzero()[:, 0] for place in own.unique().tolist()]
    columns = (B[:, :, None] - B[:, None, :]).abs()
    far = [columns_apart(V[mine]) for mine in members]
    return Readout(members=members, A=A, B=B, missing=missing, apart=torch.cat([columns, torch.stack(far)]) * OUTWARD)


def _completed(V: Float[Tensor, "neuron c"], B: Float[Tensor, "row c"]) -> Float[Tensor, "column c"]:
    """These directions and the strongest others, from a sketch of what they leave of V (Halko et al. 2011)."""
    generator = torch.Generator().manual_seed(0)
    others = min(SKETCH, B.shape[1] - B.shape[0])  # there are no more directions beside these
    sketch = V @ torch.randn(V.shape[1], others, generator=generator, dtype=V.dtype)
    answers = V.T @ sketch
    answers, _ = torch.linalg.qr(answers - B.T @ (B @ answers))
    answers, _ = torch.linalg.qr(answers - B.T @ (B @ answers))
    _, sizes, turned = torch.linalg.svd(V @ answers, full_matrices=False)
    strong = sizes > OF_THE_LARGEST * (V @ B.T).norm(dim=0).max()
    return torch.cat([B, (answers @ turned[strong][:FURTHER].T).T])
