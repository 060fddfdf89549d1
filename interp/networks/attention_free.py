"""Networks without attention: those of Zhong et al. 2023 (α, β, γ, δ), Chughtai et al. 2023 and Doshi et al. 2023."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from interp.errors import InterpError
from interp.networks.activations import Activation, activation_named, check_activation
from interp.networks.config import Parameters
from interp.networks.hooks import Edit, Hooks
from interp.networks.model import Model, Tables, check_parameters

Kind = Literal["alpha", "beta", "gamma", "delta", "direct"]


@dataclass(frozen=True, kw_only=True)
class AttentionFreeConfig:
    """What must be known besides the weights to run a network without attention, which is of one of five kinds.

    With x_a and x_b the embeddings, R the activation (ReLU as published), l1 and l2 linear, the kinds are
    alpha R l1(x_a + x_b); beta R l2 R l1(x_a + x_b); gamma R l2 R(l1 x_a + l1 x_b); delta R l1[x_a, x_b];
    direct R(x_a + x_b), whose neurons read the embeddings themselves (Doshi et al. 2023, arXiv 2310.13061, with R the square);
    each followed by a linear readout. Alpha, delta and direct can have further hidden layers R l2, R l3, … before it.
    """

    p: int
    """Number of symbols: the modulus, where the task has one."""
    kind: Kind
    """Kind of the network: alpha, beta, gamma, delta or direct."""
    d_embedding: int
    """Width of the embedding of one input."""
    d_hidden: int
    """Width of the hidden layer or layers."""
    biases: bool = True
    """Have the linear layers l1 and l2 biases?"""
    separate_vocabularies: bool = False
    """Has b an embedding of its own, instead of sharing a's?"""
    activation: Activation = "relu"
    """Nonlinearity R of the neurons."""
    unembed_bias: bool = False
    """Has the readout a bias?"""
    further_hidden: tuple[int, ...] = ()
    """Widths of the hidden layers behind the first; of beta and gamma the second is d_hidden wide, and there is no third."""

    def __post_init__(self) -> None:
        if self.p < 2:
            raise InterpError(f"expected a modulus p of at least 2, got {self.p}: there is nothing to compute mod {self.p}")
        for name in ("d_embedding", "d_hidden"):
            if getattr(self, name) < 1:
                raise InterpError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if min(self.further_hidden, default=1) < 1 or len(self.further_hidden) > 64:
            raise InterpError(f"expected up to 64 further hidden layers of at least 1, got {self.further_hidden}")
        if self.kind == "direct" and self.d_embedding != self.d_hidden:
            raise InterpError(f"a network of kind direct has embeddings as wide as its neurons are many, {self.d_hidden}")
        if self.further_hidden and self.kind in ("beta", "gamma"):
            raise InterpError(f"a network of kind {self.kind} has two hidden layers: no further_hidden")
        check_activation(self.activation)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of all hidden layers, l1 first."""
        return (self.d_hidden, *(self.further_hidden or (self.d_hidden,) * (self.kind in ("beta", "gamma"))))


def parameter_shapes(config: AttentionFreeConfig) -> dict[str, tuple[int, ...]]:
    """Which parameters does a network without attention have, and in what shapes? Weights are [in, out]."""
    d_in = config.d_embedding * (2 if config.kind == "delta" else 1)
    shapes: dict[str, tuple[int, ...]] = {"embed_a.W_E": (config.p, config.d_embedding)}
    if config.separate_vocabularies:
        shapes["embed_b.W_E"] = (config.p, config.d_embedding)
    for number, (inputs, outputs) in enumerate(pairwise((d_in, *config.hidden)), start=1):
        if number > 1 or config.kind != "direct":
            shapes[f"l{number}.W"] = (inputs, outputs)
    if config.biases:
        shapes |= {f"l{number}.b": (width,) for number, width in enumerate(config.hidden, start=1)}
    shapes["unembed.W_U"] = (config.hidden[-1], config.p)
    if config.unembed_bias:
        shapes["unembed.b_U"] = (config.p,)
    return shapes


@dataclass(frozen=True, eq=False)
class AttentionFree(Model):
    """A network without attention: parameters that fit a configuration.

    Its activations are l1.hook_pre, l1.hook_post, l2.hook_pre, …
    """

    config: AttentionFreeConfig
    parameters: Parameters

    def __post_init__(self) -> None:
        check_parameters(parameter_shapes(self.config), self.parameters)

    @property
    def p(self) -> int:
        return self.config.p

    def width(self) -> int:
        return max(*self.config.hidden, 2 * self.config.d_embedding)

    def describe(self) -> str:
        return f"an attention-free network ({self.config.kind})"

    def tables(self) -> Tables:
        E_a = self.parameters["embed_a.W_E"]
        return E_a, self.parameters.get("embed_b.W_E", E_a)

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        hooks = Hooks(record, edits or {})
        logits = forward(self.config, self.parameters, E_a, E_b, hooks)
        hooks.check_all_met()
        return logits, hooks.activations

    def weights(self) -> Parameters:
        return self.parameters

    def layers_of_neurons(self) -> int:
        return len(self.config.hidden)

    def is_plain_layer(self) -> bool:
        return self.layers_of_neurons() == 1

    def neurons_name(self) -> str:
        return f"{self._last_layer}.hook_post"

    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        return activation_named(self.config.activation)

    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        return self.parameters["unembed.W_U"]

    @property
    def _last_layer(self) -> str:
        return f"l{self.layers_of_neurons()}"


def forward(config: AttentionFreeConfig, W: Parameters, E_a: Tensor, E_b: Tensor, hooks: Hooks) -> Float[Tensor, "*batch p"]:
    """The logits on embeddings of a and b (batch axes broadcast), by these parameters, with the hooks met on the way."""
    linear, neurons = partial(_linear, W), partial(_neurons, hooks, activation_named(config.activation))
    match config.kind:
        case "alpha" | "beta" | "direct":
            h = neurons(linear(E_a + E_b, "l1"), "l1")
        case "gamma":
            h = neurons(linear(E_a, "l1") + linear(E_b, "l1"), "l1")
        case "delta":
            h = neurons(linear(torch.cat(torch.broadcast_tensors(E_a, E_b), dim=-1), "l1"), "l1")
    for number in range(2, len(config.hidden) + 1):
        h = neurons(linear(h, f"l{number}"), f"l{number}")
    logits = h @ W["unembed.W_U"]
    return logits + W["unembed.b_U"] if config.unembed_bias else logits


def _linear(W: Parameters, x: Tensor, layer: str) -> Tensor:
    matrix, bias = W.get(f"{layer}.W"), W.get(f"{layer}.b")  # neurons that read embeddings themselves have no matrix
    x = x if matrix is None else x @ matrix
    return x if bias is None else x + bias


def _neurons(hooks: Hooks, activation: Callable[[Tensor], Tensor], pre: Tensor, layer: str) -> Tensor:
    (pre,) = hooks.positions(f"{layer}.hook_pre", [pre])
    (post,) = hooks.positions(f"{layer}.hook_post", [activation(pre)])
    return post
