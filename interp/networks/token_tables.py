"""A one-layer network with everything computed once per token that does not depend on the pair.

Attention writes, for head h and position j, the weight w[h, j] times a vector that depends on the token at j alone.
W_in and W_U are linear, so those vectors can be carried on to the neurons and to the logits before the pairs are
formed: p of them per head and position instead of p². What has to be done per pair is

    pre    = Σ_h w[h, a]·neurons_a[a, h] + w[h, b]·neurons_b[b, h] + neurons_base
    direct = the sum above with the logit tables: what reaches the logits past the neurons
    logits = activation(pre) @ (W_out W_U) + direct

Without '=' the base is b's own residual stream. With '=' it is that of '=', the same for all pairs; the weights of a
query sum to S = α + 3(1-α), so the attention to '=' itself is S times its vectors in the base, and a's and b's
tables are relative to it.

Neurons that read the embeddings themselves, without attention, are the simplest case: a row for every a and every b, each with
weight 1, and nothing past the neurons.
"""

import math
from dataclasses import dataclass

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from interp.networks.attention_free import AttentionFreeConfig
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.kinds import Config


@dataclass(frozen=True, eq=False)
class TokenTables:
    """All that the pairs read. Rows of a table, see ``rows``: one per token and head, then 1 base for '=' or p for b."""

    weights: Float[Tensor, "pair slot"]
    """How much of each row that it reads a pair takes: attention to a per head, to b per head, 1 for the base."""
    neurons: Float[Tensor, "row neuron"]
    """What each row adds to the pre-activations of the neurons."""
    direct: Float[Tensor, "row vocab_out"]
    """What each row adds to the logits directly, past the neurons."""
    neuron_logit_map: Float[Tensor, "neuron vocab_out"]
    """Product W_out W_U: what each neuron adds to the logits, per unit of its activation."""


def has_token_tables(config: Config) -> bool:
    """Is the network one that can be computed from tables: a plain transformer of one layer, or neurons of embeddings?"""
    if config.activation not in ("relu", "gelu", "square"):
        return False
    if isinstance(config, NetworkConfig):
        return config.is_plain and config.n_layers == 1
    return config.kind == "direct" and not (config.biases or config.unembed_bias or config.further_hidden)


def rows(config: Config, a: Int[Tensor, " pair"], b: Int[Tensor, " pair"]) -> Int[Tensor, "pair slot"]:
    """Which rows does each pair read? The order of the slots is that of ``TokenTables.weights``."""
    if isinstance(config, AttentionFreeConfig):
        return torch.stack([a, config.p + b], dim=1)
    tokens = _token_count(config)
    heads = torch.arange(config.n_heads, device=a.device)
    base = torch.zeros_like(b) if config.equals_token else b
    # The rows of one token lie side by side: the pairs that read one of them read them all, and are in the cache then.
    per_head = [token[:, None] * config.n_heads + heads for token in (a, config.p + b)]
    return torch.cat([*per_head, config.n_heads * tokens + base[:, None]], dim=1)


def row_count(config: Config) -> int:
    """How many rows do the ``neurons`` and ``direct`` tables of a network have?"""
    if isinstance(config, AttentionFreeConfig):
        return 2 * config.p
    return config.n_heads * _token_count(config) + (1 if config.equals_token else config.p)


def _token_count(config: NetworkConfig) -> int:
    """Number of tokens that can be attended to: each a, each b, and '=' where it is read."""
    return 2 * config.p + config.equals_token


