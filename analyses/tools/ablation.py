"""Frequencies kept, removed, turned and amplified, at each site of a network.

A control has to be as large as what it controls for. A draw of the null takes as many other frequencies as there are key
ones; what the network has at the drawn frequencies is turned by random phases and amplified to the norm of the key part.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analyses.tools.last_layer import last_neurons, three_rows
from analyses.tools.pairs import Pairs
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable

AT_ONCE = 2048
"""Number of pairs that are run together: more would cost memory, and no time less."""


@dataclass(frozen=True)
class Draw:
    """One draw of a null: as many frequencies that are not key as there are key ones, each with phases to be turned by."""

    frequencies: tuple[int, ...]
    """The drawn frequencies: none is key, none is p/2."""
    phases: tuple[tuple[float, float], ...]
    """Per drawn frequency the angles, radians, by which waves of a and of b are turned; waves of one residue take the first."""


def random_draws(keys: Sequence[int], p: int, *, count: int, least: int, seed: int) -> list[Draw]:
    """Random sets of as many frequencies as there are key ones, none of them key or p/2, all different.

    ``count`` of them, or all that there are where they are fewer. Raises Unavailable where there are no key frequencies, or
    fewer sets than ``least``.
    """
    others = [k for k in fourier.frequencies(p) if k not in keys and 2 * k != p]
    if not keys:
        raise Unavailable("needs key frequencies, and this network has none")
    if (different := math.comb(len(others), len(keys))) < least:
        raise Unavailable(f"needs {least} different sets of {len(keys)} frequencies that are not key, of {len(others)}")
    count = min(count, different)
    generator = torch.Generator().manual_seed(seed)
    sets: dict[tuple[int, ...], Draw] = {}
    while len(sets) < count:
        order = torch.randperm(len(others), generator=generator)[: len(keys)].tolist()
        angles = 2 * math.pi * torch.rand(len(keys), 2, generator=generator)
        drawn = tuple(others[i] for i in order)
        sets.setdefault(tuple(sorted(drawn)), Draw(drawn, tuple((a, b) for a, b in angles.tolist())))
    return list(sets.values())


@dataclass(frozen=True, eq=False)
class Site:
    """A place in a network where frequencies are kept or removed, as functions of the pairs that are looked at."""

    name: str
    """Name of the site: embedding, pre-activations or logits."""
    whole: Callable[[Pairs], Tensor]
    """All that the network has at this site."""
    constant: Tensor
    """The part of the site's values that has no frequency: their mean."""
    part: Callable[[Sequence[int], Pairs], Tensor]
    """The part of the site's values that lies at some frequencies."""
    as_large: Callable[[Draw, Pairs], Tensor]
    """The part of the site's values at a draw's frequencies, turned, and amplified to the norm of the part at the key ones."""
    accuracy: Callable[[Tensor, Pairs], float]
    """The share of the pairs answered right, [0, 1], with other values at this site."""


def embedding_site(circuit: Circuit, keys: Sequence[int]) -> Site:
    """The site of the embeddings of a and of b, as functions of the number."""
    E, p = circuit.embedding, circuit.p

    def accuracy(embedding: Tensor, pairs: Pairs) -> float:
        other = circuit.with_embedding(embedding)
        if circuit.edits:  # an edit sees all pairs at once
            return right(other.logits[pairs], pairs)
        E_a, E_b = other.tables
        return right(run_pairs(circuit, E_a[pairs[0]], E_b[pairs[1]]), pairs)

    return Site(
        name="embedding",
        whole=lambda pairs: E,
        constant=E.mean(0, keepdim=True).expand(p, -1),
        part=lambda frequencies, pairs: part(E, frequencies),
        as_large=lambda draw, pairs: as_large(E, keys, draw),
        accuracy=accuracy,
    )


