"""Fourier analysis over the residues 0..p-1: pure functions.

Frequencies are k = 1..⌊p/2⌋, inclusive; index k and p - k are the same frequency. For even p the last, p/2, is the
Nyquist frequency: it has a cosine only.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from interp.memory import numbered


def frequencies(p: int) -> range:
    """All frequencies of Z/p: 1..⌊p/2⌋."""
    return range(1, p // 2 + 1)


def fold(k: int, p: int) -> int:
    """The frequency 0..⌊p/2⌋ that index k stands for: min(k mod p, p - k mod p)."""
    return min(k % p, -k % p)


@lru_cache(maxsize=16)
def _basis(p: int) -> Tensor:
    angles = 2 * math.pi * torch.outer(torch.arange(p), torch.arange(p)).remainder(p).double() / p
    rows = [torch.full((p,), 1 / math.sqrt(p), dtype=torch.float64)]
    for k in frequencies(p):
        if 2 * k == p:
            rows.append(angles[k].cos() / math.sqrt(p))
        else:
            rows += [angles[k].cos() * math.sqrt(2 / p), angles[k].sin() * math.sqrt(2 / p)]
    return torch.stack(rows)


def basis(p: int) -> Float[Tensor, "p p"]:
    """The orthonormal real basis: constant, then cos and sin of each k = 1..⌊p/2⌋ (at k = p/2 the cosine only).

    Row 2k - 1 is the cosine of frequency k, row 2k its sine. The dtype is float64.
    """
    return _basis(p).clone()


def row_numbers(k: int, p: int) -> range:
    """Which rows of the basis are those of one frequency: cosine and sine, or at k = p/2 the cosine alone."""
    return range(2 * k - 1, min(2 * k + 1, p))


def rows(k: int, p: int) -> Float[Tensor, "row p"]:
    """The basis rows of one frequency: cosine and sine, or at k = p/2 the cosine alone."""
    return _basis(p)[[*row_numbers(k, p)]]


def waves(k: int, p: int) -> Float[Tensor, "2 p"]:
    """Cosine and sine of 2πk·j/p over the residues j = 0..p-1, of amplitude 1; at k = p/2 the sine is 0 to rounding."""
    angles = 2 * torch.pi * (k * torch.arange(p) % p).double() / p
    return torch.stack([angles.cos(), angles.sin()])


def energies(M: Float[Tensor, "p n"]) -> Float[Tensor, " freq"]:
    """How much of a matrix over residues (along its first axis) lies at each frequency?

    |cos row|² + |sin row|² for k = 1..⌊p/2⌋, in the orthonormal basis: with the energy of the constant they sum to ‖M‖².
    """
    p = M.shape[0]
    squares = (_basis(p) @ M.double()).square().sum(-1)[1:]
    if p % 2 == 0:
        squares = torch.cat([squares, squares.new_zeros(1)])
    return squares.unflatten(0, (-1, 2)).sum(-1)


def energy_shares(M: Float[Tensor, "p n"]) -> Float[Tensor, " freq"]:
    """The ``energies`` of a matrix as shares of their sum over k ≥ 1, in [0, 1]; NaN where it is constant over residues."""
    energy = energies(M)
    return energy / energy.sum()


def effective_number(energies: Float[Tensor, " freq"]) -> float:
    """Over how many frequencies is an energy spread? (Σ e)² / Σ e², from 1 to their number; NaN where every e is 0."""
    return float(energies.sum() ** 2 / energies.square().sum())


@dataclass(frozen=True, eq=False)
class PairWaves:
    """What n functions of the pair (a, b) are made of, frequency by frequency. Float64; the basis is orthonormal."""

    total: Float[Tensor, " n"]
    """Sum of each function over all pairs."""
    square: Float[Tensor, " n"]
    """Sum of each function's squares over all pairs."""
    blocks: Float[Tensor, "freq 3 3 n"]
    """Coefficients on {1, cos w_k a, sin w_k a} × {1, cos w_k b, sin w_k b}, that of the constant set to 0, k = 1..⌊p/2⌋; at
    k = p/2 there is no sine, and its coefficients are 0."""

    pairs: int
    """Number of pairs, p²."""

    @property
    def variance(self) -> Float[Tensor, " n"]:
        """Sum of each function's squares less its mean."""
        return self.square - self.total.square() / self.pairs

    @property
    def energies(self) -> Float[Tensor, "freq n"]:
        """Sum of each function's squared coefficients at each frequency: 8 products, 3 at k = p/2."""
        return self.blocks.square().sum((1, 2))


