"""How does the output at one frequency depend on the distance a - b: flat like a clock, like a pizza's |cos|, or between?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET, SYMBOLS
from analyses.findings.table import Table
from analyses.tools.amplitudes import along_the_sum, explained_share, outputs_at
from analyses.tools.closed_form import mixture
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

NEAR = 0.25
"""Distance of the coordinate from 0 within which a frequency is a clock, and from 1 within which it is a pizza: at least three
quarters of the amplitude are of that kind. docs/explained.md has the reasons for all of these numbers."""
FITTED = 0.95
"""Least share of a profile's squares that the mixture has to fit for the frequency to be named."""
FEW = 5
"""Largest number of distances, p / gcd(k, p), at which only clocks are named: |cos(w_k d/2)| then takes so few values that the
fit proves nothing."""
PARTS = 10
"""Number of disjoint parts of the pairs on which the coordinate is measured again, for its range."""

FrequencyVerdict = Literal["clock", "pizza", "mixture", "undecided"]


@dataclass(frozen=True)
class FrequencyProfile:
    """The amplitude profile A_k(d) of one frequency, and the verdict on it."""

    k: int
    """The frequency."""
    removed: int
    """The frequency 2k (folded) that was projected out of the embedding first; 0 where none was: at 2k = p there is no such
    frequency, and at 3k = p it is k itself."""
    share: float
    """Share of the centred logits' variance on A_k(a-b) cos w_k(a+b-c), A_k measured on the intact network, [0, 1]."""
    verdict: FrequencyVerdict
    """Verdict on the frequency: clock, pizza, mixture of the two, or undecided."""
    reason: str
    """Reason why the frequency is undecided; empty where it is not."""
    coordinate: float
    """Pizza's share of the mean amplitude in the best mixture clock + pizza·|cos(w_k d/2)|: 0 a clock, 1 a pizza."""
    least: float
    """Least coordinate on ten disjoint parts of the pairs, by a: how much it depends on which numbers one looks at. A circuit
    that depends on a - b alone has one coordinate on all of them."""
    most: float
    """Largest coordinate on these parts."""
    fitted: float
    """Share of the profile's sum of squares that the mixture fits, [0, 1]."""
    margin: float
    """Distance of the coordinate to the nearest cut-off that would change the verdict; 0 for undecided."""
    variation: float
    """Coefficient of variation of A_k over d: 0 for an ideal clock, .48 for an ideal pizza with p → ∞."""
    min_over_max: float
    """Least amplitude over the largest, min A_k / max A_k: 1 for an ideal clock, 0 for an ideal pizza, unless few values of
    |cos(w_k d/2)| exist: where p / gcd(k, p) is 3 or 5 the least of them is .5 and .31."""
    profile: tuple[float, ...]
    """Amplitude A_k(d) for d = a - b mod p = 0..p-1, in logits."""

    @property
    def is_clear(self) -> bool:
        """Does the whole range of the coordinate lie on the verdict's side of the cut-offs? False where undecided."""
        return self.verdict != "undecided" and named(self.least) == named(self.most) == self.verdict

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
        rows = tuple(
            (
                f.k,
                f.verdict,
                f"{f.coordinate:.2f}",
                f"{f.least:.2f} to {f.most:.2f}",
                f.fitted,
                round(f.share, 4),
                f.removed or None,
            )
            for f in self.profiles
        )
        columns = ("frequency k", "verdict", "coordinate", "on ten parts", "fitted", "of the output", "helper circle off")
        note = (
            "Coordinate: the pizza's share of the amplitude, 0 for a clock, 1 for a pizza, from .25 to .75 for a mixture; "
            "beside it the least and the largest on ten parts of the pairs. Fitted: how much of the amplitude's squares a "
            "clock and a pizza together give, 1 is all. Of the output: share of the logits' variance; all these frequencies "
            f"together account for {self.explained:.4f} of it. Helper circle off: the circle at 2k, which can hide a pizza at "
            "k, is switched off in the embedding first; it is at this frequency."
        )
        spectra = tuple((f"k = {f.k}", tuple(f.profile[d] for d in f.along_the_arch())) for f in self.profiles)
        axis = f"distance times k, mod p: 0 … {len(self.profiles[0].profile) - 1}" if self.profiles else ""
        return Table(
            f"Amplitude of each key frequency over the distance {self.words.difference}", columns, rows, note, spectra, axis
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        difference = self.words.difference
        figure, colours = go.Figure(), self.colours(f.k for f in self.profiles)
        if not self.profiles:
            say(figure, "The network has no key frequencies.")
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
            f"How strongly the output swings at each key frequency, over the distance {difference}; the distance goes k times "
            "round the circle, and all rounds are drawn over each other. A clock adds angles, and does not care how far apart "
            "they are. A pizza averages two points, and opposite ones (middle) cancel. A mixture lies between. The helper "
            "circle at 2k, which can hide a pizza, is switched off in the embedding first.",
            xaxis_title=f"distance {difference} times k, in turns of the circle",
            yaxis={"title": "amplitude, as a share of its largest", "range": [min(-0.05, least - 0.05), 1.08]},
        )


