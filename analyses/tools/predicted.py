"""What a frequency's neurons add up to, predicted from what each of them reads and writes: nothing is fitted to the output.

A neuron of frequency k reads a constant and waves at the angles k a and k b (with their products, a ± b), and writes a wave
of k c. Its activation is a function of the two angles with harmonics of its own; those of all neurons add up, each turned by
its phases. Where the phases are spread evenly only cos w_k(a+b-c) is left, times a profile A_k(a-b); where they are not, other
waves (j·k a, l·k b, k c) are left over as well: the quadrature is not exact.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from analyses.tools.amplitudes import along_the_sum, turned_by_the_sum
from analyses.tools.last_layer import LastNeurons
from analyses.tools.pairs import differences
from interp import fourier

Written = dict[int, Complex[Tensor, "a b"]]
"""Key frequency k → z(a, b), which stands for the logits Re z(a, b) e^{-i w_k c}."""
NUMBERS = 11
"""How many numbers the prediction takes from a neuron: 9 that it reads at its frequency, and 2 that it writes there."""


def written(neurons: LastNeurons, keys: Sequence[int], pre: Float[Tensor, "a b neuron"]) -> Written:
    """What the neurons of each key frequency write at it, with these pre-activations.

    A neuron's frequency is the one that fits it best (``LastNeurons.fit``).
    """
    return {k: written_at(neurons, k, mine := neurons.working_at(k), pre[..., mine]) for k in keys}


def written_at(
    neurons: LastNeurons, k: int, mine: Int[Tensor, " neuron"], pre: Float[Tensor, "a b neuron"]
) -> Complex[Tensor, "a b"]:
    """What some of the neurons, ``mine``, write at frequency k with these pre-activations."""
    post = neurons.post(pre)
    cosine, sine = (post @ neurons.output_waves_at(k)[:, mine].to(post.dtype).T).double().unbind(-1)
    return torch.complex(cosine, sine)


def profile(z: Complex[Tensor, "a b"], k: int) -> Float[Tensor, " d"]:
    """The amplitude A_k(d) of cos w_k(a+b-c) in what is written, d = a - b = 0..p-1, in logits."""
    return along_the_sum(z, k).mean(-1)


def beside_the_profile(z: Complex[Tensor, "a b"], k: int) -> Complex[Tensor, "a b"]:
    """What is written beside A_k(a-b) cos w_k(a+b-c), as far as it depends on a and b.

    A bias to some answers is left out: it is made by the mean activations of all neurons and by the biases together.
    """
    p, z = len(z), z - z.mean()
    return z - profile(z, k)[differences(p)] * turned_by_the_sum(k, p)


def as_logits(z: Complex[Tensor, "row b"], k: int) -> Float[Tensor, "row b c"]:
    """Re z(a, b) e^{-i w_k c}, for the pairs of some values of a."""
    cosine, sine = fourier.waves(k, z.shape[-1])
    return z.real[..., None] * cosine + z.imag[..., None] * sine
