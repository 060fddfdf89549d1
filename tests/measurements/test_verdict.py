"""From coordinates to a frequency's verdict, and from those to the network's."""

import dataclasses
import math
import sys

import pytest
import torch
from planted import clock_logits, planted

import analyses
import interp
from analyses.evidence.amplitude_profile import CUTS, AmplitudeProfile, _profile, judge, named, variation
from analyses.evidence.clock_or_pizza import ClockOrPizza, _published
from interp.circuit import Circuit


def _profiles(circuit: Circuit, *coordinates: float, shares: tuple[float, ...] = ()) -> AmplitudeProfile:
    """The circuit's finding with other profiles: of frequencies 1, 2, ... with these coordinates, and a range of ± .03."""
    start = analyses.amplitude_profile(circuit)
    profiles = tuple(
        dataclasses.replace(
            start.profiles[0], k=k, verdict=named(x), reason="" if named(x) != "undecided" else "it is odd", coordinate=x,
            least=x - 0.03, most=x + 0.03, share=share, margin=min(abs(x - cut) for cut in CUTS),
        )
        for k, (x, share) in enumerate(zip(coordinates, shares or (0.2,) * len(coordinates), strict=True), start=1)
    )  # fmt: skip
    return dataclasses.replace(start, profiles=profiles)


def _verdict(monkeypatch: pytest.MonkeyPatch, *coordinates: float, shares: tuple[float, ...] = ()) -> ClockOrPizza:
    circuit = Circuit(planted(13, clocks=(1, 2, 3)))
    profiles = _profiles(circuit, *coordinates, shares=shares)
    monkeypatch.setattr(sys.modules["analyses.evidence.clock_or_pizza"], "amplitude_profile", lambda _: profiles)
    return analyses.clock_or_pizza(circuit)


