"""Which of the key frequencies does each layer read and write, and as waves of what?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.evidence.neuron_clusters import EXPLAINED, best_frequencies, neuron_clusters
from analyses.findings.drawing import finish, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, INPUT_A, INPUT_B, MADE
from analyses.findings.table import Cell, Table, rounded
from analyses.findings.wording import sentences
from analyses.tools.last_layer import pre_activations
from analyses.tools.residual_stream import (
    Kind,
    at_answering_position,
    direct,
    inputs_of_neurons,
    transformer,
)
from interp import fourier
from interp.circuit import Circuit
from interp.memory import in_rows
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class FrequencyOfLayer:
    """What one layer does at one key frequency. All shares are NaN where the layer has no such part, or it never changes."""

    layer: int
    """The layer, counted from 0."""
    k: int
    """The key frequency."""
    reads_a: float
    """Share of the variance of the layer's pre-activations, over all pairs and neurons, on waves of a at k, [0, 1]."""
    reads_b: float
    """Share of this variance on waves of b, [0, 1]."""
    reads_sum: float
    """Share of this variance on waves of a + b, [0, 1]: a sum that was computed before these neurons."""
    reads_difference: float
    """Share of this variance on waves of a - b, [0, 1]."""
    neurons: int
    """Number of the layer's neurons with at least .85 of their variance at k (as in neuron_clusters)."""
    attention_writes: float
    """Share of the variance of what the layer's heads add to the logits directly on waves of a + b at k, [0, 1]; NaN also where
    direct effects cannot be said."""
    mlp_writes: float
    """Share of the variance of what the layer's MLP adds to the logits directly on waves of a + b at k; NaN as above."""

    @property
    def reads(self) -> tuple[float, ...]:
        """The shares read as waves of a, of b, of a + b and of a - b."""
        return self.reads_a, self.reads_b, self.reads_sum, self.reads_difference

    @property
    def writes(self) -> tuple[float, ...]:
        """The shares written as waves of a + b by attention and by the MLP."""
        return self.attention_writes, self.mlp_writes


@dataclass(frozen=True)
class LayerFrequencies(Finding):
    """Which key frequencies the neurons of each layer read, and which each layer writes to the logits."""

    layers: int
    """Number of layers."""
    frequencies: tuple[int, ...]
    """The key frequencies of the network, by its logits."""
    cells: tuple[FrequencyOfLayer, ...]
    """What each layer does at each key frequency, layer by layer."""
    lacking: str
    """Why what layers write cannot be said; empty where it can."""

    def of_layer(self, layer: int) -> tuple[FrequencyOfLayer, ...]:
        """What one layer does at each key frequency."""
        return tuple(each for each in self.cells if each.layer == layer)

    def reads(self, layer: int) -> tuple[float, ...]:
        """The shares that a layer reads as waves of a, of b, of a + b and of a - b, at all key frequencies together."""
        return _summed([each.reads for each in self.of_layer(layer)], 4)

    def writes(self, layer: int) -> tuple[float, ...]:
        """The shares that a layer's attention and its MLP write as waves of a + b, at all key frequencies together."""
        return _summed([each.writes for each in self.of_layer(layer)], 2)

    def table(self) -> Table:
        tight = (self.words.tight_sum, self.words.tight_difference)
        columns = ("layer", "frequency k", "reads a", self.words.b, *tight, "neurons", "attention", "MLP")
        rows = list[tuple[Cell, ...]]()
        for layer in range(self.layers):
            mine = self.of_layer(layer)
            rows += [(layer, each.k, *rounded(*each.reads), each.neurons, *rounded(*each.writes)) for each in mine]
            neurons = sum(each.neurons for each in mine)
            rows.append((layer, "all", *rounded(*self.reads(layer)), neurons, *rounded(*self.writes(layer))))
        note = (
            "Reads: share of what the neurons read (variance of their pre-activations) that is waves of each. Attention, MLP: "
        )
        note += f"share of what they add to the logits that is waves of {tight[0]}"
        note += f". What layers write cannot be said, because it {self.lacking}" if self.lacking else ""
        return Table("Key frequencies by layer", columns, tuple(rows), sentences(note))

    def figure(self) -> "go.Figure":
        from plotly.subplots import make_subplots

        titles = [f"layer {layer} {does}" for layer in range(self.layers) for does in ("reads", "writes")]
        figure = make_subplots(
            self.layers,
            2,
            shared_yaxes=True,
            subplot_titles=titles,
            vertical_spacing=0.24 / self.layers,
            horizontal_spacing=0.04,
        )
        bars = (
            ("reads_a", "reads a", INPUT_A), ("reads_b", f"reads {self.words.b}", INPUT_B),
            ("reads_sum", f"reads {self.words.sum}", MADE), ("reads_difference", f"reads {self.words.difference}", COLOURS[4]),
            ("attention_writes", "attention writes", COLOURS[5]), ("mlp_writes", "MLP writes", COLOURS[2]),
        )  # fmt: skip
        for cell_name, label, colour in bars:
            for layer in range(self.layers):
                mine = self.of_layer(layer)
                figure.add_bar(
                    x=[f"k = {each.k}" for each in mine], y=[getattr(each, cell_name) for each in mine], name=label,
                    marker_color=colour, offsetgroup=cell_name, showlegend=layer == 0, legendgroup=cell_name,
                    row=layer + 1, col=1 if "reads" in cell_name else 2,
                )  # fmt: skip
        figure.update_xaxes(title="key frequency", row=self.layers)
        figure.update_yaxes(title="share of the variance", col=1)
        if not self.cells:
            say(figure, "The network has no key frequency.")
        said = f" What layers write cannot be said: {self.lacking}." if self.lacking else ""
        return finish(
            figure,
            "Which key frequencies each layer reads and writes",
            "Left: how much of what the layer's neurons read varies as waves of a, of b, and of their sum and difference, at "
            "each key frequency; waves of a sum that are read were computed before. Right: how much of what its attention and "
            f"its MLP add to the logits directly is waves of {self.words.sum}, which the answer is made of.{said}",
            height=190 + 190 * self.layers,
            legend_y=1 + 0.15 / self.layers,  # above the titles of the first two panels
        )


