"""How does the output at one frequency depend on the distance a - b: flat like a clock, or like a pizza's |cos|?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish, frequency_colours, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET, SYMBOLS
from analyses.findings.table import Table
from analyses.tools.amplitudes import amplitudes, explained_share
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

PIZZA_VARIATION, PIZZA_MINIMUM, PIZZA_LEAST = 0.4, 0.3, -0.1
CLOCK_VARIATION, CLOCK_MINIMUM = 0.2, 0.5
"""Cut-offs of a profile's coefficient of variation and min/max, chosen after seeing 14 published networks, which they
separate cleanly (one-layer ones: ≥ .45 against ≤ .14); the coordinates are therefore always shown beside the label.
PIZZA_LEAST, this project's, keeps out what is no |cos| at all: an amplitude that changes its sign with the distance."""

FrequencyVerdict = Literal["clock", "pizza", "between"]


@dataclass(frozen=True)
class FrequencyProfile:
    """The amplitude profile A_k(d) of one frequency, and the verdict on it."""

    k: int
    """The frequency."""
    removed: int
    """The frequency 2k (folded) that was projected out of the embedding first; 0 where none was: at 2k = p there is no such
    frequency, and at 3k = p it is k itself."""
    variation: float
    """Coefficient of variation of A_k over d: 0 for an ideal clock, .48 for an ideal pizza with p → ∞."""
    min_over_max: float
    """Least amplitude over the largest, min A_k / max A_k: 1 for an ideal clock, 0 for an ideal pizza, unless few values of
    |cos(w_k d/2)| exist: where p / gcd(k, p) is 3 or 5 the least of them is .5 and .31, and a pizza comes out as between."""
    verdict: FrequencyVerdict
    """Verdict on the frequency: clock, pizza, or between."""
    margin: float
    """Distance to the nearest cut-off that would change the verdict, in units of variation and min/max; 0 for between."""
    profile: tuple[float, ...]
    """Amplitude A_k(d) for d = a - b mod p = 0..p-1, in logits."""

    def along_the_arch(self) -> list[int]:
        """The distances d in ascending order of k·d mod p, in which every frequency shows one arch, however fast it turns."""
        p = len(self.profile)
        return sorted(range(p), key=lambda d: (self.k * d % p, self.profile[d]))


