"""Pairs with their answers, and what the loss of a network's parameters on them is."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from interp.config import NetworkConfig, Parameters
from interp.forward import embed, forward
from interp.task import answers


class Batch(ABC):
    """The pairs a·p + b = index of a network's task. Parameters come from outside: they change at every step."""

    def __init__(self, config: NetworkConfig, indices: Int[Tensor, " pair"]) -> None:
        self.config = config
        self.a: Int[Tensor, " pair"] = indices // config.p
        self.b: Int[Tensor, " pair"] = indices % config.p
        self.answer: Int[Tensor, " pair"] = answers(config.p).flatten().to(indices.device)[indices]

    @abstractmethod
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        """What the network answers; without a gradient."""

    @abstractmethod
    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        """Mean cross-entropy in nats, over all outputs, in float64: in float32 its first digit is wrong once the
        network is sure."""

    @torch.no_grad()
    def evaluate(self, parameters: Parameters) -> tuple[float, float]:
        """Loss in nats and accuracy."""
        logits = self.logits(parameters)
        loss = functional.cross_entropy(logits.double(), self.answer)
        return loss.item(), (logits.argmax(-1) == self.answer).double().mean().item()


class PlainBatch(Batch):
    """Every pair through ``forward``: works for every network, and is the reference for what is faster."""

    @torch.no_grad()
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return self._forward(parameters)

    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        return functional.cross_entropy(self._forward(parameters).double(), self.answer)

    def _forward(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        return forward(self.config, parameters, embed(self.config, parameters, self.a, self.b))[0]
