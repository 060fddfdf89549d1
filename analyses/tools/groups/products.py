"""Functions of two or three elements of a group, arranged by their product, or by another word in them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.tools.logit_sums import logit_sums
from interp.by_rows import logits_by_rows
from interp.circuit import Circuit
from interp.groups.group import Group
from interp.groups.representations import representations
from interp.memory import numbered

WORDS = ("abc⁻¹", "bc⁻¹a", "c⁻¹ab")
"""The words in a, b and c, up to inverses and turns of all three, that are the identity at the right answer c = ab."""


def by_product(values: Float[Tensor, "a b n"], group: Group) -> Float[Tensor, "g n"]:
    """Logits or other values as a function of the product ab alone: their means over the pairs of each product, float64."""
    order, _, n = values.shape
    sums = torch.zeros(order, n, dtype=torch.float64)
    return sums.index_add_(0, group.table.flatten(), values.double().flatten(0, 1)) / order


def by_word(circuit: Circuit, word: str) -> Float[Tensor, " g"]:
    """Sums of the centred logits over all a, b, c at which one of ``WORDS`` has the value g."""

    def compute() -> Float[Tensor, " g"]:
        group, n = circuit.group, circuit.p
        if word != "bc⁻¹a":
            of_products = n * logit_sums(circuit).by_product
            return _folded(of_products, group.right_quotients if word == "abc⁻¹" else group.left_quotients.T)
        # For every a, first by h = bc⁻¹; then by ha.
        quotients = torch.zeros(n, n, dtype=torch.float64)
        means = logit_sums(circuit).mean
        for rows, logits in numbered(logits_by_rows(circuit)):
            centred = logits.double() - means[rows][..., None]
            quotients[rows].index_add_(1, group.right_quotients.flatten(), centred.flatten(1))
        return _folded(quotients, group.table.T)

    if circuit.group.is_abelian:
        word = WORDS[0]  # the three words are one
    return circuit.remember(("logits by word", word), compute)


def trace_similarities(circuit: Circuit) -> dict[str, float]:
    """Trace similarity of the logits with every real irreducible representation ρ of the circuit's group, by its name.

    t_ρ = ⟨Lc, X_ρ⟩ / (‖Lc‖‖X_ρ‖) over all n³ entries, X_ρ(a, b, c) = χ_ρ(abc⁻¹), ‖X_ρ‖² = n³s: from -1 to 1, NaN where the
    logits do not depend on c. In the cyclic group χ is 2 cos w_k(a + b - c), and t_ρ the clock term t_k.

    Source: Chughtai et al. 2023, arXiv 2302.03025.
    """
    f, group = by_word(circuit, WORDS[0]), circuit.group
    norm = math.sqrt(logit_sums(circuit).square) or math.nan
    return {
        each.name: (f @ each.character).item() / (norm * math.sqrt(group.order**3 * each.s)) for each in representations(group)
    }


def _folded(values: Float[Tensor, "x y"], word: Tensor) -> Float[Tensor, " g"]:
    """Sums of the values over all places where the word has the value g."""
    return torch.zeros(len(values), dtype=torch.float64).index_add_(0, word.flatten(), values.flatten())
