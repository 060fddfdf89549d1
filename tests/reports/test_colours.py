"""Colours: one a frequency, none of another's, and all of them seen on both papers (WCAG AA)."""

import itertools
import math

import pytest

from analyses.adding.circles import Circles
from analyses.findings.drawing import frequency_colours
from analyses.findings.palette import (
    COLOURS,
    DARK,
    FREQUENCIES,
    LOOKS,
    PAGE,
    QUIET,
    ROLES,
    ROUND,
    STRONG,
    THEMES,
    Theme,
)


def linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(first: str, second: str) -> float:
    """The contrast of two colours by WCAG 2.2, 1 to 21."""
    lights = sorted(sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear(each), strict=True)) for each in (first, second))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def oklab(colour: str) -> list[float]:
    """A colour in Oklab, where equal distances look equally far (Ottosson 2020); about .02 can just be told apart."""
    red, green, blue = linear(colour)
    cones = (
        (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3),
        (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3),
        (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3),
    )
    rows = (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
    return [sum(w * x for w, x in zip(row, cones, strict=True)) for row in rows]


def in_theme(colour: str, theme: Theme) -> str:
    return DARK[colour] if theme == "dark" else colour


def test_the_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast("#777777", "#ffffff") == pytest.approx(
        4.48, abs=0.01
    )


@pytest.mark.parametrize("theme", THEMES)
def test_marks_and_words_stand_out_from_the_paper(theme: Theme) -> None:
    paper, ink, *_ = LOOKS[theme]
    for colour in (*ROLES.values(), *FREQUENCIES, *COLOURS, QUIET, STRONG):
        assert contrast(in_theme(colour, theme), paper) >= 3, colour
    assert all(contrast(colour, paper) >= 3 for _, colour in ROUND)
    box = PAGE["box"][theme == "dark"]
    words = [in_theme(colour, theme) for colour in ROLES.values()] + [PAGE[name][theme == "dark"] for name in ("soft", "link")]
    for word in (ink, *words):
        assert contrast(word, paper) >= 4.5, word
    assert all(contrast(each, box) >= 4.5 for each in (ink, PAGE["soft"][theme == "dark"], PAGE["link"][theme == "dark"]))


@pytest.mark.parametrize("theme", THEMES)
def test_a_b_answer_logits_and_frequencies_are_told_apart(theme: Theme) -> None:
    colours = [in_theme(each, theme) for each in (*ROLES.values(), *FREQUENCIES)]
    assert min(math.dist(oklab(x), oklab(y)) for x, y in itertools.combinations(colours, 2)) > 0.09
    assert not {*ROLES.values()} & {*FREQUENCIES, *COLOURS}


def test_a_frequency_has_one_colour_wherever_it_is_shown() -> None:
    assert frequency_colours([21, 24, 29])[24] == frequency_colours([24])[24] == FREQUENCIES[24 % 9]
    both = frequency_colours([3, 12])  # which want the same
    assert both[3] == FREQUENCIES[3] and both[12] == FREQUENCIES[4]
    # Shown beside others, first the key ones: all figures of a page agree, whichever of them they show.
    among = (3, 12, 13)
    every = frequency_colours(among, among)
    assert len({*every.values()}) == 3
    assert all(frequency_colours([k], among) == {k: every[k]} for k in among)
    assert frequency_colours([4, 13], among)[13] == every[13] and frequency_colours([4], among)[4] not in every.values()
    many = frequency_colours(range(1, 30))
    assert len({*many.values()}) == 9 and {*many.values()} == {*FREQUENCIES}
    assert Circles(p=59, circles=(), among=among).colours([12]) == {12: every[12]}
