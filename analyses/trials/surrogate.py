"""With how few numbers can the network be replaced?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Cell, Table
from analyses.tools.closed_form import closed_forms, logits
from analyses.tools.last_layer import last_neurons
from analyses.tools.scoring import Score, score
from analyses.trials.phase_law import lawful_map
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Surrogate(Finding):
    """Every surrogate's score: neurons replaced by a few waves each, and the output as a formula."""

    neurons: tuple[Score, ...]
    """Scores of the network run on from pre-activations that are fitted by waves of one or two frequencies; in the last three
    the phase law takes the place of W_L. Empty where the network has no last layer of neurons."""
    closed_forms: tuple[Score, ...]
    """Scores of Σ_k A_k(a-b) cos w_k(a+b-c) over the key frequencies, with A_k measured, as 2 numbers, or as 1 number each."""
    lacking: str
    """Reason why there are no neurons to replace; empty where there are some."""

    def table(self) -> Table:
        scores = (*self.neurons, *self.closed_forms)
        errs = not all(math.isnan(s.error_agreement) for s in scores)
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (
                s.name,
                s.numbers,
                round(s.explained, 4),
                round(s.agreement, 4),
                *([round(s.error_agreement, 4)] if errs else []),
                round(s.accuracy, 4),
                float(f"{s.divergence:.2g}"),
                round(s.margin_correlation, 3),
            )
            for s in scores
        )
        columns = ("surrogate", "numbers", "variance", "agrees", *(["errors"] if errs else []), "right", "KL", "margin")
        note = (
            "variance: share of the logits' explained; agrees: its answer is the network's own, right or wrong; "
            + ("errors: the same where the network is wrong; " if errs else "")
            + "right: its accuracy; KL: from the network, nats; margin: correlation with the network's"
        )
        return Table("Surrogates", columns, rows, f"{note}. Neurons: {self.lacking}" if self.lacking else note)

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure()
        hover = "%{customdata[0]}<br>%{x} numbers<br>%{y:.4f} explained<br>%{customdata[1]:.4f} of its answers<extra></extra>"
        for name, scores, symbol in (("neurons", self.neurons, "circle"), ("formula", self.closed_forms, "diamond")):
            figure.add_scatter(
                x=[s.numbers for s in scores], y=[s.explained for s in scores],
                customdata=[(s.name, s.agreement) for s in scores], mode="markers", name=name,
                marker={"size": 12, "symbol": symbol},
                hovertemplate=hover,
            )  # fmt: skip
        figure.add_hline(y=0.95, line_dash="dot", annotation_text="explained from .95", annotation_position="bottom right")
        most = max(self.closed_forms, key=lambda s: s.explained)
        best = min((s for s in self.closed_forms if s.explained >= 0.95), key=lambda s: s.numbers, default=most)
        return finish(
            figure,
            f"{best.numbers} numbers reproduce {best.explained:.1%} of the output and {best.agreement:.1%} of its answers",
            f"Each point replaces the network by something simpler: a formula ({self.words.formula}, with A_k "
            "measured or as one or two numbers per frequency), or the network run on from neurons that are a few waves "
            "each. To the left: fewer numbers; up: more of the logits' variance explained. Hover for the name.",
            xaxis={"title": "numbers taken from the network (logarithmic)", "type": "log"},
            yaxis={
                "title": "share of the logits' variance explained",
                "range": [min([0.0, *(s.explained for s in self.closed_forms if s.explained > -1)]), 1.05],
            },
        )


@measurement(place=110, slow=True)
def surrogate(circuit: Circuit) -> Surrogate:
    """With how few numbers can the network be replaced?

    - neurons, order 1 and 2: every pre-activation replaced by its least-squares fit at the frequency that fits it best
      (order 1: a constant, waves of a and of b, 5 numbers; order 2: also of a+b and a-b, 9 numbers), or at the best two
      (17 numbers), and the rest of the network run on from the fit;
    - phase law: pre-activations fitted at the best two, and W_L derived from what the neurons read (``lawful_map``), with one
      number per neuron or one per neuron and key frequency; the last without what reaches the logits past the neurons;
    - closed forms: see ``closed_forms``.

    Source: this project; the formulas after Nanda et al. 2023, arXiv 2301.05217, and Zhong et al. 2023, arXiv 2306.17844.
    """
    p = circuit.p
    formulas = tuple(
        score(circuit, logits(profiles, p), name=name, numbers=numbers)
        for name, (profiles, numbers) in closed_forms(circuit, key_frequencies(circuit).frequencies).items()
    )
    try:
        return Surrogate(neurons=tuple(_of_neurons(circuit)), closed_forms=formulas, lacking="")
    except Unavailable as lacking:
        return Surrogate(neurons=(), closed_forms=formulas, lacking=str(lacking))


def _of_neurons(circuit: Circuit) -> Iterator[Score]:
    neurons, keys = last_neurons(circuit), key_frequencies(circuit).frequencies
    n = neurons.pre.shape[-1]

    def scored(logits: object, name: str, numbers: int) -> Score:
        return score(circuit, logits, name=name, numbers=numbers * n)  # type: ignore[arg-type]

    yield scored(neurons.logits(neurons.fitted(order=1)), "neurons, order 1", 5)
    yield scored(neurons.logits(neurons.fitted(order=2)), "neurons, order 2", 9)
    two = neurons.fitted(order=2, frequencies=2)
    yield scored(neurons.logits(two), "neurons, order 2, two frequencies", 17)
    yield scored(neurons.logits(two, W_L=lawful_map(neurons)), "the same, phase law", 18)
    lawful = neurons.logits(two, W_L=lawful_map(neurons, keys))
    yield scored(lawful, "the same, phase law at key frequencies", 17 + len(keys))
    yield scored(lawful - neurons.bypass, "the same, neurons alone", 17 + len(keys))
