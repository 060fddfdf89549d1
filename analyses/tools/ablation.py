"""Frequencies kept, removed, turned and amplified, at each site of a network.

A control has to be as large as what it controls for. A draw of the null takes as many other frequencies as there are key
ones; what the network has at the drawn frequencies is turned by random phases and amplified to the norm of the key part.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float, Int
from torch import Tensor

from analyses.tools.last_layer import last_neurons, three_rows
from interp import fourier
from interp.circuit import ROWS, Circuit
from interp.networks.model import Unavailable

Rows = Int[Tensor, " row"]


@dataclass(frozen=True)
class Draw:
    """One draw of a null: as many frequencies that are not key as there are key ones, each with phases to be turned by."""

    frequencies: tuple[int, ...]
    """The drawn frequencies: none is key, none is p/2."""
    phases: tuple[tuple[float, float], ...]
    """Per drawn frequency the angles, radians, by which waves of a and of b are turned; waves of one residue take the first."""


def random_draws(keys: Sequence[int], p: int, *, count: int, seed: int) -> list[Draw]:
    """Random sets of as many frequencies as there are key ones, none of them key or p/2, all ``count`` sets different.

    Raises Unavailable where there are no key frequencies, or fewer different sets than ``count``.
    """
    others = [k for k in fourier.frequencies(p) if k not in keys and 2 * k != p]
    if not keys:
        raise Unavailable("needs key frequencies, and this network has none")
    if math.comb(len(others), len(keys)) < count:
        raise Unavailable(f"needs {count} different sets of {len(keys)} frequencies that are not key, of {len(others)}")
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
    """A place in a network where frequencies are kept or removed. ``rows`` are values of a: the pairs (a, b) with all b."""

    name: str
    """Name of the site: embedding, pre-activations or logits."""
    whole: Callable[[Rows], Tensor]
    """All that the network has at this site."""
    constant: Tensor
    """The part of the site's values that has no frequency: their mean."""
    part: Callable[[Sequence[int], Rows], Tensor]
    """The part of the site's values that lies at some frequencies."""
    as_large: Callable[[Draw, Rows], Tensor]
    """The part of the site's values at a draw's frequencies, turned, and amplified to the norm of the part at the key ones."""
    accuracy: Callable[[Tensor, Rows], float]
    """The share of pairs answered right, [0, 1], with other values at this site."""


def embedding_site(circuit: Circuit, keys: Sequence[int]) -> Site:
    """The site of the embeddings of a and of b, as functions of the number."""
    E, p = circuit.embedding, circuit.p

    def accuracy(embedding: Tensor, rows: Rows) -> float:
        other = circuit.with_embedding(embedding)
        E_a, E_b = other.tables
        # An edit sees all pairs at once.
        return right(other.logits[rows] if circuit.edits else run_rows(circuit, E_a[rows], E_b), rows)

    return Site(
        name="embedding",
        whole=lambda rows: E,
        constant=E.mean(0, keepdim=True).expand(p, -1),
        part=lambda frequencies, rows: part(E, frequencies),
        as_large=lambda draw, rows: as_large(E, keys, draw),
        accuracy=accuracy,
    )


def neuron_site(circuit: Circuit, keys: Sequence[int]) -> Site:
    """The site of the last neurons' pre-activations, as functions of the pair: waves of a, of b and their products, k by k."""
    neurons, p = last_neurons(circuit), circuit.p
    waves = {k: neurons.waves_at(k) for k in fourier.frequencies(p)}
    for each in waves.values():
        each[0, 0] = 0

    def put(frequencies: Sequence[int], phases: Sequence[tuple[float, float]], rows: Rows) -> Tensor:
        result = torch.zeros(len(rows), p, neurons.pre.shape[-1], dtype=neurons.pre.dtype)
        for k, (of_a, of_b) in zip(frequencies, phases, strict=True):
            products = einsum(turned(k, p, of_a)[:, rows], turned(k, p, of_b), "i row, j b -> row b i j").flatten(2)
            result += products.to(result.dtype) @ waves[k].flatten(0, 1).to(result.dtype)
        return result

    def norm(frequencies: Sequence[int]) -> Tensor:
        return torch.stack([waves[k] for k in frequencies]).norm()

    def as_large_of_pairs(draw: Draw, rows: Rows) -> Tensor:
        return put(draw.frequencies, draw.phases, rows) * _ratio(norm(keys), norm(draw.frequencies))

    return Site(
        name="pre-activations",
        whole=lambda rows: neurons.pre[rows],
        constant=neurons.pre.mean((0, 1)),
        part=lambda frequencies, rows: put(frequencies, [(0.0, 0.0)] * len(frequencies), rows),
        as_large=as_large_of_pairs,
        accuracy=lambda pre, rows: right(neurons.logits(pre, rows=rows), rows),
    )


def logit_site(circuit: Circuit, keys: Sequence[int]) -> Site:
    """The site of the logits, as functions of the answer c."""
    logits, p = circuit.centred_logits, circuit.p
    return Site(
        name="logits",
        whole=lambda rows: logits[rows],
        constant=logits.new_zeros(p),
        part=lambda frequencies, rows: part(logits[rows].flatten(0, 1).T, frequencies).T.unflatten(0, (-1, p)),
        as_large=lambda draw, rows: as_large(logits[rows].flatten(0, 1).T, keys, draw).T.unflatten(0, (-1, p)),
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
def run_rows(circuit: Circuit, E_a: Float[Tensor, "row d"], E_b: Float[Tensor, "p d"]) -> Float[Tensor, "row p c"]:
    """The logits of a network that is not edited, for every pair of an embedding of a in ``E_a`` and one of b in ``E_b``."""
    parts = [circuit.run(some[:, None], E_b[None])[0] for some in E_a.split(ROWS)]
    return torch.cat(parts)


def right(logits: Float[Tensor, "row b c"], rows: Rows) -> float:
    """The share of the pairs (a, b) answered right, [0, 1], for the values of a in ``rows`` and all b."""
    p = logits.shape[-1]
    return (logits.argmax(-1) == (rows[:, None] + torch.arange(p)) % p).double().mean().item()
