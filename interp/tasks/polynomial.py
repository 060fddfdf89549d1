"""Polynomials of a and b mod p, by their formulas: a^2+ab+b^2, (a+b)^2, 2a+3b.

Sources: the polynomials of Power et al. 2022, arXiv 2201.02177; Furuta et al. 2024, arXiv 2402.16726; Doshi et al. 2024,
arXiv 2406.03495.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.tasks.addition import Addition
from interp.tasks.product import Multiplication
from interp.tasks.subtraction import Subtraction
from interp.tasks.task import Disguise, Relabelling, Task, Words, modulus_said

Terms = Mapping[tuple[int, int], int]
"""Powers of a and of b → coefficient."""

LONGEST = 200
"""Largest number of characters in a formula."""
_TERM = re.compile(r"([+-]?)(\d{0,6})(?:a(?:\^(\d{1,2}))?)?(?:b(?:\^(\d{1,2}))?)?")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_KNOWN = ("a^2+b^2", "a^2-b^2", "a^2+ab+b^2", "a^2+ab+b^2+a", "(a+b)^2", "a^3+ab", "a^3+ab^2+b", "ab+b", "2a+3b", "b-a")
"""Polynomials that networks of unknown task are compared with: those of the papers."""


def normal(formula: str) -> str:
    """A formula as this project writes it: without spaces and signs of multiplication, powers as a^2."""
    raised = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "^" + found[0].translate(_PLAIN), formula)
    return re.sub(r"[\s*·]", "", raised.replace("**", "^"))


@dataclass(frozen=True)
class Polynomial(Task):
    """A polynomial of a and b, or a power of one, mod p."""

    formula: str
    """Its formula, such as a^2+ab+b^2 or (a+b)^2."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "formula", normal(self.formula))
        if _parsed(self.formula) is None:
            raise InterpError(f"expected a polynomial of a and b such as a^2+ab+b^2 or (a+b)^2, got {self.formula!r:.40}")

    @property
    def name(self) -> str:
        return self.formula

    @classmethod
    def named(cls, name: str, p: int | None) -> Task | None:
        parsed = _parsed(normal(name))
        if parsed is None:
            return None
        p = modulus_said(name, p)
        for plain in (Addition, Subtraction, Multiplication):
            if parsed == _parsed(plain.formula):
                return plain(p)
        return cls(p, normal(name))

    @classmethod
    def examples(cls) -> Sequence[str]:
        return _KNOWN

    @classmethod
    def on_symbols(cls, p: int) -> Iterator[Task]:
        yield from (cls(p, formula) for formula in _KNOWN)

    @cached_property
    def _terms_and_power(self) -> tuple[Terms, int]:
        parsed = _parsed(self.formula)
        assert parsed is not None, "checked when it was made"
        return parsed

    def table(self) -> Int[Tensor, "a b"]:
        terms, power = self._terms_and_power
        powers_a = {i: self._power(torch.arange(self.p), i) for i, _ in terms}
        powers_b = {j: self._power(torch.arange(self.p), j) for _, j in terms}
        value = torch.zeros(self.p, self.p, dtype=torch.long)
        for (i, j), coefficient in terms.items():
            value = (value + coefficient % self.p * (powers_a[i][:, None] * powers_b[j] % self.p)) % self.p
        return self._power(value, power)

    def _power(self, x: Int[Tensor, "..."], n: int) -> Int[Tensor, "..."]:
        """xⁿ mod p, by squaring."""
        result = torch.ones_like(x) % self.p
        while n:
            if n % 2:
                result = result * x % self.p
            x, n = x * x % self.p, n // 2
        return result

    def expression(self, a: str, b: str) -> str:
        terms, power = self._terms_and_power
        written = " ".join(_term(place, powers, each, a, b) for place, (powers, each) in enumerate(terms.items()))
        return written if power == 1 else f"({written})" + str(power).translate(_SUPERSCRIPTS)

    def relabelling(self) -> Relabelling | None:
        """Numbers x(a) and y(b) with x + y = the polynomial, or a root of it, where each has all values once.

        Where the only term of both is a multiple of ab, with p prime: logarithms, because cab + da + eb = c(a + e/c)(b + d/c) -
        de/c.
        """
        terms, power = self._terms_and_power
        if any(i and j for i, j in terms):
            return self._as_product()
        x, y, answers = self._apart()
        symbols = [_inverse(each) for each in (x, y)]
        if symbols[0] is None or symbols[1] is None or _inverse(answers) is None:
            return None
        a_term, b_term = ({each: c for each, c in terms.items() if each[side]} for side in (0, 1))
        written_a, written_b = (
            " ".join(_term(place, powers, each, "a", "b") for place, (powers, each) in enumerate(part.items()))
            for part in (a_term, b_term)
        )
        plus, minus = _plus(written_a, written_b), _plus(written_a, _negative(written_b))
        words = Words(sum=plus, difference=minus, a=written_a, b=written_b, c="c" if power == 1 else f"c^(1/{power})")
        return Relabelling(a=symbols[0], b=symbols[1], c=answers, words=words)

    def disguise(self) -> Disguise | None:
        """The parts of a and of b, where no term is of both: squares, which do not tell a number from its negative."""
        terms, power = self._terms_and_power
        if self.relabelling() is not None or any(i and j for i, j in terms):
            return None
        x, y, answers = self._apart()
        inner = replace(self, formula=self.formula[1 : self.formula.index(")")]) if power > 1 else self
        return Disguise(a=x, b=y, c=answers, sum=inner.expression("a", "b"))

    def _apart(self) -> tuple[Int[Tensor, " a"], Int[Tensor, " b"], Int[Tensor, " s"]]:
        """The part of a, that of b, and the answer to every sum of the two, of a polynomial without terms of both."""
        _, power = self._terms_and_power
        alone = (replace(self, formula=self.formula[1 : self.formula.index(")")]) if power > 1 else self).table()
        # Its values at b = 0, and how they change with b.
        return alone[:, 0], (alone[0] - alone[0, 0]) % self.p, self._power(torch.arange(self.p), power)

    def _as_product(self) -> Relabelling | None:
        """The logarithms of a + e/c, of b + d/c and of the answer in which cab + da + eb + f is an addition."""
        terms, power = self._terms_and_power
        c = terms.get((1, 1), 0) % self.p
        product = Multiplication(self.p).relabelling() if power == 1 and max(map(max, terms)) == 1 and c else None
        if product is None or product.modulus < self.p - 1:  # p is no prime
            return None
        d, e, f = (terms.get(powers, 0) % self.p for powers in ((1, 0), (0, 1), (0, 0)))
        one_over_c = pow(c, -1, self.p)
        shift_a, shift_b = e * one_over_c % self.p, d * one_over_c % self.p
        of_a, of_b = (_log(letter, shift, self.p) for letter, shift in (("a", shift_a), ("b", shift_b)))
        words = Words(sum=f"{of_a} + {of_b}", difference=f"{of_a} - {of_b}", a=of_a, b=of_b, c="log c")
        return Relabelling(
            a=(product.a - shift_a) % self.p,
            b=(product.b - shift_b) % self.p,
            c=(product.c * c - d * e * one_over_c + f) % self.p,
            words=words,
            apart="a factor of 0",
        )


