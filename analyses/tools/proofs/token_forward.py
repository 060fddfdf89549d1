"""A network of one layer on all pairs in float64, from what each token is worth, with a bound on every rounding error.

The same algebra as training's token tables, with no step left out of account: what a head takes from a token is a vector of the
token, so that pre-activations and logits are sums of a few table rows, weighted by attention.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from analyses.tools.proofs.rounding import OUTWARD, UNIT, Bounded, exact, gamma, weighted_sum
from interp.networks.attention_free import AttentionFree
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.transformer import Network

Tables = list[Bounded]
"""For each position, what a head takes from each token there, [token, head, out]."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Attention:
    """How much every head takes from every position."""

    rate: float
    """Attention rate α: weights are α·softmax + 1 - α."""
    scores: list[Bounded]
    """For each position, the attention score of every last token on every token there, [head, last or 1, token or 1]."""

    def weights(self, a: int, b: Int[Tensor, " b"]) -> Bounded:
        """Weights on head and position of the pairs of one a with these b, [b, head, position]."""
        of_a, of_b, *of_equals = (x.value for x in self.scores)
        # The last token is '=', one for all pairs, or b itself, which then looks at itself.
        at_b = of_b[:, 0][:, b] if of_equals else of_b[:, b, b]
        at_a = of_a[:, :, a] if of_equals else of_a[:, b, a]
        each = [at_a.expand(-1, len(b)), at_b, *(x[:, 0].expand(-1, len(b)) for x in of_equals)]
        scores = Bounded(torch.stack(each, -1).transpose(0, 1), max(x.error for x in self.scores))
        soft = scores.softmax()
        return Bounded(self.rate * soft.value + (1 - self.rate), self.rate * soft.error + 8 * UNIT)


@dataclass(frozen=True, eq=False, kw_only=True)
class TokenForward:
    """What is computed once, and the pairs' activations row by row."""

    p: int
    """Number of symbols."""
    activation: str
    """Nonlinearity of the neurons."""
    attention: Attention | None
    """How much is taken from every token; None where all that it has is."""
    to_neurons: Tables
    """What is taken from each token in front of the neurons, [token, head, neuron]."""
    to_logits: Tables
    """What is taken from each token in front of the answers, [token, head, p]."""
    last_neurons: Bounded
    """What the last position itself puts in front of the neurons, [token or 1, neuron]."""
    last_logits: Bounded
    """What it puts in front of the answers, [token or 1, p]."""
    V: Bounded
    """W_out W_U: what each neuron adds to the answers' logits, [neuron, p]."""

    def rows(self) -> Iterator[tuple[Bounded, Bounded]]:
        """For every a in turn: the neurons of its pairs, [p, neuron], and their logits past the neurons, [p, p]."""
        for a in range(self.p):
            yield self.pre(a).activated(self.activation), self.direct(a)

    def pre(self, a: int, b: Int[Tensor, " b"] | None = None) -> Bounded:
        """The pre-activations of the pairs of one a with these b, or with all, [b, neuron]."""
        return self.mixed(a, self.to_neurons, self.last_neurons, b)

    def direct(self, a: int) -> Bounded:
        """The logits past the neurons of the pairs of one a, [p, p]."""
        return self.mixed(a, self.to_logits, self.last_logits)

    def weights(self, a: int, b: Int[Tensor, " b"] | None = None) -> Bounded:
        """Weights on head and position of the pairs of one a with these b, or with all, [b, head, position]."""
        b = torch.arange(self.p) if b is None else b
        if self.attention is None:
            return exact(torch.ones(len(b), self.to_neurons[0].value.shape[1], len(self.to_neurons), dtype=torch.float64))
        return self.attention.weights(a, b)

    def mixed(self, a: int, tables: Tables, last: Bounded, b: Int[Tensor, " b"] | None = None) -> Bounded:
        """Any tables summed up for the pairs of one a with these b, or with all: Σ weight · table + last, [b, out]."""
        b = torch.arange(self.p) if b is None else b
        weights, (of_a, of_b, *of_equals) = self.weights(a, b), tables
        each = [of_a.value[a : a + 1], of_b.value[b], *(x.value for x in of_equals)]
        rows = torch.stack([x.expand(len(b), -1, -1) for x in each], 2).flatten(1, 2)
        mixed = weighted_sum(
            Bounded(weights.value.flatten(1), weights.error), Bounded(rows, max(table.error for table in tables))
        )
        return mixed + (last[b] if len(last.value) > 1 else Bounded(last.value.expand(len(b), -1), last.error))


def token_forward(network: Network | AttentionFree, *, half_past_neurons: bool = False) -> TokenForward:
    """The tables of a plain network of one layer, answers p columns ('=' is no answer).

    ``half_past_neurons``: what goes past the neurons then includes ½ pre V, for neurons ReLU(x) = ½x + ½|x|.
    """
    if isinstance(network, AttentionFree):
        return _without_attention(network, half_past_neurons)
    return _of_transformer(network.config, network.parameters, half_past_neurons)


