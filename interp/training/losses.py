"""Losses that training makes small, functions of logits and labels, each with its gradient written out to save time."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss: the mean over pairs of a function of their logits and labels, in float64."""

    value: Callable[[Tensor, Tensor], Tensor]
    """Differentiable function from logits [pair, vocab_out] and labels [pair] to the mean."""
    value_and_gradient: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    """Function from logits and labels to the mean, and to its gradient in the memory of the logits, which are lost."""


def _cross_entropy(logits: Float[Tensor, "pair vocab_out"], labels: Int[Tensor, " pair"]) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats, in float64: in float32 its first digit is wrong once the network is sure."""
    return functional.cross_entropy(logits.double(), labels)


def _cross_entropy_and_gradient(
    logits: Float[Tensor, "pair vocab_out"], labels: Int[Tensor, " pair"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "pair vocab_out"]]:
    """Mean cross-entropy in nats and its gradient, as exact as in float64 throughout: nothing subtracted nearly cancels.

    With m the largest logit and others = Σ_{c ≠ label} e^(L_c - m), the loss is log1p(others + (e^(L_label - m) - 1)) -
    (L_label - m), where the bracket is 0 once the label's logit is the largest; and the label's probability - 1 is minus the
    sum of all other probabilities.
    """
    shifted, label = logits.sub_(logits.amax(-1, keepdim=True)), labels[:, None]
    right = shifted.gather(-1, label)
    exponentials = shifted.exp_().scatter_(-1, label, 0)
    others = exponentials.sum(-1, keepdim=True).double()
    right = right.double()
    excess = others + right.expm1()
    loss = (excess.log1p() - right).mean()
    scale = 1 / ((1 + excess) * len(logits))
    gradient = exponentials.mul_(scale.to(logits.dtype)).scatter_(-1, label, (-others * scale).to(logits.dtype))
    return loss, gradient


CROSS_ENTROPY = Loss(value=_cross_entropy, value_and_gradient=_cross_entropy_and_gradient)
"""Mean cross-entropy in nats over all outputs."""
