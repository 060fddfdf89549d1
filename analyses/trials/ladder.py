"""By what can the network be replaced: a formula, or neurons of which only the key frequencies are left?"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.tools import predicted
from analyses.tools.angles import Angles
from analyses.tools.closed_form import Profiles, closed_forms, logits
from analyses.tools.last_layer import last_neurons
from analyses.tools.scoring import Score, run_on, score
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_VARIANCE, MOST_ANSWERS, MOST_LOSS = 0.95, 0.99, 0.99
"""Least explained variance, agreement with the network's answers and loss recovered on held-out pairs with which a rung carries
a network. Fixed, with their reasons in docs/explained.md, before any network of the studies was trained."""
RUNGS = {1: "formula", 2: "quadrature", 3: "neurons of one key frequency", 4: "crosstalk"}
"""Number → name of every rung, from the one that says most in fewest numbers."""


@dataclass(frozen=True)
class Rung:
    """One thing that could stand in the place of the network."""

    number: int
    """Number of the rung, 1 to 4 (``RUNGS``); the formula has several forms."""
    score: Score
    """How well it stands in for the network."""

    @property
    def name(self) -> str:
        """The rung's name; of a formula its form as well."""
        return RUNGS[self.number] if self.number > 1 else f"formula, {self.score.name}"

    def in_words(self, *, capital: bool = False) -> str:
        """The rung as part of a sentence, with the numbers that it takes."""
        count = f"{self.score.numbers} number{'' if self.score.numbers == 1 else 's'}"
        said = f"a formula of {count} ({self.score.name})" if self.number == 1 else f"{self.name} ({count})"
        return f"{said[0].upper()}{said[1:]}" if capital else said

    @property
    def carries(self) -> bool:
        """Does it carry the network: its output, its answers, and its confidence where it was not told the answers?"""
        s = self.score
        return s.explained >= MOST_VARIANCE and s.agreement >= MOST_ANSWERS and s.recovered >= MOST_LOSS


@dataclass(frozen=True)
class Ladder(Finding):
    """Every rung's score, from a formula of a few numbers to neurons of which only the key frequencies are left."""

    rungs: tuple[Rung, ...]
    """All rungs that this network allows, in their order; the forms of the formula from the fewest numbers on."""
    harmonics: int
    """Number of harmonics of the functions of two angles in rungs 3 and 4; 0 where there are no such rungs."""
    lacking: str
    """Reason why there are no rungs but the formula; empty where there are."""

    @property
    def first(self) -> Rung | None:
        """The first rung that carries the network; None where none does."""
        return next((rung for rung in self.rungs if rung.carries), None)

    @property
    def best(self) -> Rung:
        """The first rung that carries the network, else the one that explains most."""
        return self.first or max(self.rungs, key=lambda rung: (rung.score.explained, rung.score.agreement))

    def table(self) -> Table:
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (
                rung.number,
                rung.name,
                rung.score.numbers,
                round(rung.score.explained, 4),
                round(rung.score.agreement, 4),
                round(rung.score.recovered, 4),
                float(f"{rung.score.divergence:.2g}"),
                "yes" if rung.carries else "no",
            )
            for rung in self.rungs
        )
        columns = ("rung", "in the network's place", "numbers", "of the output", "its answers", "its loss", "KL", "carries")
        note = (
            "Each row puts something simpler in the network's place. Numbers: how many it takes from the network. Of the "
            f"output: share of the logits' variance, of which {MOST_VARIANCE} is asked for. Its answers: share of the pairs "
            f"that get the network's own answer, right or wrong ({MOST_ANSWERS}). Its loss: share of what the network gains on "
            f"guessing, on held-out pairs ({MOST_LOSS}). KL: how different the probabilities are, in nats, 0 for the same. "
            f"Carries: it has all three. Rungs 3 and 4 are functions of the angles k a and k b with {self.harmonics} harmonics"
        )
        return Table("The ladder: what can stand in the network's place", columns, rows, sentences(note, self.lacking))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names = [f"{rung.number} {rung.name}" for rung in self.rungs]
        figure = go.Figure()
        for name, values, symbol in (
            ("of the output (logits' variance)", [rung.score.explained for rung in self.rungs], "circle"),
            ("its answers", [rung.score.agreement for rung in self.rungs], "diamond-open"),
            ("its loss on held-out pairs", [rung.score.recovered for rung in self.rungs], "triangle-up-open"),
        ):
            figure.add_scatter(x=values, y=names, mode="markers", name=name, marker={"size": 11, "symbol": symbol})
        figure.add_vline(x=MOST_VARIANCE, line_dash="dot")
        best = self.best.score
        shown = [value for rung in self.rungs for value in (rung.score.explained, rung.score.recovered) if value > -1]
        return finish(
            figure,
            f"{self.best.in_words(capital=True)} {'can take' if self.first else 'cannot take'} the network's place: it "
            f"{'gives' if self.first else 'gives only'} {best.explained:.1%} of its output",
            "Each row puts something simpler in the network's place: a formula over the key frequencies; the formula and the "
            "waves that follow from its neurons' phases; its neurons, cut down to functions of the angles of one, or of all, "
            "key frequencies. Marks show how much of its output, of its answers and of its loss is then there, 1 is all. "
            "Dotted: how much of the output is asked for.",
            xaxis={"title": "share, 1 is all", "range": [min([0.0, *shown]) - 0.03, 1.03]},
            yaxis_autorange="reversed",
            height=440,
        )


