"""A one-layer transformer on all pairs in float64, from what each token is worth, with a bound on every rounding error.

The same algebra as training's token tables, with no step left out of account: what a head takes from a token is a vector of the
token, so that pre-activations and logits are sums of a few table rows, weighted by attention.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from analyses.tools.proofs.rounding import OUTWARD, UNIT, Bounded, exact, gamma, weighted_sum
from interp.networks.config import NetworkConfig, Parameters


@dataclass(frozen=True, eq=False, kw_only=True)
class TokenForward:
    """What is computed once, and the pairs' activations row by row."""

    config: NetworkConfig
    to_neurons: list[Bounded]
    """For each position, what a head takes from each token there in front of the neurons, [token, head, neuron]."""
    to_logits: list[Bounded]
    """For each position, what a head takes from each token there in front of the answers, [token, head, p]."""
    last_neurons: Bounded
    """What the last position itself puts in front of the neurons, [token or 1, neuron]."""
    last_logits: Bounded
    """What it puts in front of the answers, [token or 1, p]."""
    V: Bounded
    """W_out W_U: what each neuron adds to the answers' logits, [neuron, p]."""
    scores: list[Bounded]
    """For each position, the attention score of every last token on every token there, [head, last or 1, token or 1]."""

    def rows(self) -> Iterator[tuple[Bounded, Bounded]]:
        """For every a in turn: the neurons of its pairs, [p, neuron], and their logits past the neurons, [p, p]."""
        p = self.config.p
        for a in range(p):
            weights = self._attention(a)
            of_a = [self.to_neurons[0][a : a + 1], *self.to_neurons[1:]]
            pre = self._mixed(weights, of_a) + self._of_last(self.last_neurons)
            direct = self._mixed(weights, [self.to_logits[0][a : a + 1], *self.to_logits[1:]]) + self._of_last(self.last_logits)
            yield pre.activated(self.config.activation), direct

    def _attention(self, a: int) -> Bounded:
        """Weights of one a's pairs on head and position, [p, head, position]."""
        p, rate, (of_a, of_b, *of_equals) = self.config.p, self.config.attention_rate, [x.value for x in self.scores]
        # The last token is '=', one for all pairs, or b itself, which then looks at itself.
        at_b = of_b[:, 0] if self.config.equals_token else of_b.diagonal(dim1=1, dim2=2)
        each = [of_a[:, :, a].expand(-1, p), at_b, *(x[:, 0].expand(-1, p) for x in of_equals)]
        scores = Bounded(torch.stack(each, -1).transpose(0, 1), max(x.error for x in self.scores))
        soft = scores.softmax()
        return Bounded(rate * soft.value + (1 - rate), rate * soft.error + 8 * UNIT)

    def _mixed(self, weights: Bounded, tables: list[Bounded]) -> Bounded:
        p = self.config.p
        spread = [table.value.expand(p, -1, -1) for table in tables]
        rows = Bounded(torch.stack(spread, 2).flatten(1, 2), max(table.error for table in tables))
        return weighted_sum(Bounded(weights.value.flatten(1), weights.error), rows)

    def _of_last(self, x: Bounded) -> Bounded:
        return Bounded(x.value.expand(self.config.p, -1), x.error)


def token_forward(config: NetworkConfig, parameters: Parameters) -> TokenForward:
    """The tables of a plain network of one layer, answers p columns ('=' is no answer)."""
    weights = {name: x.double() for name, x in parameters.items()}
    p, attention, mlp = config.p, "blocks.0.attn", "blocks.0.mlp"
    W_E, W_pos = weights["embed.W_E"], weights["pos_embed.W_pos"]
    tokens = [W_E[:p], W_E[p : 2 * p] if config.separate_vocabularies else W_E[:p]]
    tokens += [W_E[-1:]] if config.equals_token else []
    streams = [exact(token) + exact(W_pos[place][None]) for place, token in enumerate(tokens)]
    W_in, W_U = weights[f"{mlp}.W_in"], weights["unembed.W_U"][:, :p]

    def projected(letter: str, stream: Bounded, head: int) -> Bounded:
        found = stream.times(weights[f"{attention}.W_{letter}"][head])
        bias = weights.get(f"{attention}.b_{letter}")
        return found if bias is None else found + exact(bias[head][None])

    heads = range(config.n_heads)
    taken = [[projected("V", stream, head).times(weights[f"{attention}.W_O"][head]) for head in heads] for stream in streams]
    last = streams[-1]
    if f"{attention}.b_O" in weights:
        last = last + exact(weights[f"{attention}.b_O"][None])
    past = last.times(W_U)
    if f"{mlp}.b_out" in weights:
        past = past + exact(weights[f"{mlp}.b_out"][None]).times(W_U)
    if "unembed.b_U" in weights:
        past = past + exact(weights["unembed.b_U"][None, :p])
    front = last.times(W_in)
    if f"{mlp}.b_in" in weights:
        front = front + exact(weights[f"{mlp}.b_in"][None])
    return TokenForward(
        config=config,
        to_neurons=[_side_by_side([x.times(W_in) for x in each]) for each in taken],
        to_logits=[_side_by_side([x.times(W_U) for x in each]) for each in taken],
        last_neurons=front,
        last_logits=past,
        V=exact(weights[f"{mlp}.W_out"]).times(W_U),
        scores=[
            _stacked([_score(projected("Q", streams[-1], head), projected("K", stream, head)) for head in heads])
            for stream in streams
        ],
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
