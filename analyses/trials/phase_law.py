"""Does every neuron write at the sum of the phases at which it reads?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from einops import einsum, repeat
from jaxtyping import Float
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.evidence.neuron_clusters import EXPLAINED, neuron_clusters
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.last_layer import LastNeurons, last_neurons
from analyses.tools.pairs import sums
from analyses.tools.scoring import score_of_fit
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

PERMUTATIONS = 200
"""Number of permutations in the null: its largest value is one in two hundred."""
DISC = 0.5
"""Resultant of φ_a - φ_b, [0, 1], from which the neurons of a frequency are called a disc."""


@dataclass(frozen=True)
class FrequencyLaw:
    """The phase law at one frequency: the phases at which its neurons read and write."""

    k: int
    """The frequency."""
    neurons: int
    """Number of neurons that work at the frequency: the members of its cluster, ≥ .85 of their variance (neuron_clusters)."""
    written: float
    """Share that the members of the cluster have in the amplitudes that all neurons write at this frequency, [0, 1]."""
    R: float
    """Resultant of the law, |Σ g e^{i(φ_out - φ_a - φ_b)}| / Σ g, g a neuron's output amplitude, [0, 1]: 1 where it holds; NaN
    without neurons."""
    null_median: float
    """Median of R over the null's permutations, which deal φ_out and its amplitude out anew among the neurons."""
    null_most: float
    """Largest R of the null's permutations."""
    resultant: float
    """Resultant of the reading phases, |Σ g e^{i(φ_a - φ_b)}| / Σ g, g the output amplitude, [0, 1]; NaN without neurons."""
    shape: Literal["disc", "torus", "none"]
    """Shape of the reading phases. disc: a and b are read in the same phase (resultant ≥ .5), as clocks and pizzas with one
    embedding do; torus: in phases of their own; none: no neurons."""


