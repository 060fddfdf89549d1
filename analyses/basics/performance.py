"""Does the network compute its task?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.tools.logit_sums import logit_sums, own_scores
from interp.circuit import Circuit
from interp.networks.model import Unavailable
from interp.tasks.task import UNDEFINED

if TYPE_CHECKING:
    import plotly.graph_objects as go

GENERALISES = 0.99
"""Accuracy on all pairs from which a network counts as generalising; below it no circuit is named."""

BY_HEART = 0.5
"""Accuracy on held-out pairs below which a network that is right on its training pairs has learned these by heart."""


@dataclass(frozen=True)
class Performance(Finding):
    """Accuracy and loss on all pairs, and on the training and held-out pairs where they are known (else NaN).

    In a task that is a group's operation in other numbers, the pairs are those whose two symbols have a number: a product with
    0 has no logarithm, and is counted apart.
    """

    accuracy: float
    """Share of all pairs answered right, [0, 1]."""
    wrong: int
    """Number of pairs answered wrong."""
    pairs: int
    """Number of pairs that have an answer, less those counted apart."""
    loss: float
    """Mean cross-entropy on all pairs, nats, with the softmax over the answers."""
    train_accuracy: float
    """Share of the training pairs answered right, [0, 1]; NaN where the training pairs are not known."""
    train_loss: float
    """Mean cross-entropy on the training pairs, nats; NaN where they are not known."""
    test_accuracy: float
    """Share of all but the training pairs answered right, [0, 1]; NaN where the training pairs are not known."""
    test_loss: float
    """Mean cross-entropy on all but the training pairs, nats; NaN where the training pairs are not known."""
    generalises: bool
    """Is the accuracy on all pairs at least .99?"""
    memorised: bool | None
    """Is it right on at least .99 of the training pairs, and on less than half of the others? None where the training pairs are
    not known."""
    apart_pairs: int
    """Number of pairs that have an answer and are counted apart, because a symbol of theirs has no number."""
    apart_accuracy: float
    """Share of the pairs counted apart that are answered right, [0, 1]; NaN where there are none, or in an edited network."""
    apart: str
    """What the symbols without a number are, such as 0; empty where there are none."""

    def table(self) -> Table:
        rows = (
            ("all", self.accuracy, self.loss),
            ("trained on", self.train_accuracy, self.train_loss),
            ("held out", self.test_accuracy, self.test_loss),
            *([(f"with {self.apart}", self.apart_accuracy, None)] if self.apart_pairs else []),
        )
        return Table("Performance", ("pairs", "accuracy", "loss (nats)"), rows)

    def title(self) -> str:
        return f"The network answers {self.pairs - self.wrong} of {self.pairs} pairs right"

    def is_drawn(self) -> bool:
        """Is there something to see? Bars that are all as high as can be show nothing that the title does not say."""
        return min(self._known().values()) < 1

    def _known(self) -> dict[str, float]:
        every = {"all": self.accuracy, "trained on": self.train_accuracy, "held out": self.test_accuracy}
        return {name: value for name, value in every.items() if value == value}  # not NaN

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        known = self._known()
        figure = go.Figure(go.Bar(x=list(known), y=list(known.values()), text=[f"{v:.4f}" for v in known.values()], width=0.5))
        return finish(
            figure,
            self.title(),
            "Share of pairs whose largest logit is the right answer. Guessing would be right on one pair in p. Trained "
            "on and held out are shown where the file says which pairs were which.",
            xaxis_title="pairs",
            yaxis={"title": "accuracy (share of pairs)", "range": [0, 1.1]},
        )


@measurement(place=300, needs=())
def performance(circuit: Circuit) -> Performance:
    """Does the network compute its task?

    Accuracy: the largest logit is that of the right answer. Loss: mean of -log softmax(L[a,b,:])[right answer] over the answers
    ('=' left out), float64, in nats. Only pairs that have an answer count, and whose symbols have a number: the others apart.
    """
    given, losses, answers = _on_pairs_of_numbers(circuit)
    pairs = (answers != UNDEFINED).nonzero()[:, 0]
    right, losses = given[pairs] == answers[pairs], losses[pairs]
    train = circuit.train_numbers
    nowhere = torch.zeros_like(right)
    is_train = nowhere if train is None else torch.isin(pairs, train)
    is_test = nowhere if train is None else ~is_train
    accuracy = right.double().mean().item()
    train_accuracy, test_accuracy = (right[some].double().mean().item() for some in (is_train, is_test))
    apart = _right_apart(circuit)
    return Performance(
        accuracy=accuracy,
        wrong=int((~right).sum()),
        pairs=len(pairs),
        loss=losses.mean().item(),
        train_accuracy=train_accuracy,
        train_loss=losses[is_train].mean().item(),
        test_accuracy=test_accuracy,
        test_loss=losses[is_test].mean().item(),
        generalises=accuracy >= GENERALISES,
        memorised=None if train is None else train_accuracy >= GENERALISES and test_accuracy < BY_HEART,
        apart_pairs=len(circuit.task.pairs()) - len(pairs),
        apart_accuracy=math.nan if apart is None else apart.double().mean().item(),
        apart=circuit.numbers.apart,
    )


def _on_pairs_of_numbers(circuit: Circuit) -> tuple[Int[Tensor, " pair"], Float[Tensor, " pair"], Int[Tensor, " pair"]]:
    """Answers, losses and right answers of all pairs of numbers: over all answers, or in an edited network over those with a
    number."""
    numbers = circuit.numbers
    try:
        own = own_scores(circuit)
    except Unavailable:
        scores = logit_sums(circuit).scores
        return scores.answer.flatten(), scores.loss.flatten(), circuit.answers.flatten()
    tables = own.answer, own.loss, circuit.task.table()
    given, losses, answers = (each[numbers.a][:, numbers.b].flatten() for each in tables)
    return given, losses, answers


def _right_apart(circuit: Circuit) -> Bool[Tensor, " pair"] | None:
    """Which of the pairs with a symbol that has no number are answered right? None in an edited network."""
    answers, (place_a, place_b, _) = circuit.task.table(), circuit.places
    is_apart = ((place_a == UNDEFINED)[:, None] | (place_b == UNDEFINED)) & (answers != UNDEFINED)
    try:
        return (own_scores(circuit).answer == answers)[is_apart]
    except Unavailable:
        return None