@measurement(place=66, slow=True, needs=("addition", "layers"))
def layer_frequencies(circuit: Circuit) -> LayerFrequencies:
    """Which of the key frequencies does each layer read and write, and as waves of what?

    Reading: the layer's pre-activations at the answering position (of gated neurons both inputs), all neurons together: the
    share of their variance over all pairs on cosine and sine of w_k a, w_k b, w_k(a+b) and w_k(a-b).

    Writing: what the layer's heads, and its MLP, add to the logits directly (``logit_attribution``), less its mean over c: the
    share of its variance over all pairs that is waves of w_k(a+b), for any c.

    Source: Nanda et al. 2023, arXiv 2301.05217 (neurons by frequency, of the one layer there).
    """
    network, keys, lacking = transformer(circuit), key_frequencies(circuit).frequencies, ""
    written: dict[tuple[int, Kind], dict[int, float]] = {}
    try:
        written = _written(circuit, keys)
    except Unavailable as missing:
        lacking = str(missing)
    cells = []
    for layer in range(network.layers()):
        reads, neurons = _read(circuit, network, layer, keys)
        for k in keys:
            a, b, plus, minus = reads[k]
            cells.append(
                FrequencyOfLayer(
                    layer=layer,
                    k=k,
                    reads_a=a,
                    reads_b=b,
                    reads_sum=plus,
                    reads_difference=minus,
                    neurons=neurons.count(k),
                    attention_writes=written.get((layer, "head"), {}).get(k, math.nan),
                    mlp_writes=written.get((layer, "MLP"), {}).get(k, math.nan),
                )
            )
    return LayerFrequencies(layers=network.layers(), frequencies=keys, cells=tuple(cells), lacking=lacking)


def _read(
    circuit: Circuit, network: Network, layer: int, keys: tuple[int, ...]
) -> tuple[dict[int, tuple[float, ...]], list[int]]:
    """What a layer's neurons read at each key frequency, and the frequency of each that works at one."""
    inputs, neurons = inputs_of_neurons(network, layer), f"blocks.{layer}.mlp.hook_post"
    if not inputs:
        return dict.fromkeys(keys, (math.nan,) * 4), []
    if inputs == [network.pre_activations_name()]:  # the last layer: what other measurements ask for too
        found, clusters = {inputs[0]: pre_activations(circuit)}, neuron_clusters(circuit)
        best, shares = clusters.best_frequencies, clusters.shares
    else:
        found = at_answering_position(circuit, [*inputs, neurons])
        best, shares, _ = best_frequencies(in_rows(found[neurons]))
    members = [k for k, share in zip(best, shares, strict=True) if share >= EXPLAINED]
    energies, variance, squares = {k: torch.zeros(4, dtype=torch.float64) for k in keys}, 0.0, 0.0
    # In chunks: float64 copies of all neurons at once are what would cost time, not the arithmetic.
    for chunk in (chunk.double() for name in inputs for chunk in found[name].split(32, dim=-1)):
        squares += chunk.square().sum().item()
        variance += (chunk - chunk.mean((0, 1))).square().sum().item()
        for k in keys:
            energies[k] += fourier.wave_energies(chunk, k).sum(1)
    return {k: _shares(energies[k], variance, squares) for k in keys}, members


def _summed(rows: list[tuple[float, ...]], columns: int) -> tuple[float, ...]:
    """The sum of every column; 0 where there are no rows."""
    return tuple(float(sum(row[column] for row in rows)) for column in range(columns))


def _shares(energies: Float[Tensor, " n"], variance: float, squares: float) -> tuple[float, ...]:
    """Energies as shares of a variance; NaN where this is nothing but rounding."""
    return tuple((energies / variance).tolist()) if variance > 1e-12 * squares else (math.nan,) * len(energies)


def _written(circuit: Circuit, keys: tuple[int, ...]) -> dict[tuple[int, Kind], dict[int, float]]:
    """What the heads and the MLP of every layer write on waves of a + b, by layer and kind, for every key frequency."""
    p, written, found = circuit.p, direct(circuit), {}
    for group, total in written.by_sum.items():
        # Each sum s = a + b has p pairs, so that a function of s has p times the energy over the pairs that it has over s.
        variance = written.squares[group] - total.sum(0).square().sum().item() / p**2
        shares = _shares(fourier.energies(total / p) * p, variance, written.squares[group])
        found[group] = {k: shares[k - 1] for k in keys}
    return found
