"""Do the key frequencies, and nothing else as large, make the answer?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, QUIET, STRONG
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.tools.ablation import (
    Draw,
    Site,
    as_large,
    embedding_site,
    logit_site,
    neuron_site,
    part,
    random_draws,
    right,
    turned,
)
from analyses.tools.last_layer import last_neurons
from analyses.tools.pairs import Pairs, held_out, some_of
from analyses.tools.turning import Turning
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

DRAWS, LEAST_DRAWS = 100, 20
"""Number of random draws in the nulls of what an explanation asks for, remove and turn; and how many there must be where there
are few frequencies, which is also how many keep only and knock out get."""
DRAW_PAIRS = 100
"""Number of pairs that a draw is tried on: a standard error of at most .05."""
MOST_PAIRS = 5_000
"""Largest number of pairs that the key frequencies are kept or removed on, and number of inputs (a, Δ, b) whose hand is turned:
a standard error of at most .007."""
HALF = 0.5
"""Share of the right answers that the key frequencies have to make: what removing them takes, and turning them moves."""

Edit = Literal["keep only", "remove", "turn", "knock out"]


@dataclass(frozen=True)
class Null:
    """A null: what an intervention does at random draws of as many other frequencies as there are key ones."""

    least: float
    """Least value of the draws, [0, 1]."""
    median: float
    """Median value of the draws, [0, 1]."""
    most: float
    """Largest value of the draws, [0, 1]."""
    beaten: bool
    """Is the key frequencies' value beyond every draw: below for remove and knock out, above for keep only and turn?"""


@dataclass(frozen=True)
class Effect:
    """One intervention at the key frequencies, beside its two nulls."""

    site: str
    """Site of the intervention: embedding, pre-activations or logits."""
    edit: Edit
    """Kind of intervention. keep only, remove: the part at the key frequencies is all that is kept, or is removed; turn: that
    part of E[a] is replaced by that of E[a+Δ]; knock out: the products of waves (order 2) leave the pre-activations."""
    value: float
    """Share of pairs answered right, [0, 1], pairs as ``Causal.pairs``; for turn, the share answered as if a were a + Δ."""
    same: Null
    """Null of the intervention itself, made at as many other frequencies."""
    as_large: Null
    """Null of an intervention of equal size, made at as many other frequencies; for knock out it equals ``same``."""

    def asked(self) -> tuple[Null, ...]:
        """The nulls that an explanation asks to be beaten: of remove and turn, and at the embedding those as large as well."""
        if self.edit not in ("remove", "turn"):
            return ()
        return (self.same, self.as_large) if self.site == "embedding" else (self.same,)


