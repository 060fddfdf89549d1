"""Checks of notebook 4, the clock by hand: turning on, scores of all answers, margins, and which frequencies go together."""

from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.tools.closed_form import logits as closed_form
from interp import fourier
from interp.course.exercise import Mine, WrongError, as_numbers, as_text, at, differ, exercise, mistake

CASES = ((7, (1, 3)), (11, (2, 3, 5)), (13, (4,)))
"""Clocks and pizzas that a student's functions are tried on: p, and its frequencies."""
NEARLY_BEST = 0.99
"""Share of the largest margin from which three frequencies count as the best."""


@exercise(notebook=4)
def check_turned_on(turned_on: Mine) -> str:
    """Does ``turned_on(first, second)`` add the angles of two points (cosine, sine), without computing an angle?

    Expected is the point (cos(x+y), sin(x+y)).
    """
    generator = torch.Generator().manual_seed(0)
    for x, y in torch.rand(6, 2, generator=generator, dtype=torch.float64).tolist():  # in turns
        truth, call, there = at(x + y), f"turned_on of points at {x:.3f} and {y:.3f} turns", f"{(x + y) % 1:.3f} turns"
        mine = as_numbers(turned_on(tuple(at(x).tolist()), tuple(at(y).tolist())), call, (2,))
        if not differ(mine, truth):
            continue
        known = [
            (at(x - y), "the angles are subtracted: cos(x + y) has a minus, sin(x + y) has a plus"),
            (at(y - x), "the angles are subtracted: cos(x + y) has a minus, sin(x + y) has a plus"),
            (at(x) + at(y), "adding coordinates leads off the circle: multiply them"),
            (at(x) * at(y), "multiplying cosine by cosine and sine by sine is only half of the formula"),
            (truth.flip(0), "the sine comes first: the point is (cosine, sine)"),
        ]
        if why := mistake(mine, known):
            raise WrongError(f"{call} does not give the point at {there}: {why}")
        raise WrongError(
            f"{call} gave {as_text(mine)}, and the point at {there} is {as_text(truth)}: look at the formula for cos(x + y) "
            "and sin(x + y)"
        )
    return "You add angles by multiplying coordinates, as a clock does."


@exercise(notebook=4)
def check_clock_logits(clock_logits: Mine) -> str:
    """Does ``clock_logits(p, frequencies)`` give the scores of every answer c for every pair, [a, b, c], of an ideal clock?

    Expected is the sum over the frequencies of cos(2πk(a+b-c)/p).
    """
    for p, ks in CASES:
        truth, back = clock(p, ks), -torch.arange(p) % p
        known = [
            (truth / len(ks), "these are means over the frequencies: add them up"),
            (clock(p, ks[:1]), "this is the first frequency only: add up all of them"),
            (truth[:, back], "this is a clock that subtracts b"),
            (truth[:, :, back], "the score is of a + b + c: it has to be largest where c is a + b"),
            (truth.permute(2, 0, 1), "the axes are in another order: [a, b, c], the answer last"),
        ]
        check_scores(clock_logits, p, ks, truth, known)
    return "Your clock adds: the highest score is at a + b mod p for every pair."


@exercise(notebook=4)
def check_margin(margin: Mine) -> str:
    """Does ``margin(p, frequencies)`` say by how much the right answer of an ideal clock leads the best wrong one?

    Expected is the sum of 1 - cos(2πk·d/p) over the frequencies, the least of it over all errors d = 1..p-1.
    """
    for p, ks in (*CASES, (23, (3, 5, 7))):
        leads = _leads(p, ks)
        truth = leads[1:].min().item()
        mine, call = margin.number(p, ks), margin.shown(p, ks)
        if abs(mine - truth) < 1e-5:
            continue
        known = [
            (0.0, "the best answer was compared with itself: leave the right answer out"),
            (leads[1:].max().item(), "this is its lead over the worst answer: look for the best wrong one"),
            (leads[1:].mean().item(), "this is its mean lead: look for the wrong answer that comes closest"),
            (len(ks) - truth, "this is the score of the best wrong answer: subtract it from that of the right one"),
            (-truth, "the sign is wrong: the right answer leads"),
        ]
        why = mistake(mine, known, within=1e-5)
        raise WrongError(f"{call} gave {mine:.3f}, and it is {truth:.3f}{why and f': {why}'}")
    return "You know how sure a clock is of its answers."


@exercise(notebook=4)
def check_best_three(best_three: Mine) -> str:
    """Does ``best_three(p)`` find three frequencies of 1..(p-1)/2 with which a clock's margin is as large as can be?"""
    for p in (13, 23, 29):
        given, call = best_three(p), best_three.shown(p)
        try:
            mine = tuple(int(k) for k in given)
        except (TypeError, ValueError, OverflowError) as error:
            raise WrongError(f"{call} should give three frequencies, such as (1, 2, 3)") from error
        if len({fourier.fold(k, p) for k in mine}) != 3 or len(mine) != 3 or 0 in mine:
            raise WrongError(f"{call} gave {mine}: three different frequencies from 1 to {p // 2} are expected")
        best = max(combinations(fourier.frequencies(p), 3), key=lambda ks: _margin(p, ks))
        if _margin(p, mine) < NEARLY_BEST * _margin(p, best):
            raise WrongError(
                f"{call} gave {mine}, with a margin of {_margin(p, mine):.3f}: there are three with {_margin(p, best):.3f}"
            )
    return "No three frequencies do better than yours."


def check_scores(
    mine: Mine, p: int, ks: tuple[int, ...], truth: Float[Tensor, "a b c"], known: list[tuple[Tensor, str]]
) -> None:
    """Raises WrongError with what is wrong with the scores that a student's function gives for p and these frequencies.

    ``known``: what well-known mistakes give, and what is to be said of them.
    """
    found, call = mine.numbers(p, ks, shape=(p, p, p)), mine.shown(p, ks)
    if not differ(found, truth):
        return
    if why := mistake(found, known):
        raise WrongError(f"{call}: {why}")
    a, b, c = torch.unravel_index((found - truth).abs().argmax(), (p, p, p))
    raise WrongError(f"{call} gives answer {c} for {a} + {b} the score {found[a, b, c]:.3f}, and it is {truth[a, b, c]:.3f}")


def clock(p: int, ks: tuple[int, ...]) -> Float[Tensor, "a b c"]:
    """Logits of the ideal clock: every frequency as strong whatever the pair."""
    return closed_form({k: torch.ones(p, dtype=torch.float64) for k in ks}, p)


def _leads(p: int, ks: tuple[int, ...]) -> Tensor:
    """By how much the right answer leads the answer that is d too large, for every d = 0..p-1."""
    return (1 - torch.stack([fourier.waves(k, p)[0] for k in ks])).sum(0)


def _margin(p: int, ks: tuple[int, ...]) -> float:
    return _leads(p, ks)[1:].min().item()
