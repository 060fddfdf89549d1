"""What a network does with wrong answers that it was told: shares of its pairs, and the phase that these shares put it in."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from analyses.tools.logit_sums import own_scores
from interp.circuit import Circuit
from interp.needs import check_has

KNOWN = 0.9
"""Share of pairs from which they count as known, as Doshi et al. 2023 have it."""
SLACK = 0.05
"""How far above the share of right labels the training accuracy of a network that follows none of the wrong ones may lie."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of pairs, from 0 to 1, by what the network was told about them and what it answers; NaN for shares of no pairs."""

    wrong: float
    """Share of the training pairs whose label is wrong."""
    train: float
    """Share of all training pairs that are answered as they were told: the training accuracy."""
    told: float
    """Share of the training pairs with a wrong label that are answered as they were told."""
    truth: float
    """Share of the training pairs with a wrong label that are answered truly."""
    clean: float
    """Share of the training pairs with a right label that are answered so."""
    held_out: float
    """Share of the held-out pairs that are answered truly."""

    @property
    def otherwise(self) -> float:
        """Share of the training pairs with a wrong label that are answered neither as they were told nor truly."""
        return max(1 - self.told - self.truth, 0.0)

    @property
    def phase(self) -> str:
        """The phase by what becomes of the wrong labels, in words; empty where no label is wrong.

        Where the held-out pairs are known: coexistence as long as .9 of the wrong labels are kept, full inversion once .9 of
        their pairs are answered truly, partial inversion between. Otherwise memorisation where the training pairs are known as
        told, forgetting where they are not.
        """
        if math.isnan(self.told):
            return ""
        if self.held_out < KNOWN:
            return "memorisation" if self.train >= KNOWN else "forgetting"
        if self.told >= KNOWN:
            return "coexistence"
        return "full inversion" if self.truth >= KNOWN else "partial inversion"

    @property
    def published_phase(self) -> str:
        """The phase as published, by training and held-out accuracy alone, in words; empty where no label is wrong.

        Of few wrong labels partial inversion is empty, and a training accuracy that fits two phases is given the first of them.
        Source: Doshi et al. 2023, arXiv 2310.13061, appendix C, with the share of wrong labels for the share of drawn ones.
        """
        if math.isnan(self.told):
            return ""
        if self.held_out < KNOWN:
            return "memorisation" if self.train >= KNOWN else "forgetting"
        if self.train >= KNOWN:
            return "coexistence"
        return "partial inversion" if self.train >= 1 + SLACK - self.wrong else "full inversion"


def shares(circuit: Circuit) -> Shares:
    """Which shares of its pairs does a network answer as it was told, truly, or otherwise?

    Raises Unavailable where the training pairs are not known.
    """
    sides = sides_of(circuit)
    answers = own_scores(circuit).answer.flatten()
    truth = circuit.task.table().flatten()
    as_told, true = answers == sides.labels, answers == truth

    def share(right: Bool[Tensor, " pair"], of: Bool[Tensor, " pair"]) -> float:
        return right[of].double().mean().item() if bool(of.any()) else math.nan

    trained = sides.wrong | sides.clean
    return Shares(
        wrong=share(sides.wrong, trained),
        train=share(as_told, trained),
        told=share(as_told, sides.wrong),
        truth=share(true, sides.wrong),
        clean=share(true, sides.clean),
        held_out=share(true, sides.held_out),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Sides:
    """All pairs, in the order of their indices a·p + b, by what the network was told about them."""

    labels: Int[Tensor, " pair"]
    """What the network was told about a training pair; -1 for all others."""
    wrong: Bool[Tensor, " pair"]
    """Is it a training pair with a wrong label?"""
    clean: Bool[Tensor, " pair"]
    """Is it a training pair with the right label?"""
    held_out: Bool[Tensor, " pair"]
    """Is it a pair that has an answer and was not trained on?"""


def sides_of(circuit: Circuit) -> Sides:
    """Which pairs was a network told the truth about, which not, and which not at all? Raises Unavailable where not known."""
    check_has(circuit, "labels")
    train = circuit.train_pairs
    assert train is not None, "which was checked"
    truth = circuit.task.table().flatten()
    labels = torch.full_like(truth, -1)
    labels[train] = truth[train] if circuit.told is None else circuit.told.to(truth.dtype)
    trained = torch.zeros_like(truth, dtype=torch.bool).index_fill(0, train, True)
    has_answer = torch.zeros_like(trained).index_fill(0, circuit.task.pairs(), True)
    wrong = trained & (labels != truth)
    return Sides(labels=labels, wrong=wrong, clean=trained & ~wrong, held_out=has_answer & ~trained)
