"""The neurons that write the answer: what they read, what they write, and each one's best frequencies."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor

from analyses.tools.pairs import ALL, Pairs
from interp import fourier
from interp.circuit import Circuit
from interp.memory import in_rows
from interp.networks.model import Unavailable

Order = Literal[1, 2]
"""Order of a fit: 1 is a constant and waves of a and of b; 2 has waves of a + b and of a - b, too."""


@dataclass(frozen=True, eq=False)
class LastNeurons:
    """A network from its last neurons' pre-activations on: logits = gain · activation(pre) W_L + what comes past the neurons.

    Where a normalisation lies between these neurons and the logits, it goes on dividing every pair by what it divides it by in
    the network itself, whatever the pre-activations: only then is the rest of the network a linear map. The gain is 1 without.
    """

    pre: Float[Tensor, "a b neuron"]
    """Pre-activations of the last layer's neurons on all pairs."""
    activation: Callable[[Tensor], Tensor]
    """Function from the pre-activations to the activations of these neurons."""
    neuron_logit_map: Float[Tensor, "neuron c"]
    """W_L = W_out W_U: what each neuron adds to the logit of each answer."""
    bypass: Float[Tensor, "a b c"]
    """Part of the logits that does not come from these neurons: logits - gain · activation(pre) W_L."""
    gain: Float[Tensor, "a b 1"] | None = None
    """By how much more than on average a pair's normalisations multiply what these neurons write; None without any."""

    @property
    def p(self) -> int:
        """The modulus."""
        return len(self.pre)

    def logits(
        self,
        pre: Float[Tensor, "*pairs neuron"],
        *,
        at: Pairs | slice = ALL,
        W_L: Float[Tensor, "neuron c"] | None = None,
    ) -> Float[Tensor, "*pairs c"]:
        """The logits with other pre-activations, for all pairs, for some, or for those of some values of a.

        ``at``: the pairs, or the values of a; ``W_L``: another map to the logits.
        """
        post = self.post(pre, at=at)
        return post @ (self.neuron_logit_map if W_L is None else W_L.to(post.dtype)) + self.bypass[at]

    def post(self, pre: Float[Tensor, "*pairs neuron"], *, at: Pairs | slice = ALL) -> Float[Tensor, "*pairs neuron"]:
        """The activations of the pairs that ``at`` means in ``logits``, times the gain."""
        post = self.activation(pre.to(self.pre.dtype))
        return post if self.gain is None else post * self.gain[at]

    def fitted(self, *, order: Order, frequencies: Literal[1, 2] = 1) -> Float[Tensor, "a b neuron"]:
        """The pre-activations fitted by waves of one or two frequencies per neuron, in the network's own precision."""
        return self.fit.values(self.p, order=order, frequencies=frequencies, dtype=self.pre.dtype)

    @cached_property
    def fit(self) -> "Fit":
        """Each neuron's best frequencies, and the waves of its pre-activation at these frequencies."""
        return _fit(fourier.pair_waves(in_rows(self.pre)))

    def working_at(self, k: int) -> Int[Tensor, " mine"]:
        """Which neurons have k as the frequency that fits them best."""
        return (self.fit.frequencies[0] == k).nonzero()[:, 0]

    def waves_at(self, k: int) -> Float[Tensor, "3 3 neuron"]:
        """Each pre-activation's coefficients on {1, cos, sin} of a × {1, cos, sin} of b at frequency k (orthonormal)."""
        p = self.p
        index = [0, *fourier.row_numbers(k, p)]
        waves = einsum(three_rows(k, p), self.waves_of_a[index], "j b, i b neuron -> i j neuron")
        return torch.cat([waves, waves.new_zeros(3 - len(index), 3, waves.shape[-1])])

    @cached_property
    def waves_of_a(self) -> Float[Tensor, "row b neuron"]:
        """The pre-activations in the real Fourier basis over a."""
        basis = fourier.basis(self.p).to(self.pre.dtype)
        return (basis @ self.pre.flatten(1)).unflatten(1, self.pre.shape[1:]).double()

    def output_waves_at(self, k: int) -> Float[Tensor, "2 neuron"]:
        """Amplitudes on cos w_k c and sin w_k c with which each neuron writes to the logits."""
        rows = three_rows(k, self.p)[1:]
        return rows @ self.neuron_logit_map.double().T * rows.amax()


@dataclass(frozen=True, eq=False)
class Fit:
    """Least-squares fits of the pre-activations by waves of few frequencies."""

    constant: Float[Tensor, " neuron"]
    """Mean of each neuron's pre-activation over all pairs."""
    frequencies: Int[Tensor, "choice neuron"]
    """Per neuron, the frequency that fits best with order 2, the second best, and the one that fits best with order 1."""
    waves: Float[Tensor, "choice 3 3 neuron"]
    """Coefficients of each pre-activation on {1, cos, sin} of a × {1, cos, sin} of b (orthonormal) at each of ``frequencies``;
    0 on the constant."""

    def values(
        self, p: int, *, order: Order, frequencies: Literal[1, 2] = 1, dtype: torch.dtype = torch.float64
    ) -> Float[Tensor, "a b neuron"]:
        """The fitted pre-activations, one or two frequencies per neuron."""
        chosen = [2] if order == 1 else [0, 1][:frequencies]
        values = self.constant.to(dtype).expand(p * p, -1).clone()
        for choice in chosen:
            add_waves(values, self.frequencies[choice], of_order(self.waves[choice], order))
        return values.unflatten(0, (p, p))


