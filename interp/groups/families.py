"""Cyclic, dihedral and quaternion groups, units mod n, and direct products, with the names of their characters."""

import math
from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import product
from math import gcd

import torch
from jaxtyping import Float
from torch import Tensor

from interp import fourier
from interp.errors import InterpError
from interp.groups.group import Group

Characters = Mapping[str, Float[Tensor, " g"]]


@lru_cache(maxsize=16)
def cyclic(n: int) -> Group:
    """The cyclic group C_n: element i is i, and ab is (a + b) mod n."""
    residues = torch.arange(n)
    return Group((residues[:, None] + residues) % n, f"C{n}", closed_form=partial(cyclic_characters, n))


def cyclic_characters(n: int) -> Characters:
    """trivial; freq_k, 2 cos(2πki/n), for 1 ≤ k < n/2; and for even n sign, (-1)ⁱ."""
    characters = {"trivial": torch.ones(n, dtype=torch.float64)}
    if n % 2 == 0:
        characters["sign"] = fourier.waves(n // 2, n)[0]
    return characters | {f"freq_{k}": 2 * fourier.waves(k, n)[0] for k in range(1, (n + 1) // 2)}


def dihedral(n: int) -> Group:
    """The dihedral group D_n of order 2n: i < n is the rotation rⁱ, n + i the reflection rⁱs, and sr = r⁻¹s."""
    turn, flip = torch.arange(2 * n) % n, torch.arange(2 * n) // n
    turns = (turn[:, None] + torch.where(flip[:, None] == 1, -turn, turn)) % n
    table = turns + n * (flip[:, None] ^ flip)
    elements = [f"r{i}" for i in range(n)] + [f"r{i}s" for i in range(n)]
    return Group(table, f"D{n}", tuple(elements), closed_form=partial(_dihedral_characters, n))


def _dihedral_characters(n: int) -> Characters:
    """trivial; sign, -1 on reflections; freq_k, 2 cos(2πki/n) on rⁱ; and for even n two that are (-1)ⁱ on rotations."""
    ones, none = torch.ones(n, dtype=torch.float64), torch.zeros(n, dtype=torch.float64)
    characters = {"trivial": torch.cat([ones, ones]), "sign": torch.cat([ones, -ones])}
    if n % 2 == 0:
        alternating = fourier.waves(n // 2, n)[0]
        characters["alternating"] = torch.cat([alternating, alternating])
        characters["alternating_sign"] = torch.cat([alternating, -alternating])
    return characters | {f"freq_{k}": torch.cat([2 * fourier.waves(k, n)[0], none]) for k in range(1, (n + 1) // 2)}


def quaternion() -> Group:
    """The quaternion group Q8, its elements 1, i, j, k, -1, -i, -j, -k in this order."""
    # Units multiply cyclically, ij = k, jk = i, ki = j; the other way round the sign changes, and i² = j² = k² = -1.
    units = {(0, x): (x, 0) for x in range(4)} | {(x, 0): (x, 0) for x in range(4)} | {(x, x): (0, 1) for x in range(1, 4)}
    for x, y, z in ((1, 2, 3), (2, 3, 1), (3, 1, 2)):
        units |= {(x, y): (z, 0), (y, x): (z, 1)}
    table = torch.empty(8, 8, dtype=torch.long)
    for (x, minus_x), (y, minus_y) in product(product(range(4), range(2)), repeat=2):
        unit, minus = units[x, y]
        table[x + 4 * minus_x, y + 4 * minus_y] = unit + 4 * (minus_x ^ minus_y ^ minus)
    return Group(table, "Q8", ("1", "i", "j", "k", "-1", "-i", "-j", "-k"))


def units(n: int) -> Group:
    """The multiplicative group of the residues mod n that have an inverse, in ascending order."""
    residues = [x for x in range(n) if gcd(x, n) == 1]
    if len(residues) < 2:
        raise InterpError(f"expected units mod n with n of at least 3, got {n}: only 1 has an inverse there")
    place = torch.full((n,), -1)
    place[residues] = torch.arange(len(residues))
    values = torch.tensor(residues)
    table = place[(values[:, None] * values) % n]
    return Group(table, f"units:{n}", tuple(map(str, residues)))


def direct_product(factors: list[Group]) -> Group:
    """The direct product of groups; the last factor's element runs fastest."""
    table, elements = factors[0].table, [[each] for each in factors[0].elements]
    for factor in factors[1:]:
        n, m = len(table), factor.order
        blown = table.repeat_interleave(m, 0).repeat_interleave(m, 1) * m
        table = blown + factor.table.repeat(n, n)
        elements = [[*one, two] for one in elements for two in factor.elements]
    written = tuple(f"({', '.join(parts)})" for parts in elements)
    name = "x".join(factor.name for factor in factors)
    if all(factor.name.startswith("C") for factor in factors):
        return Group(table, name, written, partial(_product_characters, tuple(factor.order for factor in factors)))
    return Group(table, name, written)


def _product_characters(orders: tuple[int, ...]) -> Characters:
    """freq_k1_k2_…: the character with k1 turns along the first cyclic factor, k2 along the second, and so on."""
    places = torch.cartesian_prod(*(torch.arange(n) for n in orders)).double()
    characters = {}
    for ks in product(*(range(n) for n in orders)):
        mirror = tuple(-k % n for k, n in zip(ks, orders, strict=True))
        if ks > mirror:
            continue
        turns = (places * torch.tensor([k / n for k, n in zip(ks, orders, strict=True)], dtype=torch.float64)).sum(1)
        wave = (2 * math.pi * turns.remainder(1)).cos()
        name = f"freq_{'_'.join(map(str, ks))}" if any(ks) else "trivial"
        characters[name] = wave if ks == mirror else 2 * wave
    return characters
