"""From coordinates to a frequency's verdict, and from those to the network's."""

import dataclasses
import math
import sys

import pytest
import torch
from planted import planted

import analyses
from analyses.evidence.amplitude_profile import coordinates
from analyses.evidence.clock_or_pizza import _published, _sureness
from interp.circuit import Circuit


@pytest.mark.parametrize(
    ("verdicts", "margins", "name", "margin", "sureness"),
    [
        (("clock", "clock"), (0.1, 0.02), "clock", 0.02, "narrow"),
        (("pizza", "pizza"), (0.1, 0.08), "pizza", 0.08, "clear"),
        (("clock", "clock", "pizza"), (0.01, 0.15, 0.06), "hybrid", 0.06, "clear"),
        (("clock", "pizza", "pizza", "between"), (0.04, 0.09, 0.01, 0.0), "hybrid", 0.04, "narrow"),
        (("clock", "between"), (0.1, 0.0), "undecided", 0.0, "none"),
    ],
)
def test_the_network_s_verdict_follows_from_its_frequencies(
    verdicts: tuple[str, ...],
    margins: tuple[float, ...],
    name: str,
    margin: float,
    sureness: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circuit = Circuit(planted(13, clocks=(1, 2, 3)))
    start = analyses.amplitude_profile(circuit)
    profiles = tuple(
        dataclasses.replace(start.profiles[0], k=k, verdict=verdict, margin=m)  # type: ignore[arg-type]
        for k, (verdict, m) in enumerate(zip(verdicts, margins, strict=True), start=1)
    )
    module = sys.modules["analyses.evidence.clock_or_pizza"]
    monkeypatch.setattr(module, "amplitude_profile", lambda _: dataclasses.replace(start, profiles=profiles))
    verdict = analyses.clock_or_pizza(circuit)
    assert (verdict.verdict, verdict.sureness) == (name, sureness) and verdict.margin == pytest.approx(margin)


def test_logits_that_are_mostly_something_else_get_no_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit(planted(13, clocks=(1, 2, 3)))
    start = analyses.amplitude_profile(circuit)
    module = sys.modules["analyses.evidence.clock_or_pizza"]
    monkeypatch.setattr(module, "amplitude_profile", lambda _: dataclasses.replace(start, explained=0.49))
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.verdict == "undecided" and "explain only 49% of the logits' variance" in verdict.reason


@pytest.mark.parametrize(
    ("variation", "min_over_max", "verdict", "margin"),
    [
        (0.1, 0.9, "clock", 0.1),
        (0.15, 0.52, "clock", 0.02),
        (0.5, 0.0, "pizza", 0.1),
        (0.6, 0.25, "pizza", 0.05),
        (0.5, -0.04, "pizza", 0.06),
        (3.0, -0.65, "between", 0.0),
        (0.3, 0.4, "between", 0.0),
        (0.2, 0.9, "between", 0.0),  # at a cut-off there is no margin, and no verdict
        (0.1, 0.5, "between", 0.0),
        (0.4, 0.0, "between", 0.0),
        (0.5, 0.3, "between", 0.0),
        (0.5, -0.1, "between", 0.0),
        (0.1, 0.2, "between", 0.0),
        (math.nan, math.nan, "between", 0.0),
    ],
)
def test_cut_offs_of_a_profile(variation: float, min_over_max: float, verdict: str, margin: float) -> None:
    from analyses.evidence.amplitude_profile import judge

    got_verdict, got_margin = judge(variation, min_over_max)
    assert got_verdict == verdict and got_margin == pytest.approx(margin)


def test_the_coordinates_of_a_profile_are_its_variation_and_how_far_it_falls() -> None:
    assert coordinates(torch.tensor([1.0, 3.0], dtype=torch.float64)) == pytest.approx((0.5, 1 / 3))
    assert coordinates(torch.tensor([-1.0, -3.0, -2.0], dtype=torch.float64)) == pytest.approx((math.sqrt(2 / 3) / 2, 3.0))


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


def test_a_circuit_is_narrow_below_a_margin_of_a_twentieth() -> None:
    assert [_sureness("clock", margin, 0.9) for margin in (0.049, 0.05, 0.2)] == ["narrow", "clear", "clear"]
    assert _sureness("hybrid", 0.2, math.nan) == "unchecked" and _sureness("undecided", 0.2, 0.9) == "none"
