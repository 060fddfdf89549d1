"""Tasks about the order of two numbers: their distance and the larger of them. Neither is addition in other numbers."""

import torch
from jaxtyping import Int
from torch import Tensor

from interp.tasks.task import ModularTask


class Distance(ModularTask):
    """The distance of two numbers: |a - b|."""

    word = "distance"
    formula = "|a-b|"

    def table(self) -> Int[Tensor, "a b"]:
        numbers = torch.arange(self.p)
        return (numbers[:, None] - numbers).abs()

    def expression(self, a: str, b: str) -> str:
        return f"|{a} - {b}|"

    def of_words(self, a: str, b: str) -> str:
        return f"{self.expression(a, b)} of numbers below {self.p}"


class Maximum(ModularTask):
    """The larger of two numbers: max(a, b)."""

    word = "maximum"
    formula = "max(a,b)"

    def table(self) -> Int[Tensor, "a b"]:
        numbers = torch.arange(self.p)
        return torch.maximum(numbers[:, None], numbers)

    def expression(self, a: str, b: str) -> str:
        return f"max({a}, {b})"

    def of_words(self, a: str, b: str) -> str:
        return f"{self.expression(a, b)} of numbers below {self.p}"
