"""Products and quotients mod p, on the residues that have an inverse: addition of discrete logarithms."""

from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

from interp.groups.families import units
from interp.groups.group import Group
from interp.tasks.task import UNDEFINED, ModularTask, Relabelling, Words


@lru_cache(maxsize=16)
def _units(p: int) -> tuple[Group, Int[Tensor, " g"]]:
    """The group of the residues mod p that have an inverse, and these residues in the order of its elements."""
    group = units(p)
    return group, torch.tensor([int(residue) for residue in group.elements])


def _relabelling(p: int, *, divides: bool) -> Relabelling | None:
    """Numbers in which a product, or a quotient, of units is addition: x is the number of the smallest generator g to the x.

    Where the units are not cyclic, their own group; None where 1 is the only unit.
    """
    if p < 3:
        return None
    group, residues = _units(p)
    apart = "0" if len(residues) == p - 1 else "a number that has no inverse"
    if group.generator is not None:
        symbols = residues[group.powers(group.generator)]
        words = Words(sum="log a + log b", difference="log a - log b", a="log a", b="log b", c="log c")
        if divides:
            words = Words(sum="log a - log b", difference="log a + log b", a="log a", b="-log b", c="log c")
        opposite = symbols[-torch.arange(len(symbols))]
        return Relabelling(a=symbols, b=opposite if divides else symbols, c=symbols, words=words, apart=apart)
    inverses = residues[group.inverse]
    return Relabelling(a=residues, b=inverses if divides else residues, c=residues, apart=apart, noncyclic=group)


class Multiplication(ModularTask):
    """Multiplication: a·b mod p. On the units it is addition of discrete logarithms where p is prime."""

    word = "multiplication"
    formula = "ab"

    def table(self) -> Int[Tensor, "a b"]:
        residues = torch.arange(self.p)
        return (residues[:, None] * residues) % self.p

    def usual_table(self) -> Int[Tensor, "a b"]:
        """Without the products with 0: many train on numbers other than 0 only."""
        table = self.table()
        table[0], table[:, 0] = UNDEFINED, UNDEFINED
        return table

    @property
    def usual_apart(self) -> str:
        return " without 0"

    def expression(self, a: str, b: str) -> str:
        return f"{a}·{b}"

    def relabelling(self) -> Relabelling | None:
        return _relabelling(self.p, divides=False)


class Division(ModularTask):
    """Division: a / b mod p, for the b that have an inverse."""

    word = "division"
    formula = "a/b"

    def table(self) -> Int[Tensor, "a b"]:
        residues = torch.arange(self.p)
        inverse = torch.full((self.p,), UNDEFINED)
        if self.p > 2:
            group, units = _units(self.p)
            inverse[units] = units[group.inverse]
        else:
            inverse[1] = 1
        return torch.where(inverse == UNDEFINED, UNDEFINED, residues[:, None] * inverse % self.p)

    def expression(self, a: str, b: str) -> str:
        return f"{a} / {b}"

    def relabelling(self) -> Relabelling | None:
        return _relabelling(self.p, divides=True)


class OddDivision(ModularTask):
    """Odd division: a / b where b is odd, a - b where it is even (Power et al. 2022); no addition in other numbers."""

    word = "odd-division"
    formula = "a/b if b odd else a-b"

    def table(self) -> Int[Tensor, "a b"]:
        residues = torch.arange(self.p)
        return torch.where(residues % 2 == 1, Division(self.p).table(), (residues[:, None] - residues) % self.p)

    def expression(self, a: str, b: str) -> str:
        return f"{a} / {b} if {b} is odd, else {a} - {b}"
