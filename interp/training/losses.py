"""Losses that training makes small, functions of logits and labels, each with its gradient written out to save time."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

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


def _squared_error(logits: Float[Tensor, "pair vocab_out"], labels: Int[Tensor, " pair"]) -> Float[Tensor, ""]:
    """Mean over pairs and outputs of (L_c - [c = label])², in float64."""
    right = functional.one_hot(labels, logits.shape[-1])
    return (logits.double() - right).square().mean()


def _squared_error_and_gradient(
    logits: Float[Tensor, "pair vocab_out"], labels: Int[Tensor, " pair"]
) -> tuple[Float[Tensor, ""], Float[Tensor, "pair vocab_out"]]:
    """Mean squared error in float64, and its gradient 2 (L_c - [c = label]) / number of logits."""
    label = labels[:, None]
    error = logits.scatter_(-1, label, logits.gather(-1, label) - 1)
    loss = error.double().square().mean()
    return loss, error.mul_(2 / error.numel())


LOSSES = MappingProxyType(
    {
        "cross-entropy": Loss(value=_cross_entropy, value_and_gradient=_cross_entropy_and_gradient),
        "mse": Loss(value=_squared_error, value_and_gradient=_squared_error_and_gradient),
    }
)
"""Name → loss, over all outputs: mean cross-entropy in nats; mean squared error against 1 for the label, 0 for all others."""