def last_neurons(circuit: Circuit) -> LastNeurons:
    """The neurons of a network's last layer.

    Raises Unavailable where the network has no neurons, and where an edit lies behind them: the logits that follow from other
    pre-activations are then not activation(pre) W_L + what comes past the neurons.
    """
    return circuit.remember("last neurons", lambda: _last_neurons(circuit))


def pre_activations(circuit: Circuit) -> Float[Tensor, "a b neuron"]:
    """Pre-activations of the last layer's neurons on all pairs."""
    return circuit.activation(circuit.network.pre_activations_name()).select(-2, -1)


def add_waves(
    values: Float[Tensor, "pair neuron"], frequencies: Int[Tensor, " neuron"], waves: Float[Tensor, "3 3 neuron"]
) -> None:
    """Add to each neuron's values on all pairs, in place, the waves at its own frequency."""
    p = math.isqrt(len(values))
    for k in frequencies.unique().tolist():
        mine = (frequencies == k).nonzero()[:, 0]
        rows = three_rows(k, p)
        products = einsum(rows, rows, "i a, j b -> a b i j").flatten(0, 1).flatten(1)
        values.index_add_(1, mine, products.to(values.dtype) @ waves[..., mine].flatten(0, 1).to(values.dtype))


def of_order(waves: Float[Tensor, "*choice 3 3 neuron"], order: Order) -> Float[Tensor, "*choice 3 3 neuron"]:
    """The coefficients up to an order, the others set to 0: products of a wave of a with one of b are order 2."""
    waves = waves.clone()
    if order == 1:
        waves[..., 1:, 1:, :] = 0
    return waves


@lru_cache(maxsize=512)
def three_rows(k: int, p: int) -> Float[Tensor, "3 p"]:
    """The constant, cosine and sine of frequency k, orthonormal; at k = p/2 there is no sine, and its row is 0.

    Not to be changed in place: the same tensor is given out again.
    """
    rows = torch.cat([torch.full((1, p), 1 / math.sqrt(p), dtype=torch.float64), fourier.rows(k, p)])
    return torch.cat([rows, rows.new_zeros(3 - len(rows), p)])


def _last_neurons(circuit: Circuit) -> LastNeurons:
    name = circuit.network.pre_activations_name()
    post, W_L = circuit.neurons, circuit.neuron_logit_map
    if varies := circuit.network.map_variation():
        raise Unavailable(
            "needs neurons that reach the logits by one linear map and normalisations alone: from these, a pair's own map "
            f"differs by {varies:.1%}"
        )
    gain = circuit.network.gain()
    if gain is not None:
        gain = gain[circuit.numbers.a][:, circuit.numbers.b]
    if gain is not None and circuit.edits:  # which changes the sizes that are divided by
        raise Unavailable("needs a network that is not edited, since a normalisation lies between its neurons and the logits")
    neurons = LastNeurons(
        pre=pre_activations(circuit),
        activation=circuit.network.nonlinearity(),
        neuron_logit_map=W_L,
        bypass=circuit.logits - (post if gain is None else post * gain[..., None]) @ W_L,
        gain=None if gain is None else gain[..., None],
    )
    if circuit.edits:
        # Every pair is given the pre-activations of another one: does the edited network answer them as it should?
        others = neurons.pre.roll(1, 0)
        logits = circuit.with_activation(name, _at_last_position(others)).logits
        if not torch.allclose(logits, neurons.logits(others), rtol=1e-3, atol=1e-4 * float(logits.abs().max())):
            raise Unavailable("needs a network that is not edited behind its neurons")
    return neurons


def _at_last_position(values: Float[Tensor, "*pairs neuron"]) -> Callable[[Tensor], Tensor]:
    """An edit that puts values at the last position of an activation [*pairs, position, neuron]."""
    return lambda old: torch.cat([old[..., :-1, :], values.unsqueeze(-2)], dim=-2)


def _fit(waves: fourier.PairWaves) -> Fit:
    blocks = waves.blocks
    ranked = waves.energies.topk(min(2, len(blocks)), dim=0).indices
    ranked_alone = of_order(blocks, 1).square().sum((1, 2)).argmax(0)
    chosen = torch.stack([ranked[0], ranked[-1], ranked_alone])
    index = rearrange(chosen, "choice neuron -> choice 1 1 neuron").expand(-1, 3, 3, -1)
    best = blocks.gather(0, index)
    if len(blocks) == 1:  # there is no second frequency
        best[1] = 0
    return Fit(constant=waves.total / waves.pairs, frequencies=chosen + 1, waves=best)