@pytest.mark.parametrize(
    ("coordinates", "name", "sureness", "reason"),
    [
        ((0.1, -0.2), "clock", "clear", "a clock at 1 and 2"),
        ((0.1, 0.23), "clock", "narrow", "a clock at 1 and 2"),
        ((1.1, 0.8, 0.9), "pizza", "clear", "a pizza at 1, 2 and 3"),
        ((1.1, 1.23), "pizza", "narrow", "a pizza at 1 and 2"),
        ((0.1, 1.1, 0.0), "hybrid", "clear", "both clock and pizza: a clock at 1 and 3, a pizza at 2"),
        ((0.1, 1.1, 0.5), "hybrid", "clear", "both clock and pizza: a clock at 1, a pizza at 2, a mixture at 3 (50% pizza)"),
        ((0.1, 0.61), "mixture", "clear", "between clock and pizza: a clock at 1, a mixture at 2 (61% pizza)"),
        ((0.61, 0.74), "mixture", "narrow", "between clock and pizza: mixtures at 1 (61% pizza) and 2 (74% pizza)"),
        ((0.1, 1.5), "undecided", "none", "at 2 it is odd"),
    ],
)
def test_the_network_s_verdict_follows_from_its_frequencies(
    coordinates: tuple[float, ...], name: str, sureness: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = _verdict(monkeypatch, *coordinates)
    assert (verdict.verdict, verdict.sureness, verdict.reason) == (name, sureness, reason)
    assert verdict.coordinate == pytest.approx(sum(coordinates) / len(coordinates))
    margins = [min(abs(x - cut) for cut in (-0.25, 0.25, 0.75, 1.25)) for x in coordinates]
    assert verdict.margin == pytest.approx(0 if name == "undecided" else min(margins))


@pytest.mark.parametrize(("share", "name"), [(0.049, "clock"), (0.051, "undecided")])
def test_a_frequency_that_carries_next_to_nothing_does_not_decide(
    share: float, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = _verdict(monkeypatch, 0.0, 2.0, shares=(1 - share, share))
    assert verdict.verdict == name and "at 2 " in verdict.reason and "it is odd" in verdict.reason
    assert verdict.coordinate == pytest.approx(2 * share) and verdict.coordinates[1] == (2, 2.0, 1.97, 2.03, share)


def test_logits_that_are_mostly_something_else_get_no_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit(planted(13, clocks=(1, 2, 3)))
    start = analyses.amplitude_profile(circuit)
    module = sys.modules["analyses.evidence.clock_or_pizza"]
    monkeypatch.setattr(module, "amplitude_profile", lambda _: dataclasses.replace(start, explained=0.49))
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.verdict == "undecided" and "clocks and pizzas account for only 49% of its output" in verdict.reason


@pytest.mark.parametrize(
    ("coordinate", "fitted", "mean", "distances", "verdict", "reason"),
    [
        (0.0, 0.95, 1.0, 59, "clock", ""),
        (-0.249, 1.0, 1.0, 59, "clock", ""),
        (0.249, 1.0, 1.0, 59, "clock", ""),
        (0.25, 1.0, 1.0, 59, "mixture", ""),
        (0.75, 1.0, 1.0, 59, "mixture", ""),
        (0.751, 1.0, 1.0, 59, "pizza", ""),
        (1.249, 1.0, 1.0, 6, "pizza", ""),
        (1.25, 1.0, 1.0, 59, "undecided", "its coordinate is 1.25, neither a clock's (near 0) nor a pizza's (near 1)"),
        (-0.25, 1.0, 1.0, 59, "undecided", "its coordinate is -0.25, neither a clock's (near 0) nor a pizza's (near 1)"),
        (
            0.5,
            0.949,
            1.0,
            59,
            "undecided",
            "clock and pizza together fit only 95% of how it depends on the distance of a and b",
        ),
        (0.0, 1.0, -1.0, 59, "undecided", "it speaks against the right answer"),
        (1.0, 1.0, 1.0, 5, "undecided", "with only 5 different distances a pizza cannot be told from a mixture"),
        (0.0, 1.0, 1.0, 3, "clock", ""),
        (math.nan, math.nan, math.nan, 59, "undecided", "it speaks against the right answer"),
    ],
)
def test_cut_offs_of_a_profile(
    coordinate: float, fitted: float, mean: float, distances: int, verdict: str, reason: str
) -> None:
    assert judge(coordinate, fitted, mean=mean, distances=distances) == (verdict, reason)


def test_variation_is_the_deviation_over_the_mean() -> None:
    assert variation(torch.tensor([1.0, 3.0], dtype=torch.float64)) == pytest.approx(0.5)
    assert variation(torch.tensor([-1.0, -3.0, -2.0], dtype=torch.float64)) == pytest.approx(math.sqrt(2 / 3) / 2)


def _table(logits: torch.Tensor) -> Circuit:
    """A network that looks its logits up, whatever is removed from its embedding."""
    p = len(logits)
    return interp.from_function(
        lambda a, b: logits[a, b],
        p,
        embedding=torch.eye(p, dtype=torch.float64),
        from_embeddings=lambda x, y: logits[x.argmax(-1), y.argmax(-1)],
    )


def test_a_range_is_that_of_ten_parts_of_the_pairs() -> None:
    """A clock for some a and a pizza for the others is a mixture on the whole, and its range says that it is none for each."""
    p, k = 59, 5
    n = torch.arange(p, dtype=torch.float64)
    arch = (math.pi * k * (n[:, None] - n) / p).cos().abs()
    waves = clock_logits(p, k)
    same, by_a = (1 + arch) / 2, torch.where((n < 30)[:, None], torch.ones(p, p, dtype=torch.float64), arch)
    for amplitude, spread in ((same, False), (by_a, True)):
        profile = _profile(_table(amplitude[..., None] * waves), k)
        assert profile.verdict == "mixture" and profile.is_clear is not spread
        if spread:
            assert profile.least < 0.3 and profile.most > 0.5
        else:
            assert profile.most - profile.least < 1e-9


@pytest.mark.parametrize(
    ("symmetry", "irrelevance", "verdict"),
    [
        (0.99, 0.5, "pizza"),
        (0.98, 0.5, "neither"),
        (0.99, 0.6, "neither"),
        (0.98, 0.6, "clock"),
        (0.3, 0.9, "clock"),
        (0.3, 0.59, "neither"),
        (math.nan, 0.9, "not applied"),
    ],
)
def test_the_published_criterion(symmetry: float, irrelevance: float, verdict: str) -> None:
    """Zhong et al. 2023, arXiv 2306.17844: a pizza above .98 and below .6, a clock the reverse."""
    assert _published(symmetry, irrelevance) == verdict
