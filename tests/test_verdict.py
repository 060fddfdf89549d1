"""From coordinates to a frequency's verdict, and from those to the network's."""

import dataclasses
import math
import sys

import pytest
from planted import planted

import analyses
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
    module = sys.modules["analyses.clock_or_pizza"]
    monkeypatch.setattr(module, "amplitude_profile", lambda _: dataclasses.replace(start, profiles=profiles))
    verdict = analyses.clock_or_pizza(circuit)
    assert (verdict.circuit, verdict.sureness) == (name, sureness) and verdict.margin == pytest.approx(margin)


def test_logits_that_are_mostly_something_else_get_no_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit(planted(13, clocks=(1, 2, 3)))
    start = analyses.amplitude_profile(circuit)
    module = sys.modules["analyses.clock_or_pizza"]
    monkeypatch.setattr(module, "amplitude_profile", lambda _: dataclasses.replace(start, explained=0.49))
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.circuit == "undecided" and "explain only 49% of the logits' variance" in verdict.reason


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
        (0.1, 0.2, "between", 0.0),
        (math.nan, math.nan, "between", 0.0),
    ],
)
def test_cut_offs_of_a_profile(variation: float, min_over_max: float, verdict: str, margin: float) -> None:
    from analyses.amplitude_profile import judge

    got_verdict, got_margin = judge(variation, min_over_max)
    assert got_verdict == verdict and got_margin == pytest.approx(margin)