def _of_transformer(config: NetworkConfig, parameters: Parameters, half_past_neurons: bool) -> TokenForward:
    weights = {name: x.double() for name, x in parameters.items()}
    p, attention, mlp = config.p, "blocks.0.attn", "blocks.0.mlp"
    W_E, W_pos = weights["embed.W_E"], weights["pos_embed.W_pos"]
    tokens = [W_E[:p], W_E[p : 2 * p] if config.separate_vocabularies else W_E[:p]]
    tokens += [W_E[-1:]] if config.equals_token else []
    streams = [exact(token) + exact(W_pos[place][None]) for place, token in enumerate(tokens)]
    W_in, W_U = weights[f"{mlp}.W_in"], exact(weights["unembed.W_U"][:, :p])
    V = exact(weights[f"{mlp}.W_out"]).times_bounded(W_U)
    read = W_U + exact(W_in / 2).times_bounded(V) if half_past_neurons else W_U

    def projected(letter: str, stream: Bounded, head: int) -> Bounded:
        found = stream.times(weights[f"{attention}.W_{letter}"][head])
        bias = weights.get(f"{attention}.b_{letter}")
        return found if bias is None else found + exact(bias[head][None])

    heads = range(config.n_heads)
    of_tokens = [[projected("V", stream, head) for head in heads] for stream in streams]
    written = [exact(weights[f"{attention}.W_O"][head]) for head in heads]
    # A head's output matrix meets what reads it first, since there are fewer numbers in a head than in the stream.
    in_front, past_them = [x.times(W_in) for x in written], [x.times_bounded(read) for x in written]
    last = streams[-1]
    if f"{attention}.b_O" in weights:
        last = last + exact(weights[f"{attention}.b_O"][None])
    past, front = last.times_bounded(read), last.times(W_in)
    if f"{mlp}.b_out" in weights:
        past = past + exact(weights[f"{mlp}.b_out"][None]).times_bounded(W_U)
    if "unembed.b_U" in weights:
        past = past + exact(weights["unembed.b_U"][None, :p])
    if f"{mlp}.b_in" in weights:
        front = front + exact(weights[f"{mlp}.b_in"][None])
        past = past + exact(weights[f"{mlp}.b_in"][None] / 2).times_bounded(V) if half_past_neurons else past
    scores = [
        _stacked([_score(projected("Q", streams[-1], head), projected("K", stream, head)) for head in heads])
        for stream in streams
    ]
    return TokenForward(
        p=p,
        activation=config.activation,
        attention=Attention(rate=config.attention_rate, scores=scores),
        to_neurons=[_side_by_side([values[head].times_bounded(in_front[head]) for head in heads]) for values in of_tokens],
        to_logits=[_side_by_side([values[head].times_bounded(past_them[head]) for head in heads]) for values in of_tokens],
        last_neurons=front,
        last_logits=past,
        V=V,
    )


def _without_attention(network: AttentionFree, half_past_neurons: bool) -> TokenForward:
    """The tables of a network whose only hidden layer reads a sum of a function of a and one of b."""
    config, W = network.config, {name: x.double() for name, x in network.parameters.items()}
    tokens = [W["embed_a.W_E"], W.get("embed_b.W_E", W["embed_a.W_E"])]
    matrix, V = W.get("l1.W"), exact(W["unembed.W_U"])  # neurons that read embeddings themselves have no matrix
    parts = (
        [matrix] * 2
        if matrix is None or config.kind != "delta"
        else [matrix[: config.d_embedding], matrix[config.d_embedding :]]
    )
    to_neurons = [exact(token) if part is None else exact(token).times(part) for token, part in zip(tokens, parts, strict=True)]
    front = exact(W.get("l1.b", torch.zeros(config.d_hidden, dtype=torch.float64))[None])
    past = exact(W.get("unembed.b_U", torch.zeros(config.p, dtype=torch.float64))[None])
    to_logits = [exact(torch.zeros(config.p, config.p, dtype=torch.float64)) for _ in tokens]
    if half_past_neurons:
        to_logits = [Bounded(x.value / 2, x.error / 2).times_bounded(V) for x in to_neurons]
        past = past + Bounded(front.value / 2, 0.0).times_bounded(V)
    return TokenForward(
        p=config.p,
        activation=config.activation,
        attention=None,
        to_neurons=[_side_by_side([x]) for x in to_neurons],
        to_logits=[_side_by_side([x]) for x in to_logits],
        last_neurons=front,
        last_logits=past,
        V=V,
    )


def _score(query: Bounded, key: Bounded) -> Bounded:
    """Attention scores q·k/√d_head, [last, token]."""
    width = query.value.shape[-1]
    lengths = [(x.value.norm(dim=-1).max().item() + math.sqrt(width) * x.error) for x in (query, key)]
    moved = lengths[0] * math.sqrt(width) * key.error + lengths[1] * math.sqrt(width) * query.error
    error = (moved + gamma(width + 4) * lengths[0] * lengths[1]) / math.sqrt(width)
    return Bounded(query.value @ key.value.T / math.sqrt(width), error * OUTWARD)


def _stacked(parts: list[Bounded]) -> Bounded:
    return Bounded(torch.stack([x.value for x in parts]), max(x.error for x in parts))


def _side_by_side(parts: list[Bounded]) -> Bounded:
    """Puts the heads' [token, out] together as [token, head, out]."""
    return Bounded(torch.stack([x.value for x in parts], 1), max(x.error for x in parts))