@measurement(place=105, slow=True)
def ladder(circuit: Circuit) -> Ladder:
    """By what can the network be replaced?

    Rung 1, formula: Σ_k A_k(a-b) cos w_k(a+b-c) over the key frequencies, A_k measured or compressed (``closed_forms``).
    Rung 2, quadrature: measured profiles, and the waves beside them that follow from what each neuron reads and writes at its
    frequency (``predicted``). Rung 3: every pre-activation as a function of the angles k a and k b of one key frequency, the
    rest of the network run on. Rung 4: as a sum of such functions over the key frequencies. The criterion: docs/explained.md.

    Source: this project; the formulas after Nanda et al. 2023, arXiv 2301.05217, and Zhong et al. 2023, arXiv 2306.17844.
    """
    keys = key_frequencies(circuit).frequencies
    forms = closed_forms(circuit, keys)
    formulas = [
        Rung(1, score(circuit, partial(logits, profiles, circuit.p), name=name, numbers=numbers))
        for name, (profiles, numbers) in sorted(forms.items(), key=lambda form: form[1][1])
    ]
    try:
        angles = Angles.of(last_neurons(circuit), keys)
        others = _of_neurons(circuit, angles, *forms["measured profiles"])
        return Ladder(rungs=(*formulas, *others), harmonics=angles.harmonics, lacking="")
    except Unavailable as missing:
        return Ladder(rungs=tuple(formulas), harmonics=0, lacking=f"Trying the other rungs {missing}")


def _of_neurons(circuit: Circuit, angles: Angles, measured: Profiles, numbers: int) -> Iterator[Rung]:
    """The rungs from quadrature on; ``measured``: the measured profiles, and how many numbers they take."""
    neurons, p = last_neurons(circuit), circuit.p
    written = predicted.written(neurons, list(measured), neurons.fitted(order=2))
    beside = {k: predicted.beside_the_profile(z, k) for k, z in written.items()}

    def with_quadrature(rows: slice) -> Float[Tensor, "row b c"]:
        return sum((predicted.as_logits(z[rows], k) for k, z in beside.items()), start=logits(measured, p, rows))

    numbers += predicted.NUMBERS * sum(len(neurons.working_at(k)) for k in measured)
    yield Rung(2, score(circuit, with_quadrature, name=RUNGS[2], numbers=numbers))
    for number, (pre, count) in ((3, angles.own_frequency(p)), (4, angles.all_frequencies(p))):
        yield Rung(number, score(circuit, run_on(neurons, pre), name=RUNGS[number], numbers=count))
