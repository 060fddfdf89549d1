"""Subtraction mod p."""

import torch
from jaxtyping import Int
from torch import Tensor

from interp.tasks.task import ModularTask, Relabelling, Words


class Subtraction(ModularTask):
    """Subtraction: a - b mod p, which is the addition of a and -b."""

    word = "subtraction"
    formula = "a-b"

    def table(self) -> Int[Tensor, "a b"]:
        residues = torch.arange(self.p)
        return (residues[:, None] - residues) % self.p

    def expression(self, a: str, b: str) -> str:
        return f"{a} - {b}"

    def relabelling(self) -> Relabelling:
        itself = torch.arange(self.p)
        words = Words(sum="a - b", difference="a + b", b="-b")
        return Relabelling(a=itself, b=-itself % self.p, c=itself, words=words)
