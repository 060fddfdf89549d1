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
    rows: list[int]
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
        each = [_rows(key, p, count) for key in keys]
        rows = sorted({row for those in each for row in those})
        coefficients = _coefficients(neurons.pre, rows)
        member = torch.tensor([[row in those for row in rows] for those in each])
        of_key = member[:, :, None] & member[:, None, :]
        energy = coefficients.double().square()
        energy[0, 0] = 0
        return Angles(
            coefficients=coefficients,
            rows=rows,
            of_key=of_key,
            own=einsum(energy, of_key.double(), "i j neuron, key i j -> key neuron").argmax(0),
            harmonics=count,
        )

    def own_frequency(self, p: int) -> tuple[Float[Tensor, "a b neuron"], int]:
        """Every pre-activation as a function of the two angles of its own key frequency, and how many numbers that takes."""
        mask = self.of_key[self.own]
        return _values(self.coefficients * mask.permute(1, 2, 0), self.rows, p), int(mask.sum())

    def all_frequencies(self, p: int) -> tuple[Float[Tensor, "a b neuron"], int]:
        """Every pre-activation as a sum of such functions, one for each key frequency, and how many numbers that takes."""
        mask = self.of_key.any(0)
        return _values(self.coefficients * mask[..., None], self.rows, p), int(mask.sum()) * self.coefficients.shape[-1]


def cut_down(pre: Float[Tensor, "a b neuron"], k: int, count: int) -> Float[Tensor, "a b neuron"]:
    """The pre-activations as functions of the angles k a and k b with ``count`` harmonics: what is nearest to them."""
    rows = _rows(k, len(pre), count)
    return _values(_coefficients(pre, rows), rows, len(pre))


def harmonics(p: int) -> int:
    """How many harmonics a function of two angles may have at this modulus; 0 where it may have none."""
    return max(count for count in range(MOST_HARMONICS + 1) if count == 0 or (2 * count + 1) ** 2 <= MOST_NUMBERS * p**2)


def _rows(key: int, p: int, count: int) -> list[int]:
    """The rows of the real Fourier basis that functions of one angle consist of: the constant and the harmonics of ``key``."""
    multiples = {fourier.fold(j * key, p) for j in range(1, count + 1)} - {0}
    return [0, *(row for k in sorted(multiples) for row in fourier.row_numbers(k, p))]


def _coefficients(pre: Float[Tensor, "a b neuron"], rows: Sequence[int]) -> Float[Tensor, "row row neuron"]:
    """What a and b have at these rows of the basis."""
    basis = fourier.basis(len(pre))[[*rows]].to(pre.dtype)
    return einsum(einsum(basis, pre, "i a, a b neuron -> i b neuron"), basis, "i b neuron, j b -> i j neuron")


def _values(coefficients: Float[Tensor, "row row neuron"], rows: Sequence[int], p: int) -> Float[Tensor, "a b neuron"]:
    """The functions of a and b that have these coefficients at these rows of the basis."""
    basis = fourier.basis(p)[[*rows]].to(coefficients.dtype)
    return einsum(einsum(basis, coefficients, "i a, i j neuron -> a j neuron"), basis, "a j neuron, j b -> a b neuron")
