"""Pairs (a, b): those held out from training, and functions of them arranged by the distance a - b."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.circuit import Circuit

Pairs = tuple[Int[Tensor, " _"], Int[Tensor, " _"]]
"""Some pairs: the a of each, and the b of each. Tensors of all pairs can be indexed with them."""
ALL = slice(None)
"""All values of a, where some may be meant: whatever is indexed by the pairs can be indexed with it."""


def held_out(circuit: Circuit) -> Pairs:
    """The pairs that the network was not trained on; all where that is not known, or where it was trained on all."""
    p, trained = circuit.p, circuit.train_numbers
    kept = torch.ones(p * p, dtype=torch.bool)
    if trained is not None and len(trained) < p * p:
        kept[trained] = False
    index = kept.nonzero()[:, 0]
    return index // p, index % p


def some_of(pairs: Pairs, count: int, generator: torch.Generator) -> Pairs:
    """At most this many of the pairs, at random."""
    chosen = torch.randperm(len(pairs[0]), generator=generator)[:count]
    return pairs[0][chosen], pairs[1][chosen]


def sums(p: int) -> Int[Tensor, "a b"]:
    """The sum a + b mod p of every pair."""
    residues = torch.arange(p)
    return (residues[:, None] + residues) % p


def differences(p: int) -> Int[Tensor, "a b"]:
    """The distance a - b mod p of every pair."""
    residues = torch.arange(p)
    return (residues[:, None] - residues) % p


def by_distance(x: Float[Tensor, "a b *rest"]) -> Float[Tensor, "d a *rest"]:
    """The values ``x`` of all pairs, one row per distance d = a - b mod p; column a holds the pair (a, a - d)."""
    residues = torch.arange(len(x))
    return x[residues, (residues - residues[:, None]) % len(x)]
