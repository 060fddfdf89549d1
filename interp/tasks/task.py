"""Task: what a network has to compute, as a value: which pairs there are, which answer is right, and how it is said."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.groups.families import cyclic
from interp.groups.group import Group

UNDEFINED = -1
"""Entry in a table of answers for a pair that has no answer, as x / 0 has none."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """How sentences and formulas are written in the letters of a task."""

    sentence: str = "a + b mod p"
    """The task as sentences name it: a + b mod p."""
    sum: str = "a + b"
    """How the sum of the two numbers that are added is written: a - b in a subtraction, which adds a and -b."""
    difference: str = "a - b"
    """How the distance of the two numbers that are added is written: a + b in a subtraction."""
    a: str = "a"
    """How the first of the two numbers that are added is written: log a in a multiplication, which adds logarithms."""
    b: str = "b"
    """How the second of the two numbers that are added is written: -b in a subtraction."""
    c: str = "c"
    """How the number of the answer is written: log c in a multiplication, which adds logarithms."""

    @property
    def tight_sum(self) -> str:
        """How the sum is written within a formula, without spaces around signs: a+b."""
        return _tight(self.sum)

    @property
    def tight_difference(self) -> str:
        """How the distance is written within a formula, without spaces around signs: a-b."""
        return _tight(self.difference)

    @property
    def wave(self) -> str:
        """How the argument of a clock's cosine is written: a+b-c."""
        return f"{self.tight_sum}-{self.c}"

    @property
    def formula(self) -> str:
        """How a sum of clocks and pizzas is written: Σ_k A_k(a-b) cos w_k(a+b-c)."""
        return f"Σ_k A_k({self.tight_difference}) cos w_k({self.wave})"


def _tight(sum_: str) -> str:
    return sum_.replace(" + ", "+").replace(" - ", "-")


@dataclass(frozen=True, eq=False, kw_only=True)
class Relabelling:
    """Other numbers 0..m-1 for a, b and c, in which a task is the operation of a group.

    Of the cyclic group where no other is given: then the number of c is the number of a plus the number of b, mod m.
    """

    a: Int[Tensor, " m"]
    """The symbol of a that each number stands for."""
    b: Int[Tensor, " m"]
    """The symbol of b that each number stands for."""
    c: Int[Tensor, " m"]
    """The symbol of the answer that each number stands for."""
    words: Words = field(default_factory=Words)
    """How sum and distance of the numbers are written in the task's own letters."""
    apart: str = ""
    """What the symbols are that no number stands for, as in 'pairs with 0'; empty where there are none."""
    noncyclic: Group | None = None
    """The group whose elements the numbers are; None for the cyclic group, whose operation is addition mod m."""

    @property
    def modulus(self) -> int:
        """How many numbers m there are for a, for b and for c: the modulus of an addition, the order of a group."""
        return len(self.a)

    @property
    def is_addition(self) -> bool:
        """Is the operation addition mod m?"""
        return self.noncyclic is None

    @property
    def group(self) -> Group:
        """The group whose elements the numbers are."""
        return cyclic(self.modulus) if self.noncyclic is None else self.noncyclic

    @property
    def changes_nothing(self) -> bool:
        """Does every number stand for the symbol of its own index, so that nothing is relabelled?"""
        itself = torch.arange(self.modulus)
        return all(torch.equal(symbols, itself) for symbols in (self.a, self.b, self.c))


@dataclass(frozen=True, eq=False, kw_only=True)
class Disguise:
    """How a task is h(x(a) + y(b)) mod m where x, y or h does not tell all numbers apart, so that nothing can be renumbered."""

    a: Int[Tensor, " a"]
    """The number x(a), below m, of every symbol of a."""
    b: Int[Tensor, " b"]
    """The number y(b), below m, of every symbol of b."""
    c: Int[Tensor, " m"]
    """The symbol of the answer h(s) to every sum s."""
    sum: str
    """How the sum is written: a² + b²."""

    @property
    def modulus(self) -> int:
        """The modulus m of the sums."""
        return len(self.c)


