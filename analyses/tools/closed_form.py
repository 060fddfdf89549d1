"""The output as a formula: Σ_k A_k(a-b) cos w_k(a+b-c) over the key frequencies, A_k measured or compressed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analyses.tools.amplitudes import amplitudes
from analyses.tools.pairs import ALL, differences, sums
from interp import fourier
from interp.circuit import Circuit

Profiles = dict[int, Float[Tensor, " d"]]
"""Amplitude profiles: frequency k → A_k(d), in logits, for d = a - b mod p = 0..p-1."""


@dataclass(frozen=True)
class Mixture:
    """An amplitude profile A_k(d) written as clock + pizza·|cos(w_k d/2)|, by least squares."""

    clock: float
    """Amplitude that does not depend on the distance d, in logits."""
    pizza: float
    """Amplitude of |cos(w_k d/2)|, in logits."""
    coordinate: float
    """The pizza's share of the mean amplitude: 0 a clock, 1 a pizza. Below 0 where the amplitude grows with |w_k d|, above
    1 where the amplitude changes its sign; not defined (NaN) for an amplitude of mean 0."""
    fitted: float
    """Share of the profile's sum of squares that the mixture gives, [0, 1]."""


def closed_forms(circuit: Circuit, keys: Sequence[int]) -> dict[str, tuple[Profiles, int]]:
    """Every closed form by name: its profiles, from measured to most compressed, and how many numbers they take."""
    measured = measured_profiles(circuit, keys)
    p, K = circuit.p, len(measured)

    def fitted(*parts: str) -> Profiles:
        return {k: _fitted(A, k, parts) for k, A in measured.items()}

    clocks, pizzas = fitted("clock"), fitted("pizza")
    better = {k: clocks[k] if (clocks[k] - A).norm() <= (pizzas[k] - A).norm() else pizzas[k] for k, A in measured.items()}
    return {
        "measured profiles": (measured, K * p),
        "mixtures of clock and pizza": (fitted("clock", "pizza"), 2 * K),
        "clock or pizza": (better, K),
        "clocks": (clocks, K),
        "pizzas": (pizzas, K),
    }


def measured_profiles(circuit: Circuit, keys: Sequence[int]) -> Profiles:
    """The amplitude profiles of these frequencies as they are."""
    return {k: amplitudes(circuit, k) for k in keys}


def mixture(A: Float[Tensor, " d"], k: int) -> Mixture:
    """How much of a profile is flat, and how much follows |cos(w_k d/2)|?

    Where p / gcd(k, p) is at most 3, |cos(w_k d/2)| takes at most two values, and the coordinate says little.
    """
    design = torch.stack([_shape(part, k, len(A)) for part in ("clock", "pizza")], dim=1)
    clock, pizza = torch.linalg.lstsq(design, A[:, None], driver="gelsd").solution[:, 0].tolist()
    mean = pizza * design[:, 1].mean().item()
    total, squares = clock + mean, A.square().sum()
    off = (design @ torch.tensor([clock, pizza], dtype=A.dtype) - A).square().sum()
    return Mixture(
        clock=clock,
        pizza=pizza,
        coordinate=mean / total if total else float("nan"),
        fitted=(1 - off / squares).item(),
    )


def logits(profiles: Profiles, p: int, rows: slice = ALL) -> Float[Tensor, "row b c"]:
    """The logits of a closed form, Σ_k A_k(a-b) cos w_k(a+b-c), A_k the profiles, for all values of a or for some."""
    of_sum, of_difference = sums(p)[rows], differences(p)[rows]
    total = torch.zeros(len(of_sum), p, p, dtype=torch.float64)
    for k, A in profiles.items():
        waves = fourier.waves(k, p)
        # cos w(a+b-c) = cos w(a+b) cos wc + sin w(a+b) sin wc
        of_pairs = waves[:, of_sum] * A[of_difference]
        total += einsum(of_pairs, waves, "wave a b, wave c -> a b c")
    return total


def _shape(part: str, k: int, p: int) -> Float[Tensor, " d"]:
    if part == "clock":
        return torch.ones(p, dtype=torch.float64)
    return (torch.pi * (k * torch.arange(p) % p).double() / p).cos().abs()


def _fitted(A: Float[Tensor, " d"], k: int, parts: tuple[str, ...]) -> Float[Tensor, " d"]:
    design = torch.stack([_shape(part, k, len(A)) for part in parts], dim=1)
    return design @ torch.linalg.lstsq(design, A[:, None], driver="gelsd").solution[:, 0]
