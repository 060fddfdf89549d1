"""How a transformer runs: plain functions of a configuration, a dict of parameters and the embeddings.

Names and shapes of the activations are TransformerLens's, with two differences that change no value:

- Embeddings come as one tensor per position, and their batch axes broadcast against each other. All p² pairs at
  once are shapes [p, 1, d_model], [1, p, d_model] and [1, 1, d_model]: keys and values are then computed once per
  token instead of once per pair.
- The last layer runs its queries and its MLP at the last position only, the only one whose logits are read. The
  position axis of those activations has length 1.
"""

import math
from collections.abc import Collection, Mapping
from functools import partial, reduce

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from interp.errors import InterpError
from interp.networks.activations import activation_named
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.hooks import Edit, Hooks, Positions


def embed(config: NetworkConfig, parameters: Parameters, a: Int[Tensor, "..."], b: Int[Tensor, "..."]) -> tuple[Tensor, ...]:
    """Which vectors does the network read for the pairs (a, b)? One tensor [*batch, d_model] per position, without W_pos.

    The batch axes of a and b broadcast: two vectors of N are N pairs; [p, 1] and [1, p] are all p² pairs.
    """
    tokens = [a, b + config.p if config.separate_vocabularies else b]
    if config.operator_token:
        operator = config.d_vocab - 1 - config.equals_token
        tokens.insert(1, torch.full((1,) * a.dim(), operator, device=a.device))
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
    if config.final_normalization:
        streams = _normalise(config, parameters, hooks, "ln_final", streams[-1:])
    logits = _linear(streams[-1], parameters["unembed.W_U"], parameters.get("unembed.b_U"))
    hooks.check_all_met()
    return logits, hooks.activations


def _block(config: NetworkConfig, parameters: Parameters, layer: int, streams: Positions, hooks: Hooks) -> Positions:
    """One block: attention, then the MLP, each added to the residual stream of every position that is still needed."""
    name = f"blocks.{layer}"
    before, after = (config.normalization != "none" and config.normalization_place == place for place in ("before", "after"))
    normalise = partial(_normalise, config, parameters, hooks)

    streams = hooks.positions(f"{name}.hook_resid_pre", streams)
    is_last = layer == config.n_layers - 1
    queries = [len(streams) - 1] if is_last else list(range(len(streams)))

    read = normalise(f"{name}.ln1", streams) if before else streams
    attention = _attention(config, parameters, f"{name}.attn", read, queries, hooks)
    attention = hooks.positions(f"{name}.hook_attn_out", attention)
    middles = _sums([streams[i] for i in queries], attention) if config.residual else attention
    middles = normalise(f"{name}.ln1", middles) if after else middles
    middles = hooks.positions(f"{name}.hook_resid_mid", middles)
    if not config.d_mlp:
        return hooks.positions(f"{name}.hook_resid_post", middles)

    read = normalise(f"{name}.ln2", middles) if before else middles
    mlp = _mlp(config, parameters, f"{name}.mlp", read, hooks)
    mlp = hooks.positions(f"{name}.hook_mlp_out", mlp)
    ends = _sums(middles, mlp) if config.residual else mlp
    ends = normalise(f"{name}.ln2", ends) if after else ends
    return hooks.positions(f"{name}.hook_resid_post", ends)


def _sums(streams: Positions, written: Positions) -> Positions:
    return [stream + x for stream, x in zip(streams, written, strict=True)]


def _normalise(config: NetworkConfig, parameters: Parameters, hooks: Hooks, name: str, streams: Positions) -> Positions:
    """Every position's stream divided by its size, and multiplied by the weights of this normalisation where it has some."""
    if config.normalization == "layer":
        streams = [stream - stream.mean(-1, keepdim=True) for stream in streams]
    sizes = [(stream.square().mean(-1, keepdim=True) + config.normalization_epsilon).sqrt() for stream in streams]
    sizes = list(hooks.positions(f"{name}.hook_scale", sizes))
    streams = hooks.positions(f"{name}.hook_normalized", [stream / size for stream, size in zip(streams, sizes, strict=True)])
    if not config.normalization_weights:
        return streams
    weights, bias = parameters[f"{name}.w"], parameters.get(f"{name}.b")
    return [stream * weights if bias is None else stream * weights + bias for stream in streams]


