"""What does each part of the network add to the answer, itself and through others?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, QUIET
from analyses.findings.table import Cell, Table, rounded
from analyses.findings.wording import sentences
from analyses.tools.logit_sums import Scores, logit_sums, scores_of
from analyses.tools.residual_stream import Part, direct_effects, parts_of, transformer
from interp import fourier
from interp.by_rows import logits_by_rows
from interp.circuit import Circuit
from interp.memory import numbered
from interp.networks.model import Unavailable
from interp.tasks.task import UNDEFINED

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class PartEffect:
    """What one part of a transformer does for the answer."""

    name: str
    """The part: the embedding with its position, a head, an MLP, or all biases but those of MLPs."""
    layer: int
    """The layer of a head or an MLP, counted from 0; -1 for what belongs to no layer."""
    direct: float
    """Direct effect: share of the answer that the part adds to the logits itself; all parts add up to 1. NaN where it cannot be
    said."""
    accuracy: float
    """Accuracy on all pairs, [0, 1], when the part writes its mean over all pairs; NaN for biases, which are constant."""
    loss: float
    """Mean cross-entropy on all pairs, nats, when the part writes its mean."""
    lost: float
    """Total effect: share of the centred logits' variance that is lost when the part writes its mean, ‖Lc - Lc'‖² / ‖Lc‖², 0 or
    more; above 1 where the network then says something else altogether."""

    def row(self) -> tuple[Cell, ...]:
        """The part as a table shows it."""
        return (self.name, *rounded(self.direct, self.lost), self.accuracy, self.loss)


@dataclass(frozen=True)
class LogitAttribution(Finding):
    """Direct and total effect of every part that writes to the residual stream at the answering position."""

    layers: int
    """Number of layers."""
    parts: tuple[PartEffect, ...]
    """The parts, in the order in which they write."""
    accuracy: float
    """Accuracy of the network as it is, on all pairs, [0, 1]."""
    loss: float
    """Mean cross-entropy of the network as it is, on all pairs, nats."""
    by_layer: tuple[float, ...]
    """Direct effect of each layer, its heads and its MLP together; NaN where it cannot be said."""
    lacking: str
    """Why direct effects cannot be said; empty where they can."""

    def table(self) -> Table:
        rows = tuple(each.row() for each in self.parts)
        columns = ("part", "direct", "total", "accuracy without", "loss without")
        sums = ", ".join(f"layer {layer} {share:.4f}" for layer, share in enumerate(self.by_layer))
        note = "Direct: the share of the answer that a part adds to the logits itself"
        note += f"; here it cannot be said, because that {self.lacking}" if self.lacking else f"; by layers: {sums}"
        note += ". Total: the share of the logits' variance that is lost without it. As it is, the network has an accuracy of "
        note += f"{self.accuracy:.4f} and a loss of {self.loss:.2g}"
        return Table("Logit attribution by part", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        from plotly.subplots import make_subplots

        names, colours = [each.name for each in self.parts], [_colour(each.layer) for each in self.parts]
        titles = ("direct effect (share of the answer)", "total effect (logit variance lost without it)")
        figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=titles)
        for column, values in enumerate(([each.direct for each in self.parts], [each.lost for each in self.parts]), start=1):
            figure.add_bar(x=values, y=names, orientation="h", marker_color=colours, row=1, col=column,
                           hovertemplate="%{y}<br>%{x:.4f}<extra></extra>")  # fmt: skip
            figure.update_xaxes(title=("share", "share of the variance")[column - 1], row=1, col=column)
        figure.update_yaxes(autorange="reversed")
        said = f"Direct effects cannot be said: {self.lacking}. " if self.lacking else ""
        most = max(range(self.layers), key=lambda layer: self.by_layer[layer])
        title = "What each part adds to the answer" + (
            "" if math.isnan(self.by_layer[most]) else f": layer {most} adds {self.by_layer[most]:.1%} directly"
        )
        return finish(
            figure,
            title,
            f"{said}Direct: what a part adds to the logits itself; the shares of all parts add up to 1. Total: what is lost "
            "when the part writes its mean over all pairs, and all that reads it follows. A part with a small direct and a "
            "large total effect works for others. One colour per layer.",
            height=180 + 24 * len(names),
            showlegend=False,
        )


@measurement(place=64, slow=True, needs=("layers",))
def logit_attribution(circuit: Circuit) -> LogitAttribution:
    """What does each part of the network add to the answer, itself and through others?

    Parts: the embedding with its position, every head, every MLP with its output bias, and the other biases together.

    Direct effect (direct logit attribution): ⟨ℓ, Lc⟩ / ⟨Lc, Lc⟩ over all pairs and answers, ℓ what the part writes at the
    answering position times W_U, Lc the logits, each less its mean over c; these add up to 1. Where the residual stream is
    normalised before the unembedding, every part is divided by the size of the pair's whole stream. Where it is normalised
    after each part it is no sum, and direct effects cannot be said.

    Total effect (mean ablation): the part writes its mean over all pairs, at every position, and the rest is run again.

    Sources: Elhage et al. 2021, A Mathematical Framework for Transformer Circuits (direct); Wang et al. 2022, arXiv 2211.00593
    (mean ablation).
    """
    network, lacking = transformer(circuit), ""
    parts = parts_of(network)
    try:
        direct = direct_effects(circuit)
    except Unavailable as missing:
        direct, lacking = dict.fromkeys(parts, math.nan), str(missing)
    accuracy, loss = _means(circuit, logit_sums(circuit).scores)
    layers = range(network.layers())
    return LogitAttribution(
        layers=len(layers),
        parts=tuple(_effect(circuit, part, direct[part]) for part in parts),
        accuracy=accuracy,
        loss=loss,
        by_layer=tuple(float(sum(direct[part] for part in parts if part.layer == layer)) for layer in layers),
        lacking=lacking,
    )


def _effect(circuit: Circuit, part: Part, direct: float) -> PartEffect:
    accuracy, loss, lost = (math.nan,) * 3 if part.kind == "biases" else _total(circuit, part.replaced_by_mean(circuit))
    return PartEffect(name=part.name, layer=part.layer, direct=direct, accuracy=accuracy, loss=loss, lost=lost)


def _total(circuit: Circuit, edited: Circuit) -> tuple[float, float, float]:
    """Accuracy and loss of an edited circuit, and the share of the logits' variance that is lost."""
    lost = sum(
        (fourier.centred(circuit.logits[rows]) - fourier.centred(logits)).square().sum().item()
        for rows, logits in numbered(logits_by_rows(edited))
    )
    accuracy, loss = _means(circuit, scores_of(logits_by_rows(edited), circuit.answers))
    return accuracy, loss, lost / (logit_sums(circuit).square or math.nan)


def _means(circuit: Circuit, scores: Scores) -> tuple[float, float]:
    """Accuracy and loss over the pairs that have an answer."""
    has_answer = circuit.answers != UNDEFINED
    right = (scores.answer == circuit.answers)[has_answer]
    return right.double().mean().item(), scores.loss[has_answer].mean().item()


def _colour(layer: int) -> str:
    return QUIET if layer < 0 else COLOURS[layer % len(COLOURS)]