def neuron_site(circuit: Circuit, keys: Sequence[int]) -> Site:
    """The site of the last neurons' pre-activations, as functions of the pair: waves of a, of b and their products, k by k."""
    neurons, p = last_neurons(circuit), circuit.p
    waves = {k: neurons.waves_at(k) for k in fourier.frequencies(p)}
    for each in waves.values():
        each[0, 0] = 0

    def put(frequencies: Sequence[int], phases: Sequence[tuple[float, float]], pairs: Pairs) -> Tensor:
        a, b = pairs
        result = torch.zeros(len(a), neurons.pre.shape[-1], dtype=neurons.pre.dtype)
        for k, (of_a, of_b) in zip(frequencies, phases, strict=True):
            products = einsum(turned(k, p, of_a)[:, a], turned(k, p, of_b)[:, b], "i pair, j pair -> pair i j").flatten(1)
            result += products.to(result.dtype) @ waves[k].flatten(0, 1).to(result.dtype)
        return result

    def norm(frequencies: Sequence[int]) -> Tensor:
        return torch.stack([waves[k] for k in frequencies]).norm()

    def as_large_of_pairs(draw: Draw, pairs: Pairs) -> Tensor:
        return put(draw.frequencies, draw.phases, pairs) * _ratio(norm(keys), norm(draw.frequencies))

    return Site(
        name="pre-activations",
        whole=lambda pairs: neurons.pre[pairs],
        constant=neurons.pre.mean((0, 1)),
        part=lambda frequencies, pairs: put(frequencies, [(0.0, 0.0)] * len(frequencies), pairs),
        as_large=as_large_of_pairs,
        accuracy=lambda pre, pairs: right(neurons.logits(pre, at=pairs), pairs),
    )


def logit_site(circuit: Circuit, keys: Sequence[int]) -> Site:
    """The site of the logits, as functions of the answer c."""
    p = circuit.p

    def logits(pairs: Pairs) -> Float[Tensor, "pair c"]:
        return fourier.centred(circuit.logits[pairs])

    return Site(
        name="logits",
        whole=logits,
        constant=torch.zeros(p, dtype=torch.float64),
        part=lambda frequencies, pairs: part(logits(pairs).T, frequencies).T,
        as_large=lambda draw, pairs: as_large(logits(pairs).T, keys, draw).T,
        accuracy=right,
    )


def part(x: Float[Tensor, "p n"], frequencies: Sequence[int]) -> Float[Tensor, "p n"]:
    """The part at these frequencies of ``x``, n functions of one residue."""
    rows = torch.cat([fourier.rows(k, len(x)) for k in frequencies]).to(x.dtype)
    return rows.T @ (rows @ x)


def as_large(x: Float[Tensor, "p n"], keys: Sequence[int], draw: Draw) -> Float[Tensor, "p n"]:
    """The part of ``x`` at the draw's frequencies, turned, and amplified to the norm of its part at the key ones."""
    p, result = len(x), torch.zeros_like(x)
    for k, (phase, _) in zip(draw.frequencies, draw.phases, strict=True):
        result += turned(k, p, phase)[1:].to(x.dtype).T @ (three_rows(k, p)[1:].to(x.dtype) @ x)
    return result * _ratio(part(x, keys).norm(), result.norm())


def _ratio(wanted: Tensor, found: Tensor) -> Tensor:
    """The factor that makes the wanted norm of the found one; 0 where the found norm is 0."""
    return wanted / found if found > 0 else torch.zeros_like(wanted)


def turned(k: int, p: int, phase: float) -> Float[Tensor, "3 p"]:
    """The constant, cosine and sine of frequency k (``three_rows``), the two waves turned by a phase in radians."""
    constant, cosine, sine = three_rows(k, p)
    forward = math.cos(phase) * cosine - math.sin(phase) * sine
    return torch.stack([constant, forward, math.sin(phase) * cosine + math.cos(phase) * sine])


@torch.no_grad()
def run_pairs(circuit: Circuit, E_a: Float[Tensor, "pair d"], E_b: Float[Tensor, "pair d"]) -> Float[Tensor, "pair c"]:
    """The logits of a network that is not edited, for pairs of an embedding of a and one of b."""
    parts = [circuit.run(a, b)[0] for a, b in zip(E_a.split(AT_ONCE), E_b.split(AT_ONCE), strict=True)]
    return torch.cat(parts)


def right(logits: Float[Tensor, "pair c"], pairs: Pairs) -> float:
    """The share of the pairs (a, b) answered right, [0, 1]."""
    a, b = pairs
    return (logits.argmax(-1) == (a + b) % logits.shape[-1]).double().mean().item()
