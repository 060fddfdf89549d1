"""Labels: what a network is told about its training pairs, which need not be true."""

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.tasks.draws import generator
from interp.tasks.task import UNDEFINED, Task

DRAW = 31_013
"""Number of the draw, among those of a seed, that corrupts labels."""


def told(
    task: Task, pairs: Int[Tensor, " pair"], *, corrupt: float, wrong: Task | None, seed: int
) -> Int[Tensor, " pair"] | None:
    """What is a network told about these pairs, indices a·p + b? None where it is told nothing but right answers.

    Of int(corrupt · pairs) pairs, which the seed picks, the labels are answers drawn uniformly (one in p of them is right), or
    those of the task ``wrong``.

    Source: Doshi, Das, He, Gromov 2023, arXiv 2310.13061 (drawn answers). Raises InterpError where the other task has no answer
    to one of the pairs.
    """
    if not corrupt:
        return None
    labels, count = task.answers(pairs).clone(), int(corrupt * len(pairs))
    drawing = generator(seed, DRAW)
    chosen = torch.randperm(len(pairs), generator=drawing)[:count]
    if wrong is None:
        labels[chosen] = torch.randint(task.p, (count,), generator=drawing)
        return labels
    labels[chosen] = wrong.answers(pairs[chosen])
    if bool((labels == UNDEFINED).any()):
        raise InterpError(f"{wrong.label:.40} has no answer to some of the pairs that it is to label")
    return labels
