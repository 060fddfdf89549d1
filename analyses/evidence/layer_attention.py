"""Where does each head of each layer look, from every position, and how much does that vary with the pair?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses.evidence.neuron_clusters import best_frequencies
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS
from analyses.findings.table import Cell, Table, rounded
from analyses.findings.wording import sentences
from analyses.tools.residual_stream import positions_of, transformer
from interp.circuit import Circuit
from interp.memory import in_rows

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class HeadAttention:
    """Where one head looks from one position, over all pairs."""

    layer: int
    """The layer, counted from 0."""
    head: int
    """The number of the head in its layer, counted from 0."""
    position: str
    """Name of the position that looks: a, b or '='."""
    means: tuple[float, ...]
    """Mean attention to each position over all pairs."""
    lowest: tuple[float, ...]
    """Lowest attention to each position on any pair."""
    highest: tuple[float, ...]
    """Highest attention to each position on any pair."""
    deviation: float
    """Standard deviation over all pairs of the attention to a: 0 where it ignores the inputs."""
    best_frequency: int
    """The frequency that explains most of the variance of its attention to a; 0 where this attention is constant."""
    share: float
    """Share of the variance of its attention to a at its best frequency, [0, 1]; NaN where it is constant."""

    @property
    def name(self) -> str:
        """The head and the position that it looks from, in words."""
        return f"layer {self.layer}, head {self.head}, from {self.position}"

    def row(self) -> tuple[Cell, ...]:
        """The head as a table shows it."""
        attention = rounded(*self.means, self.lowest[0], self.highest[0], self.deviation)
        return (self.name, *attention, self.best_frequency, *rounded(self.share))


@dataclass(frozen=True)
class LayerAttention(Finding):
    """Attention, α·softmax + (1-α)·ones, of every layer, head and position that looks at more than one position."""

    attention_rate: float
    """Attention rate α of α·softmax + (1-α)·ones: at 1 attention is the softmax, at 0 it is 1 everywhere."""
    positions: tuple[str, ...]
    """Names of the positions that are looked at, in their order."""
    heads: tuple[HeadAttention, ...]
    """What each head does at each position, layer by layer. The last layer looks from the answering position only."""

    def table(self) -> Table:
        columns = ("", *(f"to {name}" for name in self.positions), "least", "most", "varies by", "frequency k", "share at k")
        rows = tuple(each.row() for each in self.heads)
        note = (
            "To: mean share of the attention over all pairs. Least, most and varies by (standard deviation): of the attention "
            "to a; share at k: how much of that is at the frequency k, its best one. The attention rate is "
            f"{self.attention_rate:g}: 1 is softmax, 0 treats all alike"
        )
        return Table("Attention by layer", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names = [each.name for each in self.heads]
        figure = go.Figure()
        for index, position in enumerate(self.positions):
            means = [each.means[index] for each in self.heads]
            above = [each.highest[index] - each.means[index] for each in self.heads]
            below = [each.means[index] - each.lowest[index] for each in self.heads]
            figure.add_scatter(
                x=means, y=names, name=f"to {position}", mode="markers", marker={"color": COLOURS[index], "size": 9},
                error_x={"type": "data", "symmetric": False, "array": above, "arrayminus": below},
                hovertemplate=f"%{{y}}<br>attention to {position} %{{x:.3f}}<extra></extra>",
            )  # fmt: skip
        varies = max((each.deviation for each in self.heads), default=0.0)
        return finish(
            figure,
            "Attention to a " + ("depends on the inputs" if varies > 0.01 else "is the same for every pair"),
            "Where each head of each layer looks from each position: the mean over all pairs, and from the least to the most "
            "on any pair. A head whose lines are long attends differently to different pairs, and so multiplies; one whose "
            f"lines are points only adds. The attention rate is {self.attention_rate:g}, and attention varies by at most "
            f"{varies:.3f}.",
            xaxis_title="share of the attention",
            yaxis={"autorange": "reversed"},
            height=180 + 24 * len(names),
        )


@measurement(place=62, slow=True, needs=("addition", "layers"))
def layer_attention(circuit: Circuit) -> LayerAttention:
    """Where does each head of each layer look, from every position, and how much does that vary with the pair?

    As ``attention_pattern``, which is about the last layer's answering position, for every layer, and for every position that
    looks at more than one: in a layer before the last, what is fetched there is read by the next.

    Sources: Nanda et al. 2023, arXiv 2301.05217; Zhong et al. 2023, arXiv 2306.17844 (attention rate).
    """
    network = transformer(circuit)
    names, heads = positions_of(network), []
    for layer in range(network.layers()):
        pattern = circuit.activation(f"blocks.{layer}.attn.hook_pattern").double()
        looking = names[-pattern.shape[-2] :]
        for query, position in enumerate(looking):
            if network.config.causal and position == names[0]:
                continue
            attention = pattern[..., query, :]
            best, shares, _ = best_frequencies(in_rows(attention[..., 0]))
            for head in range(attention.shape[2]):
                values = attention[:, :, head]
                heads.append(
                    HeadAttention(
                        layer=layer,
                        head=head,
                        position=position,
                        means=tuple(values.mean((0, 1)).tolist()),
                        lowest=tuple(values.amin((0, 1)).tolist()),
                        highest=tuple(values.amax((0, 1)).tolist()),
                        deviation=values[..., 0].std(correction=0).item(),
                        best_frequency=best[head],
                        share=shares[head],
                    )
                )
    return LayerAttention(attention_rate=network.attention_rate(), positions=names, heads=tuple(heads))
