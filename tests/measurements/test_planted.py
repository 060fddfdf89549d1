"""Circuits built by hand are found as they were built; networks without one get none."""

import math

import pytest
import torch
from planted import lookup, planted
from suited import possible

import analyses
import interp
from analyses.evidence.clock_or_pizza import effective_share
from analyses.tools.amplitudes import amplitudes
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

MODULI = {  # prime, even, odd composite
    113: (14, 35, 41, 52),
    59: (3, 15, 17),
    30: (1, 4, 7),
    12: (1, 2, 5),
    49: (7, 3, 10),
    111: (3, 37, 50),  # 3 · 37 = 111: the circle at 2k is the circle at k
}


@pytest.mark.parametrize(
    ("p", "kind"), [(p, kind) for p in MODULI for kind in ("clock", "pizza", "hybrid") if (p, kind) != (111, "pizza")]
)
def test_a_planted_circuit_is_recovered(p: int, kind: str) -> None:
    frequencies = MODULI[p]
    clocks = {"clock": frequencies, "pizza": (), "hybrid": frequencies[:2]}[kind]
    pizzas = tuple(k for k in frequencies if k not in clocks)
    circuit = Circuit(planted(p, clocks=clocks, pizzas=pizzas))

    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.verdict == kind and verdict.accuracy == 1.0 and verdict.sureness == "clear"
    assert dict(verdict.frequencies) == {k: "clock" if k in clocks else "pizza" for k in frequencies}
    assert verdict.unexplained < 0.001

    keys = analyses.key_frequencies(circuit)
    assert keys.frequencies == tuple(sorted(frequencies))
    assert keys.differences() == {}
    assert set(analyses.embedding_spectrum(circuit).present) == set(frequencies)
    neurons = {k: 256 if k in clocks else 32 for k in sorted(frequencies)}
    assert analyses.neuron_clusters(circuit).clusters == neurons


@pytest.mark.parametrize("p", [p for p in MODULI if p != 111])
def test_a_planted_pizza_is_the_same_with_constant_attention_and_without_equals(p: int) -> None:
    for equals in (True, False):
        circuit = Circuit(planted(p, pizzas=MODULI[p], attention_rate=0.0, equals_token=equals))
        assert analyses.clock_or_pizza(circuit).verdict == "pizza"
        assert not any(any(row) for row in analyses.attention_pattern(circuit).deviations)


@pytest.mark.parametrize(("p", "k"), [(111, 37), (12, 4), (9, 3), (55, 11)])
def test_a_pizza_with_three_or_five_distances_is_not_told_from_a_clock(p: int, k: int) -> None:
    """A known limit: |cos(π d / 3)| takes the values 1 and ½ only, |cos(π d / 5)| does not fall below .31."""
    others = {111: (3, 50), 12: (1, 5), 9: (1, 2), 55: (3, 20)}[p]
    verdict = analyses.clock_or_pizza(Circuit(planted(p, pizzas=(k, *others))))
    assert dict(verdict.frequencies)[k] == "undecided" and verdict.verdict == "undecided"
    assert f"at {k} with only {p // math.gcd(k, p)} different distances" in verdict.reason
    clocks = analyses.clock_or_pizza(Circuit(planted(p, clocks=(k, *others))))
    assert clocks.verdict == "clock" and clocks.sureness == "clear"


def test_planted_measures_have_their_ideal_values() -> None:
    """Clock: flat, gradients unrelated. Pizza: |cos|, gradients equal, the distance decides the logit."""
    p, frequencies = 59, MODULI[59]
    clock, pizza = Circuit(planted(p, clocks=frequencies)), Circuit(planted(p, pizzas=frequencies))
    for profile in analyses.amplitude_profile(clock).profiles:
        assert profile.variation < 0.01 and profile.min_over_max > 0.99
    for profile in analyses.amplitude_profile(pizza).profiles:
        ideal = [abs(math.cos(math.pi * profile.k * d / p)) for d in range(p)]
        measured = [value / max(profile.profile) for value in profile.profile]
        assert measured == pytest.approx(ideal, abs=0.02)
        # std/mean of |cos| over a period: √(1/2 - 4/π²) / (2/π)
        assert profile.variation == pytest.approx(math.sqrt(math.pi**2 / 8 - 1), abs=0.01)
    assert analyses.gradient_symmetry(pizza, triples=None).mean == pytest.approx(1.0)
    assert abs(analyses.gradient_symmetry(clock, triples=None).mean) < 0.02
    assert analyses.distance_irrelevance(pizza).correct < 0.02
    assert analyses.distance_irrelevance(clock).correct > 0.9
    assert analyses.clock_or_pizza(pizza).published_criterion == "pizza"
    assert analyses.clock_or_pizza(clock).published_criterion == "clock"
    # Pizza terms |cos| cos: their constant part alone is 8/π² of them.
    assert analyses.logit_spectrum(pizza).clock_share == pytest.approx(8 / math.pi**2, abs=0.01)
    assert analyses.logit_spectrum(clock).clock_share == pytest.approx(1.0, abs=0.001)


