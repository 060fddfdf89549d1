"""The subgroups of a finite group, and how its elements lie in their cosets."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from interp.groups.families import dihedral
from interp.groups.group import Group
from interp.groups.permutations import of_order

NAMED = 15
"""Order up to which the orders of its elements tell a dihedral group from all others."""


@dataclass(frozen=True, eq=False)
class Subgroup:
    """A subgroup, with the number of the class of its conjugates."""

    group: Group
    elements: Int[Tensor, " h"]
    """Its elements, ascending."""
    name: str
    """What it is called, such as A4; its order where it has no name here."""
    conjugates: int
    """Number of the class of conjugate subgroups that it belongs to, from 0."""

    @property
    def index(self) -> int:
        """Number of its cosets."""
        return self.group.order // len(self.elements)

    def left_cosets(self) -> Int[Tensor, " g"]:
        """The coset gH that each element g lies in, from 0."""
        return self.group.table[:, self.elements].min(1).values.unique(return_inverse=True)[1]

    def right_cosets(self) -> Int[Tensor, " g"]:
        """The coset Hg that each element g lies in, from 0."""
        return self.group.table[self.elements].min(0).values.unique(return_inverse=True)[1]


@lru_cache(maxsize=8)
def subgroups(group: Group, largest_index: int) -> tuple[Subgroup, ...]:
    """The proper subgroups of at most this index, in ascending order of it, conjugates one after the other.

    One subgroup of every class is joined with every cyclic group until no new class is found.
    """
    cyclic_groups = {_key(mask): mask for mask in (_powers(group, g) for g in range(group.order))}
    classes: list[dict[bytes, Bool[Tensor, " g"]]] = []
    known = set[bytes]()
    waiting = list(cyclic_groups.values())
    while waiting:
        mask = waiting.pop()
        if _key(mask) in known:
            continue
        conjugates = {_key(each): each for each in _conjugates(group, mask)}
        known |= conjugates.keys()
        classes.append(conjugates)
        waiting += [_join(group, mask, each) for each in cyclic_groups.values() if not bool((each <= mask).all())]
    proper = [each for each in classes if 1 < group.order / int(next(iter(each.values())).sum()) <= largest_index]
    # The largest first; of one size those with fewer conjugates.
    proper.sort(key=lambda each: (-int(next(iter(each.values())).sum()), len(each), min(each)))
    return tuple(
        Subgroup(group, mask.nonzero()[:, 0], _name(group, mask), number)
        for number, conjugates in enumerate(proper)
        for _, mask in sorted(conjugates.items())
    )


def _key(mask: Bool[Tensor, " g"]) -> bytes:
    return bytes(mask.numpy().tobytes())


def _powers(group: Group, g: int) -> Bool[Tensor, " g"]:
    """Which elements are powers of g?"""
    found = torch.zeros(group.order, dtype=torch.bool)
    found[group.powers(g)] = True
    return found


def _conjugates(group: Group, mask: Bool[Tensor, " g"]) -> Iterator[Bool[Tensor, " g"]]:
    """Every subgroup xHx⁻¹, once."""
    elements = mask.nonzero()[:, 0]
    moved = group.table[group.table[:, elements], group.inverse[:, None]].sort(1).values
    for each in moved.unique(dim=0):
        found = torch.zeros_like(mask)
        found[each] = True
        yield found


def _join(group: Group, one: Bool[Tensor, " g"], two: Bool[Tensor, " g"]) -> Bool[Tensor, " g"]:
    """Which elements are products of those of two subgroups, however many?"""
    joined = one | two
    while 2 * (size := int(joined.sum())) <= group.order:
        elements = joined.nonzero()[:, 0]
        joined[group.table[elements][:, elements].flatten()] = True
        if int(joined.sum()) == size:
            return joined
    return torch.ones_like(joined)  # no proper subgroup is so large


def _name(group: Group, mask: Bool[Tensor, " g"]) -> str:
    """The name of the group that has as many elements of every order, where that is known to tell it from all others."""
    order, orders = int(mask.sum()), group.orders[mask].sort().values
    if int(orders[-1]) == order:
        return f"C{order}"
    for known in _known(order):
        if torch.equal(known.orders.sort().values, orders):
            return known.name
    return f"order {order}"


@lru_cache(maxsize=64)
def _known(order: int) -> tuple[Group, ...]:
    small = [dihedral(order // 2)] if 4 < order <= NAMED and order % 2 == 0 else []
    return (*small, *of_order(order))
