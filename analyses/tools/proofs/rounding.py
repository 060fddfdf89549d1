"""Arithmetic that says how far it may be off: float64 results, each with a bound on its rounding errors.

With u = 2⁻⁵³ and γ_n = n u / (1 - n u), a sum of n products is off by at most γ_n Σ |x_i y_i|, in whatever order it is added
up. Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, chapter 3. Bounds are themselves computed in float64;
each is multiplied by 1 + 10⁻⁶, which is a thousand times what that can take away. Of the library it is assumed that the
exponential and the error function are right to 8 units in the last place.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

UNIT = 2.0**-53
"""Largest relative error of one rounding in float64."""
OUTWARD = 1 + 1e-6
"""Factor by which every bound is enlarged, since it is computed in float64 too."""

ACTIVATIONS = ("relu", "gelu", "square")
"""Nonlinearities whose rounding errors are bounded."""


@dataclass(frozen=True, eq=False)
class Bounded:
    """A tensor in float64, and how far any of its entries may be from what exact arithmetic gives."""

    value: Tensor
    error: float

    @property
    def largest(self) -> float:
        """Bound on the size of every exact entry."""
        return (self.value.abs().max().item() + self.error) * OUTWARD

    def __add__(self, other: "Bounded") -> "Bounded":
        value = self.value + other.value
        return Bounded(value, (self.error + other.error + UNIT * value.abs().max().item()) * OUTWARD)

    def __getitem__(self, index: object) -> "Bounded":
        return Bounded(self.value[index], self.error)  # type: ignore[index]

    def times(self, W: Tensor) -> "Bounded":
        """The product with a matrix that is exact, [..., n] with [n, m]."""
        inner = gamma(W.shape[0]) * (_longest(self.value, -1) + math.sqrt(W.shape[0]) * self.error) * _longest(W, 0)
        return Bounded(self.value @ W, (self.error * _sum_of_sizes(W) + inner) * OUTWARD)

    def times_bounded(self, other: "Bounded") -> "Bounded":
        """The product with a matrix that may itself be off."""
        found, inner = self.times(other.value), other.value.shape[0]
        more = (_longest(self.value, -1) * math.sqrt(inner) + inner * self.error) * other.error
        return Bounded(found.value, found.error + more * OUTWARD)

    def softmax(self) -> "Bounded":
        """exp(x) / Σ exp(x) over the last axis: an error e of all x changes it by a factor of at most exp(2e)."""
        count, shift = self.value.shape[-1], self.error + 2 * UNIT * self.largest
        return Bounded(self.value.softmax(-1), (math.expm1(2 * shift) + (count + 40) * UNIT) * OUTWARD)

    def activated(self, name: str) -> "Bounded":
        """The neurons of these pre-activations, by one of ``ACTIVATIONS``."""
        if name == "relu":
            return Bounded(self.value.relu(), self.error)
        if name == "square":
            return Bounded(self.value.square(), (2 * self.largest * self.error + UNIT * self.largest**2) * OUTWARD)
        # The slope of GELU is at most 1.13; x/2 (1 + erf(x/√2)) is five operations of numbers no larger than |x|.
        assert name == "gelu"
        value = torch.nn.functional.gelu(self.value)
        return Bounded(value, (1.13 * self.error + 16 * UNIT * self.largest) * OUTWARD)


def less_product(V: Bounded, A: Tensor, B: Tensor) -> Bounded:
    """V - A B, for matrices A [n, r] and B [r, m] that are exact."""
    size = A.norm(dim=1).max().item() * B.norm(dim=0).max().item()
    error = V.error + gamma(len(B) + 2) * size + gamma(1) * (V.largest + size)
    return Bounded(V.value - A @ B, error * OUTWARD)


def columns_apart(V: Bounded) -> Tensor:
    """Bound on the distance of every two columns, but for the rounding of the bound itself."""
    found = torch.cdist(V.value.T, V.value.T, compute_mode="donot_use_mm_for_euclid_dist")
    return found * (1 + gamma(len(V.value) + 4)) + 2 * math.sqrt(len(V.value)) * V.error


def exact(x: Tensor) -> Bounded:
    """A tensor of float32 or float64 as what it is."""
    return Bounded(x.double(), 0.0)


def gamma(count: int) -> float:
    """Largest relative error γ_n of a sum of so many products."""
    return count * UNIT / (1 - count * UNIT)


def weighted_sum(weights: Bounded, table: Bounded) -> Bounded:
    """Σ_slot weights[pair, slot] · table[pair, slot, :], a few slots a pair, of which each weight has its own row."""
    value, slots = torch.einsum("ps,psn->pn", weights.value, table.value), weights.value.shape[-1]
    moved = weights.largest * table.error + weights.error * table.largest
    return Bounded(value, slots * (moved + gamma(slots) * weights.largest * table.largest) * OUTWARD)


def _longest(x: Tensor, axis: int) -> float:
    """The largest Euclidean norm of the vectors along an axis."""
    return x.double().norm(dim=axis).max().item() * OUTWARD


def _sum_of_sizes(W: Tensor) -> float:
    """The largest column sum of |W|."""
    return W.double().abs().sum(0).max().item() * OUTWARD