def test_a_circle_at_2k_hides_a_pizza_and_its_removal_shows_it() -> None:
    p, frequencies = 59, (3, 15, 17)
    circuit = Circuit(planted(p, pizzas=frequencies, accompanied=frequencies))
    assert analyses.key_frequencies(circuit).accompanying == (6, 25, 29)
    for k in frequencies:  # as it stands it passes for a clock
        intact = amplitudes(circuit, k)
        assert intact.std() / intact.mean() < 0.2 and intact.min() / intact.max() > 0.5
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.verdict == "pizza" and verdict.accuracy == 1.0
    assert verdict.unexplained < 0.001
    assert [profile.removed for profile in analyses.amplitude_profile(circuit).profiles] == [6, 29, 25]


def test_a_lookup_table_is_right_everywhere_and_gets_no_circuit() -> None:
    """All frequencies are in its output, none in its neurons."""
    circuit = Circuit(lookup(13))
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.accuracy == 1.0
    assert verdict.verdict == "undecided" and verdict.sureness == "none"
    assert analyses.neuron_clusters(circuit).clusters == {}


def _called(circuit: Circuit) -> Circuit:
    """The same network known only as a function, without its neurons."""
    network, (E_a, E_b) = circuit.network, circuit.tables
    return interp.from_function(
        lambda a, b: network.run(E_a[a], E_b[b])[0],
        circuit.p,
        embedding=(E_a, E_b),
        from_embeddings=lambda x, y: network.run(x, y)[0],
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_lookup_table_without_its_neurons_gets_no_circuit_either(seed: int) -> None:
    """Its output has every frequency alike: that is all that logits can tell of it."""
    circuit = _called(Circuit(lookup(13, seed)))
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.accuracy == 1.0 and math.isnan(verdict.specialisation)
    assert (verdict.verdict, verdict.sureness, verdict.margin) == ("undecided", "none", 0)
    assert verdict.spread == pytest.approx(1.0, abs=1e-4) and "100% of all frequencies, as that of a table" in verdict.reason


@pytest.mark.parametrize("kind", ["clocks", "pizzas"])
def test_a_circuit_without_its_neurons_is_named_but_never_clear(kind: str) -> None:
    p, frequencies = 59, MODULI[59]
    verdict = analyses.clock_or_pizza(_called(Circuit(planted(p, **{kind: frequencies}))))  # type: ignore[arg-type]
    assert verdict.verdict == kind.removesuffix("s") and verdict.sureness == "unchecked" and verdict.margin > 0.05
    assert verdict.spread == pytest.approx(3 / 29, rel=1e-3)


def test_the_effective_share_of_the_frequencies_is_its_definition() -> None:
    assert effective_share([0.3, 0.0, 0.0, 0.0]) == 0.25 and effective_share([0.2, -0.2]) == pytest.approx(1)
    assert effective_share([2.0, 1.0, 0.0]) == pytest.approx(25 / 17 / 3) and math.isnan(effective_share([0.0, 0.0]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [59, 12])
def test_an_untrained_network_gets_no_circuit(p: int, seed: int) -> None:
    verdict = analyses.clock_or_pizza(Circuit(initialise(NetworkConfig(p=p), seed=seed)))
    assert verdict.verdict == "not generalising" and verdict.frequencies == () and verdict.margin == 0


def test_a_network_that_says_nothing_gets_no_circuit_and_no_division_by_zero() -> None:
    network = initialise(NetworkConfig(p=11, answers_equals=False), seed=0)
    network.parameters["unembed.W_U"].zero_()
    circuit = Circuit(network)
    for name in possible():
        measure = analyses.MEASUREMENTS[name]
        measure(circuit).to_dict()
    assert analyses.key_frequencies(circuit).frequencies == ()
    assert analyses.clock_or_pizza(circuit).verdict == "not generalising"


def test_an_almost_right_network_is_not_judged() -> None:
    """Half the pairs' answers are spoiled: whatever the other half looks like, this network does not add."""
    p = 59
    circuit = Circuit(planted(p, clocks=MODULI[p]))

    def spoil(stream: torch.Tensor) -> torch.Tensor:
        stream = stream.clone()
        stream[: p // 20 + 1] = 0
        return stream

    verdict = analyses.clock_or_pizza(circuit.with_activation("blocks.0.hook_resid_post", spoil))
    assert 0.9 < verdict.accuracy < 0.99 and verdict.verdict == "not generalising"
