"""The task: all p² pairs (a, b), their answers (a + b) mod p, and the published ways to split them.

A pair's index is a·p + b, its place in the lexicographic list of all pairs.
"""

import random
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError

SplitMethod = Literal["python-shuffle", "torch-randperm"]


def answers(p: int) -> Int[Tensor, "a b"]:
    """What is (a + b) mod p for every pair? Shape [a, b], values 0..p-1."""
    residues = torch.arange(p)
    return (residues[:, None] + residues[None, :]) % p


@dataclass(frozen=True, eq=False)
class Split:
    """Which pairs are trained on and which are held out, as sorted pair indices a·p + b."""

    train: Int[Tensor, " train"]
    test: Int[Tensor, " test"]


def split(p: int, *, method: SplitMethod, fraction: float, seed: int) -> Split:
    """Which pairs does a seed train on?

    - ``python-shuffle``: ``random.seed(seed)``, shuffle of the lexicographic list of pairs, first int(fraction·p²).
      Source: Nanda et al. 2023, arXiv 2301.05217 (released code).
    - ``torch-randperm``: the first int(fraction·p²) of ``torch.randperm(p²)``, the seed given to a generator
      of its own. Source: Zhong et al. 2023, arXiv 2306.17844 (released code, whose global seed is not published).

    Raises InterpError where nothing would be left to train on or to test on.
    """
    n_train = int(fraction * p * p)
    if not 0 < n_train < p * p:
        raise InterpError(
            f"a training fraction of {fraction:g} leaves {max(n_train, 0)} of {p * p} pairs to train on and "
            f"{p * p - max(n_train, 0)} to test on: choose a fraction between 0 and 1 that leaves some of both"
        )
    match method:
        case "python-shuffle":
            indices = list(range(p * p))
            random.Random(seed).shuffle(indices)
            order = torch.tensor(indices)
        case "torch-randperm":
            order = torch.randperm(p * p, generator=torch.Generator().manual_seed(seed))
        case _:
            raise InterpError(f"expected split method python-shuffle or torch-randperm, got {method!r}")
    return Split(train=order[:n_train].sort().values, test=order[n_train:].sort().values)
