"""Group: a finite group as the table of its products, with all that follows from the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError

MAX_ORDER = 1000
"""Largest number of elements of a group: the product of every two is held at once."""


@dataclass(frozen=True, eq=False)
class Group:
    """A finite group. Its elements are 0..n-1, n its order; ``table[a, b]`` is the product ab."""

    table: Int[Tensor, "a b"]
    """Products of all pairs."""
    name: str = ""
    """What the group is called, such as S5; "" for one of which only the table is known."""
    elements: tuple[str, ...] = ()
    """How each element is written; its index where none is given."""
    closed_form: Callable[[], Mapping[str, Float[Tensor, " g"]]] = field(default=dict)
    """Names of real irreducible characters and their values, as far as the group's family has names for them."""

    def __post_init__(self) -> None:
        check_group(self.table)
        if not self.elements:
            object.__setattr__(self, "elements", tuple(map(str, range(len(self.table)))))

    @property
    def order(self) -> int:
        """Number of elements n."""
        return len(self.table)

    @cached_property
    def identity(self) -> int:
        """The element e with ea = ae = a."""
        return identity_of(self.table)

    @cached_property
    def inverse(self) -> Int[Tensor, " g"]:
        """The inverse of every element."""
        return (self.table == self.identity).int().argmax(1)

    @cached_property
    def is_abelian(self) -> bool:
        """Is ab = ba for all pairs?"""
        return torch.equal(self.table, self.table.T)

    @cached_property
    def classes(self) -> Int[Tensor, " g"]:
        """The conjugacy class of every element, classes numbered from 0 in the order of their smallest elements."""
        if self.is_abelian:
            return torch.arange(self.order)
        conjugates = self.table[self.table, self.inverse[:, None]]  # [g, x] = g x g⁻¹
        return conjugates.min(0).values.unique(return_inverse=True)[1]

    @cached_property
    def orders(self) -> Int[Tensor, " g"]:
        """The order of every element: the least m ≥ 1 with gᵐ = e."""
        elements = torch.arange(self.order)
        orders, power = torch.zeros(self.order, dtype=torch.long), elements
        for m in range(1, self.order + 1):
            orders[(power == self.identity) & (orders == 0)] = m
            if bool((orders > 0).all()):
                break
            power = self.table[power, elements]
        return orders

    def powers(self, g: int) -> Int[Tensor, " m"]:
        """e, g, g², …: the cyclic group that an element generates."""
        found = [self.identity]
        while (following := int(self.table[found[-1], g])) != self.identity:
            found.append(following)
        return torch.tensor(found)

    @cached_property
    def generator(self) -> int | None:
        """The smallest element whose powers are the whole group; None where the group is not cyclic."""
        full = (self.orders == self.order).nonzero()
        return int(full[0]) if len(full) else None

    @cached_property
    def left_quotients(self) -> Int[Tensor, "x y"]:
        """x⁻¹y for all pairs."""
        return self.table[self.inverse]

    @cached_property
    def right_quotients(self) -> Int[Tensor, "x y"]:
        """xy⁻¹ for all pairs."""
        return self.table[:, self.inverse]


def identity_of(table: Int[Tensor, "a b"]) -> int:
    """The identity of a table of products. Raises InterpError where it has none."""
    itself = torch.arange(len(table))
    is_identity = (table == itself).all(1) & (itself == table.T).all(1)
    if not bool(is_identity.any()):
        raise InterpError("no element leaves all others as they are, so that the table has no identity and is no group's")
    return int(is_identity.int().argmax())


def check_square(table: Tensor) -> None:
    """Refuse what is no table of a binary operation on 0..n-1. Raises InterpError, which says what is wrong."""
    if table.dim() != 2 or table.shape[0] != table.shape[1] or table.is_floating_point() or table.is_complex():
        kind = "numbers with fractions" if table.is_floating_point() else "whole numbers"
        raise InterpError(f"expected a square table of whole numbers, got {kind} {list(table.shape)}")
    n = len(table)
    if not 2 <= n <= MAX_ORDER:
        raise InterpError(f"expected a table for 2 to {MAX_ORDER} elements, got {n}")


def check_latin(table: Int[Tensor, "a b"]) -> None:
    """Refuse a table in which a row or a column does not hold every element once. Raises InterpError, which names it."""
    n = len(table)
    everything = torch.arange(n)
    outside = ((table < 0) | (table >= n)).nonzero()
    if len(outside):
        a, b = outside[0].tolist()
        raise InterpError(f"the answer to ({a}, {b}) is {int(table[a, b])}, which is none of 0..{n - 1}: it is not closed")
    for what, lines in (("row", table), ("column", table.T)):
        wrong = (lines.sort(1).values != everything).any(1).nonzero()
        if len(wrong):
            raise InterpError(f"{what} {int(wrong[0])} does not hold every element once, as a group's would")


def check_group(table: Int[Tensor, "a b"]) -> None:
    """Refuse a table that is no group's. Raises InterpError, which says what fails: closed, identity, associative.

    (xg)y = x(gy) is tried for all x and y and for every g of a set that generates the rest: enough by F. W. Light's test.
    """
    check_square(table)
    check_latin(table)
    identity_of(table)
    for g in _generators(table):
        wrong = (table[table[:, g]] != table[:, table[g]]).nonzero()
        if len(wrong):
            x, y = wrong[0].tolist()
            raise InterpError(f"({x}·{g})·{y} is not {x}·({g}·{y}): it is not associative, a quasigroup that is no group")


def _generators(table: Int[Tensor, "a b"]) -> list[int]:
    """Elements of which all others are products."""
    known = torch.zeros(len(table), dtype=torch.bool)
    chosen = []
    while not bool(known.all()):
        chosen.append(int((~known).int().argmax()))
        known[chosen[-1]] = True
        grown = True
        while grown:
            before = int(known.sum())
            known[table[known][:, known].flatten()] = True
            grown = int(known.sum()) > before
    return chosen
