"""Is this network explained: what it computes, how, and why we believe it?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

from analyses.basics.performance import performance
from analyses.evidence.amplitude_profile import amplitude_profile
from analyses.evidence.neuron_clusters import neuron_clusters
from analyses.findings.drawing import finish, frequency_colours, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import SYMBOLS
from analyses.findings.table import Cell, Table
from analyses.tools.amplitudes import explained_share
from analyses.tools.closed_form import mixture
from analyses.tools.scoring import Score
from analyses.trials.causal import Causal, Effect, causal
from analyses.trials.phase_law import FrequencyLaw, PhaseLaw, phase_law
from analyses.trials.residual import residual
from analyses.trials.surrogate import surrogate
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_VARIANCE, MOST_ANSWERS, LAWFUL = 0.95, 0.99, 0.95
"""Least values that an explanation has to reach: explained variance of the formula, agreement of formula and neurons with the
network's answers, R of the phase law at every key frequency. Fixed before any network of the study was trained."""

F = TypeVar("F", bound=Finding)


@dataclass(frozen=True)
class FrequencyCard:
    """What an explanation says of one key frequency."""

    k: int
    """The frequency."""
    share: float
    """Share of the centred logits' variance on A_k(a-b) cos w_k(a+b-c), [0, 1]."""
    verdict: str
    """Verdict on the frequency: clock, pizza or between (amplitude_profile)."""
    coordinate: float
    """The pizza's share of the mean amplitude, frequency 2k removed first: 0 a clock, 1 a pizza (closed_form.mixture)."""
    mixture_fit: float
    """Share of the amplitude profile's sum of squares that a mixture of a clock and a pizza gives, [0, 1]."""
    neurons: int
    """Number of neurons that work at the frequency (neuron_clusters); 0 also where there are no neurons to look at."""
    R: float
    """Resultant R of the phase law at the frequency, [0, 1]; NaN where it cannot be measured."""
    lawful: bool | None
    """Is R at least .95 and above all of its null? None where R cannot be measured, or in a network of several layers."""
    shape: str
    """Shape of the phases at which the frequency's neurons read: disc, torus or none (phase_law)."""


