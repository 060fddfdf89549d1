"""Pairs with their labels, and what the loss of a network's parameters on them is."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.networks.config import NetworkConfig, Parameters
from interp.networks.forward import embed, forward
from interp.training.losses import CROSS_ENTROPY, Loss


class Batch(ABC):
    """The pairs a·p + b = index, each with its label. Every step changes the parameters: they come from outside."""

    def __init__(
        self,
        config: NetworkConfig,
        pairs: Int[Tensor, " pair"],
        labels: Int[Tensor, " pair"],
        loss: Loss = CROSS_ENTROPY,
    ) -> None:
        self.config, self.labels, self.loss_function = config, labels, loss
        self.a: Int[Tensor, " pair"] = pairs // config.p
        self.b: Int[Tensor, " pair"] = pairs % config.p

    @abstractmethod
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        """What the network answers; without a gradient."""

    @abstractmethod
    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        """The loss over all outputs, in float64, with a gradient."""

    @torch.no_grad()
    def evaluate(self, parameters: Parameters) -> tuple[float, float]:
        """Loss, and the share of pairs whose largest logit is their label."""
        logits = self.logits(parameters)
        loss = self.loss_function.value(logits, self.labels)
        return loss.item(), (logits.argmax(-1) == self.labels).double().mean().item()


class PlainBatch(Batch):
    """Every pair through ``forward``: works for every network, and is the reference for what is faster."""

    @torch.no_grad()
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return self._forward(parameters)

    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        return self.loss_function.value(self._forward(parameters), self.labels)

    def _forward(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return forward(self.config, parameters, embed(self.config, parameters, self.a, self.b))[0]
