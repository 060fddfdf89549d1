"""Neurons as functions of angles: what is left of their pre-activations when only key frequencies count."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analyses.tools.last_layer import LastNeurons
from interp import fourier
from interp.networks.model import Unavailable

MOST_HARMONICS = 3
"""Largest number of harmonics of a function of two angles."""
MOST_NUMBERS = 0.1
"""Largest share, of the p² numbers that a neuron has in all, that a function of two angles may have: with more it could hold
much of a table, and would explain anything."""


@dataclass(frozen=True, eq=False)
class Angles:
    """The pre-activations cut down to functions of the angles k a and k b of key frequencies k, with their harmonics."""

    coefficients: Float[Tensor, "row row neuron"]
    """Coefficients of the pre-activations on products of waves of a and waves of b, at ``rows`` of the Fourier basis."""
    rows: Int[Tensor, " row"]
    """Rows of the real Fourier basis: the constant and all harmonics of all key frequencies."""
    of_key: Bool[Tensor, "key row row"]
    """Products that are functions of the two angles of one key frequency, for each of them."""
    own: Int[Tensor, " neuron"]
    """Place, among the key frequencies, of the one that holds most of a neuron's variance."""
    harmonics: int
    """Number of harmonics."""

    @staticmethod
    def of(neurons: LastNeurons, keys: Sequence[int]) -> "Angles":
        """The pre-activations of these neurons at these key frequencies.

        Raises Unavailable where there is no key frequency, and where p is so small that a neuron would keep too much.
        """
        p, count = neurons.p, harmonics(neurons.p)
        if not keys:
            raise Unavailable("needs key frequencies, and this network has none")
        if not count:
            raise Unavailable(f"needs a modulus at which functions of two angles are few, and {p} is too small")
        each = [[0, *(row for k in _multiples(key, p, count) for row in _rows(k, p))] for key in keys]
        rows = sorted({row for those in each for row in those})
        basis = fourier.basis(p)[rows].to(neurons.pre.dtype)
        over_a = einsum(basis, neurons.pre, "i a, a b neuron -> i b neuron")
        coefficients = einsum(over_a, basis, "i b neuron, j b -> i j neuron")
        member = torch.tensor([[row in those for row in rows] for those in each])
        of_key = member[:, :, None] & member[:, None, :]
        energy = coefficients.double().square()
        energy[0, 0] = 0
        return Angles(
            coefficients=coefficients,
            rows=torch.tensor(rows),
            of_key=of_key,
            own=einsum(energy, of_key.double(), "i j neuron, key i j -> key neuron").argmax(0),
            harmonics=count,
        )

    def own_frequency(self, p: int) -> tuple[Float[Tensor, "a b neuron"], int]:
        """Every pre-activation as a function of the two angles of its own key frequency, and how many numbers that takes."""
        mask = self.of_key[self.own]
        return self._values(self.coefficients * mask.permute(1, 2, 0), p), int(mask.sum())

    def all_frequencies(self, p: int) -> tuple[Float[Tensor, "a b neuron"], int]:
        """Every pre-activation as a sum of such functions, one for each key frequency, and how many numbers that takes."""
        mask = self.of_key.any(0)
        return self._values(self.coefficients * mask[..., None], p), int(mask.sum()) * self.coefficients.shape[-1]

    def _values(self, coefficients: Float[Tensor, "row row neuron"], p: int) -> Float[Tensor, "a b neuron"]:
        basis = fourier.basis(p)[self.rows].to(coefficients.dtype)
        over_a = einsum(basis, coefficients, "i a, i j neuron -> a j neuron")
        return einsum(over_a, basis, "a j neuron, j b -> a b neuron")


def cut_down(pre: Float[Tensor, "a b neuron"], k: int, count: int) -> Float[Tensor, "a b neuron"]:
    """The pre-activations as functions of the angles k a and k b with ``count`` harmonics: what is nearest to them."""
    p = len(pre)
    basis = fourier.basis(p)[[0, *(row for each in _multiples(k, p, count) for row in _rows(each, p))]].to(pre.dtype)
    coefficients = einsum(einsum(basis, pre, "i a, a b neuron -> i b neuron"), basis, "i b neuron, j b -> i j neuron")
    return einsum(einsum(basis, coefficients, "i a, i j neuron -> a j neuron"), basis, "a j neuron, j b -> a b neuron")


def harmonics(p: int) -> int:
    """How many harmonics a function of two angles may have at this modulus; 0 where it may have none."""
    return max(count for count in range(MOST_HARMONICS + 1) if count == 0 or (2 * count + 1) ** 2 <= MOST_NUMBERS * p**2)


def _multiples(key: int, p: int, count: int) -> list[int]:
    return sorted({fourier.fold(j * key, p) for j in range(1, count + 1)} - {0})


def _rows(k: int, p: int) -> list[int]:
    """The rows of the real Fourier basis at frequency k: cosine and sine; at k = p/2 there is no sine."""
    return [2 * k - 1, 2 * k] if 2 * k < p else [2 * k - 1]
