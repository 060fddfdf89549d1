"""Do the key frequencies, and nothing else as large, make the answer?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from analyses.tools.ablation import (
    Draw,
    Rows,
    Site,
    as_large,
    embedding_site,
    logit_site,
    neuron_site,
    part,
    random_draws,
    right,
    run_rows,
    turned,
)
from analyses.tools.last_layer import last_neurons
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

DRAWS = 20
"""Number of random draws in the nulls of every intervention."""
DRAW_ROWS = 16
"""Number of values of a (or of (a, Δ)) that a draw is tried on, with all b: a standard error of at most .012 at p = 113."""
TURNED = 202_000
"""Largest number of inputs (a, Δ, b) whose hand is turned: all of them for p ≤ 59."""

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
    """Share of pairs answered right, [0, 1]; for turn, the share answered as if a were a + Δ."""
    same: Null
    """Null of the intervention itself, made at as many other frequencies."""
    as_large: Null
    """Null of an intervention of equal size, made at as many other frequencies; for knock out it equals ``same``."""


@dataclass(frozen=True)
class Causal(Finding):
    """Interventions at the key frequencies, each beside size-matched random draws."""

    effects: tuple[Effect, ...]
    """One effect per site and edit that could be tried."""
    turned_alone: tuple[tuple[int, float], ...]
    """Per key frequency k, (k, share of inputs whose answer moves by Δ when the hand of k alone is turned)."""
    draws: int
    """Number of random draws behind every null."""
    turns: int
    """Number of (a, Δ) whose hand was turned, each with all b; p(p-1) where all were."""
    lacking: tuple[str, ...]
    """Interventions that could not be tried on this network, and why."""

    def effect(self, site: str, edit: Edit) -> Effect | None:
        """The effect of one edit at one site; None where it could not be tried."""
        return next((each for each in self.effects if (each.site, each.edit) == (site, edit)), None)

    def table(self) -> Table:
        rows = tuple(
            (e.site, e.edit, e.value, _range(e.same), _beaten(e, e.same), _range(e.as_large), _beaten(e, e.as_large))
            for e in self.effects
        )
        columns = ("site", "edit", "share", "same edit", "beaten", "as large", "beaten")
        alone = ", ".join(f"{k}: {share:.3f}" for k, share in self.turned_alone)
        note = (
            f"same edit, as large: least and most of {self.draws} random draws, beaten where the share is beyond all of them; "
            f"hand turned for {self.turns} (a, Δ); each frequency alone {alone or '–'}"
        )
        return Table("Interventions at the key frequencies", columns, rows, ". ".join([note, *self.lacking]))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names = [f"{each.edit}, {each.site}" for each in self.effects]
        figure = go.Figure()
        if not self.effects:
            say(figure, "; ".join(self.lacking))
        for name, color, nulls in (
            ("random: same edit", QUIET, [each.same for each in self.effects]),
            ("random: as large", COLOURS[4], [each.as_large for each in self.effects]),
        ):
            spread = {
                "type": "data",
                "array": [null.most - null.median for null in nulls],
                "arrayminus": [null.median - null.least for null in nulls],
            }
            middle = [null.median for null in nulls]
            figure.add_scatter(x=middle, y=names, error_x=spread, mode="markers", name=name, marker_color=color)
        figure.add_scatter(
            x=[each.value for each in self.effects], y=names, mode="markers", name="key frequencies",
            marker={"size": 12, "symbol": "diamond", "color": STRONG},
        )  # fmt: skip
        beaten = sum(each.same.beaten for each in self.effects)
        return finish(
            figure,
            f"{beaten} of {len(self.effects)} interventions do to the key frequencies what no random draw does",
            "Keep only, remove, knock out: the share of pairs still answered right. Turn: the share of answers that "
            f"move by Δ when the key part of a is replaced by that of a + Δ. Lines: {self.draws} random sets of as many "
            "other frequencies, least to most; as large: amplified to the same size. Keeping should be far right, "
            "removing far left.",
            xaxis={"title": "share of pairs", "range": [-0.03, 1.03]},
            yaxis_autorange="reversed",
            height=520,
        )


@measurement(place=130, slow=True)
def causal(circuit: Circuit, *, draws: int = DRAWS, turned_inputs: int = TURNED) -> Causal:
    """Do the key frequencies, and nothing else as large, make the answer?

    Keep only and remove: at the embedding, at the pre-activations (waves of a, of b and their products at a frequency),
    at the logits (waves of c). Turn the hand: the key-frequency part of E[a] is replaced by that of E[a+Δ]; the answer must
    move by Δ. Knock out: the products of waves at each neuron's own frequency.

    Two nulls, on the same draws of as many other frequencies. Same edit: made at the drawn ones instead. As large:
    the part at the drawn frequencies is turned by random phases and amplified to the norm of the key part (``ablation``); this
    takes the place of that part when removing, is all that is left when keeping, and is what turns when turning. Knock out:
    the products are taken away at other frequencies, where they are not, instead of at the neurons' own.

    Draws and turns are seeded. Nothing is tried where there are no key frequencies, or too few others for a null.
    Source: this project.
    """
    p, keys = circuit.p, key_frequencies(circuit).frequencies
    try:
        nulls = random_draws(keys, p, count=draws, seed=0)
    except Unavailable as missing:
        return Causal((), (), draws=0, turns=0, lacking=(f"interventions: {missing}",))
    generator = torch.Generator().manual_seed(0)
    rows = torch.randperm(p, generator=generator)[:DRAW_ROWS]
    effects, lacking, alone, turned_rows = list[Effect](), list[str](), list[tuple[int, float]](), 0
    for name, site in (("embedding", embedding_site), ("pre-activations", neuron_site), ("logits", logit_site)):
        try:
            effects += _keep_and_remove(site(circuit, keys), keys, nulls, rows, p)
        except Unavailable as missing:
            lacking.append(f"{name}: {missing}")
    try:
        effects.append(_knock_out(circuit, nulls, rows))
    except Unavailable as missing:
        lacking.append(f"knock out: {missing}")
    try:
        a, delta = _turns(p, turned_inputs // p, generator)
        effects.append(_turn(circuit, keys, nulls, a, delta))
        alone = [(k, _turned_share(circuit, partial(part, frequencies=[k]), a[:200], delta[:200])) for k in keys]
        turned_rows = len(a)
    except Unavailable as missing:
        lacking.append(f"turn: {missing}")
    return Causal(tuple(effects), tuple(alone), draws=draws, turns=turned_rows, lacking=tuple(lacking))


def _keep_and_remove(site: Site, keys: Sequence[int], nulls: Sequence[Draw], rows: Rows, p: int) -> Iterator[Effect]:
    everywhere = torch.arange(p)
    key_part = site.part(keys, everywhere)
    whole = site.whole(rows)
    kept, removed = (list[float](), list[float]()), (list[float](), list[float]())
    for draw in nulls:
        there, as_large = site.part(draw.frequencies, rows), site.as_large(draw, rows)
        kept[0].append(site.accuracy(site.constant + there, rows))
        kept[1].append(site.accuracy(site.constant + as_large, rows))
        removed[0].append(site.accuracy(whole - there, rows))
        removed[1].append(site.accuracy(whole - there + as_large, rows))
    yield _effect(site.name, "keep only", site.accuracy(site.constant + key_part, everywhere), *kept)
    yield _effect(site.name, "remove", site.accuracy(site.whole(everywhere) - key_part, everywhere), *removed)


def _effect(site: str, edit: Edit, value: float, same: Sequence[float], as_large: Sequence[float]) -> Effect:
    return Effect(site, edit, value, same=_null(edit, value, same), as_large=_null(edit, value, as_large))


def _null(edit: Edit, value: float, drawn: Sequence[float]) -> Null:
    values = torch.tensor(drawn, dtype=torch.float64)
    least, median, most = (values.quantile(q).item() for q in (0.0, 0.5, 1.0))
    beaten = value < least if edit in ("remove", "knock out") else value > most
    return Null(least=least, median=median, most=most, beaten=beaten)


def _knock_out(circuit: Circuit, nulls: Sequence[Draw], rows: Rows) -> Effect:
    neurons, p = last_neurons(circuit), circuit.p
    waves, best = neurons.fit.waves[0][1:, 1:], neurons.fit.frequencies[0]
    generator = torch.Generator().manual_seed(1)

    def products(to: dict[int, int], phases: tuple[float, float], some: Rows) -> Float[Tensor, "row b neuron"]:
        total = torch.zeros(len(some), p, len(best), dtype=neurons.pre.dtype)
        for k in best.unique().tolist():
            mine = (best == k).nonzero()[:, 0]
            over_a, over_b = turned(to[k], p, phases[0])[1:, some], turned(to[k], p, phases[1])[1:]
            waves_of_pairs = einsum(over_a, over_b, "i row, j b -> row b i j").flatten(2).to(total.dtype)
            total.index_copy_(2, mine, waves_of_pairs @ waves[..., mine].flatten(0, 1).to(total.dtype))
        return total

    def accuracy(to: dict[int, int], phases: tuple[float, float], some: Rows) -> float:
        return right(neurons.logits(neurons.pre[some] - products(to, phases, some), rows=some), some)

    null = [accuracy(_elsewhere(p, generator), draw.phases[0], rows) for draw in nulls]
    value = accuracy({k: k for k in fourier.frequencies(p)}, (0.0, 0.0), torch.arange(p))
    return _effect("pre-activations", "knock out", value, null, null)


def _elsewhere(p: int, generator: torch.Generator) -> dict[int, int]:
    """Another frequency for every frequency: all are shifted cyclically by one random number of places."""
    count = p // 2
    shift = int(torch.randint(1, count, (), generator=generator))
    return {k: (k - 1 + shift) % count + 1 for k in fourier.frequencies(p)}


def _turns(p: int, most: int, generator: torch.Generator) -> tuple[Rows, Rows]:
    """Pairs of a and Δ ≠ 0 in random order, at most ``most`` of them."""
    order = torch.randperm(p * (p - 1), generator=generator)[:most]
    return order // (p - 1), order % (p - 1) + 1


def _turn(circuit: Circuit, keys: Sequence[int], nulls: Sequence[Draw], a: Rows, delta: Rows) -> Effect:
    value = _turned_share(circuit, partial(part, frequencies=keys), a, delta)
    few = slice(DRAW_ROWS)
    same, large = (
        [_turned_share(circuit, hand, a[few], delta[few]) for hand in hands]
        for hands in (
            [partial(part, frequencies=draw.frequencies) for draw in nulls],
            [partial(as_large, keys=keys, draw=draw) for draw in nulls],
        )
    )
    return _effect("embedding", "turn", value, same, large)


def _range(null: Null) -> str:
    return f"{null.least:.3f}–{null.most:.3f}"


def _beaten(effect: Effect, null: Null) -> Cell:
    """Is this null beaten? For a table: True where it is; else False where an explanation needs it, elsewhere the word no."""
    needed = effect.edit in ("remove", "turn") and (null is effect.same or effect.site == "embedding")
    return null.beaten if needed or null.beaten else "no"


def _turned_share(circuit: Circuit, hand: Callable[[Tensor], Tensor], a: Rows, delta: Rows) -> float:
    """How often does the answer move by Δ when the ``hand`` part of E[a] is replaced by that of E[a+Δ]? As a share, [0, 1]."""
    p, (E_a, E_b) = circuit.p, circuit.tables
    turning = hand(E_a)
    there = (a + delta) % p
    if not circuit.edits:
        return right(run_rows(circuit, E_a[a] - turning[a] + turning[there], E_b), there)
    # An edit sees all pairs at once: one run per Δ, in which the hand of every a is turned.
    moved = 0.0
    for each in delta.unique().tolist():
        mine = delta == each
        logits = circuit.with_tables((E_a - turning + turning.roll(-each, 0), E_b)).logits
        moved += right(logits[a[mine]], there[mine]) * int(mine.sum())
    return moved / len(delta)
