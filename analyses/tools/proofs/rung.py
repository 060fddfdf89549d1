"""Rung: one way to prove an accuracy, with what it proves at each of its settings, and at what cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

ENOUGH = 0.999
"""Share of certified pairs from which no more work is put into a proof."""


@dataclass(frozen=True)
class Step:
    """What a rung proves at one setting."""

    setting: float
    """The rank, the number of waves, the size of the cells; 0 where there is nothing to set."""
    detail: str
    """This in words."""
    certified: float
    """Share of the pairs that have an answer for which this answer is proven, [0, 1]."""
    products: int
    """Number of multiplications of the proof."""


@dataclass(frozen=True)
class Rung:
    """What one way to prove the accuracy gives."""

    name: str
    """Trying all, low rank, waves, or cells."""
    steps: tuple[Step, ...]
    """What it proves at each setting that was tried, in their order; none where it proves nothing of such a network."""
    why_not: str = ""
    """Why it proves nothing of such a network."""

    @property
    def best(self) -> Step | None:
        """The first setting that certifies .999, else the one that certifies most; None where none was tried."""
        enough = [step for step in self.steps if step.certified >= ENOUGH]
        if enough:
            return enough[0]
        return max(self.steps, key=lambda step: (step.certified, -step.products), default=None)


def strongest(rungs: Sequence[Rung], *, below: int) -> tuple[Rung, Step] | None:
    """The rung that proves most with fewer multiplications than ``below``; among those that prove .999, or equally much, the
    one with the fewest. None where none proves anything so."""
    found = [(rung, best) for rung in rungs if (best := rung.best) is not None and best.certified and best.products < below]
    return max(found, key=lambda each: (min(each[1].certified, ENOUGH), -each[1].products), default=None)


def margins(logits: Float[Tensor, "*pair c"], answers: Int[Tensor, "*pair"]) -> Float[Tensor, "*pair c"]:
    """Right logit less that of every answer, infinite for the right one; pairs without an answer get those of answer 0."""
    own = answers.clamp(min=0)[..., None]
    return (logits.gather(-1, own) - logits).scatter(-1, own, torch.inf)


def answered(logits: Float[Tensor, "b c"], error: float, answers: Int[Tensor, " b"]) -> Bool[Tensor, " b"]:
    """Is the right logit the largest, whatever logits with such an error are exactly?"""
    return margins(logits, answers).amin(-1) > 2 * error
