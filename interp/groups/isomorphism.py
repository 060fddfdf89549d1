"""Which group is this: is a table the operation of a group in other symbols, and has that group a name?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from interp.groups.families import cyclic, dihedral, quaternion
from interp.groups.group import Group, check_latin, check_square
from interp.groups.permutations import of_order


@dataclass(frozen=True, eq=False)
class Isotopy:
    """A group, and which symbols of a, of b and of the answer its elements are in a table: c[gh] is the table's a[g], b[h]."""

    group: Group
    a: Int[Tensor, " g"]
    """Symbol of a for every element."""
    b: Int[Tensor, " g"]
    """Symbol of b for every element."""
    c: Int[Tensor, " g"]
    """Symbol of the answer for every element."""


def isotopy(table: Int[Tensor, "a b"]) -> Isotopy:
    """The group whose operation a table is in other symbols. Raises InterpError, which says what fails, where there is none.

    With u = table[a, s] and v = table[r, b] for a row r and a column s, the operation of u and v has an identity, and by
    Albert's theorem it is a group's if any relabelling makes the table one. The column and the row are those of the table's own
    identity, if it has one, else the first.
    """
    check_square(table)
    check_latin(table)
    itself = torch.arange(len(table))
    is_identity = (table == itself).all(1) & (itself == table.T).all(1)
    first = int(is_identity.int().argmax()) if bool(is_identity.any()) else 0
    of_a, of_b = table[:, first].argsort(), table[first].argsort()
    group = Group(table[of_a][:, of_b])
    named = _named(group)
    if named is None:
        return Isotopy(group, of_a, of_b, itself)
    known, elements = named
    return Isotopy(known, of_a[elements], of_b[elements], elements)


def _named(group: Group) -> tuple[Group, Int[Tensor, " g"]] | None:
    """A group of this structure that has a name, and which element each of its elements is; None where there is none here."""
    if group.generator is not None:
        return cyclic(group.order), group.powers(group.generator)
    for known in _with_names(group.order):
        if torch.equal(known.orders.sort().values, group.orders.sort().values):
            elements = _isomorphism(known, group)
            if elements is not None:
                return known, elements
    return None


def _with_names(order: int) -> Iterator[Group]:
    yield from of_order(order)
    if order % 2 == 0 and order >= 6:
        yield dihedral(order // 2)
    if order == 8:
        yield quaternion()


def _isomorphism(known: Group, group: Group) -> Int[Tensor, " g"] | None:
    """Which element of a group each element of a known one is, if the two have one structure; None where they have not.

    Two elements that generate the known group are sent to all elements of equal orders, until products go where they should.
    """
    generators = _two_generators(known)
    if generators is None:
        return None
    words = _words(known, generators)
    first, second = ((group.orders == known.orders[g]).nonzero()[:, 0].tolist() for g in generators)
    for g in first:
        for h in second:
            images = torch.empty(known.order, dtype=torch.long)
            images[known.identity] = group.identity
            for element, before, which in words:
                images[element] = group.table[images[before], (g, h)[which]]
            if len(images.unique()) == known.order and torch.equal(group.table[images][:, images], images[known.table]):
                return images
    return None


def _two_generators(group: Group) -> tuple[int, int] | None:
    """Two elements of which all others are products, the first of largest order; None where no two do with such a first."""
    first = int(group.orders.argmax())
    for second in range(group.order):
        if len(_words(group, (first, second))) == group.order - 1:
            return first, second
    return None


def _words(group: Group, generators: Sequence[int]) -> list[tuple[int, int, int]]:
    """How to reach every element: (element, the one before it, the number of the generator that leads from there to it)."""
    found, seen, waiting = [], {group.identity}, [group.identity]
    for before in waiting:
        for which, generator in enumerate(generators):
            element = int(group.table[before, generator])
            if element not in seen:
                seen.add(element)
                waiting.append(element)
                found.append((element, before, which))
    return found
