"""Which of the readings that a network's answers allow is taken, and what is said of the others?

In this order: the losses and accuracies that the file states; more pairs right, beyond chance; signs of training; the more
usual reading.

Signs of training: under the reading that a network was trained as, its loss is small for the size of its weights, and the
gradient of the loss is small for the loss and points along the weights, because weight decay and loss have come to pull against
each other, or because all that training still did was to scale. Under another activation or normalisation the gradient is
larger, and points elsewhere. A small loss alone says little: squared neurons make all logits larger, and any loss small.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn import functional

from interp.files.formats.readings import CLEARLY, COMPUTES
from interp.files.formats.strangers.search import Search, Tried
from interp.networks.attention_free import AttentionFree
from interp.networks.transformer import Network
from interp.tasks import task_named

MUCH = 3.0
"""Ratio of two losses on right pairs, or of two gradients per loss, from which the smaller one can decide."""
AT_REST = 0.5
"""Cosine between weights and the direction in which the loss pulls them, from which a network counts as being at rest."""
LARGER = 1.6
"""Ratio of two gradients per loss from which the smaller one can decide in a network at rest."""
TRAINED = 0.1
"""Loss on right pairs, in nats, below which a network counts as trained."""
SLACK = 0.02
"""How far, as a share of the larger of two stated losses, the loss on all pairs may lie outside of them: what a file states is
often of the step before."""
UNTRAINED = 0.3
"""Loss on right pairs, in nats, above which a reading is not the one that a network with a much smaller loss was trained as."""


PAIRS = 3000
"""Number of pairs on which readings are weighed against each other, all of them for p up to 54; drawn with a fixed seed."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """A reading with what decides about it."""

    reading: Tried
    said: Int[Tensor, " pair"]
    """Its answers to the pairs on which readings are weighed, less those without a right answer."""
    right: Bool[Tensor, " pair"]
    """Which of these are right."""
    loss: float
    """Mean loss on these pairs, nats."""
    loss_where_right: float
    """Mean loss on the pairs answered right, nats."""

    @property
    def accuracy(self) -> float:
        """Share of the pairs answered right, from 0 to 1."""
        return self.right.double().mean().item()


@dataclass(frozen=True, eq=False)
class Decision:
    """The reading taken, and the others that nothing decides against."""

    taken: Weighed
    others: tuple[Weighed, ...]
    tried: int
    """Number of readings that were run."""
    because: str
    """What decided, in words; "" where there was nothing to decide."""

    @property
    def computes(self) -> bool:
        """Does the network compute the operation that it does best?"""
        return self.taken.accuracy >= COMPUTES


def decide(search: Search, stated: Mapping[str, float]) -> Decision:
    """Find the readings of a network that fit, and decide between them.

    ``stated``: losses and accuracies that the file gives, by name.
    """
    best = search.best()
    p = best.network.p
    if best.accuracy < CLEARLY + max(2 / p, best.chance):  # it gets nothing right that chance would not: nothing can be decided
        return Decision(weigh(search.literal(), "addition"), (), search.run, "")
    weighed = [weigh(each, best.operation) for each in _near(search, best)]
    because = ""
    for name, keep in (
        ("the scores that the file states", lambda those: _as_stated(those, stated)),
        ("more pairs right", _most_right),
        ("signs of training", lambda those: _trained(those, best.operation)),
    ):
        kept = keep(weighed)
        if len(kept) < len(weighed):
            because, weighed = name, kept
    weighed.sort(key=lambda each: (each.accuracy < COMPUTES, _unusual(search, each.reading)))
    return Decision(weighed[0], tuple(weighed[1:]), search.run, because)


def _near(search: Search, best: Tried) -> list[Tried]:
    """The best reading and those one answer away from it, or from a near one with less loss, that get about as much right."""
    near = {id(best): best}
    waiting = [best]
    while waiting:
        for each in search.neighbours(waiting.pop()):
            if id(each) not in near and each.network.p == best.network.p and each.accuracy >= best.accuracy - CLEARLY:
                near[id(each)] = each
                waiting += [each] if each.loss * MUCH < best.loss else []
    return list(near.values())


def weigh(reading: Tried, operation: str | None = None) -> Weighed:
    """Run a reading on the pairs on which readings are weighed, as an operation or as the one that it does best."""
    with torch.no_grad():
        logits, answers = _run(reading, reading.network, operation or reading.operation)
    losses = functional.cross_entropy(logits, answers, reduction="none")
    said = logits.argmax(-1)
    right = said == answers
    where_right = losses[right].mean().item() if right.any() else math.inf
    return Weighed(reading, said, right, losses.mean().item(), where_right)


def _run(reading: Tried, network: Network | AttentionFree, operation: str) -> tuple[Tensor, Tensor]:
    """Logits, float64, and right answers for the pairs on which readings are weighed, less those without an answer."""
    p = network.p
    pairs = torch.randperm(p * p, generator=torch.Generator().manual_seed(1))[:PAIRS]
    answers = task_named(operation, p).usual_table().flatten()[pairs]
    pairs, answers = pairs[answers >= 0], answers[answers >= 0]
    E_a, E_b = network.tables()
    return network.run(E_a[pairs // p], E_b[pairs % p])[0].double(), answers


def _gradient(reading: Tried, operation: str) -> tuple[float, float]:
    """The norm of the gradient of the loss on the pairs answered right, nats per unit of weight, and how much it is at rest.

    The second is the cosine, from -1 to 1, between the weights and the direction in which that loss pulls them.
    """
    weights = {name: x.detach().clone().requires_grad_() for name, x in reading.network.parameters.items()}
    logits, answers = _run(reading, replace(reading.network, parameters=weights), operation)
    right = logits.argmax(-1) == answers
    if not right.any():
        return math.inf, 0.0
    loss = functional.cross_entropy(logits[right], answers[right])
    found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    both = [(w.detach().double(), g.double()) for w, g in zip(weights.values(), found, strict=True) if g is not None]
    norm = math.sqrt(sum(g.square().sum().item() for _, g in both))
    size = math.sqrt(sum(w.square().sum().item() for w, _ in both))
    along = -sum((w * g).sum().item() for w, g in both)
    return norm, along / (norm * size) if norm and size else 0.0


def _most_right(those: list[Weighed]) -> list[Weighed]:
    """Those that no other reading beats on more of the pairs on which the two differ than chance would let it."""
    best = max(those, key=lambda each: each.accuracy)

    def beaten(each: Weighed) -> bool:
        lost, differ = best.right.sum() - each.right.sum(), (best.right != each.right).sum()
        return lost.item() > 4 * math.sqrt(differ.item())

    return [each for each in those if not beaten(each)]


def _as_stated(those: list[Weighed], stated: Mapping[str, float]) -> list[Weighed]:
    """Those whose accuracy and loss on all pairs lie between what the file states for trained and for held-out pairs."""

    def between(value: float, ends: list[float], slack: float) -> bool:
        return len(ends) < 2 or min(ends) - slack <= value <= max(ends) + slack

    accuracies = [value for name, value in stated.items() if "acc" in name]
    losses = [value for name, value in stated.items() if "loss" in name]
    kept = [
        each
        for each in those
        if between(each.accuracy, accuracies, 5e-3) and between(each.loss, losses, SLACK * max(losses, default=0.0) + 1e-8)
    ]
    return kept or those


def _trained(those: list[Weighed], operation: str) -> list[Weighed]:
    """Those that no other reading beats by signs of training; all where each is beaten by some other."""
    if len(those) == 1:
        return those
    signs = [
        _Signs(each.accuracy >= COMPUTES, each.loss_where_right + NOTHING, *_gradient(each.reading, operation))
        for each in those
    ]
    kept = [each for each, mine in zip(those, signs, strict=True) if not any(other.beat(mine) for other in signs)]
    return kept or those


NOTHING = 1e-6
"""Loss in nats below which it is rounding that differs."""


@dataclass(frozen=True)
class _Signs:
    """Signs of having been trained under a reading."""

    computes: bool
    loss: float
    gradient: float
    """Norm of the gradient of the loss, nats per unit of weight."""
    rest: float
    """Cosine, from -1 to 1, between the weights and the direction in which that loss pulls them."""

    def beat(self, other: "_Signs") -> bool:
        """Is the network much likelier to have been trained under this reading than under the other?"""
        if other.computes and not self.computes:
            return False
        fits = self.loss * MUCH <= other.loss and self.rest >= other.rest / 2
        fits |= self.loss * 10 <= other.loss and other.loss > UNTRAINED
        mine, theirs = self.gradient / self.loss, other.gradient / other.loss
        stands = mine * MUCH <= theirs and self.rest >= 2 * other.rest and self.loss <= max(TRAINED, MUCH * other.loss)
        alike = self.loss <= MUCH * other.loss and other.loss <= MUCH * self.loss
        stands |= alike and self.gradient * MUCH <= other.gradient and mine < theirs and self.rest >= other.rest
        stands |= mine * LARGER <= theirs and self.rest >= max(AT_REST, other.rest) and self.loss <= MUCH * other.loss
        return fits or stands


def _unusual(search: Search, reading: Tried) -> int:
    """How unusual a reading is: how far down the lists of answers its answers stand."""
    return sum(search.proposal.questions[name].index(answer) for name, answer in reading.answers.items())
