"""Checks of notebook 5, the pizza and why it differs: halfway points, slices, profiles, and how much they explain."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

import interp
from analyses.tools.amplitudes import amplitudes, explained_share
from analyses.tools.closed_form import logits as closed_form
from interp import fourier
from interp.course.clock import CASES, check_scores, clock
from interp.course.exercise import Mine, WrongError, as_text, at, differ, exercise, mistake


@exercise(notebook=5)
def check_halfway(halfway: Mine) -> str:
    """Does ``halfway(a, b, k, p)`` give the point halfway between those of a and of b on the circle of frequency k?

    Expected is a pair: half the sum of the cosines, and half the sum of the sines.
    """
    for a, b, k, p in [(3, 6, 1, 7), (1, 9, 4, 11), (0, 12, 5, 13), (5, 5, 2, 23)]:
        both = fourier.waves(k, p)[:, [a, b]]
        truth, call = both.mean(1), halfway.shown(a, b, k, p)
        mine = halfway.numbers(a, b, k, p, shape=(2,))
        if not differ(mine, truth):
            continue
        on_the_rim = at(k * (a + b) / 2 / p)
        known = [
            (both.sum(1), "take half of the sum: the point halfway lies between the two"),
            (on_the_rim, "this is halfway along the rim: the point halfway between two points lies inside the circle"),
            (truth.flip(0), "the sine comes first: the point is (cosine, sine)"),
        ]
        why = mistake(mine, known)
        raise WrongError(f"{call} gave {as_text(mine)}, and it is {as_text(truth)}{why and f': {why}'}")
    return "Halfway is where it should be, inside the circle."


@exercise(notebook=5)
def check_pizza_logits(pizza_logits: Mine) -> str:
    """Does ``pizza_logits(p, frequencies)`` give the scores of every answer c for every pair, [a, b, c], of an ideal pizza?

    Expected is the sum over the frequencies of |cos(πk(a-b)/p)|·cos(2πk(a+b-c)/p).
    """
    for p, ks in CASES:
        truth = pizza(p, ks)
        signed = closed_form({k: _half(p, k, difference=torch.arange(p)) for k in ks}, p)
        n = torch.arange(p)
        own = sum((_half(p, k, difference=n[:, None] - n)[:, :, None] * clock(p, (k,)) for k in ks), torch.zeros(p, p, p))
        too_fast = closed_form({k: fourier.waves(k, p)[0].abs() for k in ks}, p)
        known = [
            (clock(p, ks), "this is a clock: the strength |cos(πk(a - b)/p)| is missing"),
            (own, "cos(πk(a - b)/p) without its sign is meant: take the absolute value"),
            (signed, "cos(πk(a - b)/p) without its sign is meant: take the absolute value"),
            (
                too_fast,
                "the strength turns twice too fast: halfway between two angles is half of their difference, πk(a - b)/p",
            ),
            (truth / len(ks), "these are means over the frequencies: add them up"),
            (pizza(p, ks[:1]), "this is the first frequency only: add up all of them"),
        ]
        check_scores(pizza_logits, p, ks, truth, known)
    return "Your pizza adds, and is weak where a and b lie opposite each other."


@exercise(notebook=5)
def check_profile(profile: Mine) -> str:
    """Does ``profile(logits, k)`` say how strong the wave of k is in logits [a, b, c], for each distance d = a - b mod p?

    Expected are p numbers, for d = 0..p-1: 2/p times the sum over c of the logits times cos(2πk(a+b-c)/p), the mean over the
    p pairs with that distance.
    """
    for p, ks in CASES:
        logits = _lopsided(p, ks)
        for k in ks:
            truth, call = amplitudes(interp.from_logits(logits), k), profile.shown(logits, k)
            mine = profile.numbers(logits, k, shape=(p,))
            if not differ(mine, truth):
                continue
            known = [
                (truth / 2, "a factor 2 is missing: the square of a cosine is one half on average"),
                (truth * p, "take the mean over the pairs of each distance, not their sum"),
                (truth[-torch.arange(p) % p], "the distance is a - b, not b - a"),
                (truth.mean().expand(p), "this is the mean over all distances: keep them apart"),
            ]
            if why := mistake(mine, known):
                raise WrongError(f"{call}: {why}")
            d = int((mine - truth).abs().argmax())
            raise WrongError(f"{call} gave {mine[d]:.3f} at distance {d}, and it is {truth[d]:.3f}")
    return "You measure how strong each wave is, distance by distance."


@exercise(notebook=5)
def check_clock_or_pizza(clock_or_pizza: Mine) -> str:
    """Does ``clock_or_pizza(profile, k)`` tell a clock's profile from a pizza's? Expected is "clock" or "pizza"."""
    generator = torch.Generator().manual_seed(0)
    for p, k, strength in [(23, 5, 1.0), (59, 21, 30.0), (59, 29, 0.2), (31, 1, 4.0), (113, 40, 12.0)]:
        for name, shape in (("clock", torch.ones(p, dtype=torch.float64)), ("pizza", _pizza_profile(p, k))):
            noise = 0.05 * torch.randn(p, generator=generator, dtype=torch.float64)
            given = strength * (shape + noise).abs()
            answer, call = clock_or_pizza(given, k), f"clock_or_pizza of {p} strengths at k = {k}"
            if answer not in ("clock", "pizza"):
                raise WrongError(f'{call} gave {answer!r:.40}, where "clock" or "pizza" is expected')
            if answer != name:
                ends = f"least {given.min():.2f}, largest {given.max():.2f}, at distance 0 {given[0]:.2f}"
                why = (
                    "a clock's is flat but for noise"
                    if name == "clock"
                    else "a pizza's falls to nearly 0 where a and b lie opposite"
                )
                raise WrongError(f"{call} gave {answer}, and it is a {name} ({ends}): {why}; compare shapes, not sizes")
    return "You tell clocks from pizzas, weak ones and strong ones, through the noise."


@exercise(notebook=5)
def check_share_explained(share_explained: Mine) -> str:
    """Does ``share_explained(logits, frequencies)`` say which share of an output clocks and pizzas explain?

    The output are the logits [a, b, c] less their mean over c, of each pair. Expected is the sum of squares of
    Σ_k A_k(a-b) cos(2πk(a+b-c)/p) over the frequencies, with the profiles A_k of the logits, over that of the output.
    """
    for p, ks in CASES:
        logits = _lopsided(p, ks) + 2 * torch.randn(p, p, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        for some in (ks, ks[:1]):
            circuit = interp.from_logits(logits)
            truth, call = explained_share(circuit, some), share_explained.shown(logits, some)
            mine = share_explained.number(logits, some)
            if abs(mine - truth) < 1e-4:
                continue
            centred = fourier.centred(logits)
            raw = truth * (centred.square().sum() / logits.square().sum()).item()
            explained = closed_form({k: amplitudes(circuit, k) for k in some}, p)
            known = [
                (raw, "take the mean over c from the logits of each pair first: it changes no answer"),
                (1 - truth, "this is the share that is not explained"),
                (math.sqrt(truth), "compare sums of squares, without a root"),
                (explained.square().sum().item(), "divide by the sum of squares of the output"),
                (explained.abs().sum().item() / centred.abs().sum().item(), "compare squares, not absolute values"),
            ]
            why = mistake(mine, known, within=1e-4)
            raise WrongError(f"{call} gave {mine:.3f}, and it is {truth:.3f}{why and f': {why}'}")
    return "You say how much of an output is explained, and so how much is not."


def pizza(p: int, ks: tuple[int, ...]) -> Float[Tensor, "a b c"]:
    """Logits of the ideal pizza: every frequency as strong as the halfway point is far from the centre."""
    return closed_form({k: _pizza_profile(p, k) for k in ks}, p)


def _half(p: int, k: int, *, difference: Tensor) -> Tensor:
    return (math.pi * k * difference.double() / p).cos()


def _pizza_profile(p: int, k: int) -> Tensor:
    return _half(p, k, difference=torch.arange(p)).abs()


def _lopsided(p: int, ks: tuple[int, ...]) -> Float[Tensor, "a b c"]:
    """Logits whose profiles are not the same for d and -d, so that no mirror image passes for them, with noise."""
    generator = torch.Generator().manual_seed(p)
    profiles = {k: 1 + torch.rand(p, generator=generator, dtype=torch.float64) for k in ks}
    return closed_form(profiles, p) + 0.3 * torch.randn(p, p, p, generator=generator, dtype=torch.float64)
