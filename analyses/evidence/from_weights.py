"""What should the key frequencies' neurons add up to, by what each of them reads and writes, and is it what they do?"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from jaxtyping import Complex, Int
from torch import Tensor

from analyses.evidence.amplitude_profile import FrequencyProfile, amplitude_profile
from analyses.findings.drawing import finish, say
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools import predicted
from analyses.tools.amplitudes import at_frequency, output_at
from analyses.tools.angles import cut_down, harmonics
from analyses.tools.closed_form import mixture
from analyses.tools.last_layer import LastNeurons, last_neurons, pre_activations
from analyses.tools.logit_sums import logit_sums
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

HARMONICS = 6
"""Largest multiple of a key frequency among the waves (j·k a, l·k b, k c) that are looked at."""


@dataclass(frozen=True)
class FrequencyPrediction:
    """One key frequency: what its neurons should write, by what each of them reads, beside what is measured."""

    k: int
    """The frequency."""
    neurons: int
    """Number of neurons whose best frequency this is."""
    measured: float
    """Coordinate of the measured profile, 0 a clock, 1 a pizza, frequency 2k removed from the embedding (amplitude_profile)."""
    predicted: float
    """Coordinate of the predicted profile, 2k removed likewise."""
    first_waves: float
    """Coordinate that is predicted where neurons read waves of a, b and a ± b at k only, without the second harmonics that
    attention makes of a circle."""
    without_constants: float
    """Coordinate that is predicted where all constants that the neurons read are 0."""
    threshold: float
    """Mean constant that the neurons read, over the largest value of their waves, weighted by what they write. Above 0 a ReLU
    is linear where the waves are small and makes no product there: the profile is sharper than |cos|."""
    fitted: float
    """Share of the measured profile's squares that the predicted one gives, at most 1; nothing is scaled."""
    beside_measured: float
    """Share of the centred logits' variance on waves (j·k a, l·k b, k c) beside the profile, |j| and |l| at most 6: what an
    exact quadrature would not have."""
    beside_predicted: float
    """Share of that variance which the predicted waves have."""
    accounted: float
    """Share of the measured waves that the predicted ones account for, 1 - ‖measured - predicted‖² / ‖measured‖², at most 1;
    below 0 where the prediction adds more than it explains."""
    measured_profile: tuple[float, ...] = field(metadata=ONLY_DRAWN)
    """Measured amplitude, in logits, for k d mod p in ascending order."""
    predicted_profile: tuple[float, ...] = field(metadata=ONLY_DRAWN)
    """Predicted amplitude, in logits, for k d mod p in ascending order."""


