"""The initial parameters of a network, drawn from a seed exactly as the published trainers draw them."""

import math
from typing import Literal

import torch
from einops import rearrange
from torch import Tensor

from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.attention_free import parameter_shapes as attention_free_shapes
from interp.networks.config import NetworkConfig, parameter_shapes
from interp.networks.transformer import Network

Positions = Literal["learned", "sinusoidal", "none"]
"""Where W_pos comes from: drawn and trained; the waves of Vaswani et al. 2017, arXiv 1706.03762, and 0, left as they are."""


def initialise(
    config: NetworkConfig,
    *,
    seed: int,
    W_in_fan: int | None = None,
    positions: Positions = "learned",
    embedding_std: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Network:
    """Which network does a seed start from?

    Standard normal draws in the order W_E, W_pos, then per layer W_K, W_Q, W_V, W_O, W_in, W_out, and last W_U, each
    in the layout of the published code, divided by √d_model; W_U by √d_vocab_out; W_in by √W_in_fan where given.
    W_E has the standard deviation embedding_std where that is given.
    W_gate of gated neurons is drawn before W_in, as W_in is. Biases are 0, weights of normalisations 1. All is drawn in
    float32 whatever the dtype, so that a seed is one network in every precision.

    Source: Nanda et al. 2023, arXiv 2301.05217 (released code); with W_in_fan = d_mlp, Zhong et al. 2023,
    arXiv 2306.17844 (released code).
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int, fan: int = config.d_model) -> Tensor:
        return torch.randn(*shape, generator=generator) / math.sqrt(fan)

    heads = (config.n_heads, config.d_head)
    parameters = {
        "embed.W_E": normal(config.d_model, config.d_vocab).T,
        "pos_embed.W_pos": normal(config.n_ctx, config.d_model),
    }
    for layer in range(config.n_layers):
        attention, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        for letter in "KQV":
            W = normal(*heads, config.d_model)
            parameters[f"{attention}.W_{letter}"] = rearrange(W, "head d_head d_model -> head d_model d_head")
        W_O = normal(config.d_model, config.n_heads * config.d_head)
        parameters[f"{attention}.W_O"] = rearrange(W_O, "d_model (head d_head) -> head d_head d_model", head=config.n_heads)
        if config.gated_mlp:
            parameters[f"{mlp}.W_gate"] = normal(config.d_mlp, config.d_model, fan=W_in_fan or config.d_model).T
        parameters[f"{mlp}.W_in"] = normal(config.d_mlp, config.d_model, fan=W_in_fan or config.d_model).T
        parameters[f"{mlp}.W_out"] = normal(config.d_model, config.d_mlp).T
        if config.attention_biases:
            for letter in "QKV":
                parameters[f"{attention}.b_{letter}"] = torch.zeros(heads)
            parameters[f"{attention}.b_O"] = torch.zeros(config.d_model)
        if config.mlp_biases:
            parameters[f"{mlp}.b_in"] = torch.zeros(config.d_mlp)
            parameters[f"{mlp}.b_out"] = torch.zeros(config.d_model)
            if config.gated_mlp:
                parameters[f"{mlp}.b_gate"] = torch.zeros(config.d_mlp)
    for name, shape in parameter_shapes(config).items():
        if name.rpartition(".")[0] in config.normalizations:
            parameters[name] = torch.full(shape, float(name.endswith(".w")))
    parameters["unembed.W_U"] = normal(config.d_model, config.d_vocab_out, fan=config.d_vocab_out)
    if config.unembed_bias:
        parameters["unembed.b_U"] = torch.zeros(config.d_vocab_out)
    if embedding_std:
        parameters["embed.W_E"] *= embedding_std * math.sqrt(config.d_model)
    if positions != "learned":
        sines = positions == "sinusoidal"
        parameters["pos_embed.W_pos"] = (_sinusoidal if sines else torch.zeros)(config.n_ctx, config.d_model)
    wanted = parameter_shapes(config)  # a network of attention alone draws its MLP, and does without it
    return Network(config, {name: x.to(dtype).contiguous() for name, x in parameters.items() if name in wanted})


def initialise_attention_free(
    config: AttentionFreeConfig, *, seed: int, std: float = 0.0, dtype: torch.dtype = torch.float32
) -> AttentionFree:
    """Which network of neurons that read the embeddings themselves does a seed start from?

    Normal draws of standard deviation ``std``, 0 for 1/√d_hidden, in the order of the parameters' names and shapes.

    Source: Doshi et al. 2023, arXiv 2310.13061 (.05; the order is this project's own).
    """
    generator = torch.Generator().manual_seed(seed)
    scale = std or 1 / math.sqrt(config.d_hidden)
    shapes = attention_free_shapes(config)
    return AttentionFree(
        config, {name: (torch.randn(shape, generator=generator) * scale).to(dtype) for name, shape in shapes.items()}
    )


def _sinusoidal(n_ctx: int, d_model: int) -> Tensor:
    """Positions t as sin(t / 10000^(2i/d)) at even places 2i, and the cosine at the next."""
    places = torch.arange(d_model)
    angles = torch.arange(n_ctx)[:, None] / 10_000 ** ((places - places % 2) / d_model)
    return torch.where(places % 2 == 0, angles.sin(), angles.cos())
