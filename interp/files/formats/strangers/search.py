"""Under which answers to a proposal's open questions does the network compute its task?

The literal reading gives every question its most usual answer. From there one answer is changed at a time, then two, as long as
the network gets clearly more pairs of a sample right; what is found is tried on all pairs, beside every reading that differs
from it in one answer.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from interp.errors import InterpError
from interp.files.formats.readings import CLEARLY, COMPUTES
from interp.files.formats.strangers.proposal import Misfit, Proposal
from interp.networks.attention_free import AttentionFree
from interp.networks.transformer import Network
from interp.tasks import usual_answers

SAMPLE = 128
"""Number of pairs on which a reading is tried first, drawn with a fixed seed."""
TOGETHER = {"positions", "scale"}
"""Answers that make up for each other: without positions, embeddings a little smaller do nearly the same."""
MAX_TRIED = 600
"""Largest number of readings that are tried."""

Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Tried:
    """A reading and how it does on the pairs it was tried on."""

    answers: dict[str, Any]
    network: Network | AttentionFree
    operation: str
    """Name of the task that it gets most of the pairs right as."""
    accuracy: float
    """Share of the pairs that it gets right as this operation, from 0 to 1."""
    chance: float
    """Share of the operation's pairs that one and the same answer to all of them would get right, from 0 to 1."""
    loss: float
    """Mean cross-entropy over these pairs, in nats."""


@dataclass(eq=False)
class Search:
    """The readings of one proposal that were tried."""

    proposal: Proposal
    stated: str | None = None
    """Name of the task that the network is said to have learned; it is compared with each that is known, and with this one."""
    tried: dict[Key, Tried | None] = field(default_factory=dict)
    """Answers in the order of the questions → how that reading did on the sample, None for one that does not fit."""

    def best(self) -> Tried:
        """The reading that gets most of the sample right. Raises InterpError where no reading fits the shapes."""
        best = self.literal()
        width = 1
        while width <= 2 and best.accuracy < COMPUTES:
            better = self._better(best, width)
            best, width = (better, 1) if better is not None else (best, width + 1)
        return best

    def neighbours(self, taken: Tried) -> Iterator[Tried]:
        """Every reading that fits the shapes and differs from this one in one answer, or in two that make up for each other."""
        together = (each for each in self._changes(taken, 2) if all(each[name] != taken.answers.get(name) for name in TOGETHER))
        for changed in (*self._changes(taken, 1), *(together if taken.answers.keys() >= TOGETHER else ())):
            each = self._try(changed)
            if each is not None:
                yield each

    @property
    def run(self) -> int:
        """Number of readings that fitted the shapes and were run."""
        return sum(each is not None for each in self.tried.values())

    def literal(self) -> Tried:
        """The reading that gives every question its most usual answer, or else the first one near it that fits the shapes."""
        questions = self.proposal.questions
        literal = {name: answers[0] for name, answers in questions.items()}
        found = self._try(literal)
        if found is None:
            # Then the first that fits, the fewest unusual answers first.
            for width in (1, 2, 3):
                for changed in self._changes(literal, width):
                    if (found := self._try(changed)) is not None:
                        return found
            raise InterpError(f"its tensors fit no reading as a {self.proposal.name}")
        return found

    def _better(self, best: Tried, width: int) -> Tried | None:
        """The best of the readings that differ in so many answers, if it is clearly better."""
        found = []
        for changed in self._changes(best.answers, width):
            each = self._try(changed)
            if each is not None and each.accuracy >= COMPUTES and width > 1:
                return each  # of readings this far away the first that computes it will do: its neighbours are tried later
            found += [each] if each is not None else []
        top = max(found, key=lambda each: (each.accuracy, -each.loss), default=None)
        if top is None:
            return None
        # Twice as good counts as clearly better too: near the top there is no room for more.
        clearly = top.accuracy >= best.accuracy + CLEARLY or 1 - top.accuracy <= (1 - best.accuracy) / 2
        return top if clearly and top.accuracy > best.accuracy else None

    def _changes(self, answers: Mapping[str, Any] | Tried, width: int) -> Iterator[dict[str, Any]]:
        """All answers that differ from these in exactly so many questions, usual ones first."""
        if isinstance(answers, Tried):
            answers = answers.answers
        # What a network is built of comes last in a proposal, and matters most: sizes and vocabularies come first.
        open_ = {name: each for name, each in reversed(self.proposal.questions.items()) if len(each) > 1}
        for names in combinations(open_, width):
            choices: list[dict[str, Any]] = [dict(answers)]
            for name in names:
                choices = [{**each, name: other} for each in choices for other in open_[name] if other != answers[name]]
            yield from choices

    def _try(self, answers: dict[str, Any]) -> Tried | None:
        key = tuple(answers.values())
        if key not in self.tried:
            if len(self.tried) >= MAX_TRIED:
                return None
            try:
                network = self.proposal.network(answers)
            except Misfit:
                self.tried[key] = None
                return None
            self.tried[key] = measure(answers, network, self.stated)
        return self.tried[key]


def measure(answers: dict[str, Any], network: Network | AttentionFree, stated: str | None) -> Tried:
    """How well does a reading do on the sample, at the task that it does best of those known and the stated one?"""
    known = _known(network.p, stated)
    E_a, E_b = network.tables()
    with torch.no_grad():
        logits = network.run(E_a[known.pairs // network.p], E_b[known.pairs % network.p])[0].double()
    right = ((logits.argmax(-1) == known.answers).sum(1) / known.counts).double()
    best = int((right - known.chance).argmax())  # the first of equals: addition
    defined = known.answers[best] >= 0
    loss = functional.cross_entropy(logits[defined], known.answers[best][defined]).item()
    accuracy = right[best].item() if math.isfinite(loss) else 0.0
    return Tried(
        answers=answers,
        network=network,
        operation=known.names[best],
        accuracy=accuracy,
        chance=known.chance[best].item(),
        loss=loss if math.isfinite(loss) else math.inf,
    )


@dataclass(frozen=True, eq=False)
class _Known:
    """The sample of pairs on which readings are tried, and the right answers of every known task to it."""

    names: list[str]
    pairs: Int[Tensor, " pair"]
    answers: Int[Tensor, "task pair"]
    counts: Int[Tensor, " task"]
    """Number of pairs of the sample that have an answer."""
    chance: Float[Tensor, " task"]
    """Share of all pairs that one and the same answer to all of them would get right."""


@lru_cache(maxsize=32)
def _known(p: int, stated: str | None) -> _Known:
    tables = usual_answers(p, stated)
    pairs = torch.randperm(p * p, generator=torch.Generator().manual_seed(0))[:SAMPLE]
    answers = torch.stack([table[pairs] for table in tables.values()])
    chance = [(table[table >= 0].bincount().max() / (table >= 0).sum()).double() for table in tables.values()]
    return _Known(list(tables), pairs, answers, (answers >= 0).sum(1).clamp(min=1), torch.stack(chance))
