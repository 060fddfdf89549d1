"""What a and b bring to the neurons, each on its own and through their product: functions on the group."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.tools.groups.products import by_product
from interp.circuit import Circuit
from interp.networks.attention_free import AttentionFree


@dataclass(frozen=True, eq=False)
class Sides:
    """Means of a value of every pair over all b, over all a, and over the pairs of each product ab, less its overall mean."""

    of_a: Float[Tensor, "a n"]
    """Means over b."""
    of_b: Float[Tensor, "b n"]
    """Means over a."""
    of_product: Float[Tensor, "g n"]
    """Means over all pairs with ab = g."""
    mean: Float[Tensor, " n"]
    """The overall mean, which is subtracted from the others."""


def sides(circuit: Circuit, values: Float[Tensor, "a b n"]) -> Sides:
    """What a value of every pair is as a function of a, of b and of ab alone."""
    mean = values.double().mean((0, 1))
    return Sides(
        of_a=values.double().mean(1) - mean,
        of_b=values.double().mean(0) - mean,
        of_product=by_product(values, circuit.group) - mean,
        mean=mean,
    )


def inputs(circuit: Circuit) -> tuple[Float[Tensor, "a n"], Float[Tensor, "b n"]]:
    """What a and b bring to the first neurons: their embeddings, or in a network without attention what these are mapped to.

    There the first neurons read the sum of both, so that a's and b's part are exact.
    """
    E_a, E_b = circuit.tables
    if not isinstance(circuit.network, AttentionFree):
        return E_a, E_b
    nothing_a, nothing_b = torch.zeros_like(E_a[:1]), torch.zeros_like(E_b[:1])

    def read(E_a: Tensor, E_b: Tensor) -> Tensor:
        pre: Tensor = circuit.run(E_a, E_b, record=["l1.hook_pre"])[1]["l1.hook_pre"].select(-2, -1)
        return pre

    constant = read(nothing_a, nothing_b)  # the bias
    return read(E_a, nothing_b) - constant, read(nothing_a, E_b) - constant
