"""Which circuit computes the sum: clock, pizza, both, or a mixture of the two?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from analyses.basics.distance_irrelevance import distance_irrelevance
from analyses.basics.gradient_symmetry import SAMPLE, gradient_symmetry
from analyses.basics.logit_spectrum import logit_spectrum
from analyses.basics.performance import Performance, performance
from analyses.evidence.amplitude_profile import NEAR, AmplitudeProfile, FrequencyProfile, amplitude_profile, named
from analyses.evidence.known import known_coordinates
from analyses.evidence.neuron_clusters import neuron_clusters
from analyses.findings.drawing import finish, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET, SYMBOLS, VERDICT_COLOURS
from analyses.findings.table import Table
from analyses.findings.wording import listed, sentences
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

PIZZA_SYMMETRY, PIZZA_IRRELEVANCE = 0.98, 0.6
"""Cut-offs of the published criterion: a pizza has gradient symmetry above the first, distance irrelevance below the second."""
MOST_LOGITS, MOST_NEURONS = 0.5, 0.7
"""Least shares with which a clock or a pizza is named: of the logits' variance on clock and pizza terms of the key
frequencies, and of the neurons' variance at one frequency each. A lookup table has every frequency in its output and, at
p = 13 and 23, .40 and .28 of its neurons' variance at one frequency each; the generalising networks of Nanda et al. 2023
and Zhong et al. 2023 that were tried have at least .93 of their logits' variance and .92 of their neurons'."""
MOST_FREQUENCIES = 0.5
"""Largest share of all frequencies over which a clock's or pizza's output may be spread (its effective number of frequencies,
(Σ t_k²)² / Σ t_k⁴) in a network without exactly one layer of neurons to look at: the logits of a lookup table are equal
clocks at every frequency, and no measure of logits tells such a clock from a table. The generalising networks of Nanda et
al. 2023 and Zhong et al. 2023 that were tried are at .04 to .16."""
MOST_UNDECIDED = 0.05
"""Largest share, of what all key frequencies carry, that undecided ones may have in a network whose circuit is named."""

NAMED = ("clock", "pizza", "hybrid", "mixture")
"""The verdicts that name a circuit; all others say why none is named."""

Verdict = Literal["clock", "pizza", "hybrid", "mixture", "not generalising", "undecided"]


@dataclass(frozen=True)
class ClockOrPizza(Finding):
    """The verdict on which circuit a network computes with, beside the evidence for it."""

    verdict: Verdict
    """Verdict on the network: clock or pizza where every key frequency is one; hybrid where both occur; mixture where at least
    one frequency lies between the two, and not both occur."""
    reason: str
    """Reason for the verdict, in words: which frequencies are what; or why no circuit is named."""
    coordinate: float
    """Coordinate of the network, the mean of its frequencies' coordinates weighted by their shares: 0 a clock, 1 a pizza; NaN
    for a network that does not generalise."""
    margin: float
    """Distance of the frequencies' coordinates to the nearest cut-off that would change a verdict, the least of them; 0 where
    no circuit is named."""
    sureness: Literal["clear", "narrow", "unchecked", "none"]
    """How sure the verdict is. clear: every frequency has the same verdict on ten parts of the pairs, taken alone; narrow: not
    every one has; unchecked: a network that has not exactly one layer of neurons, whatever the margin (no neurons could show
    that its logits are not a table's: those that read other neurons may mix frequencies); none: no circuit is named."""
    frequencies: tuple[tuple[int, str], ...]
    """Verdict on each key frequency, (k, clock | pizza | mixture | undecided); empty for a network that does not generalise."""
    coordinates: tuple[tuple[int, float, float, float, float], ...]
    """Coordinates of each key frequency, (k, coordinate, least, most, share), with the range of the coordinate and the
    frequency's share of the logits' variance (amplitude_profile); empty for a network that does not generalise."""
    accuracy: float
    """Accuracy on all pairs that have an answer, [0, 1]; below .99 no circuit is named."""
    explained: float
    """Share of the centred logits' variance on Σ_k A_k(a-b) cos w_k(a+b-c), k key (see amplitude_profile), [0, 1]; NaN where
    the profiles cannot be measured."""
    unexplained: float
    """Share of the centred logits' variance that clock and pizza terms at the key frequencies leave: 1 - explained."""
    specialisation: float
    """Share of the last layer's neurons' variance at each one's own frequency (neuron_clusters); NaN without neurons."""
    spread: float
    """Effective number of frequencies in the output over the number that there are, (0, 1]: 1 for a lookup table."""
    gradient_symmetry: float
    """Gradient symmetry on the larger sample of triples, [-1, 1]; NaN where the network gives no gradients."""
    distance_irrelevance: float
    """Distance irrelevance of the right answer's logit, [0, 1]."""
    published_criterion: Literal["clock", "pizza", "neither", "not applied"]
    """Verdict of the criterion of Zhong et al. 2023: pizza is gradient symmetry > .98 and distance irrelevance < .6, clock the
    reverse; not applied where the network does not generalise or gives no gradients."""
    symmetry_margin: float
    """Margin of the published criterion in gradient symmetry, gradient_symmetry - .98: positive speaks for pizza."""
    irrelevance_margin: float
    """Margin of the published criterion in distance irrelevance, .6 - distance_irrelevance: positive speaks for pizza."""

    def how_sure(self) -> str:
        """How sure the verdict is, in a few words: where it is narrow, at which frequencies; why it could not be checked."""
        match self.sureness:
            case "clear":
                return "clear"
            case "narrow":
                verdicts, ranges = dict(self.frequencies), [(k, least, most) for k, _, least, most, _ in self.coordinates]
                near = [k for k, *ends in ranges if {*map(named, ends)} != {verdicts[k]} and verdicts[k] != "undecided"]
                return f"borderline at k = {listed(near)}"
            case "unchecked":
                return "unchecked by neurons, which are not in exactly one layer"
            case _:
                return "no circuit is named"

    def table(self) -> Table:
        rows = (
            ("pairs answered right", self.accuracy, "at least .99 to be judged"),
            ("output that clocks and pizzas account for", self.explained, "at least .5 to be judged"),
            ("variance of neurons at one frequency each", self.specialisation, "at least .7 to be judged"),
            ("frequencies in the output, of all there are", self.spread, "at most .5 where no neurons can tell"),
            ("coordinate (0 a clock, 1 a pizza)", self.coordinate, ""),
            ("change of a coordinate that changes a verdict", self.margin, "more than 0"),
            ("gradient symmetry (published)", self.gradient_symmetry, "above .98 for a pizza"),
            ("distance irrelevance (published)", self.distance_irrelevance, "below .6 for a pizza"),
            ("verdict of the published criterion", self.published_criterion, ""),
        )
        return Table(f"Circuit: {self.verdict}", ("evidence", "value", "what is asked for"), rows, sentences(self.reason))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, colours = go.Figure(), self.colours(k for k, *_ in self.coordinates)
        for name, left, right in (("clock", -NEAR, NEAR), ("mixture", NEAR, 1 - NEAR), ("pizza", 1 - NEAR, 1 + NEAR)):
            figure.add_vrect(
                x0=left, x1=right, fillcolor=VERDICT_COLOURS[name], opacity=0.18, line_width=0, layer="below",
                label={"text": name, "textposition": "top center"},
            )  # fmt: skip
        for name, points in known_coordinates().items():
            figure.add_scatter(
                x=[point[1] for point in points], y=[point[2] for point in points], mode="markers", name=name,
                text=[f"{name}, k = {point[0]}" for point in points], hovertemplate="%{text}<extra></extra>",
                marker={"symbol": "circle-open", "color": QUIET, "size": 8}, showlegend=False,
            )  # fmt: skip
        verdicts = dict(self.frequencies)
        for k, x, least, most, share in self.coordinates:
            spread = {"type": "data", "symmetric": False, "array": [most - x], "arrayminus": [x - least]}
            figure.add_scatter(
                x=[x], y=[share], error_x=spread, mode="markers", name=f"k = {k}: {verdicts[k]}", cliponaxis=False,
                marker={"size": 14, "color": colours[k], "symbol": SYMBOLS[verdicts[k]]},
            )  # fmt: skip
        if not self.coordinates:
            say(figure, sentences(self.reason))
        at = [x for _, x, *_ in self.coordinates if not math.isnan(x)]
        return finish(
            figure,
            f"Circuit: {self.verdict}" + (f" ({self.reason})" if self.coordinates else ""),
            "Every mark is a key frequency. To the right: how much of a pizza it is, 0 for a clock and 1 for a pizza; its line "
            "goes from the least to the largest on ten parts of the pairs. Upwards: how much of the output it carries. Open "
            "circles are the networks in this project's checkpoints/. The published measures are gradient symmetry "
            f"{self.gradient_symmetry:.2f} and distance irrelevance {self.distance_irrelevance:.2f}; the verdict of their "
            f"criterion on the network as a whole: {self.published_criterion}.",
            xaxis={"title": "coordinate: 0 for a clock, 1 for a pizza", "range": [min([-0.3, *at]), max([1.3, *at])]},
            yaxis={"title": "share of the output (logits' variance)", "range": [0, 1.05]},
            showlegend=True,
        )  # fmt: skip


@measurement(place=10)
def clock_or_pizza(circuit: Circuit, *, triples: int | None = SAMPLE) -> ClockOrPizza:
    """Which circuit computes the sum?

    Gate: a network that is wrong on more than 1% of all pairs is "not generalising", whatever else it looks like.
    Then each key frequency is judged by its amplitude profile, and the network by its frequencies: clock or pizza
    where all are, hybrid where both occur, mixture where at least one lies between and not both occur. Undecided: no key
    frequency, undecided ones that carry more than ``MOST_UNDECIDED``, logits or neurons that are mostly something else (see
    ``MOST_LOGITS``), or, in a network that has not exactly one layer of neurons, an output that could be a lookup table's
    (``MOST_FREQUENCIES``).

    ``triples``: number of triples that gradient symmetry is measured on; None for all p³ (see gradient_symmetry).
    Sources: this project (the per-frequency verdict); Zhong et al. 2023, arXiv 2306.17844 (the published criterion).
    """
    measured, irrelevance = performance(circuit), distance_irrelevance(circuit).correct
    symmetry = _or_nan(lambda: gradient_symmetry(circuit, triples=triples).mean)
    specialisation = _or_nan(lambda: neuron_clusters(circuit).specialisation)
    spread = effective_share(logit_spectrum(circuit).clock_terms)
    # Neurons that read other neurons may mix frequencies in a circuit, too: they tell nothing of a table.
    telling = specialisation if circuit.network.layers_of_neurons() == 1 else math.nan
    try:
        profile = amplitude_profile(circuit)
        name, reason = _verdict(measured, profile, telling, spread)
    except Unavailable as lacking:
        # Without its embedding a network can be seen to generalise or not, but not told clock from pizza.
        profile = AmplitudeProfile(profiles=(), explained=math.nan)
        name, reason = _verdict(measured, profile, telling, spread)
        reason = reason if name == "not generalising" else str(lacking)
    judged = profile.profiles if measured.generalises else ()
    return ClockOrPizza(
        verdict=name,
        reason=reason,
        coordinate=_mean_coordinate(judged),
        margin=min((each.margin for each in judged if each.verdict != "undecided"), default=0.0) if name in NAMED else 0.0,
        sureness=_sureness(name, judged, telling),
        frequencies=tuple((each.k, each.verdict) for each in judged),
        coordinates=tuple((each.k, each.coordinate, each.least, each.most, each.share) for each in judged),
        accuracy=measured.accuracy,
        explained=profile.explained,
        unexplained=1 - profile.explained,
        specialisation=specialisation,
        spread=spread,
        gradient_symmetry=symmetry,
        distance_irrelevance=irrelevance,
        published_criterion=_published(symmetry, irrelevance) if measured.generalises else "not applied",
        symmetry_margin=symmetry - PIZZA_SYMMETRY,
        irrelevance_margin=PIZZA_IRRELEVANCE - irrelevance,
    )


def effective_share(clock_terms: Sequence[float]) -> float:
    """The effective number of frequencies, (Σ t²)² / Σ t⁴, over the number of terms t, (0, 1]; NaN where all terms are 0."""
    return fourier.effective_number(torch.tensor(clock_terms, dtype=torch.float64).square()) / len(clock_terms)


def _mean_coordinate(profiles: Sequence[FrequencyProfile]) -> float:
    total = sum(each.share for each in profiles)
    return sum(each.share * each.coordinate for each in profiles) / total if total else math.nan


def _sureness(
    name: Verdict, profiles: Sequence[FrequencyProfile], telling: float
) -> Literal["clear", "narrow", "unchecked", "none"]:
    if name not in NAMED:
        return "none"
    if math.isnan(telling):
        return "unchecked"
    return "clear" if all(each.is_clear for each in profiles if each.verdict != "undecided") else "narrow"


def _verdict(measured: Performance, profile: AmplitudeProfile, telling: float, spread: float) -> tuple[Verdict, str]:
    if not measured.generalises:
        return "not generalising", f"it is wrong on {measured.wrong} of {measured.pairs} pairs, so no circuit is named"
    if not profile.profiles:
        return "undecided", "no frequency carries its output"
    if profile.explained < MOST_LOGITS:
        return "undecided", f"clocks and pizzas account for only {profile.explained:.0%} of its output"
    if math.isnan(telling) and spread > MOST_FREQUENCIES:
        return (
            "undecided",
            f"its output uses {spread:.0%} of all frequencies, as that of a table known by heart does, and no neurons tell the "
            "two apart",
        )
    if telling < MOST_NEURONS:
        return "undecided", f"its neurons mix frequencies: only {telling:.0%} of their variance lies at one frequency each"
    return _of_frequencies(profile.profiles)


def _by_reason(profiles: Sequence[FrequencyProfile]) -> dict[str, list[int]]:
    """The frequencies for which each reason is given."""
    found: dict[str, list[int]] = {}
    for each in profiles:
        found.setdefault(each.reason, []).append(each.k)
    return found


def _of_frequencies(profiles: Sequence[FrequencyProfile]) -> tuple[Verdict, str]:
    """The verdict that follows from those on the key frequencies, and which of them are what."""
    unclear = [each for each in profiles if each.verdict == "undecided"]
    carried = sum(each.share for each in unclear) / sum(each.share for each in profiles)
    if carried > MOST_UNDECIDED:
        return "undecided", "; ".join(f"at {listed(ks)} {reason}" for reason, ks in _by_reason(unclear).items())
    ks = {name: [each.k for each in profiles if each.verdict == name] for name in ("clock", "pizza")}
    mixed = [f"{each.k} ({each.coordinate:.0%} pizza)" for each in profiles if each.verdict == "mixture"]
    beside = [f"undecided at {listed(ks)} ({reason})" for reason, ks in _by_reason(unclear).items()]
    mixtures = [f"{'mixtures' if len(mixed) > 1 else 'a mixture'} at {listed(mixed)}"] if mixed else []
    parts = [*(f"a {name} at {listed(those)}" for name, those in ks.items() if those), *mixtures, *beside]
    both = bool(ks["clock"] and ks["pizza"])
    name: Verdict = "hybrid" if both else "mixture" if mixed else "clock" if ks["clock"] else "pizza"
    lead = {"hybrid": "both clock and pizza: ", "mixture": "between clock and pizza: "}.get(name, "")
    return name, lead + ", ".join(parts)


def _or_nan(measure: Callable[[], float]) -> float:
    """The result of ``measure``; NaN where the network lacks what it needs."""
    try:
        return measure()
    except Unavailable:
        return math.nan


def _published(symmetry: float, irrelevance: float) -> Literal["clock", "pizza", "neither", "not applied"]:
    if symmetry > PIZZA_SYMMETRY and irrelevance < PIZZA_IRRELEVANCE:
        return "pizza"
    if math.isnan(symmetry):
        return "not applied"
    if symmetry <= PIZZA_SYMMETRY and irrelevance >= PIZZA_IRRELEVANCE:
        return "clock"
    return "neither"