def token_tables(config: Config, parameters: Parameters, a: Int[Tensor, " pair"], b: Int[Tensor, " pair"]) -> TokenTables:
    """The tables of a one-layer network, with the attention weights of the pairs (a, b)."""
    if isinstance(config, AttentionFreeConfig):
        return _tables_of_embeddings(parameters, a)
    attention, mlp = "blocks.0.attn", "blocks.0.mlp"
    W_in, W_out, W_U = parameters[f"{mlp}.W_in"], parameters[f"{mlp}.W_out"], parameters["unembed.W_U"]
    streams = _streams(config, parameters)
    last = streams[2 * config.p :] if config.equals_token else streams[config.p :]

    def project(letter: str, stream: Float[Tensor, "token d_model"]) -> Float[Tensor, "head token d_head"]:
        W = rearrange(parameters[f"{attention}.W_{letter}"], "head d_model d_head -> d_model (head d_head)")
        bias = parameters.get(f"{attention}.b_{letter}")
        flat = stream @ W if bias is None else stream @ W + bias.flatten()
        return rearrange(flat, "token (head d_head) -> head token d_head", head=config.n_heads)

    values, base = project("V", streams), last
    if f"{attention}.b_O" in parameters:
        base = base + parameters[f"{attention}.b_O"]
    W_O = rearrange(parameters[f"{attention}.W_O"], "head d_head d_model -> (head d_head) d_model")
    if config.equals_token:
        # What attention takes from '=' is what it does not take from a and b: all of it in the base, less in the rows.
        of_equals = values[:, -1:]
        values = values - of_equals
        total = config.attention_rate + (1 - config.attention_rate) * config.n_ctx
        base = base + total * of_equals.flatten() @ W_O

    def table(W: Float[Tensor, "d_model out"], bias: Tensor | None) -> Float[Tensor, "row out"]:
        W_OW = rearrange(W_O @ W, "(head d_head) out -> head d_head out", head=config.n_heads)
        last_row = base @ W if bias is None else base @ W + bias
        return torch.cat([(values @ W_OW).transpose(0, 1).flatten(0, 1), last_row])

    b_in, b_out, b_U = (parameters.get(name) for name in (f"{mlp}.b_in", f"{mlp}.b_out", "unembed.b_U"))
    logit_bias = b_U if b_out is None else b_out @ W_U if b_U is None else b_out @ W_U + b_U
    return TokenTables(
        weights=_weights(config, project("Q", last), project("K", streams), a, b),
        neurons=table(W_in, b_in),
        direct=table(W_U, logit_bias),
        neuron_logit_map=W_out @ W_U,
    )


def _tables_of_embeddings(parameters: Parameters, a: Int[Tensor, " pair"]) -> TokenTables:
    E_a, W_U = parameters["embed_a.W_E"], parameters["unembed.W_U"]
    neurons = torch.cat([E_a, parameters.get("embed_b.W_E", E_a)])
    nothing = W_U.new_zeros(len(neurons), W_U.shape[1])
    return TokenTables(weights=E_a.new_ones(len(a), 2), neurons=neurons, direct=nothing, neuron_logit_map=W_U)


def _streams(config: NetworkConfig, parameters: Parameters) -> Float[Tensor, "token d_model"]:
    """Residual streams that the positions can hold: p vectors for a, p for b, one for '=' where it is read."""
    W_E, W_pos, p = parameters["embed.W_E"], parameters["pos_embed.W_pos"], config.p
    tokens = [W_E[:p], W_E[p : 2 * p] if config.separate_vocabularies else W_E[:p]]
    if config.equals_token:
        tokens.append(W_E[-1:])
    return torch.cat([each + W_pos[j] for j, each in enumerate(tokens)])


def _weights(
    config: NetworkConfig,
    query: Float[Tensor, "head _ d_head"],
    keys: Float[Tensor, "head token d_head"],
    a: Int[Tensor, " pair"],
    b: Int[Tensor, " pair"],
) -> Float[Tensor, "pair slot"]:
    """Attention α·softmax + (1-α) of each pair to a and to b, per head, and the 1 of the base.

    With '=' as the query a score depends on the key alone; with b as the query, on (a, b) for key a and on b for key b.
    """
    p, query = config.p, query / math.sqrt(config.d_head)
    # functional.embedding is to_a[a] with a backward pass many times faster.
    if config.equals_token:
        scores = (query * keys).sum(-1).T
        each = [functional.embedding(a, scores), functional.embedding(p + b, scores), scores[-1:].expand(len(a), -1)]
    else:
        to_a = einsum(keys[:, :p], query, "head a d_head, head b d_head -> a b head").flatten(0, 1)
        to_b = (query * keys[:, p:]).sum(-1).T
        each = [functional.embedding(a * p + b, to_a), functional.embedding(b, to_b)]
    pattern = config.attention_rate * torch.stack(each).softmax(0) + (1 - config.attention_rate)
    return torch.cat([pattern[0], pattern[1], pattern.new_ones(len(a), 1)], dim=1)
