"""Model: what a circuit, and so every analysis, needs of a network, whatever its architecture."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError, one_line
from interp.memory import missing
from interp.networks.hooks import Edit

Tables = tuple[Tensor, Tensor]
"""Embeddings of a and of b: two tensors [p, d_model]. A network whose a and b share an embedding gives its memory twice."""


BYTES_PER_PAIR = 1000
"""Bytes that the basic measurements keep for each pair: the labels, attention, answers, logits of right answers."""
BYTES_PER_ACTIVATION = 64
"""Bytes that an activation of the pairs of one a takes while these are gone through: a few tensors in double precision."""


class Unavailable(InterpError):  # noqa: N818 (nothing went wrong: this network has no such thing)
    """A measurement needs something that a network does not have; the message says what."""


class Model(ABC):
    """A network that reads two symbols, a and b, and answers with a logit per symbol."""

    @property
    @abstractmethod
    def p(self) -> int:
        """Number of symbols that a, b and the answer may be."""

    def width(self) -> int:
        """Largest number of values that one kind of activation has per pair."""
        return 1

    @abstractmethod
    def describe(self) -> str:
        """The kind of network in a few words: 'a one-layer transformer'."""

    def tables(self) -> Tables:
        """Embeddings of a and of b, a row per symbol. Raises Unavailable where the network has none."""
        raise Unavailable(f"needs embeddings, which {self.describe()} does not have")

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        """Run on embeddings of a and b (batch axes broadcast): the logits of the p symbols, and the recorded activations.

        ``record``: names of the activations to return. ``edits``: activation name → function to its replacement.
        Raises Unavailable where the network does not run from embeddings.
        """
        raise Unavailable(f"needs a network that runs from embeddings, which {self.describe()} does not")

    def run_symbols(
        self,
        a: Int[Tensor, "..."],
        b: Int[Tensor, "..."],
        *,
        record: Collection[str] = (),
        edits: Mapping[str, Edit] | None = None,
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        """Run on symbols, its own embeddings of a and b (batch axes broadcast); all else as in ``run``."""
        E_a, E_b = self.tables()
        return self.run(E_a[a], E_b[b], record=record, edits=edits)

    def given_logits(self) -> Float[Tensor, "p p p"] | None:
        """The logits on all pairs, where they are stored; None for a network whose logits come from ``run``."""
        return None

    def weights(self) -> Mapping[str, Tensor]:
        """The weights by name; empty for a network whose weights are not known."""
        return {}

    def layers_of_neurons(self) -> int:
        """Number of layers of neurons, one after the other; 0 where none are known."""
        return 0

    def is_plain_layer(self) -> bool:
        """Has it one layer of neurons, and nothing else that is not linear but the attention in front of them?"""
        return False

    def layers(self) -> int:
        """Number of layers that write to a residual stream, one after the other. Raises Unavailable where there are none."""
        raise Unavailable(f"needs the layers of a transformer, which {self.describe()} does not have")

    def neurons_name(self) -> str:
        """Name of the activation, [*batch, 1, neuron], of the last layer's neurons, which write the answer."""
        raise Unavailable(f"needs neurons, which {self.describe()} does not have")

    def pre_activations_name(self) -> str:
        """Name of the activation of the last layer's neurons before the nonlinearity."""
        return self.neurons_name().replace("hook_post", "hook_pre")

    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        """The function from the pre-activations of the last layer's neurons to their activations."""
        raise Unavailable(f"needs neurons, which {self.describe()} does not have")

    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        """What each neuron of the last layer adds to the logit of each symbol, per unit of its activation."""
        raise Unavailable(f"needs neurons, which {self.describe()} does not have")

    def gain(self) -> Float[Tensor, "a b"] | None:
        """By how much more than on average each pair's normalisations multiply what the last neurons write; None without any.

        A pair's own map from neurons to logits is its gain times ``neuron_logit_map``, the mean over all pairs, while the
        sizes that the normalisations divide by are held. The mean of all gains is 1.
        """
        return None

    def map_variation(self) -> float:
        """How much a pair's own map from neurons to logits differs from its gain times ``neuron_logit_map``: root mean square,
        as a share of it; 0 where nothing but normalisations and linear maps lies between them."""
        return 0.0

    def pattern_name(self) -> str:
        """Name of the activation, [*batch, head, 1, key], of the last layer's attention from the answering position."""
        raise Unavailable(f"needs attention, which {self.describe()} does not have")

    def attention_rate(self) -> float:
        """Attention rate, from 0 to 1: the α of an attention that is α·softmax + (1-α)·ones."""
        raise Unavailable(f"needs attention, which {self.describe()} does not have")

    def usual_names(self) -> list[str]:
        """Names of the last layer's neurons and attention, as far as the network has them."""
        names = []
        for name in (self.neurons_name, self.pattern_name):
            with suppress(Unavailable):
                names.append(name())
        return names


def check_analysable(model: Model) -> None:
    """Refuse a network of whose pairs not even the basic measurements, which go through them row by row, have room."""
    needed = model.p**2 * BYTES_PER_PAIR + model.p * model.width() * BYTES_PER_ACTIVATION
    if lack := missing(needed):
        raise InterpError(f"p = {model.p} is too large for this machine: what is kept of all its pairs would take {lack}")


def check_parameters(expected: Mapping[str, tuple[int, ...]], parameters: Mapping[str, Tensor]) -> None:
    """Refuse parameters that are not exactly those expected, finite, and all float32 or all float64."""
    if missing := sorted(expected.keys() - parameters.keys()):
        raise InterpError(f"parameters are missing: {', '.join(missing)}")
    if unknown := sorted(parameters.keys() - expected.keys()):
        raise InterpError(f"parameters that this configuration does not have: {one_line(', '.join(unknown), 200)}")
    dtypes = {tensor.dtype for tensor in parameters.values()}
    if len(dtypes) != 1 or not dtypes <= {torch.float32, torch.float64}:
        raise InterpError(f"expected parameters all float32 or all float64, got {sorted(map(str, dtypes))}")
    for name, shape in expected.items():
        tensor = parameters[name]
        if tuple(tensor.shape) != shape:
            raise InterpError(
                f"expected {name} of shape {list(shape)}, got {list(tensor.shape)}: "
                f"was it trained with another p or another width?"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise InterpError(f"{name} holds NaN or infinite values: the run that wrote it had diverged")
