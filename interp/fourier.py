"""Fourier analysis over the residues 0..p-1: pure functions.

Frequencies are k = 1..⌊p/2⌋, inclusive; index k and p - k are the same frequency. For even p the last, p/2, is the
Nyquist frequency: it has a cosine only.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor


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


def pair_energies(x: Float[Tensor, "p p n"]) -> Float[Tensor, "freq n"]:
    """How much of n functions of the pair (a, b) lies at each frequency?

    Σ of squared coefficients on the products {1, cos w_k a, sin w_k a} × {1, cos w_k b, sin w_k b} (orthonormal),
    minus the constant: 8 products, 3 at k = p/2. Source: Nanda et al. 2023, arXiv 2301.05217.
    """
    p = x.shape[0]
    over_a = (_basis(p) @ x.double().flatten(1)).unflatten(1, x.shape[1:])
    energies = []
    for k in frequencies(p):
        index = [0, *row_numbers(k, p)]
        products = torch.einsum("jb,ibn->ijn", _basis(p)[index], over_a[index])
        energies.append(products.square().sum((0, 1)) - products[0, 0].square())
    return torch.stack(energies)


def wave_energies(x: Float[Tensor, "p p n"], k: int) -> Float[Tensor, "4 n"]:
    """How much of n functions of the pair (a, b) is waves of frequency k of a, of b, of a + b and of a - b?

    Squares of the coefficients on the cosine and sine of each (orthonormal); their sum is what ``pair_energies`` has at k.
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
