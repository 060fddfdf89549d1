"""Tasks that are not in the package: what it must be ready for."""

from collections.abc import Iterator

import torch
from torch import Tensor

from interp.tasks.task import UNDEFINED, ModularTask, Relabelling, Task, Words


class Unlisted(ModularTask):
    """A task that networks of unknown task are not compared with."""

    @classmethod
    def on_symbols(cls, p: int) -> Iterator[Task]:
        yield from ()


class Division(Unlisted):
    """a / b mod a prime: not defined where b is 0; among the units the addition of a's logarithm and minus b's."""

    word = formula = "division in a test"

    def table(self) -> Tensor:
        rows = [[self.quotient(a, b) for b in range(self.p)] for a in range(self.p)]
        return torch.tensor(rows)

    def quotient(self, a: int, b: int) -> int:
        """The x with b·x = a, found by trying."""
        found = [x for x in range(self.p) if b * x % self.p == a]
        return found[0] if b else UNDEFINED

    def expression(self, a: str, b: str) -> str:
        return f"{a} / {b}"

    def relabelling(self) -> Relabelling:
        powers = next(powers for g in range(2, self.p) if len(set(powers := self.powers(g))) == self.p - 1)
        logarithms, inverses = torch.tensor(powers), torch.tensor([powers[-n % (self.p - 1)] for n in range(self.p - 1)])
        words = Words(sum="log a - log b", difference="log a + log b", b="-log b")
        return Relabelling(a=logarithms, b=inverses, c=logarithms, words=words)

    def powers(self, g: int) -> list[int]:
        """1, g, g², …"""
        return [pow(g, n, self.p) for n in range(self.p - 1)]


class Larger(Unlisted):
    """The larger of the two: no addition in any numbers."""

    word = formula = "larger in a test"

    def table(self) -> Tensor:
        return torch.maximum(torch.arange(self.p)[:, None], torch.arange(self.p))

    def expression(self, a: str, b: str) -> str:
        return f"max({a}, {b})"


class ThreeTimes(Unlisted):
    """3(a + b): an addition whose answers have other numbers, every symbol being one."""

    word = formula = "three times in a test"

    def table(self) -> Tensor:
        return 3 * (torch.arange(self.p)[:, None] + torch.arange(self.p)) % self.p

    def expression(self, a: str, b: str) -> str:
        return f"3({a} + {b})"

    def relabelling(self) -> Relabelling:
        itself = torch.arange(self.p)
        return Relabelling(a=itself, b=itself, c=3 * itself % self.p)


class WithoutTheLast(Unlisted):
    """a + b mod p - 1 of all symbols but the last, with which nothing is defined."""

    word = formula = "without the last in a test"

    def table(self) -> Tensor:
        table = torch.full((self.p, self.p), UNDEFINED)
        numbers = torch.arange(self.p - 1)
        table[:-1, :-1] = (numbers[:, None] + numbers) % (self.p - 1)
        return table

    def expression(self, a: str, b: str) -> str:
        return f"{a} +' {b}"

    def relabelling(self) -> Relabelling:
        numbers = torch.arange(self.p - 1)
        return Relabelling(a=numbers, b=numbers, c=numbers)
