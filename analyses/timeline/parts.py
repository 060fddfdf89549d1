"""The logits of a network as two circuits: what is a wave of a + b at the key frequencies, and all the rest.

S = span{cos w_k(a+b), sin w_k(a+b): k key}, functions of the pair; P projects each answer's logit onto S. Then
L = B + G + M: the bias B = mean_{a,b} L, the generalising part G = P L, and M, the rest, where memorising is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from analyses.tools.groups.products import by_product
from analyses.tools.pairs import sums
from interp import fourier
from interp.groups.families import cyclic


@dataclass(frozen=True, kw_only=True)
class PartLosses:
    """Losses of the parts of the logits L: mean cross-entropy over the p residues, nats, float64.

    NaN where the training pairs are not known, for all that is of these or of the others.
    """

    whole: float
    """Loss of the whole, L, on all pairs, nats."""
    train: float
    """Loss of the whole, L, on the training pairs, nats."""
    test: float
    """Loss of the whole, L, on all but the training pairs, nats."""
    restricted: float
    """Loss of P L + mean_{a,b} L on all pairs, nats."""
    excluded: float
    """Loss of L - P L on the training pairs, nats; no bias correction."""
    restricted_train: float
    """Loss of P L + mean_{a,b} L on the training pairs, nats."""
    bias_train: float
    """Loss of mean_{a,b} L on the training pairs, nats: neither circuit."""

    @property
    def generalising(self) -> float:
        """How much of the training loss that the network has lost does the generalising circuit account for? In nats.

        The mean of what G takes off the loss where M is missing and where M is there: the Shapley value. Of all ways to
        divide the fall among two circuits it is the only one that treats both alike, gives nothing to a circuit
        that changes nothing, is linear in the losses, and adds up to the whole: generalising + memorising = bias_train - train.
        Negative where the circuit does harm. Source: Shapley 1953, A value for n-person games; its use here is ours.
        """
        return (self.bias_train - self.restricted_train + self.excluded - self.train) / 2

    @property
    def memorising(self) -> float:
        """How much of the training loss that the network has lost does the memorising part M account for? In nats.

        M is all but the bias that is not a wave of a + b at a key frequency; a Shapley value, as for ``generalising``.
        """
        return (self.bias_train - self.excluded + self.restricted_train - self.train) / 2


def on_key_frequencies(logits: Float[Tensor, "a b c"], keys: Sequence[int]) -> Float[Tensor, "a b c"]:
    """P L: the projection onto cos w_k(a+b) and sin w_k(a+b), k key, of each answer's logit as a function of (a, b).

    Source: Nanda et al. 2023, arXiv 2301.05217 (two directions per key; one at k = p/2).
    """
    p = logits.shape[0]
    if not keys:
        return torch.zeros_like(logits, dtype=torch.float64)
    # S holds functions of a + b alone: project the means over each sum.
    basis = torch.cat([fourier.rows(k, p) for k in keys])
    return (basis.T @ (basis @ by_product(logits, cyclic(p))))[sums(p)]


def part_losses(logits: Float[Tensor, "a b c"], keys: Sequence[int], train: Int[Tensor, " train"] | None) -> PartLosses:
    """How well do the two circuits do, together and alone? ``train``: indices a·p + b of the training pairs, None: not known.

    Source: Nanda et al. 2023, arXiv 2301.05217, §5.2; the published code disagrees with itself on operators and splits,
    so every field of PartLosses names its own.
    """
    p = logits.shape[0]
    right = sums(p).flatten()
    L = logits.double().flatten(0, 1)
    G = on_key_frequencies(logits, keys).flatten(0, 1)
    bias = L.mean(0, keepdim=True)
    nothing = torch.zeros(len(right), dtype=torch.bool)
    is_test = nothing if train is None else (~nothing).index_fill(0, train, False)
    train = nothing.nonzero()[:, 0] if train is None else train

    def losses(each: Float[Tensor, "pair c"], of: Int[Tensor, " pair"]) -> Float[Tensor, " pair"]:
        return functional.cross_entropy(each, of, reduction="none")

    whole, restricted = losses(L, right), losses(G + bias, right)
    return PartLosses(
        whole=whole.mean().item(),
        train=whole[train].mean().item(),
        test=whole[is_test].mean().item(),
        restricted=restricted.mean().item(),
        excluded=losses((L - G)[train], right[train]).mean().item(),
        restricted_train=restricted[train].mean().item(),
        bias_train=losses(bias.expand(len(train), -1), right[train]).mean().item(),
    )
