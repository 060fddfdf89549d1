"""What can a network's neurons do to the answers outside of the few directions that the answers read?"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analyses.tools.proofs.rounding import OUTWARD, Bounded, columns_apart, gamma, less_product
from analyses.tools.proofs.rung import margins

RANKS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24)
"""Ranks that are tried, as far as they are below the number of answers."""


class LowRank:
    """V = A B + ρ for every rank, with ρ what is missing exactly, and bounds on what it can do."""

    def __init__(self, V: Bounded, ranks: tuple[int, ...] = RANKS) -> None:
        self.V = V
        self.ranks = [rank for rank in ranks if rank < V.value.shape[1]]
        U, _, _ = torch.linalg.svd(V.value, full_matrices=False)
        self.A = U[:, : self.ranks[-1]]  # any matrix is good, so that of a computed SVD is taken as it is
        self.B = self.A.T @ V.value
        width = len(self.A)
        self.columns = V.value.abs().sum(0).max().item() + width * V.error
        self.unorthogonal = unorthogonal(self.A)
        cut = [what_is_missing(V, self.A[:, :rank], self.B[:rank]) for rank in self.ranks]
        self.spread, self.read = zip(*cut, strict=True)

    def certifies(self, post: Bounded, direct: Bounded, answers: Int[Tensor, " b"]) -> Bool[Tensor, "rank b"]:
        """Which pairs of one a are certified, at every rank?"""
        x, found = post.value, []
        width, longest = x.shape[1], x.norm(dim=1)
        y = x @ self.A
        moved = post.error * 2 * self.columns * OUTWARD  # what the errors of the activations can do through V
        for index, rank in enumerate(self.ranks):
            mine = y[:, :rank]
            logits = mine @ self.B[:rank] + direct.value
            length = mine.norm(dim=1)
            off = gamma(width + 2) * longest * math.sqrt(rank) * 1.01  # how far y is from Aᵀpost
            squared = longest.square() * (1 + gamma(width + 8)) - length.square() * (1 - gamma(rank + 8))
            squared = squared + 2 * length * off + self.unorthogonal * length.square()
            outside = squared.clamp(min=0).sqrt() * OUTWARD
            of_B = self.B[:rank].norm(dim=0).max()
            sums = off * of_B + gamma(rank + 3) * (length * of_B + direct.largest)
            slack = moved + 2 * (direct.error + sums) + length * self.read[index] * OUTWARD
            found.append(margins(logits, answers).amin(1) > (outside * self.spread[index] + slack) * OUTWARD)
        return torch.stack(found)


def unorthogonal(A: Float[Tensor, "neuron r"]) -> float:
    """Bound on ‖AᵀA - 1‖, so also on that of any of its columns."""
    width, rank = A.shape
    found = (A.T @ A - torch.eye(rank, dtype=A.dtype)).norm().item()
    return (found + gamma(width) * rank * 2) * OUTWARD


def what_is_missing(V: Bounded, A: Float[Tensor, "neuron r"], B: Float[Tensor, "r c"]) -> tuple[float, float]:
    """Bounds on ‖ρ_c - ρ_c'‖ and on ‖Aᵀ(ρ_c - ρ_c')‖, over all pairs of answers, with ρ = V - A B."""
    rest, (width, rank) = less_product(V, A, B), A.shape
    spread = columns_apart(rest).max().item() * OUTWARD
    longest = rest.value.norm(dim=0).max().item()
    read = 2 * ((A.T @ rest.value).norm(dim=0).max().item() + gamma(width) * rank * longest)
    return spread, (read + 2 * 2 * math.sqrt(width) * rest.error) * OUTWARD
