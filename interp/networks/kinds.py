"""The kinds of networks that are trained, each known from its configuration: its weights, and how it runs."""

from jaxtyping import Float, Int
from torch import Tensor

from interp.networks import attention_free, forward
from interp.networks import config as transformer
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.hooks import Hooks
from interp.networks.transformer import Network

Config = NetworkConfig | AttentionFreeConfig
"""What must be known besides the weights to run a network that can be trained."""
Trained = Network | AttentionFree
"""A network that can be trained."""


def parameter_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Which parameters does a network of this configuration have, and in what shapes?"""
    if isinstance(config, NetworkConfig):
        return transformer.parameter_shapes(config)
    return attention_free.parameter_shapes(config)


def network_of(config: Config, parameters: Parameters) -> Trained:
    """The network of a configuration with parameters that fit it."""
    return Network(config, parameters) if isinstance(config, NetworkConfig) else AttentionFree(config, parameters)


def logits_of_pairs(
    config: Config, parameters: Parameters, a: Int[Tensor, " pair"], b: Int[Tensor, " pair"]
) -> Float[Tensor, "pair vocab_out"]:
    """The logits of every pair, with a gradient. '=' is the last column where it can be answered."""
    if isinstance(config, NetworkConfig):
        return forward.forward(config, parameters, forward.embed(config, parameters, a, b))[0]
    E_a = parameters["embed_a.W_E"]
    E_b = parameters.get("embed_b.W_E", E_a)
    return attention_free.forward(config, parameters, E_a[a], E_b[b], Hooks((), {}))
