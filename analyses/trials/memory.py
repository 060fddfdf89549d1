"""Does the network remember the pairs that it was trained on, beside what its formula gives?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish, say
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, QUIET, STRONG
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.closed_form import logits, measured_profiles
from analyses.tools.logit_sums import logit_sums
from interp import fourier
from interp.by_rows import logits_by_rows
from interp.circuit import Circuit
from interp.memory import numbered, whole

if TYPE_CHECKING:
    import plotly.graph_objects as go

SPLITS = 200
"""Number of random splits of the pairs, of the same size, in the null."""
LEAST_WORTH = 0.001
"""Least part of ln p, the loss of guessing, by which a memory's removal closes the gap between held-out and trained loss."""


@dataclass(frozen=True)
class Memory(Finding):
    """What the measured profiles leave of the logits, on the pairs that were trained on against all others.

    A memory is what raises the right answers of the pairs that the network was shown, and of no others: without it the loss on
    them is no better than on others. Energy alone says little: a network that only remembers answers all other pairs too, as
    loudly and wrongly.
    """

    energy_ratio: float
    """Energy of the rest per trained pair over that per held-out pair: above 1 where the rest is a table that is silent on all
    other pairs; near 1 without a memory, and also in a network that is nothing but one. NaN where there is no rest."""
    lift: float
    """How much more the rest raises the right answer of trained pairs than of held-out ones, in standard deviations of the
    centred logits."""
    lift_share: float
    """Share of the centred logits' variance that a lift of this size on the trained pairs carries, [0, 1]."""
    lift_beyond_chance: bool | None
    """Is the lift larger than in every one of 200 random splits of the pairs? None as ``found``."""
    trained_loss: float
    """Loss on the trained pairs, nats."""
    held_out_loss: float
    """Loss on the held-out pairs, nats."""
    trained_loss_without: float
    """Loss on the trained pairs when the rest is removed, nats: much more where the rest is a memory of them."""
    held_out_loss_without: float
    """Loss on the held-out pairs when the rest is removed, nats: less where a memory answers them wrongly."""
    found: bool | None
    """Is there a memory: a lift beyond chance, whose removal closes the gap between the losses on held-out and on trained pairs
    by at least a thousandth of ln p, the loss of guessing? None where the training pairs are not known, or are all pairs."""
    lifts_of_splits: tuple[float, ...] = field(metadata=ONLY_DRAWN)
    """The lift in each of the random splits."""

    @property
    def worth(self) -> float:
        """How much of the gap between the losses on held-out and on trained pairs goes away with the rest, nats."""
        return (self.held_out_loss - self.trained_loss) - (self.held_out_loss_without - self.trained_loss_without)

    def in_short(self) -> str:
        """Is there a memory? In two or three words."""
        if self.found is None:
            return "cannot be said"
        return "found" if self.found else "next to none" if self.lift_beyond_chance else "none seen"

    def in_words(self) -> str:
        """What is said of memory in one line."""
        if self.found is None:
            return "whether it remembers trained pairs cannot be said, because it is not known which pairs were trained on"
        if self.found:
            return (
                f"it remembers trained pairs: what is not explained makes {self.worth:.2g} nats of the gap between its losses "
                "on held-out and on trained pairs"
            )
        if self.lift_beyond_chance:
            return (
                f"it remembers next to nothing: right answers of trained pairs are raised by {self.lift:.2g} standard "
                f"deviations, which makes {self.worth:.1g} nats of the gap between its losses on held-out and on trained pairs"
            )
        return "it is not seen to remember trained pairs"

    def table(self) -> Table:
        beyond = {
            None: "",
            True: "more than in any random split of the pairs",
            False: "no more than in random splits of the pairs",
        }[self.lift_beyond_chance]
        rows = (
            ("energy per pair, trained over held out", self.energy_ratio, "above 1 if a table lies beside the circuit"),
            ("lift of right answers of trained pairs (standard deviations)", self.lift, beyond),
            ("share of the output that such a lift is", self.lift_share, ""),
            ("loss on trained pairs", self.trained_loss, f"{self.trained_loss_without:.3g} with this switched off"),
            ("loss on held-out pairs", self.held_out_loss, f"{self.held_out_loss_without:.3g} with this switched off"),
            ("gap between the two losses that is then gone (nats)", self.worth, ""),
        )
        note = "Looked at is the part of the logits that clocks and pizzas at the key frequencies do not account for"
        title = "Memory: what is not explained, on trained and on held-out pairs"
        return Table(title, ("what", "value", "beside"), rows, sentences(self.in_words(), note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, sides = go.Figure(), ["held-out pairs", "trained pairs"]
        losses = [(self.held_out_loss, self.held_out_loss_without), (self.trained_loss, self.trained_loss_without)]
        for side, both in zip(sides, losses, strict=True):
            figure.add_scatter(x=both, y=[side, side], mode="lines", line={"color": QUIET, "dash": "dot"}, showlegend=False)
        for index, (name, colour, symbol) in enumerate(
            (("as it is", STRONG, "circle"), ("without what is not explained", COLOURS[1], "diamond"))
        ):
            marker = {"size": 13, "color": colour, "symbol": symbol}
            figure.add_scatter(x=[both[index] for both in losses], y=sides, mode="markers", name=name, marker=marker)
        said = self.in_words()
        if self.found is None:
            say(figure, said)
        return finish(
            figure,
            said[0].upper() + said[1:],
            "The loss of the network as it is, and with everything switched off that clocks and pizzas do not account for. A "
            "memory is good for the pairs that were trained on, and bad for all others: without it the two losses meet. It "
            f"raises right answers of trained pairs by {self.lift:.2g} standard deviations; of random splits of the pairs the "
            f"most is {max(self.lifts_of_splits, default=math.nan):.2g}.",
            xaxis={"title": "loss (nats, logarithmic)", "type": "log", "exponentformat": "power"},
            height=330,
        )


@measurement(place=145, slow=True)
def memory(circuit: Circuit) -> Memory:
    """Does the network remember the pairs that it was trained on, beside what its formula gives?

    The rest, what Σ_k A_k(a-b) cos w_k(a+b-c) with measured A_k leaves of the centred logits, on trained and on held-out pairs:
    its energy, how much it raises the right answer, and what removing it does to the loss; each beside random splits of the
    pairs where that makes sense. All is NaN where the training pairs are not known, or are all pairs.

    Source: this project.
    """
    p, trained = circuit.p, circuit.train_numbers
    if trained is None or not 0 < len(trained) < p * p:
        nan = math.nan
        return Memory(nan, nan, nan, None, nan, nan, nan, nan, found=None, lifts_of_splits=())
    of_pairs = _of_pairs(circuit)
    mine = torch.zeros(p * p, dtype=torch.bool).index_fill(0, trained, True)
    generator = torch.Generator().manual_seed(0)
    # Not by randperm: a network's own split may be one of its permutations.
    orders = torch.rand(SPLITS, p * p, generator=generator).topk(len(trained), dim=1, largest=False, sorted=False).indices
    splits = torch.cat([mine[None], torch.zeros(SPLITS, p * p, dtype=torch.bool).scatter(1, orders, True)]).double()
    total = logit_sums(circuit).square
    energies, lifts = _means(of_pairs["energy"], splits), _means(of_pairs["lift"], splits)
    lift = lifts[0] - lifts[1]
    deviation = math.sqrt(total / p**3)
    losses = [logit_sums(circuit).scores.loss.flatten(), of_pairs["loss without"]]
    found = Memory(
        energy_ratio=(energies[0, 0] / energies[1, 0]).item() if energies[1, 0] > 0 else math.nan,
        lift=lift[0].item() / deviation if total else math.nan,
        lift_share=lift[0].item() ** 2 * len(trained) / total if total else math.nan,
        lift_beyond_chance=bool(lift[0] > lift[1:].max()),
        trained_loss=losses[0][mine].mean().item(),
        held_out_loss=losses[0][~mine].mean().item(),
        trained_loss_without=losses[1][mine].mean().item(),
        held_out_loss_without=losses[1][~mine].mean().item(),
        found=False,
        lifts_of_splits=tuple((lift[1:] / deviation).tolist()) if total else (),
    )
    return replace(found, found=bool(found.lift_beyond_chance and found.worth >= LEAST_WORTH * math.log(p)))


def _of_pairs(circuit: Circuit) -> dict[str, Float[Tensor, " pair"]]:
    """For each pair: energy of the logits less the formula, how much these raise the right answer, and the formula's loss."""
    profiles = measured_profiles(circuit, key_frequencies(circuit).frequencies)

    def parts() -> Iterator[dict[str, Tensor]]:
        for rows, own in numbered(logits_by_rows(circuit)):
            formula, answers = logits(profiles, circuit.p, rows), circuit.answers[rows]
            rest = fourier.centred(own) - formula
            without = functional.cross_entropy(formula.flatten(0, 1), answers.flatten(), reduction="none").view_as(answers)
            right = rest.gather(-1, answers[..., None]).squeeze(-1)
            yield {"energy": rest.square().sum(-1), "lift": right, "loss without": without}

    return {name: values.flatten() for name, values in whole(circuit.p, parts()).items()}


def _means(values: Float[Tensor, " pair"], splits: Float[Tensor, "split pair"]) -> Float[Tensor, "side split"]:
    """The means of the values over the pairs of each split, and over all other pairs."""
    inside, count = splits @ values, splits.sum(1)
    return torch.stack([inside / count, (values.sum() - inside) / (len(values) - count)])