@dataclass(frozen=True)
class Explanation(Finding):
    """What a network computes, how, and why that is believed. An answer that cannot be measured is None, neither yes nor no."""

    is_explained: bool | None
    """Does the network generalise, and do ``what``, ``how`` and ``why`` hold? None where none fails and one cannot be said."""
    reason: str
    """What an explanation lacks, or what cannot be said, and why; for an explained network, its closed form."""
    generalises: bool
    """Is the accuracy on all pairs at least .99?"""
    what: bool
    """Does a closed form reach explained variance ≥ .95 and agreement ≥ .99 with the network's answers?"""
    closed_form: Score
    """Score of the most compressed closed form that reaches what ``what`` asks for; else of the one that explains most."""
    how: bool | None
    """Does a neuron surrogate of order ≤ 2 with at most two frequencies per neuron agree with the network's answers ≥ .99,
    and does the phase law hold at every key frequency (R ≥ .95 and above its null)? None without a last layer of neurons."""
    neuron_agreement: float
    """Agreement of ``neuron_surrogate`` with the network's answers, [0, 1]; NaN where there is no last layer of neurons."""
    neuron_surrogate: str
    """Name of the neuron surrogate of fewest numbers whose agreement reaches .99, else of the best one; empty where the network
    has no last layer of neurons."""
    why: bool | None
    """Does removing the key frequencies, at every site there is, do more harm than every draw of the same edit, and at the
    embedding than every draw as large; and does turning their hand move the answer more often than every draw of both? None
    where no intervention could be tried, or none at the embedding."""
    turned: float
    """Share of inputs (a, Δ, b) whose answer moved by Δ when the hand was turned, [0, 1]; NaN where it could not be turned."""
    frequencies: tuple[FrequencyCard, ...]
    """One card per key frequency, in ascending order of k."""
    unexplained: float
    """Share of the centred logits' variance that clock and pizza terms at the key frequencies leave unexplained."""
    lives: tuple[tuple[str, float], ...]
    """Where the unexplained variance lives: (part, share of the centred logits' variance), largest first (residual)."""
    delta_2: float
    """Accuracy that waves of a±b in the neurons add (phase_law); NaN where the network has no last layer of neurons."""
    lacking: tuple[str, ...]
    """Measurements and interventions that do not apply to this network, and why."""

    def verdict(self) -> str:
        """Is the network explained? In words: yes, no, or cannot be said."""
        return {True: "yes", False: "no", None: "cannot be said"}[self.is_explained]

    def table(self) -> Table:
        form, law = self.closed_form, ", R –"
        if self.frequencies and not math.isnan(least := min(f.R for f in self.frequencies)):
            law = f", R ≥ {least:.4f}"
        rows: list[tuple[Cell, ...]] = [
            ("what", f"{form.name}, {form.numbers} numbers", _round(form.explained), f"agrees {form.agreement:.4f}", self.what),
            ("how", self.neuron_surrogate or "–", None, f"agrees {_shown(self.neuron_agreement)}{law}", self.how),
            ("why", "removal, turned hand", None, f"turned {_shown(self.turned)}", self.why),
        ]
        for f in self.frequencies:
            kind, neurons = f"{f.verdict}, coordinate {f.coordinate:.2f}", f"{f.neurons} neurons, R {_shown(f.R)}, {f.shape}"
            rows.append((f"k = {f.k}", kind, _round(f.share), neurons, f.lawful))
        for part, share in self.lives[:4]:
            rows.append(("left", part, _round(share), "", None))
        note = (
            "share: of the logits' variance; agrees: answers that are the network's own; R: of the phase law; turned: answers "
            "that follow the turned hand; coordinate: 0 a clock, 1 a pizza"
        )
        title = f"Explained: {self.verdict()}"
        columns = ("", "finding", "share", "evidence", "holds")
        return Table(title, columns, tuple(rows), ". ".join([self.reason, *self.lacking, note]))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, colours = go.Figure(), frequency_colours([f.k for f in self.frequencies])
        for f in self.frequencies:
            figure.add_scatter(
                x=[f.coordinate], y=[f.share], mode="markers+text", text=[f"k = {f.k}"], textposition="top center",
                name=f"k = {f.k}: {f.verdict}", cliponaxis=False,
                marker={"size": 14, "color": colours[f.k], "symbol": SYMBOLS.get(f.verdict, "circle")},
            )  # fmt: skip
        at = [0.0, *(f.coordinate for f in self.frequencies if f.coordinate == f.coordinate)]  # not NaN
        if not self.frequencies:
            say(figure, self.reason)
        return finish(
            figure,
            f"Explained: {self.verdict()} ({self.reason})",
            "Every key frequency: how much of a pizza it is (its share of the mean amplitude in the best mixture of a "
            "clock and a pizza), and how much of the output it carries. Clock and pizza terms leave "
            f"{self.unexplained:.2%} unexplained. Explained needs a formula that fits (what), neurons that obey the "
            "phase law (how) and interventions beside random ones (why).",
            xaxis={"title": "clock–pizza coordinate (0 a clock, 1 a pizza)", "range": [min(-0.1, *at), max(1.15, *at)]},
            yaxis={"title": "share of the logits' variance", "rangemode": "tozero"},
        )


@measurement(place=100, slow=True)
def explanation(circuit: Circuit) -> Explanation:
    """Is this network explained: what it computes, how, and why we believe it?

    See the fields ``what``, ``how`` and ``why``; a network is explained when it generalises and all three hold, else
    ``reason`` says what is missing. Parts that a network does not allow to be measured (several layers, no embedding) cannot be
    said: they are None and listed in ``lacking``, and the whole is None unless another part fails.

    Source: this project.
    """
    lacking: list[str] = []

    def if_it_applies(measure: Callable[[Circuit], F]) -> F | None:
        try:
            return measure(circuit)
        except Unavailable as missing:
            lacking.append(f"{getattr(measure, '__name__', '')}: {missing}")
            return None

    law, interventions = if_it_applies(phase_law), if_it_applies(causal)
    layers = circuit.network.layers_of_neurons()
    if layers > 1:
        lacking.append(f"the phase law is about neurons that read the embeddings, and these are the last of {layers} layers")
    cards = _cards(circuit, law, lacking)
    surrogates = surrogate(circuit)
    form, neurons = _closed_form(surrogates.closed_forms), _neurons(surrogates.neurons)
    what = form.explained >= MOST_VARIANCE and form.agreement >= MOST_ANSWERS
    # Without key frequencies there is no card, and no law that holds.
    lawful = None if law is None or layers > 1 else bool(cards) and all(card.lawful for card in cards)
    reproduced = None if neurons is None else neurons.agreement >= MOST_ANSWERS
    how, (why, why_not) = _all([reproduced, lawful]), _why(interventions)
    generalises, where = performance(circuit).generalises, residual(circuit)
    missing = [
        *([] if generalises else ["it does not generalise"]),
        *([] if what else [f"what: {form.name} explain {form.explained:.4f}, agreement {form.agreement:.4f}"]),
        *(["how: no neuron surrogate gives its answers"] if reproduced is False else []),
        *(["how: the phase law does not hold at every key frequency"] if lawful is False else []),
        *([f"how cannot be said: {surrogates.lacking or '; '.join(lacking)}"] if how is None else []),
        *([f"why: {why_not}"] if why is False else []),
        *([f"why cannot be said: {why_not}"] if why is None else []),
    ]
    turn = interventions.effect("embedding", "turn") if interventions else None
    return Explanation(
        is_explained=_all([generalises, what, how, why]),
        reason="; ".join(missing) if missing else f"{form.name}, {form.numbers} numbers",
        generalises=generalises,
        what=what,
        closed_form=form,
        how=how,
        neuron_agreement=neurons.agreement if neurons else float("nan"),
        neuron_surrogate=neurons.name if neurons else "",
        why=why,
        turned=turn.value if turn else float("nan"),
        frequencies=cards,
        unexplained=where.unexplained,
        lives=tuple(sorted(where.parts().items(), key=lambda part: -part[1])),
        delta_2=law.delta_2 if law else float("nan"),
        lacking=(*lacking, *(interventions.lacking if interventions else ())),
    )


