"""Additions of numbers that the task does not tell apart: what was put into logits and embeddings is found."""

import math

import pytest
import torch
from planted import planted

import analyses
import interp
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable
from interp.networks.transformer import Network
from interp.tasks import task_named

P = 13


def logits_of(formula: str, strengths: dict[int, float], noise: float = 0.0) -> torch.Tensor:
    """Σ_k strength times the sum of cos w_k(s - r) over the sums r whose answer is c, written out pair by pair."""
    numbers = task_named(formula, P).disguise()
    assert numbers is not None
    logits = noise * torch.randn(P, P, P, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for a in range(P):
        for b in range(P):
            s = int(numbers.a[a] + numbers.b[b])
            for r in range(P):
                for k, strength in strengths.items():
                    logits[a, b, int(numbers.c[r])] += strength * math.cos(2 * math.pi * k * (s - r) / P)
    return logits


@pytest.mark.parametrize("formula", ["a^2+b^2", "(a+b)^2", "a^2-b^2"])
def test_planted_frequencies_are_found(formula: str) -> None:
    circuit = Circuit(interp.from_logits(logits_of(formula, {2: 6.0, 5: 6.0})).network, task=task_named(formula, P))
    found = analyses.disguise(circuit)
    assert found.keys == (2, 5) and found.sum_share == pytest.approx(1) and found.key_share == pytest.approx(1)
    assert max(t for k, t in enumerate(found.clock_terms, start=1) if k not in (2, 5)) < 0.05
    assert math.isnan(found.embedding_a)  # of which logits say nothing
    half = Circuit(interp.from_logits(logits_of(formula, {2: 6.0}, noise=4.0)).network, task=task_named(formula, P))
    assert 0.1 < analyses.disguise(half).key_share < analyses.disguise(half).sum_share < 0.9


def test_the_same_for_all_pairs_is_no_clock() -> None:
    bias = torch.zeros(P, P, P, dtype=torch.float64)
    bias[..., 3] = 5.0
    circuit = Circuit(interp.from_logits(bias).network, task=task_named("(a+b)^2", P))
    found = analyses.disguise(circuit)
    assert found.constant_share == pytest.approx(1) and found.sum_share == pytest.approx(1) and found.clock_share < 0.1


def test_an_embedding_of_squares_depends_on_squares_alone() -> None:
    """A planted clock whose every number is embedded as its square computes a² + b²."""
    clock = planted(P, clocks=(1, 5))
    W_E = clock.parameters["embed.W_E"].clone()
    W_E[:P] = W_E[torch.arange(P) ** 2 % P]
    circuit = Circuit(Network(clock.config, {**clock.parameters, "embed.W_E": W_E}), task=task_named("a^2+b^2", P))
    found = analyses.disguise(circuit)
    assert analyses.performance(circuit).accuracy == found.accuracy_averaged == 1
    assert found.embedding_a == pytest.approx(1) and found.embedding_b == pytest.approx(1)
    assert found.keys == (1, 5) and found.sum_share == pytest.approx(1, abs=1e-4)
    # Of the clock itself the embedding tells a from -a, and so it does not compute the task.
    plain = analyses.disguise(Circuit(clock, task=task_named("a^2+b^2", P)))
    assert plain.embedding_a < 0.9 and plain.sum_share < 0.5


def test_reports_of_it_and_of_other_tasks() -> None:
    circuit = Circuit(interp.from_logits(logits_of("a^2+b^2", {2: 6.0, 5: 6.0})).network, task=task_named("a^2+b^2", P))
    report = analyses.report(circuit)
    assert (
        str(report).splitlines()[1].startswith("Key frequencies: 2 5 (in waves of a² + b², on which alone 100.0% of the output")
    )
    assert report.to_dict()["key_frequencies"] == [2, 5] and "disguise" in report.findings
    assert "key_frequencies" not in report.findings and report.to_dict()["circuit"] is None
    with pytest.raises(Unavailable, match="numbers that it does not tell apart, which a \\+ b mod 13 is not"):
        analyses.disguise(Circuit(planted(P, clocks=(1,))))
    assert fourier.frequencies(P) == range(1, 7)
