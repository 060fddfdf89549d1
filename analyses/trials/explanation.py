"""Is this network explained: what it computes, how, and why we believe it?"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from analyses.basics.performance import performance
from analyses.evidence.amplitude_profile import amplitude_profile
from analyses.evidence.neuron_clusters import neuron_clusters
from analyses.findings.drawing import finish, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import SYMBOLS
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.tools.scoring import Score
from analyses.trials.causal import causal
from analyses.trials.criterion import all_hold, best_neurons, closed_form, is_lawful, law_holds, why_holds
from analyses.trials.ladder import MOST_ANSWERS, RUNGS, Rung, ladder
from analyses.trials.memory import memory
from analyses.trials.phase_law import PhaseLaw, phase_law
from analyses.trials.residual import residual
from analyses.trials.surrogate import surrogate
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

F = TypeVar("F", bound=Finding)


@dataclass(frozen=True)
class FrequencyCard:
    """What an explanation says of one key frequency."""

    k: int
    """The frequency."""
    share: float
    """Share of the centred logits' variance on A_k(a-b) cos w_k(a+b-c), [0, 1]."""
    verdict: str
    """Verdict on the frequency: clock, pizza, mixture or undecided (amplitude_profile)."""
    coordinate: float
    """The pizza's share of the mean amplitude, frequency 2k removed first: 0 a clock, 1 a pizza (amplitude_profile)."""
    mixture_fit: float
    """Share of the amplitude profile's sum of squares that a mixture of a clock and a pizza gives, [0, 1]."""
    neurons: int
    """Number of neurons that work at the frequency (neuron_clusters); 0 also where there are no neurons to look at."""
    R: float
    """Resultant R of the phase law at the frequency, [0, 1]; NaN where it cannot be measured."""
    lawful: bool | None
    """Is R at least .95 and above all of its null? None where R cannot be measured, and in a network of several layers."""
    shape: str
    """Shape of the phases at which the frequency's neurons read: disc, torus or none (phase_law)."""


