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
from analyses.findings.wording import sentences
from analyses.tools.last_layer import last_neurons
from analyses.tools.scoring import ByRows, Score, run_on, score, score_of_fit
from analyses.trials.phase_law import lawful_map
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Surrogate(Finding):
    """Every surrogate's score: the network run on from neurons that are a few waves each."""

    neurons: tuple[Score, ...]
    """Scores of the network run on from pre-activations that are fitted by waves of one or two frequencies; in the last three
    the phase law takes the place of W_L."""

    def table(self) -> Table:
        errs = not all(math.isnan(s.error_agreement) for s in self.neurons)
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
            for s in self.neurons
        )
        columns = (
            "neurons in its place",
            "numbers",
            "of the output",
            "its answers",
            *(["its errors"] if errs else []),
            "right",
            "KL",
            "margin",
        )
        note = (
            "The network runs on from neurons of which only what waves at one frequency, or at two, give is kept: waves of a "
            "and of b (order 1), also of a + b and a - b (order 2). The same: the phase law takes the place of what they "
            "write. Of the output: share of the logits' variance. Its answers: pairs that get the network's own answer, right "
            "or wrong; "
            + ("its errors: the same among the pairs that it gets wrong; " if errs else "")
            + "right: pairs that get the right one. KL: how different the probabilities are, in nats, 0 for the same. Margin: "
            "correlation of how far the right answer is ahead with the network's own, 1 is the same"
        )
        return Table("Surrogates: neurons cut down to a few waves", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure(
            go.Scatter(
                x=[s.numbers for s in self.neurons], y=[s.explained for s in self.neurons],
                customdata=[(s.name, s.agreement) for s in self.neurons], mode="markers", marker={"size": 12},
                hovertemplate="%{customdata[0]}<br>%{x} numbers<br>%{y:.4f} of its output<br>"
                "%{customdata[1]:.4f} of its answers<extra></extra>",
            )
        )  # fmt: skip
        best = max(self.neurons, key=lambda s: s.agreement)
        return finish(
            figure,
            f"{best.name[0].upper()}{best.name[1:]} give {best.agreement:.1%} of its answers, {best.explained:.1%} of its "
            "output",
            "At each point the network runs on from neurons of which only a few waves are kept. Further left there are fewer "
            "numbers, further up there is more of its output. Hover for the name.",
            xaxis={"title": "numbers taken from the network (logarithmic)", "type": "log"},
            yaxis={"title": "share of the output (logits' variance)", "range": [0, 1.05]},
        )


@measurement(place=110, slow=True, needs=("addition", "neurons"))
def surrogate(circuit: Circuit) -> Surrogate:
    """With how few numbers can the neurons be replaced?

    - neurons, order 1 and 2: every pre-activation replaced by its least-squares fit at the frequency that fits it best
      (order 1: a constant, waves of a and of b, 5 numbers; order 2: also of a+b and a-b, 9 numbers), or at the best two
      (17 numbers), and the rest of the network run on from the fit;
    - phase law: pre-activations fitted at the best two, and W_L derived from what the neurons read (``lawful_map``), with one
      number per neuron or one per neuron and key frequency; the last without what reaches the logits past the neurons.

    Source: this project.
    """
    return Surrogate(neurons=tuple(_of_neurons(circuit)))


def _of_neurons(circuit: Circuit) -> Iterator[Score]:
    neurons, keys = last_neurons(circuit), key_frequencies(circuit).frequencies
    n = neurons.pre.shape[-1]

    def scored(logits: ByRows, name: str, numbers: int) -> Score:
        return score(circuit, logits, name=name, numbers=numbers * n)

    yield score_of_fit(circuit, order=1)
    yield score_of_fit(circuit, order=2)
    two = neurons.fitted(order=2, frequencies=2)
    yield scored(run_on(neurons, two), "neurons, order 2, two frequencies", 17)
    yield scored(run_on(neurons, two, W_L=lawful_map(neurons, two)), "the same, phase law", 18)
    lawful = run_on(neurons, two, W_L=lawful_map(neurons, two, keys))
    yield scored(lawful, "the same, phase law at key frequencies", 17 + len(keys))
    yield scored(lambda rows: lawful(rows) - neurons.bypass[rows], "the same, neurons alone", 17 + len(keys))
