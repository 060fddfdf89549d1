"""Pairs with their labels, and the loss that a network's parameters have on them."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.networks.config import NetworkConfig, Parameters
from interp.networks.forward import embed, forward
from interp.training.losses import CROSS_ENTROPY, Loss


class Batch(ABC):
    """Pairs, given by their indices a·p + b, each with its label. Parameters are passed in, because every step changes them."""

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
        """Logits of every pair, without a gradient."""

    @abstractmethod
    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        """Loss over all outputs, in float64, with a gradient."""

    @torch.no_grad()
    def evaluate(self, parameters: Parameters) -> tuple[float, float]:
        """Loss over all outputs, and the share, from 0 to 1, of pairs whose largest logit is their label."""
        logits = self.logits(parameters)
        loss = self.loss_function.value(logits, self.labels)
        return loss.item(), (logits.argmax(-1) == self.labels).double().mean().item()


class PlainBatch(Batch):
    """Pairs that each go through ``forward``: this works for every transformer, and is the reference for ``FastBatch``."""

    @torch.no_grad()
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return self._forward(parameters)

    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        return self.loss_function.value(self._forward(parameters), self.labels)

    def _forward(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return forward(self.config, parameters, embed(self.config, parameters, self.a, self.b))[0]
