"""How many waves per neuron until every answer is proven: how good is the explanation that each neuron is a few waves?"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analyses.tools.proofs.rounding import OUTWARD, Bounded, columns_apart, exact, gamma
from analyses.tools.proofs.rung import margins
from analyses.tools.proofs.token_forward import TokenForward
from interp import fourier
from interp.tasks.task import Relabelling

COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Numbers of waves per neuron that are tried, as far as there are so many frequencies."""
MOST_NUMBERS = 1 << 26
"""Largest number of activations, or of logits, that are held at once: half a gigabyte."""


class Waves:
    """The pre-activations of all pairs, and each neuron's frequencies in the order of what they hold of its variance.

    A wave is what a neuron's pre-activation holds of one frequency k: all products of {1, cos, sin} of w_k a and of w_k b but
    the constant, in the numbers in which the task is addition. Other pairs, as those with 0 of a product, are left out.
    """

    def __init__(self, tables: TokenForward, numbers: Relabelling) -> None:
        self.tables, self.numbers, self.modulus = tables, numbers, len(numbers.a)
        basis = fourier.basis(self.modulus)
        pre = [tables.pre(a, numbers.b) for a in numbers.a.tolist()]
        self.post = [row.activated(tables.activation) for row in pre]
        self.direct = [tables.direct(a)[numbers.b] for a in numbers.a.tolist()]
        values = torch.stack([row.value for row in pre])
        self.coefficients = _along_both(values, basis)
        energy = torch.stack([self._block(k).square().sum((0, 1)) for k in fourier.frequencies(self.modulus)])
        self.order = energy.argsort(0, descending=True)
        self.far = columns_apart(tables.V) * OUTWARD
        """Bound on how far what the neurons add to one answer is from what they add to another, ‖V_s - V_c‖."""

    def counts(self) -> list[int]:
        """The numbers of waves to try."""
        return [count for count in COUNTS if count <= len(self.order)]

    def certified(self, count: int, answers: Int[Tensor, "a b"]) -> Bool[Tensor, "a b"]:
        """The pairs of which so many waves per neuron certify the answer."""
        found = torch.zeros_like(answers, dtype=torch.bool)
        for row, (a, activations) in enumerate(zip(self.numbers.a.tolist(), self._activations(count), strict=True)):
            own = answers[a, self.numbers.b]
            found[a, self.numbers.b] = self._certifies(row, activations, own) & (own >= 0)
        return found

    def _certifies(self, row: int, surrogate: Float[Tensor, "b neuron"], own: Int[Tensor, " b"]) -> Bool[Tensor, " b"]:
        post: Bounded = self.post[row]
        logits = exact(surrogate).times_bounded(self.tables.V) + self.direct[row]
        width = surrogate.shape[1]
        length = (post.value - surrogate).norm(dim=1) * (1 + gamma(width + 4)) + math.sqrt(width) * post.error
        need = length[:, None] * self.far[own.clamp(min=0)] * OUTWARD + 2 * logits.error
        return (margins(logits.value, own) > need).all(1)

    def _activations(self, count: int) -> Float[Tensor, "a b neuron"]:
        """The neurons of all pairs where each has so many waves only: numbers like any others, so without an error."""
        kept = torch.zeros_like(self.coefficients)
        kept[0, 0] = self.coefficients[0, 0]
        for chosen in self.order[:count]:
            for k in chosen.unique().tolist():
                rows, mine = torch.tensor([0, *fourier.row_numbers(k + 1, self.modulus)]), (chosen == k).nonzero()[:, 0]
                block = rows[:, None, None], rows[:, None], mine
                kept[block] = self.coefficients[block]
        basis = fourier.basis(self.modulus)
        return exact(_along_both(kept, basis.T)).activated(self.tables.activation).value

    def _block(self, k: int) -> Float[Tensor, "row row neuron"]:
        rows = torch.tensor([0, *fourier.row_numbers(k, self.modulus)])
        block = self.coefficients[rows[:, None], rows].clone()
        block[0, 0] = 0
        return block


def _along_both(x: Float[Tensor, "a b neuron"], matrix: Float[Tensor, "i a"]) -> Float[Tensor, "i i neuron"]:
    """A matrix applied along a and along b."""
    along_a = (matrix @ x.flatten(1)).unflatten(1, x.shape[1:])
    return matrix @ along_a
