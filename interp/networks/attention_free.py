"""Networks without attention: models α, β, γ, δ of Zhong et al. 2023, the one-layer MLP of Chughtai et al. 2023."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from interp.errors import InterpError
from interp.networks.config import Parameters
from interp.networks.hooks import Edit, Hooks
from interp.networks.model import Model, Tables, check_parameters

Kind = Literal["alpha", "beta", "gamma", "delta"]


@dataclass(frozen=True, kw_only=True)
class AttentionFreeConfig:
    """What must be known besides the weights to run a network without attention, which is of one of four kinds.

    With x_a and x_b the embeddings, R = ReLU, l1 and l2 linear, the kinds are
    alpha R l1(x_a + x_b); beta R l2 R l1(x_a + x_b); gamma R l2 R(l1 x_a + l1 x_b); delta R l1[x_a, x_b];
    each followed by a linear readout without bias.
    """

    p: int
    """Number of symbols: the modulus, where the task has one."""
    kind: Kind
    """Kind of the network: alpha, beta, gamma or delta."""
    d_embedding: int
    """Width of the embedding of one input."""
    d_hidden: int
    """Width of the hidden layer or layers."""
    biases: bool = True
    """Have the linear layers l1 and l2 biases?"""
    separate_vocabularies: bool = False
    """Has b an embedding of its own, instead of sharing a's?"""

    def __post_init__(self) -> None:
        if self.p < 2:
            raise InterpError(f"expected a modulus p of at least 2, got {self.p}: there is nothing to compute mod {self.p}")
        for name in ("d_embedding", "d_hidden"):
            if getattr(self, name) < 1:
                raise InterpError(f"expected {name} of at least 1, got {getattr(self, name)}")


def parameter_shapes(config: AttentionFreeConfig) -> dict[str, tuple[int, ...]]:
    """Which parameters does a network without attention have, and in what shapes? Weights are [in, out]."""
    d_in = config.d_embedding * (2 if config.kind == "delta" else 1)
    shapes: dict[str, tuple[int, ...]] = {"embed_a.W_E": (config.p, config.d_embedding)}
    if config.separate_vocabularies:
        shapes["embed_b.W_E"] = (config.p, config.d_embedding)
    shapes["l1.W"] = (d_in, config.d_hidden)
    if config.kind in ("beta", "gamma"):
        shapes["l2.W"] = (config.d_hidden, config.d_hidden)
    if config.biases:
        shapes |= {name.replace("W", "b"): (config.d_hidden,) for name in list(shapes) if name.startswith("l")}
    shapes["unembed.W_U"] = (config.d_hidden, config.p)
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
        return max(self.config.d_hidden, 2 * self.config.d_embedding)

    def describe(self) -> str:
        return f"an attention-free network ({self.config.kind})"

    def tables(self) -> Tables:
        E_a = self.parameters["embed_a.W_E"]
        return E_a, self.parameters.get("embed_b.W_E", E_a)

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        hooks = Hooks(record, edits or {})
        W = self.parameters

        def linear(x: Tensor, layer: str) -> Tensor:
            bias = W.get(f"{layer}.b")
            return x @ W[f"{layer}.W"] if bias is None else x @ W[f"{layer}.W"] + bias

        def neurons(pre: Tensor, layer: str) -> Tensor:
            (pre,) = hooks.positions(f"{layer}.hook_pre", [pre])
            (post,) = hooks.positions(f"{layer}.hook_post", [functional.relu(pre)])
            return post

        match self.config.kind:
            case "alpha" | "beta":
                h = neurons(linear(E_a + E_b, "l1"), "l1")
            case "gamma":
                h = neurons(linear(E_a, "l1") + linear(E_b, "l1"), "l1")
            case "delta":
                h = neurons(linear(torch.cat(torch.broadcast_tensors(E_a, E_b), dim=-1), "l1"), "l1")
        if "l2.W" in W:
            h = neurons(linear(h, "l2"), "l2")
        hooks.check_all_met()
        return h @ W["unembed.W_U"], hooks.activations

    def weights(self) -> Parameters:
        return self.parameters

    def layers_of_neurons(self) -> int:
        return 2 if "l2.W" in self.parameters else 1

    def neurons_name(self) -> str:
        return f"{self._last_layer}.hook_post"

    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        return functional.relu

    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        return self.parameters["unembed.W_U"]

    @property
    def _last_layer(self) -> str:
        return f"l{self.layers_of_neurons()}"