def _all(parts: Sequence[bool | None]) -> bool | None:
    """Do all parts hold? False where one does not; else None where one cannot be said."""
    return False if False in parts else None if None in parts else True


def _round(share: float) -> float:
    """A share, rounded as far as the table shows it."""
    return round(share, 4)


def _shown(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.4f}"


def _cards(circuit: Circuit, law: PhaseLaw | None, lacking: list[str]) -> tuple[FrequencyCard, ...]:
    try:
        profiles = amplitude_profile(circuit).profiles
    except Unavailable as missing:
        lacking.append(f"amplitude_profile: {missing}")
        return ()
    clusters = neuron_clusters(circuit).clusters if law else {}
    laws = {each.k: each for each in law.frequencies} if law else {}
    cards = []
    for profile in profiles:
        k, mixed = profile.k, mixture(torch.tensor(profile.profile, dtype=torch.float64), profile.k)
        mine = laws.get(k)
        cards.append(
            FrequencyCard(
                k=k,
                share=explained_share(circuit, [k]),
                verdict=profile.verdict,
                coordinate=mixed.coordinate,
                mixture_fit=mixed.fitted,
                neurons=clusters.get(k, 0),
                R=mine.R if mine else float("nan"),
                lawful=None if mine is None or circuit.network.layers_of_neurons() > 1 else _is_lawful(mine),
                shape=mine.shape if mine else "none",
            )
        )
    return tuple(cards)


def _is_lawful(law: FrequencyLaw) -> bool:
    return law.R >= LAWFUL and law.null_most < law.R


def _closed_form(forms: tuple[Score, ...]) -> Score:
    for form in sorted(forms, key=lambda form: form.numbers):
        if form.explained >= MOST_VARIANCE and form.agreement >= MOST_ANSWERS:
            return form
    return max(forms, key=lambda form: (form.explained, form.agreement))


def _neurons(surrogates: tuple[Score, ...]) -> Score | None:
    """The smallest surrogate with the network's own W_L that gives the network's answers, else the best; None without any."""
    own = [each for each in surrogates if each.name.startswith("neurons")]
    enough = [each for each in own if each.agreement >= MOST_ANSWERS]
    return min(enough, key=lambda each: each.numbers) if enough else max(own, key=lambda s: s.agreement, default=None)


def _why(interventions: Causal | None) -> tuple[bool | None, str]:
    """Do the interventions beat all draws that they have to? With those that do not, or why that cannot be said."""
    if interventions is None or not interventions.effects:
        lacking = "" if interventions is None else ", ".join(interventions.lacking)
        return None, lacking or "no intervention could be compared with a null"
    needed = [(each, each.same.beaten) for each in interventions.effects if each.edit == "remove"]
    at_embedding: list[Effect | None] = [interventions.effect("embedding", edit) for edit in ("remove", "turn")]
    needed += [(each, each.same.beaten and each.as_large.beaten) for each in at_embedding if each is not None]
    if unbeaten := sorted({f"{each.edit}, {each.site}, does not beat its null" for each, beaten in needed if not beaten}):
        return False, ", ".join(unbeaten)
    return (None, "the embedding could not be edited") if None in at_embedding else (True, "")