@dataclass(frozen=True)
class Task(ABC):
    """An operation on two symbols. A pair's index is a·p + b, its place in the lexicographic list of all pairs."""

    p: int
    """The number of symbols that a, b and the answer may be: the modulus, where the task has one."""

    def __post_init__(self) -> None:
        if self.p < 2:
            raise InterpError(f"expected a modulus p of at least 2, got {self.p}: there is nothing to compute mod {self.p}")

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the task in files and on command lines."""

    @property
    def label(self) -> str:
        """Its name in tables and headings, where the name itself may be too long."""
        return self.name

    @classmethod
    @abstractmethod
    def named(cls, name: str, p: int | None) -> "Task | None":
        """The task of this family that a name means, on p symbols; None where it means none of them.

        ``p`` is None where nothing is known of it. Raises InterpError where the name means one that there is not for this p.
        """

    @classmethod
    @abstractmethod
    def examples(cls) -> Sequence[str]:
        """Names of tasks of this family, as a help text lists them."""

    @classmethod
    def on_symbols(cls, p: int) -> "Iterator[Task]":
        """The tasks of this family that a network with p symbols, of which nothing else is known, may have learned."""
        yield from ()

    @abstractmethod
    def table(self) -> Int[Tensor, "a b"]:
        """The right answer to every pair, UNDEFINED where a pair has none."""

    @abstractmethod
    def expression(self, a: str, b: str) -> str:
        """The operation written with two words, without the modulus: 'a - b'."""

    def relabelling(self) -> Relabelling | None:
        """The numbers in which this task is the operation of a group; None where there are none."""
        return None

    def disguise(self) -> Disguise | None:
        """How the task is an addition in which not all numbers are told apart; None where it is none, or has a relabelling."""
        return None

    def why_no_group(self) -> str:
        """Why the task is the operation of no group, as far as that is known; "" where nothing is."""
        return ""

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
        """How sentences and formulas about this task are written; sum and distance as for addition where it is no addition."""
        found = self.relabelling()
        return replace(Words() if found is None else found.words, sentence=self.sentence)

    def of_pair(self, a: int, b: int) -> str:
        """The task written for one pair: '22 - 37 mod 97'."""
        return self.of_words(self.symbols[a], self.symbols[b])

    def of_words(self, a: str, b: str) -> str:
        """The task written with two words: 'x - y mod 97'."""
        return f"{self.expression(a, b)} mod {self.p}"

    def pairs(self) -> Int[Tensor, " pair"]:
        """The indices of all pairs that have an answer, ascending."""
        return (self.table().flatten() != UNDEFINED).nonzero()[:, 0]

    def usual_table(self) -> Int[Tensor, "a b"]:
        """The right answers to the pairs that everyone trains on who trains on this task, UNDEFINED for all others."""
        return self.table()

    @property
    def usual_apart(self) -> str:
        """Which pairs ``usual_table`` leaves out, as in 'all pairs without 0'; empty where it leaves none out."""
        return ""

    def answers(self, pairs: Int[Tensor, " pair"]) -> Int[Tensor, " pair"]:
        """The right answers to pairs that are given by their indices a·p + b."""
        return self.table().flatten().to(pairs.device)[pairs]


class ModulusMissing(InterpError):  # noqa: N818 (it says what is missing)
    """A task that there is for every modulus was asked for without one."""


class ModularTask(Task):
    """A task mod p that has one name, whatever p is."""

    word: ClassVar[str]
    """Its name."""
    formula: ClassVar[str]
    """Its formula, which names it as well: a-b."""

    @property
    def name(self) -> str:
        return self.word

    @classmethod
    def named(cls, name: str, p: int | None) -> Task | None:
        if name not in (cls.word, cls.formula):
            return None
        return cls(modulus_said(name, p))

    @classmethod
    def examples(cls) -> Sequence[str]:
        return (cls.word,)

    @classmethod
    def on_symbols(cls, p: int) -> "Iterator[Task]":
        yield cls(p)


def modulus_said(name: str, p: int | None) -> int:
    """The modulus of a task that has one for every modulus. Raises ModulusMissing where none is said."""
    if p is None:
        raise ModulusMissing(f"expected a modulus p for the task {name}")
    return p