@dataclass(frozen=True)
class Explanation(Finding):
    """What a network computes, how, and why that is believed. An answer that cannot be measured is None, neither yes nor no."""

    is_explained: bool | None
    """Does the network generalise, and do ``what``, ``how`` and ``why`` hold? None where none fails and one cannot be said."""
    reason: str
    """What an explanation lacks, or what cannot be said, and why; for an explained network, the rung that carries it."""
    generalises: bool
    """Is the accuracy on all pairs at least .99?"""
    what: bool
    """Does some rung of the ladder carry the network: explained variance ≥ .95, agreement with its answers ≥ .99, loss
    recovered on held-out pairs ≥ .99?"""
    rung: int | None
    """Number of the first rung that carries the network: 1 formula, 2 quadrature, 3 neurons of one key frequency, 4 crosstalk;
    None where none does."""
    carried_by: Score
    """Score of the first rung that carries the network, else of the one that explains most."""
    closed_form: Score
    """Score of the formula of fewest numbers that carries the network, else of the one that explains most."""
    how: bool | None
    """Does the network give its own answers on ≥ .99 of all pairs when its neurons are cut down to waves of at most two
    frequencies (order ≤ 2), or to rung 3 or 4; and does the phase law hold (R ≥ .95 and above its null) at key frequencies that
    carry ≥ .95 of what all carry? The law is not asked for in a network of several layers. None without neurons."""
    neuron_agreement: float
    """Agreement of ``neuron_surrogate`` with the network's answers, [0, 1]; NaN where there is no last layer of neurons."""
    neuron_surrogate: str
    """Name of the neuron surrogate or rung of fewest numbers whose agreement reaches .99, else of the best one; empty where the
    network has no last layer of neurons."""
    why: bool | None
    """On held-out pairs: does removing the key frequencies, at every site there is, do more harm than every draw of the same
    edit, and at the embedding than every draw as large, and take at least half of the right answers; does turning their hand
    move the answer more often than every draw of both, and at least half of the time? None where no intervention could be
    tried, or none at the embedding."""
    turned: float
    """Share of inputs (a, Δ, b) whose answer moved by Δ when the hand was turned, [0, 1]; NaN where it could not be turned."""
    frequencies: tuple[FrequencyCard, ...]
    """One card per key frequency, in ascending order of k."""
    unexplained: float
    """Share of the centred logits' variance that clock and pizza terms at the key frequencies leave unexplained."""
    memory: str
    """Memory of trained pairs beside the formula: found, next to none, none seen, or cannot be said (memory)."""
    memory_worth: float
    """How much of the gap between the losses on held-out and on trained pairs the memory makes, nats; NaN where not known."""
    lives: tuple[tuple[str, float], ...]
    """Where the unexplained variance lives: (part, share of the centred logits' variance), largest first (residual)."""
    delta_2: float
    """Accuracy that waves of a±b in the neurons add (phase_law); NaN where the network has no last layer of neurons."""
    lacking: tuple[str, ...]
    """Measurements and interventions that do not apply to this network, and why."""

    def verdict(self) -> str:
        """Is the network explained? In words: yes, no, or cannot be said."""
        return {True: "yes", False: "no", None: "cannot be said"}[self.is_explained]

    def grade(self) -> str:
        """The rung that carries the network and how far it does, in one line."""
        s = self.carried_by
        name = "no rung carries it: the best" if self.rung is None else f"rung {self.rung}, {RUNGS[self.rung]}"
        return (
            f"{name} ({s.name}) gives with {s.numbers} numbers {s.explained:.1%} of its output, {s.agreement:.1%} of its "
            f"answers{_of_loss(s)}"
        )

    def table(self) -> Table:
        s, law = self.carried_by, ""
        if self.frequencies and not math.isnan(least := min(f.R for f in self.frequencies)):
            law = f", R at least {least:.4f}"
        rung = "no rung" if self.rung is None else f"rung {self.rung}"
        rows: list[tuple[Cell, ...]] = [
            (
                "what",
                f"{rung}: {s.name}, {s.numbers} numbers",
                _round(s.explained),
                f"{s.agreement:.2%} of its answers{_of_loss(s, digits=2)}",
                self.what,
            ),
            (
                "how",
                self.neuron_surrogate or None,
                None,
                _percent(self.neuron_agreement, f" of its answers{law}"),
                self.how,
            ),
            ("why", "interventions", None, _percent(self.turned, " of answers follow a turned hand"), self.why),
        ]
        for f in self.frequencies:
            neurons = f"{f.neurons} neurons, R {f.R:.4f}, {f.shape}" if f.R == f.R else "no neurons of its own"  # not NaN
            rows.append((f"k = {f.k}", f"{f.verdict}, coordinate {f.coordinate:.2f}", _round(f.share), neurons, f.lawful))
        for part, share in self.lives[:4]:
            rows.append(("rest", part, _round(share), "", None))
        worth = "" if math.isnan(self.memory_worth) else f"{self.memory_worth:.1g} nats more held-out loss"
        rows.append(("memory", self.memory, None, worth, None))
        note = (
            "What it computes, how it does it, and why we believe it. Of the output: share of the logits' variance, 1 is all. "
            "Its answers: those of the network, right or wrong; its loss: what it gains on guessing, on held-out pairs. R: how "
            "exactly neurons obey the phase law, 1 is exact. Coordinate: 0 for a clock, 1 for a pizza. Disc: neurons read a "
            "and b at one phase. Rest, what is not explained: the largest parts of the output that clocks and pizzas do not "
            "give"
        )
        by = f", by rung {self.rung}: {RUNGS[self.rung]}" if self.is_explained and self.rung else ""
        columns = ("", "finding", "of the output", "evidence", "holds")
        lacking = [each for each in self.lacking if each not in self.reason]
        return Table(f"Explained: {self.verdict()}{by}", columns, tuple(rows), sentences(self.reason, *lacking, note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, colours = go.Figure(), self.colours(f.k for f in self.frequencies)
        for f in self.frequencies:
            figure.add_scatter(
                x=[f.coordinate], y=[f.share], mode="markers+text", text=[f"k = {f.k}"], textposition="top center",
                name=f"k = {f.k}: {f.verdict}", cliponaxis=False,
                marker={"size": 14, "color": colours[f.k], "symbol": SYMBOLS.get(f.verdict, "circle")},
            )  # fmt: skip
        at = [0.0, *(f.coordinate for f in self.frequencies if f.coordinate == f.coordinate)]  # not NaN
        if not self.frequencies:
            say(figure, sentences(self.reason))
        return finish(
            figure,
            sentences(f"Explained: {self.verdict()}", self.reason),
            "Every mark is a key frequency: to the right how much of a pizza it is, upwards how much of the output it carries. "
            f"{self.grade()[0].upper() + self.grade()[1:]}. To be explained a network needs something simpler that can take "
            "its place (what), neurons that obey the phase law (how) and interventions that random ones do not match (why).",
            xaxis={"title": "coordinate: 0 for a clock, 1 for a pizza", "range": [min(-0.1, *at), max(1.15, *at)]},
            yaxis={"title": "share of the output (logits' variance)", "rangemode": "tozero"},
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
            lacking.append(f"measuring {getattr(measure, '__name__', '')} {missing}")
            return None

    law, interventions, surrogates = if_it_applies(phase_law), if_it_applies(causal), if_it_applies(surrogate)
    layers = circuit.network.layers_of_neurons()
    if layers > 1:
        lacking.append(f"the phase law is about neurons that read the embeddings, and these are the last of {layers} layers")
    cards = _cards(circuit, law, lacking)
    rungs = ladder(circuit)
    first, best, neurons = rungs.first, rungs.best, best_neurons(surrogates, rungs)
    lawful = None if law is None or layers > 1 else law_holds([(card.share, card.lawful) for card in cards])
    reproduced = None if neurons is None else neurons.agreement >= MOST_ANSWERS
    # In a network of several layers the law is not asked for.
    how = all_hold([reproduced] if layers > 1 else [reproduced, lawful])
    why, why_not = why_holds(interventions)
    generalises, where = performance(circuit).generalises, residual(circuit)
    remembered = memory(circuit)
    missing = [
        *([] if generalises else ["it does not generalise"]),
        *([] if first else [f"nothing simpler can take its place; {_best(best)}"]),
        *(["its neurons, cut down to waves, do not give its answers"] if reproduced is False else []),
        *(["its neurons do not obey the phase law at key frequencies that carry enough"] if lawful is False else []),
        *([f"how its neurons do it cannot be said: {'; '.join(lacking)}"] if how is None else []),
        *([f"interventions do not confirm it: {why_not}"] if why is False else []),
        *([f"whether interventions confirm it cannot be said: {why_not}"] if why is None else []),
    ]
    turn = interventions.effect("embedding", "turn") if interventions else None
    return Explanation(
        is_explained=all_hold([generalises, first is not None, how, why]),
        reason="; ".join(missing) if missing else f"{best.in_words()} can take its place: rung {best.number}",
        generalises=generalises,
        what=first is not None,
        rung=None if first is None else first.number,
        carried_by=best.score,
        closed_form=closed_form(rungs),
        how=how,
        neuron_agreement=neurons.agreement if neurons else float("nan"),
        neuron_surrogate=neurons.name if neurons else "",
        why=why,
        turned=turn.value if turn else float("nan"),
        frequencies=cards,
        unexplained=where.unexplained,
        memory=remembered.in_short(),
        memory_worth=remembered.worth,
        lives=tuple(sorted(where.parts().items(), key=lambda part: -part[1])),
        delta_2=law.delta_2 if law else float("nan"),
        lacking=(*lacking, *(interventions.lacking if interventions else ())),
    )


def _round(share: float) -> float:
    """A share, rounded as far as the table shows it."""
    return round(share, 4)


def _percent(share: float, of_what: str) -> str:
    return "could not be tried" if math.isnan(share) else f"{share:.2%}{of_what}"


def _of_loss(s: Score, digits: int = 1) -> str:
    """The share of the loss that a score recovers, as the end of a list; empty where it is not known."""
    return "" if math.isnan(s.recovered) else f" and {s.recovered:.{digits}%} of its loss"


def _best(rung: Rung) -> str:
    s = rung.score
    return (
        f"the best, {rung.in_words()}, gives {s.explained:.1%} of its output and {s.agreement:.1%} of its answers{_of_loss(s)}"
    )


def _cards(circuit: Circuit, law: PhaseLaw | None, lacking: list[str]) -> tuple[FrequencyCard, ...]:
    try:
        profiles = amplitude_profile(circuit).profiles
    except Unavailable as missing:
        lacking.append(f"measuring amplitude_profile {missing}")
        return ()
    clusters = neuron_clusters(circuit).clusters if law else {}
    laws = {each.k: each for each in law.frequencies} if law else {}
    cards = []
    for profile in profiles:
        mine = laws.get(profile.k)
        cards.append(
            FrequencyCard(
                k=profile.k,
                share=profile.share,
                verdict=profile.verdict,
                coordinate=profile.coordinate,
                mixture_fit=profile.fitted,
                neurons=clusters.get(profile.k, 0),
                R=mine.R if mine else float("nan"),
                lawful=None if mine is None or circuit.network.layers_of_neurons() > 1 else is_lawful(mine),
                shape=mine.shape if mine else "none",
            )
        )
    return tuple(cards)
