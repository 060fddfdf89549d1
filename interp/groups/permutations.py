"""Symmetric and alternating groups: their tables, in the order in which sympy lists the permutations, and their characters."""

import math
from collections.abc import Iterator, Mapping
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.groups.group import Group

MAX_DEGREE = 6
"""Largest number of things that are permuted: S6 has 720 elements."""

A5_GENERATORS = ([1, 2, 3, 4, 0], [0, 2, 1, 4, 3])
"""Generators of A5, which decide the order of its elements: those of Chughtai et al. 2023, arXiv 2302.03025 (released code)."""

PUBLISHED = {
    5: {(3, 1, 1): "s5_6d", (3, 2): "s5_5d_b", (2, 2, 1): "s5_5d_a"},
    6: {(2, 2, 2): "s6_5d_b", (3, 3): "s6_5d_a"},
}
"""Names of representations of S5 and S6 by Chughtai et al. 2023, by degree and partition, their last one first."""


def symmetric(degree: int) -> Group:
    """The symmetric group S_n on 0..n-1; ab is first a, then b."""
    return _group("S", degree)


def alternating(degree: int) -> Group:
    """The alternating group A_n, the even permutations of 0..n-1; ab is first a, then b."""
    return _group("A", degree)


def of_order(order: int) -> Iterator[Group]:
    """The symmetric and alternating groups of so many elements, those of fewer than four things left out."""
    for n in range(4, MAX_DEGREE + 1):
        if math.factorial(n) == order:
            yield symmetric(n)
        if math.factorial(n) // 2 == order:
            yield alternating(n)


def _group(letter: str, degree: int) -> Group:
    from sympy.combinatorics import PermutationGroup  # half a second
    from sympy.combinatorics.named_groups import AlternatingGroup, SymmetricGroup
    from sympy.combinatorics.permutations import Permutation

    smallest = 2 if letter == "S" else 3
    if not smallest <= degree <= MAX_DEGREE:
        raise InterpError(f"expected {letter}{smallest} to {letter}{MAX_DEGREE}, got {letter}{degree}")
    if letter == "A" and degree == 5:
        group = PermutationGroup(*(Permutation(each) for each in A5_GENERATORS))
    else:
        group = (SymmetricGroup if letter == "S" else AlternatingGroup)(degree)
    permutations = torch.tensor([list(each) for each in group.generate_schreier_sims(af=True)])
    elements = tuple(cycles(each) for each in permutations.tolist())
    characters = _symmetric_characters if letter == "S" else _alternating_characters
    return Group(table_of(permutations), f"{letter}{degree}", elements, partial(characters, permutations))


def table_of(permutations: Int[Tensor, "g place"]) -> Int[Tensor, "a b"]:
    """Products of permutations that form a group: (ab)[i] = b[a[i]], first a, then b."""
    degree = permutations.shape[1]
    digits = degree ** torch.arange(degree)
    products = permutations[:, permutations].transpose(0, 1)  # [a, b, i] = b[a[i]]
    codes, order = (permutations * digits).sum(1).sort()
    return order[torch.searchsorted(codes, (products * digits).sum(-1))]


def cycles(permutation: list[int]) -> str:
    """A permutation as its cycles, (0 1)(2 3 4); e for the one that moves nothing."""
    found = [cycle for cycle in _cycles(permutation) if len(cycle) > 1]
    return "".join(f"({' '.join(map(str, cycle))})" for cycle in found) or "e"


def _cycles(permutation: list[int]) -> list[list[int]]:
    found, seen = [], set[int]()
    for start in range(len(permutation)):
        cycle, place = [], start
        while place not in seen:
            seen.add(place)
            cycle.append(place)
            place = permutation[place]
        found += [cycle] if cycle else []
    return found


def _cycle_type(permutation: list[int]) -> tuple[int, ...]:
    return tuple(sorted(map(len, _cycles(permutation)), reverse=True))


def _symmetric_characters(permutations: Int[Tensor, "g place"]) -> Mapping[str, Float[Tensor, " g"]]:
    """All of S_n, by partition; those that Chughtai et al. 2023 name, by these names."""
    degree = permutations.shape[1]
    types = [_cycle_type(each) for each in permutations.tolist()]
    names = PUBLISHED.get(degree, {}) | {
        (2, *(1,) * (degree - 2)): "standard_sign",
        (degree - 1, 1): "standard",
        (1,) * degree: "sign",
        (degree,): "trivial",
    }
    order = [partition for partition in reversed(names) if sum(partition) == degree]
    characters = {}
    for partition in [*order, *(each for each in _partitions(degree, degree) if each not in names)]:
        values = {kind: float(character(partition, kind)) for kind in set(types)}
        name = names.get(partition, f"({','.join(map(str, partition))})")
        characters[name] = torch.tensor([values[kind] for kind in types], dtype=torch.float64)
    return characters


def _alternating_characters(permutations: Int[Tensor, "g place"]) -> Mapping[str, Float[Tensor, " g"]]:
    """A5: trivial, standard, a5_5d_a, and a5_3d_a, whose character is (1+√5)/2 at (0 1 2 3 4), beside its conjugate a5_3d_b."""
    degree = permutations.shape[1]
    if degree != 5:
        return {"trivial": torch.ones(len(permutations), dtype=torch.float64)}
    of_s5 = _symmetric_characters(permutations)
    group = Group(table_of(permutations))
    cycle = permutations.tolist().index([1, 2, 3, 4, 0])
    golden = 5**0.5 * torch.where(group.classes == group.classes[cycle], 1.0, -1.0).double()
    five = group.orders == 5
    half = of_s5["s5_6d"] / 2  # on A5 the six dimensions of S5 are these two representations together
    return {
        "trivial": of_s5["trivial"],
        "standard": of_s5["standard"],
        "a5_5d_a": of_s5["s5_5d_a"],
        "a5_3d_a": torch.where(five, (1 + golden) / 2, half),
        "a5_3d_b": torch.where(five, (1 - golden) / 2, half),
    }


def _partitions(total: int, largest: int) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as a sum of numbers that do not ascend, up to a largest one."""
    if not total:
        yield ()
    for first in range(min(total, largest), 0, -1):
        yield from ((first, *rest) for rest in _partitions(total - first, first))


def character(partition: tuple[int, ...], cycle_type: tuple[int, ...]) -> int:
    """The character of S_n's representation of a partition, at the permutations of a cycle type.

    Murnaghan and Nakayama's rule: cutting a rim hook of m boxes moves one of the partition's beads m places down; the sign is
    that of the number of beads that it passes.
    """
    if not cycle_type:
        return 1
    m, rest = cycle_type[0], cycle_type[1:]
    beads = [part + len(partition) - 1 - row for row, part in enumerate(partition)]
    total = 0
    for bead in beads:
        if bead >= m and bead - m not in beads:
            passed = sum(bead - m < other < bead for other in beads)
            moved = sorted((bead - m if other == bead else other for other in beads), reverse=True)
            smaller = tuple(place - (len(moved) - 1 - row) for row, place in enumerate(moved))
            total += (-1) ** passed * character(smaller, rest)
    return total
