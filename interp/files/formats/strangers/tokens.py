"""Which tokens can a transformer read, by the size of its vocabulary and the number of its positions and outputs?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from interp.errors import InterpError
from interp.files.formats.facts import Facts
from interp.files.formats.strangers.shapes import Shapes
from interp.networks.config import MAX_P

Form = Literal["(a, b)", "(a, b, =)", "(a, op, b)", "(a, op, b, =)", "(a, b, 0)"]
"""The tokens in their order; op is the operator's, 0 a zero vector in place of a token."""

_FORMS: tuple[tuple[int, Form, int], ...] = (
    (1, "(a, b, =)", 3), (0, "(a, b)", 2), (2, "(a, op, b, =)", 4), (1, "(a, op, b)", 3), (0, "(a, b, 0)", 3),
    (2, "(a, b, =)", 3),
)  # fmt: skip
"""Number of tokens beside the numbers, form, and number of positions, the most usual first."""


@dataclass(frozen=True)
class Tokens:
    """What the network reads: which tokens, in which order of the vocabulary."""

    p: int
    form: Form
    separate: bool = False
    """Has b tokens of its own?"""
    equals_first: bool = False
    """Is '=' before the operator in the vocabulary?"""

    def __str__(self) -> str:
        more = (", b with tokens of its own" if self.separate else "") + (", = before op" if self.equals_first else "")
        return f"{self.form}{more}, p = {self.p}"

    @property
    def has_operator(self) -> bool:
        """Is there a token for the operator?"""
        return "op" in self.form

    @property
    def has_equals(self) -> bool:
        """Is there a last position, '=' or a zero vector, behind b?"""
        return self.form.endswith(("=)", "0)"))

    def rows(self, W_E: Tensor) -> Tensor:
        """An embedding's rows in the order of this project's vocabulary: numbers, operator, '='."""
        count = self.p * (1 + self.separate)
        rest = W_E[count:].flip(0) if self.equals_first else W_E[count:]
        if self.form == "(a, b, 0)":
            rest = W_E.new_zeros(1, W_E.shape[1])
        wanted = self.has_operator + self.has_equals
        return torch.cat([W_E[:count], rest[-wanted:] if wanted else rest[:0]])


def possible_tokens(shapes: Shapes, facts: Facts) -> tuple[Tokens, ...]:
    """The tokens that fit the shapes and the facts, the most usual first. Raises InterpError where none do."""
    found = tuple(_fitting(shapes, facts))
    if found:
        return found
    said = f" with modulus {facts.modulus}" if facts.modulus else ""
    positions = "" if shapes.positions is None else f", {len(shapes.positions)} positions"
    raise InterpError(
        f"vocabulary {shapes.vocabulary}{positions} and {shapes.unembed.shape[1]} outputs fit no way to read two numbers"
        f"{said}: expected tokens (a, b), (a, b, '=') or (a, '+', b, '='), shared or separate, p of {MAX_P} or less, and p "
        "outputs or more"
    )


def _fitting(shapes: Shapes, facts: Facts) -> Iterator[Tokens]:
    outputs, vocabulary = shapes.unembed.shape[1], shapes.vocabulary
    positions = None if shapes.positions is None else len(shapes.positions)
    for extra, form, length in _FORMS:
        if not (positions is None or positions == length or positions > 4):
            continue
        for separate in (False, True):
            p, rest = divmod(vocabulary - extra, 1 + separate)
            stated = facts.modulus in (None, p) and facts.separate_vocabularies in (None, separate)
            if not rest and stated and 2 <= p <= MAX_P and outputs in (p, p + 1, vocabulary, p + extra):
                yield Tokens(p, form, separate)
                if extra == 2:
                    yield Tokens(p, form, separate, equals_first=True)
