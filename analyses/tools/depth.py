"""What does a verdict on the last layer of a network miss of the layers before it?"""

import math
from dataclasses import dataclass

from analyses.tools.groups.products import by_product
from analyses.tools.residual_stream import at_answering_position, direct_effects, inputs_of_neurons, transformer
from interp.circuit import Circuit
from interp.groups.families import cyclic
from interp.networks.model import Unavailable


@dataclass(frozen=True)
class Depth:
    """What a network's last layer adds and reads, of several."""

    layers: int
    """Number of layers, at least 2."""
    earlier: float
    """Direct effect of all layers before the last, as a share of the answer; NaN where it cannot be said."""
    last: float
    """Direct effect of the last layer; NaN where it cannot be said."""
    rest: float
    """Direct effect of the embedding and of biases; NaN where it cannot be said."""
    lacking: str
    """Why the direct effects cannot be said; empty where they can."""
    reads_sum: float
    """Share of the variance of the last neurons' pre-activations that is a function of a + b alone, [0, 1]: what was summed
    before them. NaN where there are no neurons, or they read what never changes."""
    sum: str
    """How the task writes the sum: a + b."""

    def says(self) -> str:
        """What a verdict on the last layer's neurons is about, and what it misses, in one line."""
        about = f"{self.layers}, and the verdict is on the last one's neurons"
        missed = "what earlier layers compute for the last one to read is not in it"
        if not math.isnan(self.reads_sum):
            missed += f" ({self.reads_sum:.1%} of what its neurons read is a function of {self.sum} alone, made before them)"
        if self.lacking or math.isnan(self.last):
            why = self.lacking or "the logits do not depend on the answer"
            return f"{about}; what each adds to the logits directly cannot be said ({why}), and {missed}"
        last, earlier, rest = (f"{round(share, 3) + 0.0:.1%}" for share in (self.last, self.earlier, self.rest))
        shares = f"it adds {last} of the answer directly, the earlier ones {earlier}, all else {rest}"
        return f"{about}; {shares}; {missed}"


def depth(circuit: Circuit) -> Depth | None:
    """What a verdict on the last layer misses of a network of several layers; None for any other network."""
    try:
        network = transformer(circuit)
    except Unavailable:
        return None
    layers = network.layers()
    if layers == 1:
        return None
    reads_sum, words = _reads_sum(circuit), circuit.task.words
    try:
        effects = direct_effects(circuit)
    except Unavailable as missing:
        return Depth(layers, math.nan, math.nan, math.nan, str(missing), reads_sum, words.sum)
    last = sum(effect for part, effect in effects.items() if part.layer == layers - 1)
    rest = sum(effect for part, effect in effects.items() if part.layer < 0)
    return Depth(layers, sum(effects.values()) - last - rest, last, rest, "", reads_sum, words.sum)


def _reads_sum(circuit: Circuit) -> float:
    """Share of the variance of the last neurons' pre-activations that is a function of a + b alone."""
    network, p = transformer(circuit), circuit.p
    of_sum = variance = squares = 0.0
    for read in at_answering_position(circuit, inputs_of_neurons(network, network.layers() - 1)).values():
        centred = read.double() - read.double().mean((0, 1))
        squares += read.double().square().sum().item()
        variance += centred.square().sum().item()
        of_sum += p * by_product(centred, cyclic(p)).square().sum().item()
    return of_sum / variance if variance > 1e-12 * squares else math.nan