@dataclass(frozen=True)
class Causal(Finding):
    """Interventions at the key frequencies, each beside size-matched random draws."""

    effects: tuple[Effect, ...]
    """One effect per site and edit that could be tried."""
    turned_alone: tuple[tuple[int, float], ...]
    """Per key frequency k, (k, share of inputs whose answer moves by Δ when the hand of k alone is turned)."""
    draws: int
    """Number of random draws behind the nulls of remove and turn; those of keep only and knock out are the first 20 of them."""
    turns: int
    """Number of inputs (a, Δ, b) whose hand was turned."""
    pairs: int
    """Number of pairs that the interventions were tried on: of those held out from training, or of all where these are not
    known, at most 5,000 drawn by a seed."""
    are_held_out: bool
    """Are these pairs held out? On pairs that were trained on, a network that only remembers looks causal as well."""
    accuracy: float
    """Share of these pairs that the network answers right when nothing is done to it, [0, 1]."""
    lacking: tuple[str, ...]
    """Interventions that could not be tried on this network, and why."""

    def effect(self, site: str, edit: Edit) -> Effect | None:
        """The effect of one edit at one site; None where it could not be tried."""
        return next((each for each in self.effects if (each.site, each.edit) == (site, edit)), None)

    def takes_half(self, effect: Effect) -> bool:
        """Do the key frequencies make at least half of the answers: does removing them take, or turning them move, as many?"""
        return effect.value >= HALF if effect.edit == "turn" else effect.value <= HALF * self.accuracy

    def holds(self, effect: Effect) -> bool | None:
        """Does an intervention do what an explanation asks of it? None where it asks nothing of this one."""
        asked = effect.asked()
        return all(null.beaten for null in asked) and self.takes_half(effect) if asked else None

    def table(self) -> Table:
        rows = tuple(
            (e.site, e.edit, e.value, _range(e.same), _beaten(e, e.same), _range(e.as_large), _beaten(e, e.as_large))
            for e in self.effects
        )
        columns = ("site", "edit", "share of pairs", "same edit", "beaten", "as large", "beaten")
        alone = ", ".join(f"{k}: {share:.3f}" for k, share in self.turned_alone)
        note = (
            f"Share of pairs: how many of {self.pairs} {'held-out ' if self.are_held_out else ''}pairs, {self.accuracy:.4f} of "
            f"them right at first, are still right; when a hand is turned, how many of {self.turns} answers turn with it "
            f"({alone or 'not tried'} with one frequency's alone). Same edit, as large: least and most of {self.draws} sets of "
            f"random other frequencies (keep only, knock out: {LEAST_DRAWS}), as they are, and amplified. Beaten: all do less"
        )
        return Table("Interventions at the key frequencies", columns, rows, sentences(note, *self.lacking))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names, figure = [f"{each.edit}, {each.site}" for each in self.effects], go.Figure()
        if not self.effects:
            say(figure, sentences(*self.lacking))
        for name, color, nulls in (
            ("at random: same edit", QUIET, [each.same for each in self.effects]),
            ("at random: as large", COLOURS[4], [each.as_large for each in self.effects]),
        ):
            up, down = ([null.most - null.median for null in nulls], [null.median - null.least for null in nulls])
            spread, middle = {"type": "data", "array": up, "arrayminus": down}, [null.median for null in nulls]
            figure.add_scatter(x=middle, y=names, error_x=spread, mode="markers", name=name, marker_color=color)
        figure.add_scatter(
            x=[each.value for each in self.effects], y=names, mode="markers", name="key frequencies",
            marker={"size": 12, "symbol": "diamond", "color": STRONG},
        )  # fmt: skip
        held = [holds for each in self.effects if (holds := self.holds(each)) is not None]
        return finish(
            figure,
            f"{sum(held)} of the {len(held)} interventions that an explanation asks for hold: they make or take half of the "
            "answers, and no random draw does as much",
            f"Diamonds: the key frequencies; lines: least to most of {self.draws} random sets of as many others, as they are "
            "and amplified. Keep only, remove, knock out: pairs still answered right. Turn: answers that move by Δ when the "
            "key part of a becomes that of a + Δ. Keeping and turning should be far right, removing far left.",
            xaxis={"title": "share of pairs", "range": [-0.03, 1.03]},
            yaxis_autorange="reversed",
            height=520,
        )


