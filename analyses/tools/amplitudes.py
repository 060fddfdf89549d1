"""How strongly is the output at a frequency driven, as a function of the distance a - b of the inputs?"""

from collections.abc import Sequence

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from analyses.tools.pairs import by_distance, sums
from interp import fourier
from interp.circuit import Circuit


def explained_share(circuit: Circuit, keys: Sequence[int]) -> float:
    """The share of the centred logits' variance on Σ_k A_k(a-b) cos w_k(a+b-c), k of ``keys``, [0, 1]; 0 where the logits do
    not depend on c."""
    p = circuit.p
    variance = circuit.centred_logits.square().sum().item()
    # On each distance d the p² entries of cos w_k(a+b-c) have squares that sum to p²/2, and to p² at k = p/2.
    on_profiles = sum(amplitudes(circuit, k).square().sum().item() * p * p / (1 if 2 * k == p else 2) for k in keys)
    return on_profiles / variance if variance else 0.0


def amplitudes(circuit: Circuit, k: int) -> Float[Tensor, " d"]:
    """A_k(d), the amplitude of cos w_k(a+b-c) in the logits of pairs with a - b = d mod p, d = 0..p-1, in logits.

    Nothing is removed from the network first: a circle at 2k may hide a pizza at k (see amplitude_profile).
    """
    return along_the_sum(at_frequency(circuit.centred_logits, k), k).mean(-1)


def at_frequency(logits: Float[Tensor, "a b c"], k: int) -> Complex[Tensor, "a b"]:
    """What logits hold at frequency k of c: z(a, b), which stands for Re z e^{-i w_k c}."""
    p = len(logits)
    return torch.view_as_complex(logits @ fourier.waves(k, p).T) * (1 if 2 * k == p else 2) / p


def along_the_sum(z: Complex[Tensor, "a b"], k: int) -> Float[Tensor, "d a"]:
    """The amplitude of cos w_k(a+b-c) in what z stands for: one row per distance d = a - b, one column per a."""
    return by_distance((z * turned_by_the_sum(k, len(z)).conj()).real)


def turned_by_the_sum(k: int, p: int) -> Complex[Tensor, "a b"]:
    """e^{i w_k (a+b)} for every pair, which stands for cos w_k(a+b-c)."""
    return torch.complex(*fourier.waves(k, p))[sums(p)]
