"""Addition mod p, the task of Nanda et al. 2023 and Zhong et al. 2023."""

import torch
from jaxtyping import Int
from torch import Tensor

from interp.tasks.task import ModularTask, Relabelling


class Addition(ModularTask):
    """Addition: a + b mod p."""

    word = "addition"
    formula = "a+b"

    def table(self) -> Int[Tensor, "a b"]:
        residues = torch.arange(self.p)
        return (residues[:, None] + residues) % self.p

    def expression(self, a: str, b: str) -> str:
        return f"{a} + {b}"

    def relabelling(self) -> Relabelling:
        itself = torch.arange(self.p)
        return Relabelling(a=itself, b=itself, c=itself)