@measurement(place=130, slow=True)
def causal(circuit: Circuit, *, draws: int = DRAWS, turned_inputs: int = MOST_PAIRS) -> Causal:
    """Do the key frequencies, and nothing else as large, make the answer?

    Keep only and remove: at the embedding, at the pre-activations (waves of a, of b and their products at a frequency),
    at the logits (waves of c). Turn the hand: the key-frequency part of E[a] is replaced by that of E[a+Δ]; the answer must
    move by Δ. Knock out: the products of waves at each neuron's own frequency. All on pairs held out from training; where
    these are not known, on all.

    Two nulls, on the same draws of as many other frequencies. Same edit: made at the drawn ones instead. As large:
    the part at the drawn frequencies is turned by random phases and amplified to the norm of the key part (``ablation``); this
    takes the place of that part when removing, is all that is left when keeping, and is what turns when turning. Knock out:
    the products are taken away at other frequencies, where they are not, instead of at the neurons' own.

    Draws, turns and the pairs of both are seeded. Nothing is tried where there are no key frequencies, or too few others for a
    null. Source: this project.
    """
    p, keys = circuit.p, key_frequencies(circuit).frequencies
    generator, all_pairs = torch.Generator().manual_seed(0), held_out(circuit)
    pairs = some_of(all_pairs, MOST_PAIRS, generator)
    found = Causal(
        effects=(),
        turned_alone=(),
        draws=0,
        turns=0,
        pairs=len(pairs[0]),
        are_held_out=len(all_pairs[0]) < p * p,
        accuracy=right(circuit.logits[pairs], pairs),
        lacking=(),
    )
    try:
        nulls = random_draws(keys, p, count=draws, least=min(LEAST_DRAWS, draws), seed=0)
    except Unavailable as missing:
        return replace(found, lacking=(f"trying interventions {missing}",))
    few = some_of(pairs, DRAW_PAIRS, generator)
    effects, lacking, alone, turns = list[Effect](), list[str](), list[tuple[int, float]](), 0
    for name, site in (("embedding", embedding_site), ("pre-activations", neuron_site), ("logits", logit_site)):
        try:
            effects += _keep_and_remove(site(circuit, keys), keys, nulls, pairs, few)
        except Unavailable as missing:
            lacking.append(f"trying interventions at the {name} {missing}")
    try:
        effects.append(_knock_out(circuit, nulls[:LEAST_DRAWS], pairs, few))
    except Unavailable as missing:
        lacking.append(f"trying 'knock out' {missing}")
    try:
        turning = Turning.of(circuit, pairs, turned_inputs, generator)
        effects.append(_turn(turning, keys, nulls))
        tenth = turning.first(turned_inputs // 10)
        alone = [(k, tenth.share(partial(part, frequencies=[k]))) for k in keys]
        turns = len(turning.delta)
    except Unavailable as missing:
        lacking.append(f"trying 'turn' {missing}")
    return replace(
        found, effects=tuple(effects), turned_alone=tuple(alone), draws=len(nulls), turns=turns, lacking=tuple(lacking)
    )


def _keep_and_remove(site: Site, keys: Sequence[int], nulls: Sequence[Draw], pairs: Pairs, few: Pairs) -> Iterator[Effect]:
    key_part = site.part(keys, pairs)
    whole = site.whole(few)
    kept, removed = (list[float](), list[float]()), (list[float](), list[float]())
    for number, draw in enumerate(nulls):
        there, as_large = site.part(draw.frequencies, few), site.as_large(draw, few)
        if number < LEAST_DRAWS:
            kept[0].append(site.accuracy(site.constant + there, few))
            kept[1].append(site.accuracy(site.constant + as_large, few))
        removed[0].append(site.accuracy(whole - there, few))
        removed[1].append(site.accuracy(whole - there + as_large, few))
    yield _effect(site.name, "keep only", site.accuracy(site.constant + key_part, pairs), *kept)
    yield _effect(site.name, "remove", site.accuracy(site.whole(pairs) - key_part, pairs), *removed)


def _effect(site: str, edit: Edit, value: float, same: Sequence[float], as_large: Sequence[float]) -> Effect:
    return Effect(site, edit, value, same=_null(edit, value, same), as_large=_null(edit, value, as_large))


def _null(edit: Edit, value: float, drawn: Sequence[float]) -> Null:
    values = torch.tensor(drawn, dtype=torch.float64)
    least, median, most = (values.quantile(q).item() for q in (0.0, 0.5, 1.0))
    beaten = value < least if edit in ("remove", "knock out") else value > most
    return Null(least=least, median=median, most=most, beaten=beaten)


def _knock_out(circuit: Circuit, nulls: Sequence[Draw], pairs: Pairs, few: Pairs) -> Effect:
    neurons, p = last_neurons(circuit), circuit.p
    waves, best = neurons.fit.waves[0][1:, 1:], neurons.fit.frequencies[0]
    generator = torch.Generator().manual_seed(1)

    def products(to: dict[int, int], phases: tuple[float, float], some: Pairs) -> Float[Tensor, "pair neuron"]:
        total = torch.zeros(len(some[0]), len(best), dtype=neurons.pre.dtype)
        for k in best.unique().tolist():
            mine = (best == k).nonzero()[:, 0]
            over_a, over_b = (turned(to[k], p, phase)[1:, x] for phase, x in zip(phases, some, strict=True))
            waves_of_pairs = einsum(over_a, over_b, "i pair, j pair -> pair i j").flatten(1).to(total.dtype)
            total.index_copy_(1, mine, waves_of_pairs @ waves[..., mine].flatten(0, 1).to(total.dtype))
        return total

    def accuracy(to: dict[int, int], phases: tuple[float, float], some: Pairs) -> float:
        return right(neurons.logits(neurons.pre[some] - products(to, phases, some), at=some), some)

    null = [accuracy(_elsewhere(p, generator), draw.phases[0], few) for draw in nulls]
    value = accuracy({k: k for k in fourier.frequencies(p)}, (0.0, 0.0), pairs)
    return _effect("pre-activations", "knock out", value, null, null)


def _elsewhere(p: int, generator: torch.Generator) -> dict[int, int]:
    """Another frequency for every frequency: all are shifted cyclically by one random number of places."""
    count = p // 2
    shift = int(torch.randint(1, count, (), generator=generator))
    return {k: (k - 1 + shift) % count + 1 for k in fourier.frequencies(p)}


def _turn(turning: Turning, keys: Sequence[int], nulls: Sequence[Draw]) -> Effect:
    few = turning.first(DRAW_PAIRS)
    same = [few.share(partial(part, frequencies=draw.frequencies)) for draw in nulls]
    large = [few.share(partial(as_large, keys=keys, draw=draw)) for draw in nulls]
    return _effect("embedding", "turn", turning.share(partial(part, frequencies=keys)), same, large)


def _range(null: Null) -> str:
    return f"{null.least:.3f}–{null.most:.3f}"


def _beaten(effect: Effect, null: Null) -> Cell:
    """Is this null beaten? For a table: True where it is; else False where an explanation needs it, elsewhere the word no."""
    return null.beaten if null.beaten or any(null is each for each in effect.asked()) else "no"