def _inverse(values: Int[Tensor, " x"]) -> Int[Tensor, " y"] | None:
    """The x of every value; None where a value is taken twice."""
    order = values.argsort()
    return order if torch.equal(values[order], torch.arange(len(values))) else None


def _log(letter: str, shift: int, p: int) -> str:
    if not shift:
        return f"log {letter}"
    return f"log({letter} + {shift})" if shift <= p // 2 else f"log({letter} - {p - shift})"


def _plus(one: str, two: str) -> str:
    return f"{one} - {two[1:]}" if two.startswith("-") else f"{one} + {two}"


def _negative(written: str) -> str:
    return written[1:] if written.startswith("-") else f"-{written}"


def _term(place: int, powers: tuple[int, int], coefficient: int, a: str, b: str) -> str:
    """A term of a sum with its sign, which the first has only if it is a minus: '+ 3·a²'."""
    factors = [] if abs(coefficient) == 1 and any(powers) else [str(abs(coefficient))]
    for word, power in ((a, powers[0]), (b, powers[1])):
        if power:
            factors.append(word + (str(power).translate(_SUPERSCRIPTS) if power > 1 else ""))
    letters = all(each[0].isalpha() for each in factors[1:])
    written = ("" if letters else "·").join(factors)
    if place == 0:
        return f"-{written}" if coefficient < 0 else written
    return f"{'-' if coefficient < 0 else '+'} {written}"


def _parsed(formula: str) -> tuple[dict[tuple[int, int], int], int] | None:
    """The terms of a formula and the power that their sum is raised to; None where it is no polynomial of both a and b."""
    found = re.fullmatch(r"\(([^()]+)\)\^(\d{1,2})|([^()]+)", formula) if len(formula) <= LONGEST else None
    if found is None:
        return None
    inner, power = (found[1], int(found[2])) if found[1] else (found[3], 1)
    terms: dict[tuple[int, int], int] = {}
    place = 0
    while place < len(inner):
        term = _TERM.match(inner, place)
        if term is None or term.end() <= place + len(term[1]) or (place and not term[1]):
            return None
        sign, digits, power_a, power_b = term.groups()
        letters = term[0]
        powers = (int(power_a or 1) if "a" in letters else 0, int(power_b or 1) if "b" in letters else 0)
        terms[powers] = terms.get(powers, 0) + (-1 if sign == "-" else 1) * (int(digits) if digits else 1)
        place = term.end()
    has_both = any(i for i, _ in terms) and any(j for _, j in terms)
    return ({each: c for each, c in terms.items() if c}, power) if has_both and power else None