def _attention(
    config: NetworkConfig, parameters: Parameters, name: str, streams: Positions, queries: list[int], hooks: Hooks
) -> Positions:
    """What attention writes at each query position: (α·softmax(q·k/√d_head) + (1-α)·ones) applied to the values, then W_O."""
    project = partial(_project, config, parameters, hooks, name)
    q, k, v = project("Q", [streams[i] for i in queries]), project("K", streams), project("V", streams)
    if config.rotary_base:
        q = [_turned(config, i, x) for i, x in zip(queries, q, strict=True)]
        k = [_turned(config, i, x) for i, x in enumerate(k)]
    scores = [_scores(config, i, q_i, k) for i, q_i in zip(queries, q, strict=True)]
    scores = list(hooks.positions(f"{name}.hook_attn_scores", scores))
    patterns = hooks.positions(f"{name}.hook_pattern", [_pattern(config, score) for score in scores])
    z = [reduce(torch.add, (pattern[..., j, None] * v_j for j, v_j in enumerate(v))) for pattern in patterns]
    z = list(hooks.positions(f"{name}.hook_z", z, dim=-3))
    W_O = rearrange(parameters[f"{name}.W_O"], "head d_head d_model -> (head d_head) d_model")
    return [_linear(z_i.flatten(-2), W_O, parameters.get(f"{name}.b_O")) for z_i in z]


def _project(
    config: NetworkConfig, parameters: Parameters, hooks: Hooks, name: str, letter: str, positions: Positions
) -> Positions:
    """The queries, keys or values of every head at each given position."""
    W = rearrange(parameters[f"{name}.W_{letter}"], "head d_model d_head -> d_model (head d_head)")
    bias = parameters.get(f"{name}.b_{letter}")
    flat = [_linear(stream, W, None if bias is None else bias.flatten()) for stream in positions]
    by_head = [x.unflatten(-1, (config.n_heads, config.d_head)) for x in flat]
    return hooks.positions(f"{name}.hook_{letter.lower()}", by_head, dim=-3)


def _scores(config: NetworkConfig, i: int, q_i: Tensor, k: Positions) -> Float[Tensor, "*batch head key"]:
    """How strongly each head at position i asks for each position: q·k/√d_head, -∞ where it may not look."""
    each = [(q_i * k_j).sum(-1) / math.sqrt(config.d_head) for k_j in k]
    if config.causal:
        each = [score if j <= i else torch.full_like(score, -torch.inf) for j, score in enumerate(each)]
    return torch.stack(torch.broadcast_tensors(*each), dim=-1)


def _pattern(config: NetworkConfig, score: Float[Tensor, "*batch head key"]) -> Float[Tensor, "*batch head key"]:
    """α·softmax(scores) + (1-α)·ones, the ones at the positions that may be seen."""
    softmax = score.softmax(-1)
    if config.attention_rate == 1:
        return softmax
    visible = torch.isfinite(score).to(score.dtype)
    return config.attention_rate * softmax + (1 - config.attention_rate) * visible


def _mlp(config: NetworkConfig, parameters: Parameters, name: str, streams: Positions, hooks: Hooks) -> Positions:
    """What the MLP writes at each given position: W_out · activation(W_in · stream + b_in) + b_out.

    Gated neurons are activation(W_gate · stream + b_gate) · (W_in · stream + b_in).
    """
    activation = activation_named(config.activation)
    W_in, b_in = parameters[f"{name}.W_in"], parameters.get(f"{name}.b_in")
    inputs: Positions = [_linear(stream, W_in, b_in) for stream in streams]
    if config.gated_mlp:
        W_gate, b_gate = parameters[f"{name}.W_gate"], parameters.get(f"{name}.b_gate")
        gates = hooks.positions(f"{name}.hook_pre", [_linear(stream, W_gate, b_gate) for stream in streams])
        inputs = hooks.positions(f"{name}.hook_pre_linear", inputs)
        neurons = [activation(gate) * x for gate, x in zip(gates, inputs, strict=True)]
    else:
        neurons = [activation(x) for x in hooks.positions(f"{name}.hook_pre", inputs)]
    post = hooks.positions(f"{name}.hook_post", neurons)
    return [_linear(x, parameters[f"{name}.W_out"], parameters.get(f"{name}.b_out")) for x in post]


def _turned(
    config: NetworkConfig, position: int, x: Float[Tensor, "*batch head d_head"]
) -> Float[Tensor, "*batch head d_head"]:
    """Queries or keys with rotary positions: the j-th pair of numbers turned by position / base^(2j/d_head)."""
    frequencies = config.rotary_base ** (-torch.arange(0, config.d_head, 2, dtype=torch.float64) / config.d_head)
    cos, sin = (f(position * frequencies).to(x) for f in (torch.cos, torch.sin))
    one, two = (x[..., 0::2], x[..., 1::2]) if config.rotary_interleaved else x.chunk(2, dim=-1)
    turned = one * cos - two * sin, two * cos + one * sin
    return torch.stack(turned, dim=-1).flatten(-2) if config.rotary_interleaved else torch.cat(turned, dim=-1)


def _linear(x: Tensor, W: Tensor, bias: Tensor | None) -> Tensor:
    return x @ W if bias is None else x @ W + bias
