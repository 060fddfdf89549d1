"""Finite groups by name: products of two elements, and the words of Power et al. 2022, arXiv 2201.02177."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.groups.group import Group
from interp.groups.named import FORMS, group_named
from interp.tasks.addition import Addition
from interp.tasks.task import Relabelling, Task

WORDS: dict[str, tuple[str, Callable[[Group], Int[Tensor, "a b"]]]] = {
    "ab": ("{a}·{b}", lambda group: group.table),
    "ab^-1": ("{a}·{b}⁻¹", lambda group: group.right_quotients),
    "aba^-1": ("{a}·{b}·{a}⁻¹", lambda group: group.table[group.table, group.inverse[:, None]]),
    "aba": ("{a}·{b}·{a}", lambda group: group.table[group.table, torch.arange(group.order)[:, None]]),
}
"""What can be computed of two elements: how it is written, and its table."""


@dataclass(frozen=True)
class GroupTask(Task):
    """A word of two elements of a finite group, such as their product."""

    group_name: str
    """Name of the group, such as S5."""
    word: str = "ab"
    """The word, one of ``WORDS``."""

    def __post_init__(self) -> None:
        if self.group.order != self.p:
            raise InterpError(f"{self.group_name} has {self.group.order} elements, not {self.p}")
        if self.word not in WORDS:
            raise InterpError(f"expected a word {' or '.join(WORDS)} in {self.group_name}, got {self.word!r:.40}")

    @property
    def name(self) -> str:
        return self.group_name if self.word == "ab" else f"{self.group_name}:{self.word}"

    @classmethod
    def named(cls, name: str, p: int | None) -> Task | None:
        group_name, word = name, "ab"
        group = group_named(name)
        if group is None:
            group_name, _, word = name.rpartition(":")
            group = group_named(group_name)
        if group is None:
            return None
        if group.name.startswith("C") and word == "ab" and group.generator == 1:
            if p not in (None, group.order):
                raise InterpError(f"{name} has {group.order} elements, not {p}")
            return Addition(group.order)
        return cls(group.order if p is None else p, group.name, word)

    @classmethod
    def examples(cls) -> Sequence[str]:
        return (*FORMS, "S5:aba^-1")

    @classmethod
    def on_symbols(cls, p: int) -> Iterator[Task]:
        """The groups of Chughtai et al. 2023 with p elements."""
        names = {6: "S3", 24: "S4", 60: "A5", 120: "S5", 360: "A6", 720: "S6"}
        if p in names:
            yield cls(p, names[p])
        if p % 2 == 0 and p >= 6:
            yield cls(p, f"D{p // 2}")

    @cached_property
    def group(self) -> Group:
        """The group."""
        found = group_named(self.group_name)
        if found is None:
            raise InterpError(f"expected the name of a group such as {', '.join(FORMS)}, got {self.group_name!r:.40}")
        return found

    @property
    def symbols(self) -> Sequence[str]:
        return self.group.elements

    def table(self) -> Int[Tensor, "a b"]:
        return WORDS[self.word][1](self.group)

    def expression(self, a: str, b: str) -> str:
        return WORDS[self.word][0].format(a=a, b=b)

    def of_words(self, a: str, b: str) -> str:
        return f"{self.expression(a, b)} in {self.group_name}"

    def relabelling(self) -> Relabelling | None:
        """Elements themselves, the second as its inverse in ab⁻¹; powers of the smallest generator in a cyclic group."""
        if self.word not in ("ab", "ab^-1"):
            return None
        group, itself = self.group, torch.arange(self.p)
        if group.generator is not None:
            powers = group.powers(group.generator)
            b = powers if self.word == "ab" else group.inverse[powers]
            return Relabelling(a=powers, b=b, c=powers)
        b = itself if self.word == "ab" else group.inverse
        return Relabelling(a=itself, b=b, c=itself, noncyclic=group)

    def why_no_group(self) -> str:
        return "" if self.relabelling() else f"{self.word} is a word in {self.group_name} and no product of two elements"