@dataclass(frozen=True)
class AmplitudeProfile(Finding):
    """The amplitude profiles of the key frequencies, and how much of the output they account for."""

    profiles: tuple[FrequencyProfile, ...]
    """One profile per key frequency, in ascending order of k."""
    explained: float
    """Share of the centred logits' variance on Σ_k A_k(a-b) cos w_k(a+b-c), A_k measured on the intact network, [0, 1]:
    what clocks and pizzas at the key frequencies can account for together."""

    def table(self) -> Table:
        rows = tuple((f.k, f.verdict, f.variation, f.min_over_max, f.margin, f.removed) for f in self.profiles)
        columns = ("k", "verdict", "variation", "min/max", "margin", "2k removed")
        note = (
            "clock: variation < .2 and min/max > .5; pizza: variation > .4 and min/max < .3. "
            f"{self.words.formula} explains {self.explained:.4f} of the logits' variance"
        )
        spectra = tuple((f"k = {f.k}", tuple(f.profile[d] for d in f.along_the_arch())) for f in self.profiles)
        axis = f"k·d mod p = 0 … {len(self.profiles[0].profile) - 1}" if self.profiles else ""
        return Table(
            f"Amplitude of each key frequency over the distance {self.words.difference}", columns, rows, note, spectra, axis
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        difference = self.words.difference
        figure, colours = go.Figure(), frequency_colours([f.k for f in self.profiles])
        if not self.profiles:
            say(figure, "no key frequencies")
        arch = [i / 200 for i in range(201)]
        cosine = [abs(math.cos(math.pi * u)) for u in arch]
        figure.add_scatter(x=arch, y=cosine, name="ideal pizza", line={"dash": "dot", "color": QUIET, "width": 4})
        figure.add_scatter(
            x=[0, 1], y=[1, 1], name="ideal clock", mode="lines", line={"dash": "dash", "color": QUIET, "width": 4}
        )
        for f in self.profiles:
            p, top = len(f.profile), max(f.profile)
            distances = f.along_the_arch()
            figure.add_scatter(
                x=[(f.k * d % p) / p for d in distances], y=[f.profile[d] / top for d in distances], mode="lines+markers",
                name=f"k = {f.k}: {f.verdict}",
                customdata=distances, line_color=colours[f.k],
                marker={"symbol": SYMBOLS[f.verdict], "size": 6},
                hovertemplate=f"k = {f.k}<br>{difference} = %{{customdata}}<br>%{{y:.3f}} of the largest<extra></extra>",
            )  # fmt: skip
        least = min((f.min_over_max for f in self.profiles), default=0.0)
        return finish(
            figure,
            "Amplitude over the distance of the inputs: a clock is flat, a pizza follows |cos|",
            f"How strongly the output at each key frequency is driven, by the distance {difference}; k turns of the "
            "distance are folded onto one. A clock adds angles, and does not care how far apart they are. A pizza averages "
            "two points: opposite ones (middle) cancel. A circle at 2k, which hides pizzas, is taken out of the embedding "
            "first.",
            xaxis_title=f"k({difference}) mod p (turns)",
            yaxis={"title": "amplitude A_k / its largest", "range": [min(-0.05, least - 0.05), 1.08]},
        )


@measurement(place=30, needs=("addition", "embedding"))
def amplitude_profile(circuit: Circuit) -> AmplitudeProfile:
    """How does the output at each key frequency depend on the distance a - b?

    A_k(d): amplitude of cos w_k(a+b-c) in the logits among pairs with a - b = d, with frequency 2k projected out of
    the embedding first: a circle at 2k accompanies many pizzas and hides them (the circle contributes
    -cos w_k(a-b) cos w_k(a+b-c)). Clock: flat. Pizza: follows |cos(w_k d/2)|.

    Source: this project, after the logit forms of Zhong et al. 2023, arXiv 2306.17844.
    """
    keys = key_frequencies(circuit).frequencies
    return AmplitudeProfile(profiles=tuple(_profile(circuit, k) for k in keys), explained=explained_share(circuit, keys))


def _profile(circuit: Circuit, k: int) -> FrequencyProfile:
    removed = hiding(k, circuit.p)
    A = amplitudes(circuit.with_embedding(fourier.without(circuit.embedding, removed)), k)
    variation, min_over_max = coordinates(A)
    verdict, margin = judge(variation, min_over_max) if A.mean() > 0 else ("between", 0.0)
    return FrequencyProfile(
        k=k,
        removed=removed,
        variation=variation,
        min_over_max=min_over_max,
        verdict=verdict,
        margin=margin,
        profile=tuple(A.tolist()),
    )


def hiding(k: int, p: int) -> int:
    """The frequency 2k, folded, whose circle in the embedding can hide a pizza at k; 0 where there is none."""
    removed = fourier.fold(2 * k, p)
    return 0 if removed == k else removed  # 3k = p: the circle at 2k is the circle at k itself


def coordinates(A: Float[Tensor, " d"]) -> tuple[float, float]:
    """Where an amplitude profile lies between clock and pizza: its coefficient of variation, and min/max."""
    return (A.std(correction=0) / A.mean().abs()).item(), (A.min() / A.max()).item()


def judge(variation: float, min_over_max: float) -> tuple[FrequencyVerdict, float]:
    """Is a profile with these coordinates a clock or a pizza? The verdict, and its distance to the nearest cut-off."""
    clock = min(CLOCK_VARIATION - variation, min_over_max - CLOCK_MINIMUM)
    pizza = min(variation - PIZZA_VARIATION, PIZZA_MINIMUM - min_over_max, min_over_max - PIZZA_LEAST)
    if clock > 0:
        return "clock", clock
    if pizza > 0:
        return "pizza", pizza
    return "between", 0.0
