"""The Fourier page: every number in it, from sines and cosines, beside what interp.fourier computes."""

import math
import re
from collections.abc import Sequence

import pytest
import torch
from examples import DOCS

from interp import fourier

PAGE = (DOCS / "concepts" / "fourier.md").read_text()
WORDS = " ".join(PAGE.split())
p, CAKES = 7, (3, 4, 6, 5, 2, 1, 0)


def wave(kind: str, k: int) -> list[float]:
    """The list of cosines, or of sines, at frequency k."""
    function = math.cos if kind == "cosine" else math.sin
    return [function(2 * math.pi * k * n / p) for n in range(p)]


def shown(value: float) -> str:
    """A number as the page has it."""
    return f"{value:.3f}".replace("-0.000", "0.000").replace("-", "−")


def row(*cells: object) -> str:
    return f"| {' | '.join(shown(cell) if isinstance(cell, float) else str(cell) for cell in cells)} |"


def together(numbers: Sequence[float]) -> str:
    """Numbers as a sum: 1.000 − 0.139 + 0.200."""
    first, *others = numbers
    return shown(first) + "".join(f" {'−' if n < 0 else '+'} {shown(abs(n))}" for n in others)


def test_the_week_on_a_circle() -> None:
    for n, (x, y) in enumerate(zip(wave("cosine", 1), wave("sine", 1), strict=True)):
        assert row(n, f"{n}/7", f"{360 * n / p:.1f}°", x, y) in PAGE


def test_the_seven_lists() -> None:
    assert row("constant", *[1.0] * p) in PAGE
    for k in fourier.frequencies(p):
        for kind in ("cosine", "sine"):
            assert row(f"{kind}, k = {k}", *wave(kind, k)) in PAGE
    lists = torch.tensor([[1.0] * p, *(wave(kind, k) for k in (1, 2, 3) for kind in ("cosine", "sine"))], dtype=torch.float64)
    assert torch.allclose(lists @ lists.T, torch.diag(torch.tensor([7.0, *[3.5] * 6], dtype=torch.float64)), atol=1e-12)
    assert torch.allclose(lists / lists.norm(dim=1, keepdim=True), fourier.basis(p))
    one, two = wave("cosine", 1), wave("cosine", 2)
    assert f"{together([x * y for x, y in zip(one, two, strict=True)])} = 0, but" in WORDS
    assert f"{together([x * x for x in one])} = 3.5, but" in WORDS


def test_what_is_said_of_mirrors_and_neighbours() -> None:
    for k, mirror in ((4, 3), (5, 2), (6, 1)):
        assert wave("cosine", k) == pytest.approx(wave("cosine", mirror))
        assert wave("sine", k) == pytest.approx([-y for y in wave("sine", mirror)])
        assert fourier.fold(k, p) == mirror
    assert sorted(range(p), key=lambda n: min(2 * n % p, -2 * n % p))[1:3] == [3, 4], "beside day 0 with k = 2"
    assert len(fourier.frequencies(113)) == 56


def test_the_list_that_is_taken_apart() -> None:
    mean = sum(CAKES) / p
    parts = {
        (kind, k): 2 / p * sum(c * w for c, w in zip(CAKES, wave(kind, k), strict=True))
        for k in (1, 2, 3)
        for kind in ("cosine", "sine")
    }
    energy = {k: parts["cosine", k] ** 2 + parts["sine", k] ** 2 for k in (1, 2, 3)}
    for k in energy:
        share = energy[k] / sum(energy.values())
        assert row(k, parts["cosine", k], parts["sine", k], f"{share:.1%}") in PAGE
    assert mean == 3 and "The mean is 3 a day" in PAGE
    for n in range(p):
        assert mean + sum(part * wave(kind, k)[n] for (kind, k), part in parts.items()) == pytest.approx(CAKES[n])
    first = " ".join(
        f"{'' if index == 0 else '− ' if w < 0 else '+ '}{cakes}·{shown(abs(w))}"
        for index, (cakes, w) in enumerate(zip(CAKES, wave("cosine", 1), strict=True))
    )
    assert f"(2/7)·({first}) = {shown(parts['cosine', 1])}" in WORDS

    def bracketed(value: float) -> str:
        return f"({shown(value)})" if value < 0 else shown(value)

    tuesday = " + ".join(f"{bracketed(part)}·{bracketed(wave(kind, k)[2])}" for (kind, k), part in parts.items())
    assert f"3 + {tuesday} = 6" in WORDS


def test_the_sum_as_products_and_the_scores() -> None:
    x, y = wave("cosine", 1), wave("sine", 1)
    assert x[5] * x[4] - y[5] * y[4] == pytest.approx(x[2]) and y[5] * x[4] + x[5] * y[4] == pytest.approx(y[2])
    assert f"({shown(x[5])})·({shown(x[4])}) − ({shown(y[5])})·({shown(y[4])}) = {shown(x[2])}, the cosine of day 2" in WORDS
    scores = {k: [math.cos(2 * math.pi * k * (5 + 4 - c) / p) for c in range(p)] for k in (1, 2, 3)}
    for k, of_answers in scores.items():
        assert row(f"by k = {k}", *of_answers) in PAGE
    assert row("all together", *[sum(each) for each in zip(*scores.values(), strict=True)]) in PAGE


def test_one_circle_and_five() -> None:
    def best_wrong(keys: Sequence[int]) -> float:
        return max(sum(math.cos(2 * math.pi * k * d / 113) for k in keys) for d in range(1, 113))

    assert len({round(best_wrong([k]), 9) for k in fourier.frequencies(113)}) == 1, "whichever frequency it is"
    assert f"scores {best_wrong([1]):.4f} where the right one scores 1" in WORDS
    five = [int(k) for k in re.findall(r"\d+", WORDS.split("(grokking.md), ")[1].split(", no wrong")[0])]
    assert len(five) == 5 and f"more than {best_wrong(five):.2f} where the right one scores 5" in WORDS