@dataclass(frozen=True)
class FromWeights(Finding):
    """What the neurons of every key frequency should add up to, beside what the network does; nothing is fitted."""

    frequencies: tuple[FrequencyPrediction, ...]
    """One prediction per key frequency, in ascending order of k."""
    accounted: float
    """Share of all measured waves beside the profiles, of all key frequencies together, that the predicted ones account for."""

    def table(self) -> Table:
        rows = tuple(
            (
                f.k, f.neurons, f"{f.measured:.2f}", f"{f.predicted:.2f}", f"{f.first_waves:.2f}", f"{f.without_constants:.2f}",
                f"{f.threshold:.2f}", f"{f.fitted:.3f}", f"{f.beside_measured:.4f}", f"{f.beside_predicted:.4f}",
                f"{f.accounted:.2f}",
            )
            for f in self.frequencies
        )  # fmt: skip
        columns = ("frequency k", "neurons", "measured", "predicted", "first waves", "no constants", "threshold", "fitted",
                   "beside", "beside, predicted", "accounted")  # fmt: skip
        note = (
            "Measured, predicted: coordinates, 0 for a clock, 1 for a pizza; first waves: if neurons read waves at k only; no "
            "constants: if they read no constants. Threshold: these constants over the most that their waves reach. Fitted: "
            "how much of the measured amplitudes the predicted ones give, 1 is all. Beside: share of the output, the logits' "
            "variance, on waves of multiples of k that are neither clock nor pizza. Accounted: how much of these is predicted; "
            f"of all frequencies together it is {self.accounted:.2f}"
        )
        return Table("What the neurons add up to, predicted from what each reads and writes", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure, colours = go.Figure(), self.colours(f.k for f in self.frequencies)
        if not self.frequencies:
            say(figure, "The network has no key frequencies.")
        for f in self.frequencies:
            p = len(f.measured_profile)
            x, name = [i / p for i in range(p)], f"k = {f.k}"
            figure.add_scatter(x=x, y=f.measured_profile, mode="markers", name=f"{name}: measured", marker_color=colours[f.k])
            figure.add_scatter(x=x, y=f.predicted_profile, mode="lines", name="predicted", line_color=colours[f.k])
        worst = min((f.fitted for f in self.frequencies), default=math.nan)
        return finish(
            figure,
            "There are no amplitudes to predict: the network has no key frequencies"
            if not self.frequencies
            else f"The weights predict the amplitudes: at least {worst:.1%} of them at every frequency"
            if worst >= 0.9
            else f"The weights do not predict every amplitude: only {worst:.1%} of them at one frequency",
            "Lines show the amplitude at every key frequency over the distance, computed from the constant, the amplitudes and "
            "the phases at which each neuron reads and writes, through its activation; points show it as measured in the "
            "output. Nothing is fitted.",
            xaxis_title=f"distance {self.words.difference} times k, in turns of the circle",
            yaxis={"title": "amplitude (in logits)", "rangemode": "tozero"},
        )


@measurement(place=65, slow=True, needs=("addition", "embedding", "neurons"))
def from_weights(circuit: Circuit) -> FromWeights:
    """What should the key frequencies' neurons add up to, by what each of them reads and writes, and is it what they do?

    A neuron's pre-activation is cut down to a function of the angles k a and k b of its best frequency k, with harmonics as in
    rung 3 of the ladder, and what it writes to its part at k. Its activation makes harmonics of what it reads; their sum over
    the neurons, each turned by its phases, has a profile A_k(a-b) and, where the phases are not spread evenly, waves
    (j·k a, l·k b, k c) beside it, to which comes what goes past the neurons. Profiles are predicted and measured with
    frequency 2k removed from the embedding, waves beside them without.

    Source: this project.
    """
    neurons, profiles = last_neurons(circuit), amplitude_profile(circuit).profiles
    found = [_prediction(circuit, profile, neurons.working_at(profile.k)) for profile in profiles]
    total = sum(f.beside_measured for f in found)
    missed = sum(f.beside_measured * (1 - f.accounted) for f in found if f.beside_measured)
    return FromWeights(frequencies=tuple(found), accounted=1 - missed / total if total else math.nan)


def _prediction(circuit: Circuit, measured: FrequencyProfile, mine: Int[Tensor, " neuron"]) -> FrequencyPrediction:
    """What the neurons ``mine`` should write at their frequency, beside what is measured."""
    k, A, count = measured.k, torch.tensor(measured.profile, dtype=torch.float64), harmonics(circuit.p)
    intact = last_neurons(circuit)
    pre = pre_activations(circuit.with_embedding(fourier.without(circuit.embedding, measured.removed)))[..., mine]
    constant, read = pre.mean((0, 1)), cut_down(pre, k, count)
    profiles = [
        predicted.profile(predicted.written_at(intact, k, mine, each), k)
        for each in (read, cut_down(pre, k, min(count, 1)), read - constant)
    ]
    beside, theory = (_beside(z, k) for z in (output_at(circuit, k), _written(intact, k, mine)))
    beside_measured, beside_predicted, missed = (_share(circuit, z, k) for z in (beside, theory, beside - theory))
    weight = intact.output_waves_at(k)[:, mine].norm(dim=0)
    thresholds = (constant / (read - constant).amax((0, 1))).double()
    along = measured.along_the_arch()
    return FrequencyPrediction(
        k=k,
        neurons=len(mine),
        measured=measured.coordinate,
        predicted=mixture(profiles[0], k).coordinate,
        first_waves=mixture(profiles[1], k).coordinate,
        without_constants=mixture(profiles[2], k).coordinate,
        threshold=((weight * thresholds).sum() / weight.sum()).item(),
        fitted=(1 - (A - profiles[0]).square().sum() / A.square().sum()).item(),
        beside_measured=beside_measured,
        beside_predicted=beside_predicted,
        accounted=1 - missed / beside_measured if beside_measured else math.nan,
        measured_profile=tuple(A[along].tolist()),
        predicted_profile=tuple(profiles[0][along].tolist()),
    )


def _written(neurons: LastNeurons, k: int, mine: Int[Tensor, " neuron"]) -> Complex[Tensor, "a b"]:
    """What the neurons of k write at k if each reads its own angles only, and what goes past the neurons."""
    read = cut_down(neurons.pre[..., mine], k, harmonics(neurons.p))
    return predicted.written_at(neurons, k, mine, read) + at_frequency(neurons.bypass.double(), k)


def _share(circuit: Circuit, z: Complex[Tensor, "a b"], k: int) -> float:
    """The share of the centred logits' variance that z stands for."""
    # A wave of amplitude |z| in c has squares that sum to p |z|² / 2, and to p |z|² at k = p/2.
    squares = z.abs().square().sum() * circuit.p / (1 if 2 * k == circuit.p else 2)
    return squares.item() / logit_sums(circuit).square


def _beside(z: Complex[Tensor, "a b"], k: int) -> Complex[Tensor, "a b"]:
    """The waves at multiples of k a and k b in what stands at frequency k of c, less the profile and the mean over pairs."""
    p = len(z)
    rest = predicted.beside_the_profile(z, k)
    near = torch.zeros(p, dtype=torch.bool)
    near[[j * k % p for j in range(-HARMONICS, HARMONICS + 1)]] = True
    return torch.fft.ifft2(torch.fft.fft2(rest) * (near[:, None] & near))
