"""Functions of the pair (a, b), arranged by its sum a + b or by its distance a - b."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def sums(p: int) -> Int[Tensor, "a b"]:
    """The sum a + b mod p of every pair."""
    residues = torch.arange(p)
    return (residues[:, None] + residues) % p


def by_sum(logits: Float[Tensor, "a b c"]) -> Float[Tensor, "s c"]:
    """The logits as a function of s = a + b mod p alone: their means over the p pairs of each s, float64."""
    p = len(logits)
    return torch.zeros(p, p, dtype=torch.float64).index_add_(0, sums(p).flatten(), logits.double().flatten(0, 1)) / p


def by_distance(x: Float[Tensor, "a b"]) -> Float[Tensor, "d a"]:
    """The values ``x`` of all pairs, one row per distance d = a - b mod p; column a holds the pair (a, a - d)."""
    residues = torch.arange(len(x))
    return x[residues, (residues - residues[:, None]) % len(x)]
