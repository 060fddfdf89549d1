"""Which networks without attention can the tensors of a stranger's state dict be?

Linear layers one after the other, in the order of the file, from the two numbers to the logits. Numbers are read as embeddings,
or as one-hot vectors: then the columns of the first matrix are the embeddings. Two numbers are added or put side by side.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import torch
from torch import Tensor

from interp.files.formats.facts import Facts
from interp.files.formats.strangers.proposal import Answers, Misfit, Proposal
from interp.files.formats.strangers.questions import PLAIN
from interp.files.formats.strangers.roles import bias_of, roles
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.config import MAX_P
from interp.networks.model import Tables


@dataclass(frozen=True, eq=False)
class _Layer:
    """A linear layer of the file: x ↦ x W + bias."""

    W: Tensor
    bias: Tensor | None


@dataclass(frozen=True, eq=False)
class _Chain:
    """Embeddings of a and of b, the layers behind them, whether the first reads the two side by side, and unused tensors."""

    tables: Tables
    layers: tuple[_Layer, ...]
    concatenated: bool
    left: tuple[str, ...]

    def __str__(self) -> str:
        together = "side by side" if self.concatenated else "added"
        return f"numbers {together}, layers {' '.join(str(layer.W.shape[1]) for layer in self.layers)}"


def perceptron(state: Mapping[str, Tensor], facts: Facts) -> Proposal | None:
    """The network without attention that a state dict can be, None where no chain of its matrices leads to p logits."""
    names = roles(state, facts.names).names
    matrices = [name for name, x in state.items() if x.dim() == 2 and x.is_floating_point()]
    embeds = [names[role] for role in ("embed", "embed_b") if role in names]
    orders = _orders([name for name in matrices if name not in embeds], names.get("unembed"))
    chains = tuple(chain for order in orders for chain in _chains(state, order, [state[name] for name in embeds], facts))
    if not chains:
        return None
    activations: tuple[Any, ...] = PLAIN if facts.activation is None else (facts.activation,)
    questions: dict[str, tuple[Any, ...]] = {"chain": chains, "activation": activations}
    if len(chains[0].layers) == 3 and not chains[0].concatenated:
        questions["sum"] = ("before the first activation", "before the second activation")
    return Proposal("network without attention", questions, _network, lambda answers: answers["chain"].left)


def _orders(names: Sequence[str], last: str | None) -> list[tuple[str, ...]]:
    """Orders in which the layers can follow each other, the likeliest first: the file's own, their names' (safetensors sorts by
    size), and any other of a few. The map to the logits is last, wherever a file has it."""

    def numbers_as_numbers(name: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]

    orders = [tuple(names), tuple(sorted(names, key=numbers_as_numbers))]
    orders += permutations(names) if len(names) <= FEW else []
    return list(dict.fromkeys(tuple(sorted(order, key=lambda name: name == last)) for order in orders))


FEW = 4
"""Largest number of layers of which every order is tried."""


def _chains(state: Mapping[str, Tensor], names: Sequence[str], embeds: Sequence[Tensor], facts: Facts) -> Iterator[_Chain]:
    """Every way to go through the matrices in their order, each as it is or transposed, from two numbers to p logits."""
    outputs = sorted(set(state[names[-1]].shape)) if names else []
    starts: list[tuple[int, Tables | None]] = [(size, None) for size in outputs] if not embeds else []
    if embeds:
        turned = (list(embeds), [E.T for E in embeds])
        starts = [(len(tables[0]) - extra, (tables[0], tables[-1])) for tables in turned for extra in (0, 1, 2)]
    for used in (names, names[:-1]):  # the last may be a buffer that takes no part
        for p, tables in starts:
            if not 2 <= p <= MAX_P or facts.modulus not in (None, p) or not used:
                continue
            width = p if tables is None else tables[0].shape[1]
            for concatenated in (False, True):
                layers = _through(state, used, width * (1 + concatenated), p)
                if layers is not None:
                    left = (*names[len(used) :], *_biases_left(state, layers))
                    yield _chain(p, tables, layers, concatenated, left)


def _biases_left(state: Mapping[str, Tensor], layers: Sequence[_Layer]) -> tuple[str, ...]:
    """Names of all vectors of a file, where not every one of them is the bias of a layer."""
    vectors = [name for name, x in state.items() if x.dim() == 1 and x.is_floating_point()]
    return () if len(vectors) == sum(layer.bias is not None for layer in layers) else tuple(vectors)


def _chain(p: int, tables: Tables | None, layers: tuple[_Layer, ...], concatenated: bool, left: tuple[str, ...]) -> _Chain:
    """A chain that starts from embeddings, or from one-hot vectors: then the first matrix becomes the embeddings."""
    if tables is not None:
        return _Chain((tables[0][:p], tables[1][:p]), layers, concatenated, left)
    first, *rest = layers
    parts = first.W.split(p)
    identity = _Layer(torch.eye(first.W.shape[1], dtype=first.W.dtype), first.bias)
    return _Chain((parts[0], parts[-1]), (identity, *rest), False, left)


def _through(state: Mapping[str, Tensor], names: Sequence[str], width: int, p: int) -> tuple[_Layer, ...] | None:
    """The layers from a width to p logits, None where the shapes do not follow each other."""
    layers = []
    for name in names:
        W = state[name]
        # A square matrix is nn.Linear's, [out, in].
        W = W.T if W.shape[1] == width else W
        if W.shape[0] != width:
            return None
        width, bias = W.shape[1], bias_of(state, name)
        if bias is not None and len(bias) != width:
            return None
        layers.append(_Layer(W, bias))
    return tuple(layers) if len(layers) > 1 and width in (p, p + 1, p + 2) else None


def _network(answers: Answers) -> AttentionFree:
    chain: _Chain = answers["chain"]
    *hidden, last = chain.layers
    E_a, E_b = chain.tables
    p, separate = len(E_a), E_a.data_ptr() != E_b.data_ptr()
    second = answers.get("sum") == "before the second activation"
    if second and (chain.concatenated or len(hidden) != 2 or len({layer.W.shape[1] for layer in hidden}) > 1):
        raise Misfit
    parameters = {"embed_a.W_E": E_a, **({"embed_b.W_E": E_b} if separate else {}), "unembed.W_U": last.W[:, :p]}
    biases = any(layer.bias is not None for layer in hidden)
    for number, layer in enumerate(hidden, start=1):
        parameters[f"l{number}.W"] = layer.W
        if biases:
            parameters[f"l{number}.b"] = layer.W.new_zeros(layer.W.shape[1]) if layer.bias is None else layer.bias
    if last.bias is not None:
        parameters["unembed.b_U"] = last.bias[:p]
    config = AttentionFreeConfig(
        p=p,
        kind="gamma" if second else "delta" if chain.concatenated else "alpha",
        d_embedding=E_a.shape[1],
        d_hidden=hidden[0].W.shape[1],
        further_hidden=() if second else tuple(layer.W.shape[1] for layer in hidden[1:]),
        biases=biases,
        separate_vocabularies=separate,
        activation=answers["activation"],
        unembed_bias=last.bias is not None,
    )
    return AttentionFree(config, {name: x.contiguous() for name, x in parameters.items()})