def pair_waves(rows: Iterable[Float[Tensor, "_ b n"]]) -> PairWaves:
    """How much of n functions of the pair lies at each frequency, and in which waves?

    ``rows``: the values for a few a at a time, in the order of a; no more than that is held at once.
    Source: Nanda et al. 2023, arXiv 2301.05217 (the 8 products of a frequency).
    """
    found = list[Tensor]()
    for some, block in numbered(rows):
        values, p = block.double(), block.shape[1]
        over_b = torch.einsum("jb,abn->jan", _basis(p), values)
        three = _three_waves_of_a(p)[:, :, some]  # the constant and the waves of a that go with each wave of b
        parts = [
            values.sum((0, 1)),
            values.square().sum((0, 1)),
            torch.bmm(three, over_b),
            _basis(p)[:, some] @ over_b[0],
        ]
        found = parts if not found else [old + new for old, new in zip(found, parts, strict=True)]
    total, square, products, of_a_alone = found
    blocks = _by_frequency(products.transpose(0, 1))  # [3 of a, freq, 2 of b, n]
    alone = _by_frequency(of_a_alone[None])[0]  # [freq, 2 of a, n]
    constant = torch.cat([torch.zeros_like(alone[:, :1]), alone], dim=1)
    return PairWaves(
        total=total,
        square=square,
        blocks=torch.cat([constant[:, :, None], blocks.permute(1, 0, 2, 3)], dim=2),
        pairs=len(products) ** 2,
    )


def _by_frequency(x: Float[Tensor, "i p n"]) -> Float[Tensor, "i freq 2 n"]:
    """Rows of the basis without the constant, two by two; at k = p/2 a row of zeros for the sine."""
    waves = x[:, 1:]
    if waves.shape[1] % 2:
        waves = torch.cat([waves, waves.new_zeros(len(x), 1, x.shape[-1])], dim=1)
    return waves.unflatten(1, (-1, 2))


@lru_cache(maxsize=4)
def _three_waves_of_a(p: int) -> Float[Tensor, "p 3 a"]:
    """For each wave of b the constant, cosine and sine of a at its frequency; for the constant of b the constant alone."""
    waves = _basis(p).new_zeros(p, 3, p)
    waves[:, 0] = 1 / math.sqrt(p)
    for k in frequencies(p):
        index = row_numbers(k, p)
        waves[index.start : index.stop, 1 : 1 + len(index)] = _basis(p)[[*index]]
    return waves


def wave_energies(x: Float[Tensor, "p p n"], k: int) -> Float[Tensor, "4 n"]:
    """How much of n functions of the pair (a, b) is waves of frequency k of a, of b, of a + b and of a - b?

    Squares of the coefficients on the cosine and sine of each (orthonormal); their sum is the energy of ``PairWaves`` at k.
    At k = p/2 waves of a + b and of a - b are the same, and count as waves of a + b.
    """
    p = x.shape[0]
    index = [0, *row_numbers(k, p)]
    rows = _basis(p)[index]
    products = torch.einsum("ia,jb,abn->ijn", rows, rows, x.double())
    if len(index) == 2:
        plus, minus = products[1, 1].square(), torch.zeros_like(products[1, 1])
    else:
        (cc, cs), (sc, ss) = products[1:, 1:]
        plus, minus = ((cc - ss).square() + (cs + sc).square()) / 2, ((cc + ss).square() + (sc - cs).square()) / 2
    return torch.stack([products[1:, 0].square().sum(0), products[0, 1:].square().sum(0), plus, minus])


def centred(x: Float[Tensor, "*rest c"]) -> Float[Tensor, "*rest c"]:
    """Values minus their mean over the last axis, which has no frequency; float64."""
    x = x.double()
    return x - x.mean(-1, keepdim=True)


def without(M: Float[Tensor, "p n"], k: int) -> Float[Tensor, "p n"]:
    """M with frequency k (folded; 0 removes nothing) projected out of its first axis; dtype kept."""
    p = M.shape[0]
    k = fold(k, p)
    if k == 0:
        return M
    B = rows(k, p)
    return (M.double() - B.T @ (B @ M.double())).to(M.dtype)


def gini(values: Float[Tensor, " n"]) -> float:
    """How unequal are these non-negative numbers? 0 where all are equal, near 1 where a single one carries all.

    Σ_i (2i - n - 1) x_i / (n Σ x), x ascending, i = 1..n. Source of its use here: Nanda et al. 2023, arXiv 2301.05217.
    """
    x = values.double().sort().values
    n = len(x)
    weights = 2 * torch.arange(1, n + 1, dtype=torch.float64) - n - 1
    return float((weights * x).sum() / (n * x.sum()))
