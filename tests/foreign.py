"""Files as other projects write them, made from our own networks."""

from collections.abc import Callable
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from interp.files.formats.export import native_state_dict
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig, Kind
from interp.networks.attention_free import parameter_shapes as attention_free_shapes
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.lens import with_all_biases
from interp.networks.transformer import Network

StateDict = dict[str, Tensor]


def hooked(network: Network) -> StateDict:
    """TransformerLens 1-3: our names, every bias, a mask, IGNORE."""
    state = with_all_biases(network)
    for layer in range(network.config.n_layers):
        n_ctx = network.config.n_ctx
        mask = torch.ones(n_ctx, n_ctx, dtype=torch.bool)
        state[f"blocks.{layer}.attn.mask"] = mask.tril() if network.config.causal else mask
        state[f"blocks.{layer}.attn.IGNORE"] = torch.tensor(-torch.inf)
    return state


def papers(network: Network) -> StateDict:
    """progress-measures and clock-and-pizza: transposed, output heads merged, no attention biases, a mask."""
    state = {}
    for name, tensor in network.parameters.items():
        if name.endswith(("W_Q", "W_K", "W_V")):
            state[name] = rearrange(tensor, "head d_model d_head -> head d_head d_model")
        elif name.endswith("W_O"):
            state[name] = rearrange(tensor, "head d_head d_model -> d_model (head d_head)")
        elif name.endswith(("W_E", "W_in", "W_out")):
            state[name] = tensor.T
        else:
            state[name] = tensor
    for layer in range(network.config.n_layers):
        state[f"blocks.{layer}.attn.mask"] = torch.ones(network.config.n_ctx, network.config.n_ctx).tril()
    return {name: tensor.contiguous() for name, tensor in state.items()}


def bridge(network: Network) -> StateDict:
    """TransformerLens 4's native model; test_lens compares it with TransformerLens's own."""
    return native_state_dict(network)


FORMATS: dict[str, Callable[[Network], StateDict]] = {"hooked": hooked, "papers": papers, "bridge": bridge}


def attention_free(kind: Kind, *, p: int = 7, separate: bool = False, biases: bool = True, seed: int = 0) -> AttentionFree:
    """A random one."""
    config = AttentionFreeConfig(p=p, kind=kind, d_embedding=6, d_hidden=10, biases=biases, separate_vocabularies=separate)
    generator = torch.Generator().manual_seed(seed)
    shapes = attention_free_shapes(config)
    return AttentionFree(config, {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()})


def linear(network: AttentionFree) -> StateDict:
    """clock-and-pizza's attention-free models."""
    W = network.parameters
    state = {"embed.weight": W["embed_a.W_E"], "unembed.weight": W["unembed.W_U"].T}
    for layer in ("l1", "l2"):
        if f"{layer}.W" in W:
            state |= {f"{layer}.weight": W[f"{layer}.W"].T, f"{layer}.bias": W[f"{layer}.b"]}
    return {name: tensor.contiguous() for name, tensor in state.items()}


def mlp(network: AttentionFree) -> StateDict:
    """rep-theory's one-layer MLP."""
    names = {"W_x": "embed_a.W_E", "W_y": "embed_b.W_E", "W": "l1.W", "W_U": "unembed.W_U"}
    return {theirs: network.parameters[ours] for theirs, ours in names.items()}


ALL_SAID = {"activation": "relu", "attention_rate": 1.0, "causal": True, "n_heads": 2}
"""All that a state dict of ``random_network`` does not say."""


def random_network(**config: Any) -> Network:
    """A small one, its weights and biases random."""
    start = {"p": 6, "d_model": 8, "n_heads": 2, "d_head": 4, "d_mlp": 12, "answers_equals": False}
    network = initialise(NetworkConfig(**{**start, **config}), seed=0)
    generator = torch.Generator().manual_seed(1)
    noise = {name: torch.randn(x.shape, generator=generator) for name, x in network.parameters.items()}
    return Network(network.config, {name: x + 0.3 * noise[name] for name, x in network.parameters.items()})