@measurement(place=30, needs=("addition", "embedding"))
def amplitude_profile(circuit: Circuit) -> AmplitudeProfile:
    """How does the output at each key frequency depend on the distance a - b?

    A_k(d): amplitude of cos w_k(a+b-c) in the logits among pairs with a - b = d, with frequency 2k projected out of
    the embedding first: a circle at 2k accompanies many pizzas and hides them (the circle contributes
    -cos w_k(a-b) cos w_k(a+b-c)). Clock: flat. Pizza: follows |cos(w_k d/2)|. Mixture: the sum of both, by least squares.

    Source: this project, after the logit forms of Zhong et al. 2023, arXiv 2306.17844.
    """
    keys = key_frequencies(circuit).frequencies
    outputs_at(circuit, keys)  # all in one pass
    profiles = tuple(_profile(circuit, k) for k in keys)
    return AmplitudeProfile(profiles=profiles, explained=math.fsum(each.share for each in profiles))


def _profile(circuit: Circuit, k: int) -> FrequencyProfile:
    p, removed = circuit.p, hiding(k, circuit.p)
    without = circuit.with_embedding(fourier.without(circuit.embedding, removed))
    (output,) = outputs_at(without, [k], keep=False)
    of_pairs = along_the_sum(output, k)
    A = of_pairs.mean(-1)
    mixed = mixture(A, k)
    parts = torch.randperm(p, generator=torch.Generator().manual_seed(0)).tensor_split(min(PARTS, p))
    seen = [mixture(of_pairs[:, part].mean(-1), k).coordinate for part in parts]
    verdict, reason = judge(mixed.coordinate, mixed.fitted, mean=A.mean().item(), distances=p // math.gcd(k, p))
    return FrequencyProfile(
        k=k,
        removed=removed,
        share=explained_share(circuit, [k]),
        verdict=verdict,
        reason=reason,
        coordinate=mixed.coordinate,
        least=min(seen),
        most=max(seen),
        fitted=mixed.fitted,
        margin=0.0 if verdict == "undecided" else min(abs(mixed.coordinate - cut) for cut in CUTS),
        variation=variation(A),
        min_over_max=(A.min() / A.max()).item(),
        profile=tuple(A.tolist()),
    )


def hiding(k: int, p: int) -> int:
    """The frequency 2k, folded, whose circle in the embedding can hide a pizza at k; 0 where there is none."""
    removed = fourier.fold(2 * k, p)
    return 0 if removed == k else removed  # 3k = p: the circle at 2k is the circle at k itself


def variation(A: Float[Tensor, " d"]) -> float:
    """The coefficient of variation of an amplitude profile: 0 for an ideal clock, .48 for an ideal pizza with p → ∞."""
    return (A.std(correction=0) / A.mean().abs()).item()


CUTS = (-NEAR, NEAR, 1 - NEAR, 1 + NEAR)
"""Coordinates at which the verdict on a frequency changes."""


def named(coordinate: float) -> FrequencyVerdict:
    """The name of a frequency with this coordinate whose profile a mixture fits."""
    if abs(coordinate) < NEAR:
        return "clock"
    if abs(coordinate - 1) < NEAR:
        return "pizza"
    return "mixture" if NEAR <= coordinate <= 1 - NEAR else "undecided"


def judge(coordinate: float, fitted: float, *, mean: float, distances: int) -> tuple[FrequencyVerdict, str]:
    """Is a profile a clock, a pizza or a mixture? The verdict, and where it is undecided the reason.

    ``mean``: of the amplitude; ``distances``: how many different distances w_k d there are, p / gcd(k, p).
    """
    if not mean > 0:
        return "undecided", "it speaks against the right answer"
    if not fitted >= FITTED:
        return "undecided", f"clock and pizza together fit only {fitted:.0%} of how it depends on the distance of a and b"
    name = named(coordinate)
    if name == "undecided":
        return name, f"its coordinate is {coordinate:.2f}, neither a clock's (near 0) nor a pizza's (near 1)"
    if name != "clock" and distances <= FEW:
        return "undecided", f"with only {distances} different distances a pizza cannot be told from a mixture"
    return name, ""
