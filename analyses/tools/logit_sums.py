"""What the basic measurements ask of the logits, gathered in one pass over the pairs, a few rows at a time."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from interp.by_rows import logits_by_rows, own_logits_by_rows
from interp.circuit import Circuit
from interp.memory import numbered, whole
from interp.tasks.task import UNDEFINED


@dataclass(frozen=True, eq=False)
class Scores:
    """What a network answers to each pair, and how well: all that is asked of the logits pair by pair. Float64."""

    answer: Int[Tensor, "a b"]
    """The output with the largest logit."""
    right: Float[Tensor, "a b"]
    """Logit of the right answer; NaN where a pair has none."""
    wrong: Float[Tensor, "a b"]
    """Largest logit of a wrong answer; NaN where a pair has no right one."""
    loss: Float[Tensor, "a b"]
    """Cross-entropy loss with the softmax over all answers, nats; NaN where a pair has no right one."""

    @staticmethod
    def of(logits: Float[Tensor, "row b c"], answers: Int[Tensor, "row b"]) -> "Scores":
        """Scores of a few rows, ``logits`` in float64."""
        index, none = answers.clamp_min(0)[..., None], (answers == UNDEFINED)
        right = logits.gather(-1, index).squeeze(-1)
        wrong = logits.scatter(-1, index, -torch.inf).amax(-1)
        loss = functional.cross_entropy(logits.flatten(0, 1), index.flatten(), reduction="none").view_as(right)
        return Scores(logits.argmax(-1), *(each.masked_fill(none, math.nan) for each in (right, wrong, loss)))


@dataclass(frozen=True, eq=False)
class LogitSums:
    """What the basic measurements ask of the logits, over all pairs. Float64."""

    scores: Scores
    """Scores of the pairs, in the circuit's numbers."""
    mean: Float[Tensor, "a b"]
    """Mean of each pair's logits over the answers."""
    square: float
    """Sum of the squares of the centred logits, ‖Lc‖²."""
    by_product: Float[Tensor, "g c"]
    """Centred logits as a function of the product ab alone: their means over the pairs of each product; without rows where the
    task is no group's operation."""

    @property
    def raw_square(self) -> float:
        """Sum of the squares of the logits less their mean over all pairs and answers."""
        return self.square + len(self.mean) * (self.mean - self.mean.mean()).square().sum().item()


def logit_sums(circuit: Circuit) -> LogitSums:
    """All that is gathered in one pass."""
    return circuit.remember("sums of the logits", lambda: _gather(circuit))


def own_scores(circuit: Circuit) -> Scores:
    """Scores of all pairs in the task's own symbols, over all answers. Raises Unavailable as ``Circuit.own_logits`` does."""
    if circuit.is_plain:
        return logit_sums(circuit).scores
    return circuit.remember(
        "scores of the task's own pairs", lambda: scores_of(own_logits_by_rows(circuit), circuit.task.table())
    )


def scores_of(blocks: Iterable[Float[Tensor, "row b c"]], answers: Int[Tensor, "a b"]) -> Scores:
    """Scores of all pairs, whose logits come a few rows at a time."""
    parts = (vars(Scores.of(logits.double(), answers[rows])) for rows, logits in numbered(blocks))
    return Scores(**whole(len(answers), parts))


def _gather(circuit: Circuit) -> LogitSums:
    p, products = circuit.p, circuit.group.table if circuit.is_of_group else None
    by_product, square = torch.zeros(0 if products is None else p, p, dtype=torch.float64), 0.0

    def parts() -> Iterator[dict[str, Tensor]]:
        nonlocal square
        for rows, block in numbered(logits_by_rows(circuit)):
            logits = block.double()
            mean = logits.mean(-1)
            yield {**vars(Scores.of(logits, circuit.answers[rows])), "mean": mean}
            centred = logits - mean[..., None]
            square += centred.square().sum().item()
            if products is not None:
                by_product.index_add_(0, products[rows].flatten(), centred.flatten(0, 1))

    # What is kept is filled in place: kept pieces between large ones that are not would scatter both over the memory.
    found = whole(p, parts())
    return LogitSums(mean=found.pop("mean"), scores=Scores(**found), square=square, by_product=by_product / p)
