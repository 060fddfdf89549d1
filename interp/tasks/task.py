"""Task: what a network has to compute, as a value: which pairs there are, which answer is right, and how it is said."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError

UNDEFINED = -1
"""The entry of a table of answers where a pair has none, as x / 0 has none."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """How sentences and formulas are written in the letters of a task."""

    sentence: str = "a + b mod p"
    """The task."""
    sum: str = "a + b"
    """What stands for the sum of the two numbers."""
    difference: str = "a - b"
    """What stands for their distance."""
    b: str = "b"
    """What stands for the second number: -b in a subtraction."""

    @property
    def tight_sum(self) -> str:
        """The sum within a formula: a+b."""
        return self.sum.replace(" ", "")

    @property
    def tight_difference(self) -> str:
        """The distance within a formula: a-b."""
        return self.difference.replace(" ", "")

    @property
    def wave(self) -> str:
        """What a clock's cosine is of: a+b-c."""
        return f"{self.tight_sum}-c"

    @property
    def formula(self) -> str:
        """The sum of clocks and pizzas: Σ_k A_k(a-b) cos w_k(a+b-c)."""
        return f"Σ_k A_k({self.tight_difference}) cos w_k({self.wave})"


@dataclass(frozen=True, eq=False, kw_only=True)
class Relabelling:
    """Other numbers 0..m-1 for a, b and c, in which a task is addition: number of c = number of a + number of b mod m."""

    a: Int[Tensor, " m"]
    """The symbol of a that each number stands for."""
    b: Int[Tensor, " m"]
    """The symbol of b that each number stands for."""
    c: Int[Tensor, " m"]
    """The symbol of the answer that each number stands for."""
    words: Words = field(default_factory=Words)
    """How sum and distance of these numbers are written in the task's own letters."""

    @property
    def modulus(self) -> int:
        """The m of the addition."""
        return len(self.a)

    @property
    def changes_nothing(self) -> bool:
        """Does every number stand for itself?"""
        itself = torch.arange(self.modulus)
        return all(torch.equal(symbols, itself) for symbols in (self.a, self.b, self.c))


@dataclass(frozen=True)
class Task(ABC):
    """An operation on two symbols. A pair's index is a·p + b, its place in the lexicographic list of all pairs."""

    p: int
    """The modulus, and the number of symbols that a, b and the answer may be."""

    name: ClassVar[str]
    """What it is called in files and on command lines."""

    def __post_init__(self) -> None:
        if self.p < 2:
            raise InterpError(f"expected a modulus p of at least 2, got {self.p}: there is nothing to compute mod {self.p}")

    @abstractmethod
    def table(self) -> Int[Tensor, "a b"]:
        """The right answer to every pair, or UNDEFINED."""

    @abstractmethod
    def expression(self, a: str, b: str) -> str:
        """The operation on two words: 'a - b'."""

    def relabelling(self) -> Relabelling | None:
        """The numbers in which this task is addition; None where there are none."""
        return None

    @property
    def symbols(self) -> Sequence[str]:
        """How the symbols are written, in the order of their tokens."""
        return [str(residue) for residue in range(self.p)]

    @property
    def sentence(self) -> str:
        """The task in words: 'a - b mod 97'."""
        return self.of_words("a", "b")

    @property
    def words(self) -> Words:
        """How to write of this task; sum and distance as in an addition where the task is none."""
        found = self.relabelling()
        return replace(Words() if found is None else found.words, sentence=self.sentence)

    def of_pair(self, a: int, b: int) -> str:
        """The task for one pair: '22 - 37 mod 97'."""
        return self.of_words(self.symbols[a], self.symbols[b])

    def of_words(self, a: str, b: str) -> str:
        """The task for two words: 'x - y mod 97'."""
        return f"{self.expression(a, b)} mod {self.p}"

    def pairs(self) -> Int[Tensor, " pair"]:
        """The indices of all pairs that have an answer, ascending."""
        return (self.table().flatten() != UNDEFINED).nonzero()[:, 0]

    def answers(self, pairs: Int[Tensor, " pair"]) -> Int[Tensor, " pair"]:
        """The right answers to these pairs."""
        return self.table().flatten().to(pairs.device)[pairs]
