"""Key frequencies kept, removed, or moved elsewhere, in functions of one residue or of a pair.

A control has to be as large as what it controls for. The null of removing K key frequencies takes K others, and where
they are puts the key part itself, moved there with a random phase: the same number of frequencies, the same norm and the
same directions as what was removed, at frequencies that are not the network's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from analyses.last_neurons import three_rows
from interp import fourier
from interp.model import Unavailable


@dataclass(frozen=True)
class Draw:
    """Other frequencies in the place of the key ones, each with a phase for a and one for b."""

    frequencies: tuple[int, ...]
    phases: tuple[tuple[float, float], ...]


def draws(keys: Sequence[int], p: int, *, count: int, seed: int) -> list[Draw]:
    """Random sets of as many frequencies as there are key ones, none of them key.

    Raises Unavailable where there are fewer different sets than draws.
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


def part(x: Float[Tensor, "p n"], frequencies: Sequence[int]) -> Float[Tensor, "p n"]:
    """What lies at these frequencies of a function of one residue."""
    rows = torch.cat([fourier.rows(k, len(x)) for k in frequencies]).to(x.dtype)
    return rows.T @ (rows @ x)


def moved(x: Float[Tensor, "p n"], keys: Sequence[int], draw: Draw) -> Float[Tensor, "p n"]:
    """The part at the key frequencies, moved to those of the draw."""
    p, result = len(x), torch.zeros_like(x)
    for k, to, (phase, _) in zip(keys, draw.frequencies, draw.phases, strict=True):
        result += _turned(to, p, phase)[1:].to(x.dtype).T @ (three_rows(k, p)[1:].to(x.dtype) @ x)
    return result


def pair_part(x: Float[Tensor, "a b n"], frequencies: Sequence[int]) -> Float[Tensor, "a b n"]:
    """What lies at these frequencies of a function of a pair: waves of a, of b and their products, k by k."""
    return _pair_part(x, list(frequencies), list(frequencies), [(0.0, 0.0)] * len(frequencies), slice(None))


def pair_moved(x: Float[Tensor, "a b n"], keys: Sequence[int], draw: Draw, rows: Tensor) -> Float[Tensor, "row b n"]:
    """The part at the key frequencies, moved to those of the draw, for some values of a."""
    return _pair_part(x, list(keys), list(draw.frequencies), list(draw.phases), rows)


def pair_part_of_rows(x: Float[Tensor, "a b n"], frequencies: Sequence[int], rows: Tensor) -> Float[Tensor, "row b n"]:
    """``pair_part`` for some values of a."""
    return _pair_part(x, list(frequencies), list(frequencies), [(0.0, 0.0)] * len(frequencies), rows)


def _pair_part(
    x: Float[Tensor, "a b n"], at: list[int], to: list[int], phases: list[tuple[float, float]], rows: slice | Tensor
) -> Float[Tensor, "row b n"]:
    p, result = len(x), torch.zeros_like(x[rows])
    for k, target, (of_a, of_b) in zip(at, to, phases, strict=True):
        here = three_rows(k, p).to(x.dtype)
        waves = einsum(here, here, x, "i a, j b, a b n -> i j n")
        waves[0, 0] = 0
        over_a, over_b = (_turned(target, p, phase).to(x.dtype) for phase in (of_a, of_b))
        result += einsum(over_a[:, rows], over_b, waves, "i row, j b, i j n -> row b n")
    return result


def _turned(k: int, p: int, phase: float) -> Float[Tensor, "3 p"]:
    """The constant, cosine and sine of a frequency, the waves turned by a phase."""
    constant, cosine, sine = three_rows(k, p)
    return torch.stack(
        [constant, math.cos(phase) * cosine - math.sin(phase) * sine, math.sin(phase) * cosine + math.cos(phase) * sine]
    )
