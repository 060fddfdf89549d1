"""How a transformer runs: plain functions of a configuration, a dict of parameters and the embeddings.

Names and shapes of the activations are TransformerLens's, with two differences that change no value:

- Embeddings come as one tensor per position, and their batch axes broadcast against each other. All p² pairs at
  once are shapes [p, 1, d_model], [1, p, d_model] and [1, 1, d_model]: keys and values are then computed once per
  token instead of once per pair.
- The last layer runs its queries and its MLP at the last position only, the only one whose logits are read. The
  position axis of those activations has length 1.
"""

import math
from collections.abc import Callable, Collection, Mapping
from functools import reduce

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from interp.errors import InterpError
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.hooks import Edit, Hooks, Positions


def embed(config: NetworkConfig, parameters: Parameters, a: Int[Tensor, "..."], b: Int[Tensor, "..."]) -> tuple[Tensor, ...]:
    """Which vectors does the network read for the pairs (a, b)? One tensor [*batch, d_model] per position, without W_pos.

    The batch axes of a and b broadcast: two vectors of N are N pairs; [p, 1] and [1, p] are all p² pairs.
    """
    tokens = [a, b + config.p if config.separate_vocabularies else b]
    if config.equals_token:
        tokens.append(torch.full((1,) * a.dim(), config.d_vocab - 1, device=a.device))
    # functional.embedding is W_E[token] with a backward pass many times faster.
    return tuple(functional.embedding(token, parameters["embed.W_E"]) for token in tokens)


def forward(
    config: NetworkConfig,
    parameters: Parameters,
    embeddings: Positions,
    *,
    record: Collection[str] | None = (),
    edits: Mapping[str, Edit] | None = None,
) -> tuple[Float[Tensor, "*batch vocab_out"], dict[str, Tensor]]:
    """What does the network answer, and what happens inside?

    ``embeddings``: one tensor [*batch, d_model] per position (see ``embed``); gradients flow to them.
    ``record``: names of the activations to return, None for all. ``edits``: name → function from the activation
    to its replacement, applied where it is computed, so that everything downstream follows from it.

    Returns the logits at the last position, and the recorded activations.
    Raises InterpError on an unknown activation name, an edit that changes a shape, a wrong number of positions.
    """
    if len(embeddings) != config.n_ctx:
        raise InterpError(f"expected embeddings for {config.n_ctx} positions, got {len(embeddings)}")
    hooks = Hooks(record, edits or {})
    embeddings = hooks.positions("hook_embed", embeddings)
    W_pos = hooks.value("hook_pos_embed", parameters["pos_embed.W_pos"])
    streams: Positions = [embedding + W_pos[i] for i, embedding in enumerate(embeddings)]
    for layer in range(config.n_layers):
        streams = _block(config, parameters, layer, streams, hooks)
    logits = _linear(streams[-1], parameters["unembed.W_U"], parameters.get("unembed.b_U"))
    hooks.check_all_met()
    return logits, hooks.activations


def nonlinearity(config: NetworkConfig) -> Callable[[Tensor], Tensor]:
    """The function from the pre-activations of a transformer's neurons to their activations."""
    return functional.relu if config.activation == "relu" else functional.gelu


def _block(config: NetworkConfig, parameters: Parameters, layer: int, streams: Positions, hooks: Hooks) -> Positions:
    """One block: attention, then the MLP, each added to the residual stream of every position that is still needed."""
    name = f"blocks.{layer}"
    streams = hooks.positions(f"{name}.hook_resid_pre", streams)
    is_last = layer == config.n_layers - 1
    queries = [len(streams) - 1] if is_last else list(range(len(streams)))

    attention = _attention(config, parameters, f"{name}.attn", streams, queries, hooks)
    attention = hooks.positions(f"{name}.hook_attn_out", attention)
    sums = [streams[i] + out for i, out in zip(queries, attention, strict=True)]
    middles = hooks.positions(f"{name}.hook_resid_mid", sums)

    mlp = _mlp(config, parameters, f"{name}.mlp", middles, hooks)
    mlp = hooks.positions(f"{name}.hook_mlp_out", mlp)
    sums = [middle + out for middle, out in zip(middles, mlp, strict=True)]
    return hooks.positions(f"{name}.hook_resid_post", sums)


def _attention(
    config: NetworkConfig, parameters: Parameters, name: str, streams: Positions, queries: list[int], hooks: Hooks
) -> Positions:
    """What attention writes at each query position: (α·softmax(q·k/√d_head) + (1-α)·ones) applied to the values, then W_O."""

    def project(letter: str, positions: Positions) -> Positions:
        W = rearrange(parameters[f"{name}.W_{letter}"], "head d_model d_head -> d_model (head d_head)")
        bias = parameters.get(f"{name}.b_{letter}")
        flat = [_linear(stream, W, None if bias is None else bias.flatten()) for stream in positions]
        return hooks.positions(
            f"{name}.hook_{letter.lower()}", [x.unflatten(-1, (config.n_heads, config.d_head)) for x in flat], dim=-3
        )

    q, k, v = project("Q", [streams[i] for i in queries]), project("K", streams), project("V", streams)

    def scores(i: int, q_i: Tensor) -> Float[Tensor, "*batch head key"]:
        each = [(q_i * k_j).sum(-1) / math.sqrt(config.d_head) for k_j in k]
        if config.causal:
            each = [score if j <= i else torch.full_like(score, -torch.inf) for j, score in enumerate(each)]
        return torch.stack(torch.broadcast_tensors(*each), dim=-1)

    def mix(score: Float[Tensor, "*batch head key"]) -> Float[Tensor, "*batch head key"]:
        softmax = score.softmax(-1)
        if config.attention_rate == 1:
            return softmax
        visible = torch.isfinite(score).to(score.dtype)
        return config.attention_rate * softmax + (1 - config.attention_rate) * visible

    all_scores = hooks.positions(f"{name}.hook_attn_scores", [scores(i, x) for i, x in zip(queries, q, strict=True)])
    patterns = hooks.positions(f"{name}.hook_pattern", [mix(score) for score in all_scores])
    z = [reduce(torch.add, (pattern[..., j, None] * v_j for j, v_j in enumerate(v))) for pattern in patterns]
    z = list(hooks.positions(f"{name}.hook_z", z, dim=-3))
    W_O = rearrange(parameters[f"{name}.W_O"], "head d_head d_model -> (head d_head) d_model")
    return [_linear(z_i.flatten(-2), W_O, parameters.get(f"{name}.b_O")) for z_i in z]


def _mlp(config: NetworkConfig, parameters: Parameters, name: str, streams: Positions, hooks: Hooks) -> Positions:
    """What the MLP writes at each given position: W_out · activation(W_in · stream + b_in) + b_out."""
    pre = [_linear(stream, parameters[f"{name}.W_in"], parameters.get(f"{name}.b_in")) for stream in streams]
    pre_activations = hooks.positions(f"{name}.hook_pre", pre)
    activation = nonlinearity(config)
    post = hooks.positions(f"{name}.hook_post", [activation(x) for x in pre_activations])
    return [_linear(x, parameters[f"{name}.W_out"], parameters.get(f"{name}.b_out")) for x in post]


def _linear(x: Tensor, W: Tensor, bias: Tensor | None) -> Tensor:
    return x @ W if bias is None else x @ W + bias