@dataclass(frozen=True)
class PhaseLaw(Finding):
    """The phase law φ_out = φ_a + φ_b per key frequency, and how much the network needs products of waves."""

    frequencies: tuple[FrequencyLaw, ...]
    """The law at every key frequency, in ascending order of k."""
    delta_2: float
    """Accuracy of the order-2 minus that of the order-1 neuron surrogate: how much the network needs neurons that read
    waves of a + b and a - b, the products of a multiplication done before the neurons."""
    accuracy_order_1: float
    """Accuracy, [0, 1], with each neuron fitted by waves of a and of b at its best frequency (order 1)."""
    accuracy_order_2: float
    """Accuracy, [0, 1], with each neuron fitted by waves of a, b, a + b and a - b at its best frequency (order 2)."""
    phase_differences: tuple[tuple[float, ...], ...]
    """Per key frequency, φ_out - φ_a - φ_b of each of its neurons, in turns, (-½, ½]."""

    def table(self) -> Table:
        rows = tuple(
            (f.k, f.neurons, f.written, f.R, f.null_median, f.null_most, f.shape, f.resultant) for f in self.frequencies
        )
        columns = ("frequency k", "neurons", "of what is written", "R", "R at random: median", "most", "shape", "same phase")
        note = (
            "The law: a neuron writes at the sum of the phases at which it reads. R: how exactly that holds, from 0, not at "
            "all, to 1, exactly; at random: with phases dealt out anew. Of what is written: the share that these neurons have "
            "of what all neurons write at k. Shape: a disc where neurons read a and b at the same phase, which is 1 where all "
            f"do, from {DISC:g}; else a torus. Waves of a ± b in the neurons add Δ₂ = {self.delta_2:.4f} of accuracy: "
            f"{self.accuracy_order_2:.4f} with them, {self.accuracy_order_1:.4f} without"
        )
        return Table("Phase law φ_out = φ_a + φ_b", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, colours = go.Figure(), self.colours(law.k for law in self.frequencies)
        for law, differences in zip(self.frequencies, self.phase_differences, strict=True):
            name = f"k = {law.k}: R {law.R:.3f}"
            figure.add_scatter(x=differences, y=[name] * len(differences), mode="markers",
                               marker={"opacity": 0.3, "size": 9, "color": colours[law.k]})  # fmt: skip
        least = min((law.R for law in self.frequencies), default=math.nan)
        return finish(
            figure,
            f"Neurons write at the sum of the phases at which they read (R at least {least:.3f}; 1 is exact)"
            if least >= 0.95
            else "The network has no key frequency at which the law could hold"
            if not self.frequencies
            else f"Not all neurons write at the sum of the phases at which they read (least R {least:.3f}; 1 is exact)",
            "Every point is a neuron of this frequency: how far the phase at which it writes to the logits is from the "
            "sum of the phases at which it reads a and b. Where all are at 0, the neurons add up to the wave of "
            f"{self.words.wave}, and their other products cancel: R is 1. For phases dealt out at random R is near 0.",
            xaxis={"title": "phase written, less the two phases read (turns)", "range": [-0.5, 0.5]},
            yaxis_title="key frequency of the neuron",
            showlegend=False,
        )


@measurement(place=120, slow=True, needs=("addition", "neurons"))
def phase_law(circuit: Circuit, *, permutations: int = PERMUTATIONS) -> PhaseLaw:
    """Does every neuron write at the sum of the phases at which it reads?

    A neuron of frequency k reads cos(w_k a - φ_a) and cos(w_k b - φ_b) and writes g cos(w_k c - φ_out) to the logits.
    The nonlinearity makes cos(w_k(a+b) - φ_a - φ_b) of what it reads: with φ_out = φ_a + φ_b all neurons add up to
    cos w_k(a+b-c), and their other products cancel.

    ``permutations``: how often the null deals φ_out out anew among the neurons of a frequency, seeded. Source: this project.
    """
    phases = [_Phases.of(circuit, k) for k in key_frequencies(circuit).frequencies]
    accuracies = [score_of_fit(circuit, order=order).accuracy for order in (1, 2)]
    return PhaseLaw(
        frequencies=tuple(each.law(permutations) for each in phases),
        delta_2=accuracies[1] - accuracies[0],
        accuracy_order_1=accuracies[0],
        accuracy_order_2=accuracies[1],
        phase_differences=tuple(each.differences() for each in phases),
    )


@dataclass(frozen=True, eq=False)
class _Phases:
    """The phases, in radians, at which the neurons of one frequency read and write, and the amplitudes that they write."""

    k: int
    read_a: Float[Tensor, " neuron"]
    read_b: Float[Tensor, " neuron"]
    written: Float[Tensor, " neuron"]
    weight: Float[Tensor, " neuron"]
    share: float
    """Share of these neurons in the amplitudes that all neurons write at the frequency, [0, 1]."""

    @staticmethod
    def of(circuit: Circuit, k: int) -> "_Phases":
        neurons, clusters = last_neurons(circuit), neuron_clusters(circuit)
        members = [
            n for n, (best, share) in enumerate(zip(clusters.best_frequencies, clusters.shares, strict=True))
            if best == k and share >= EXPLAINED
        ]  # fmt: skip
        waves = neurons.waves_at(k)
        cosine, sine = neurons.output_waves_at(k)
        written, weight = torch.atan2(sine, cosine), torch.hypot(cosine, sine)
        read_a, read_b = torch.atan2(waves[2, 0], waves[1, 0]), torch.atan2(waves[0, 2], waves[0, 1])
        share = (weight[members].sum() / weight.sum()).item()
        # Strongest first, so that the draws of the null do not depend on the order of the neurons.
        members = sorted(members, key=lambda n: -weight[n].item())
        return _Phases(k, read_a[members], read_b[members], written[members], weight[members], share)

    def law(self, permutations: int) -> FrequencyLaw:
        read, total = self.read_a + self.read_b, self.weight.sum()
        generator = torch.Generator().manual_seed(self.k)
        orders = torch.stack([torch.randperm(len(read), generator=generator) for _ in range(permutations)])
        null = _resultant(self.weight[orders], self.written[orders] - read)
        resultant = _resultant(self.weight, self.read_a - self.read_b).item()
        return FrequencyLaw(
            k=self.k,
            neurons=len(read),
            written=self.share,
            R=_resultant(self.weight, self.written - read).item(),
            null_median=null.quantile(0.5).item(),
            null_most=null.max().item(),
            resultant=resultant,
            shape="none" if not total else "disc" if resultant >= DISC else "torus",
        )

    def differences(self) -> tuple[float, ...]:
        turns = (self.written - self.read_a - self.read_b) / (2 * torch.pi)
        return tuple((turns - turns.round()).tolist())


def lawful_map(
    neurons: LastNeurons, fitted: Float[Tensor, "a b neuron"], keys: tuple[int, ...] | None = None
) -> Float[Tensor, "neuron c"]:
    """W_L if every neuron wrote at the phase of a + b at which it fires.

    That phase is φ_a + φ_b for a neuron that reads waves of a and of b, and that of the wave of a + b for one that reads
    products only. It is derived from the pre-activations as ``fitted`` at the best two frequencies. Only one number per neuron
    comes from the network's own W_L: how much the neuron writes at that phase (below 0 where it writes the opposite), at the
    one of its two frequencies where it writes more; with ``keys``, one number per neuron for each of these frequencies.
    """
    p = neurons.p
    post = neurons.post(fitted).flatten(0, 1)
    by_sum = post.new_zeros(p, post.shape[1]).index_add_(0, sums(p).flatten(), post)
    fires, writes = (torch.fft.rfft(x, dim=0) for x in (by_sum.double(), neurons.neuron_logit_map.double().T))
    if keys is None:
        two = neurons.fit.frequencies[:2]
        chosen = two.gather(0, writes.abs().gather(0, two).argmax(0, keepdim=True))
    else:
        chosen = repeat(torch.tensor(keys, dtype=torch.int64), "key -> key neuron", neuron=post.shape[1])
    phase, written = fires.gather(0, chosen).angle(), writes.gather(0, chosen)
    amplitude = (written * torch.polar(torch.ones_like(phase), -phase)).real * torch.where(2 * chosen == p, 1, 2) / p
    angles = 2 * torch.pi * (chosen[..., None] * torch.arange(p) % p).double() / p
    return (amplitude[..., None] * (angles + phase[..., None]).cos()).sum(0)


def _resultant(weight: Float[Tensor, "*draw neuron"], angle: Float[Tensor, "*draw neuron"]) -> Float[Tensor, "*draw"]:
    total = weight.sum(-1)
    along = einsum(weight, angle.cos(), "... neuron, ... neuron -> ...") ** 2
    across = einsum(weight, angle.sin(), "... neuron, ... neuron -> ...") ** 2
    return (along + across).sqrt() / total
