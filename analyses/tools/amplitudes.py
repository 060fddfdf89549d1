"""How strongly is the output at a frequency driven, as a function of the distance a - b of the inputs?"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from analyses.tools.pairs import by_distance
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
    return amplitudes_of_pairs(circuit, k).mean(-1)


def amplitudes_of_pairs(circuit: Circuit, k: int) -> Float[Tensor, "d a"]:
    """The amplitude of cos w_k(a+b-c) in the logits of every pair: one row per distance d = a - b, one column per a."""
    p, logits = circuit.p, circuit.centred_logits
    cosine, sine = fourier.waves(k, p)
    # Σ_c L cos w(a+b-c) = cos w(a+b) Σ_c L cos wc + sin w(a+b) Σ_c L sin wc
    of_pairs = cosine[circuit.answers] * (logits @ cosine) + sine[circuit.answers] * (logits @ sine)
    return by_distance(of_pairs) * (1 if 2 * k == p else 2) / p
