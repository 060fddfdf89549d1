"""The published ways to choose which pairs of a task are trained on and which are held out."""

import random
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.tasks.task import Task

SplitMethod = Literal["python-shuffle", "torch-randperm"]


@dataclass(frozen=True, eq=False)
class Split:
    """Which pairs are trained on and which are held out, as sorted pair indices a·p + b."""

    train_pairs: Int[Tensor, " train"]
    test_pairs: Int[Tensor, " test"]


def split(task: Task, *, method: SplitMethod, fraction: float, seed: int) -> Split:
    """Which pairs of a task does a seed train on?

    - ``python-shuffle``: ``random.seed(seed)``, shuffle of the lexicographic list of pairs, first int(fraction·pairs).
      Source: Nanda et al. 2023, arXiv 2301.05217 (released code).
    - ``torch-randperm``: the first int(fraction·pairs) of ``torch.randperm(pairs)``, the seed given to a generator
      of its own. Source: Zhong et al. 2023, arXiv 2306.17844 (released code, whose global seed is not published).

    Raises InterpError where nothing would be left to train on or to test on.
    """
    pairs = task.pairs()
    count, n_train = len(pairs), train_count(task, fraction)
    match method:
        case "python-shuffle":
            places = list(range(count))
            random.Random(seed).shuffle(places)
            order = torch.tensor(places)
        case "torch-randperm":
            order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        case _:
            raise InterpError(f"expected split method python-shuffle or torch-randperm, got {method!r}")
    return Split(train_pairs=pairs[order[:n_train]].sort().values, test_pairs=pairs[order[n_train:]].sort().values)


def train_count(task: Task, fraction: float) -> int:
    """How many pairs of a task are trained on? Raises InterpError where a fraction leaves none, or none to test on."""
    count = len(task.pairs())
    n_train = int(fraction * count)
    if not 0 < n_train < count:
        raise InterpError(
            f"a training fraction of {fraction:g} leaves {max(n_train, 0)} of {count} pairs to train on and "
            f"{count - max(n_train, 0)} to test on: choose a fraction between 0 and 1 that leaves some of both"
        )
    return n_train
