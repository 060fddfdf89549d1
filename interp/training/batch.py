"""Pairs with their labels, and the loss that a network's parameters have on them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.networks.config import Parameters
from interp.networks.kinds import Config, logits_of_pairs
from interp.training.losses import LOSSES, Loss

AT_ONCE = 1 << 13
"""Number of pairs that are looked at together where no gradient is asked for: the logits of all held-out pairs at once would
take gigabytes at p = 499."""


class Batch(ABC):
    """Pairs, given by their indices a·p + b, each with its label. Parameters are passed in, because every step changes them."""

    def __init__(
        self,
        config: Config,
        pairs: Int[Tensor, " pair"],
        labels: Int[Tensor, " pair"],
        loss: Loss = LOSSES["cross-entropy"],
    ) -> None:
        self.config, self.pairs, self.labels, self.loss_function = config, pairs, labels, loss
        self.a: Int[Tensor, " pair"] = pairs // config.p
        self.b: Int[Tensor, " pair"] = pairs % config.p

    @abstractmethod
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        """Logits of every pair, without a gradient."""

    @abstractmethod
    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        """Loss over all outputs, in float64, with a gradient."""

    def answers(self, parameters: Parameters) -> Int[Tensor, " pair"]:
        """The output of every pair that has the largest logit."""
        return torch.cat([logits.argmax(-1) for logits, _ in self._pieces(parameters)])

    @torch.no_grad()
    def evaluate(self, parameters: Parameters) -> tuple[float, float]:
        """Loss over all outputs, and the share, from 0 to 1, of pairs whose largest logit is their label."""
        loss, right = torch.zeros(2, dtype=torch.float64, device=self.labels.device)
        for logits, labels in self._pieces(parameters):
            loss += self.loss_function.value(logits, labels) * len(labels)
            right += (logits.argmax(-1) == labels).sum()
        return (loss / len(self.labels)).item(), (right / len(self.labels)).item()

    def _pieces(self, parameters: Parameters) -> Iterator[tuple[Float[Tensor, "piece vocab_out"], Int[Tensor, " piece"]]]:
        """Logits and labels of all pairs, ``AT_ONCE`` at a time."""
        for pairs, labels in zip(self.pairs.split(AT_ONCE), self.labels.split(AT_ONCE), strict=True):
            yield type(self)(self.config, pairs, labels, self.loss_function).logits(parameters), labels


class PlainBatch(Batch):
    """Pairs that each go through the network: this works for every one, and is the reference for ``FastBatch``."""

    @torch.no_grad()
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return self._forward(parameters)

    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        return self.loss_function.value(self._forward(parameters), self.labels)

    def _forward(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return logits_of_pairs(self.config, parameters, self.a, self.b)
