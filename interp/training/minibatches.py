"""The pairs of every step: all, or a minibatch that depends on seed and step alone, so that a broken run goes on with it."""

import math
from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

from interp.networks.kinds import Config
from interp.tasks.draws import generator
from interp.training.batch import Batch

Make = Callable[[Config, Int[Tensor, " pair"], Int[Tensor, " pair"]], Batch]


class Minibatches:
    """Training pairs in an order of their own for every pass over them, cut in minibatches."""

    def __init__(self, whole: Batch, make: Make, *, batch_size: int, seed: int) -> None:
        """``whole``: all training pairs with their labels; ``make``: makes a batch of some of them; 0 is no minibatches."""
        self.whole, self.make, self.seed = whole, make, seed
        count = len(whole.labels)
        self.size = min(batch_size, math.ceil(count / 2)) if batch_size else count
        self.in_a_pass = math.ceil(count / self.size)
        self._order = lru_cache(maxsize=1)(self._shuffled)

    def at(self, step: int) -> Batch:
        """The batch of a step, steps counted from 0."""
        if self.in_a_pass == 1:
            return self.whole
        epoch, number = divmod(step, self.in_a_pass)
        some = self._order(epoch)[number * self.size : (number + 1) * self.size].to(self.whole.labels.device)
        pairs = self.whole.a[some] * self.whole.config.p + self.whole.b[some]
        return self.make(self.whole.config, pairs, self.whole.labels[some])

    def _shuffled(self, epoch: int) -> Int[Tensor, " pair"]:
        return torch.randperm(len(self.whole.labels), generator=generator(self.seed, epoch))
