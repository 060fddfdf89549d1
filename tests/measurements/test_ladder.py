"""The rungs: what neurons add up to follows from what they read and write, and what is planted is found on its rung."""

import math
from dataclasses import replace

import pytest
import torch
from planted import DIRECTIONS, planted
from torch import Tensor

import analyses
import interp
from analyses.tools import angles
from analyses.tools.angles import Angles, cut_down
from analyses.tools.last_layer import last_neurons
from analyses.tools.pairs import held_out
from analyses.tools.scoring import run_on, score
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

P, KEYS = 31, (3, 8, 13)


def with_changed(network: Network, name: str, change: Tensor) -> Circuit:
    """The network with one of its weights multiplied, entry by entry."""
    return Circuit(Network(network.config, {**network.parameters, name: network.parameters[name] * change}))


def unequal(p: int = P) -> Circuit:
    """A planted clock whose neurons write as strongly as a seed says: their phases are no longer spread evenly."""
    network = planted(p, clocks=KEYS)
    sizes = 1 + 0.5 * torch.randn(network.config.d_mlp, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return with_changed(network, "blocks.0.mlp.W_out", sizes)


# Clock, pizza and mixture


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_a_planted_mixture_has_the_coordinate_that_was_planted(strength: float) -> None:
    """Neurons of both kinds at one frequency: their mean amplitudes add up, and so does the pizza's share of them."""

    def network(clock: float, pizza: float) -> Circuit:
        both = planted(59, clocks=(3, 15, 17), pizzas=(3, 15, 17))
        sizes = torch.full((both.config.d_mlp, 1), pizza, dtype=torch.float64)
        sizes[: 3 * DIRECTIONS**2] = clock
        return with_changed(both, "blocks.0.mlp.W_out", sizes)

    def means(circuit: Circuit) -> list[float]:
        return [sum(each.profile) / 59 for each in analyses.amplitude_profile(circuit).profiles]

    circuit = network(1.0, strength)
    of_clock, of_pizza = means(network(1.0, 0.0)), means(network(0.0, strength))
    profiles = analyses.amplitude_profile(circuit).profiles
    for profile, clock, pizza in zip(profiles, of_clock, of_pizza, strict=True):
        assert profile.coordinate == pytest.approx(pizza / (clock + pizza), abs=0.01) and profile.fitted > 0.999
        assert profile.least == pytest.approx(profile.most, abs=0.01)
        assert profile.verdict == "mixture" and profile.is_clear
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.verdict == "mixture" and verdict.sureness == "clear"
    assert f"mixtures at 3 ({profiles[0].coordinate:.0%} pizza), 15 (" in verdict.reason
    assert strength != 1 or analyses.explanation(circuit).is_explained


def test_between_constant_and_free_attention_a_clock_becomes_a_pizza() -> None:
    """The neurons of a planted clock, reading what constant attention mixes, are those of a pizza."""
    coordinates = []
    for rate in (1.0, 0.7, 0.4, 0.2, 0.0):
        circuit = Circuit(planted(59, clocks=(3, 15, 17), attention_rate=rate))
        profiles = analyses.amplitude_profile(circuit).profiles
        assert len(profiles) == 3 and all(each.fitted > 0.97 for each in profiles)
        coordinates.append(analyses.clock_or_pizza(circuit).coordinate)
    assert coordinates == sorted(coordinates)
    assert abs(coordinates[0]) < 0.02 and any(0.25 < x < 0.75 for x in coordinates) and coordinates[-1] > 0.75


# What the neurons add up to


def test_unequal_phases_leave_the_waves_that_were_predicted() -> None:
    circuit = unequal()
    found, even = analyses.from_weights(circuit), analyses.from_weights(Circuit(planted(P, clocks=KEYS)))
    assert found.accounted > 0.999
    for f, planned in zip(found.frequencies, even.frequencies, strict=True):
        assert f.neurons == DIRECTIONS**2 and f.fitted > 0.999
        assert f.beside_measured > 1e-3 > 20 * planned.beside_measured
        assert f.beside_predicted == pytest.approx(f.beside_measured, rel=0.01) and f.accounted > 0.999
        assert f.predicted == pytest.approx(f.measured, abs=1e-3)
    # Rung 2 is the measured profiles and these waves.
    scores = {r.score.name: r.score for r in analyses.ladder(circuit).rungs}
    gained = scores["quadrature"].explained - scores["measured profiles"].explained
    assert gained == pytest.approx(sum(f.beside_measured for f in found.frequencies), rel=0.05)
    assert scores["quadrature"].numbers == 3 * P + 11 * 3 * DIRECTIONS**2


def test_a_pizza_beyond_one_has_neurons_with_constants() -> None:
    """A ReLU with a constant is linear where the waves are small, and makes no product there: sharper than |cos|."""
    circuit = interp.load("checkpoints/zhong-59-rate-0.pt")

    def edited(factor: float) -> Circuit:
        return circuit.with_activation("blocks.0.mlp.hook_pre", lambda x: x + factor * x.mean((0, 1), keepdim=True))

    for profile, f in zip(
        analyses.amplitude_profile(circuit).profiles, analyses.from_weights(circuit).frequencies, strict=True
    ):
        assert 1.08 < profile.coordinate == f.measured and f.fitted > 0.999 and f.threshold > 0.05
        assert f.predicted == pytest.approx(f.measured, abs=0.02) and f.without_constants == pytest.approx(1, abs=0.02)
    for factor, least, most in ((-1.0, 0.99, 1.02), (1.0, 1.25, 1.32)):
        for profile in analyses.amplitude_profile(edited(factor)).profiles:
            assert least < profile.coordinate < most


def test_a_clock_of_attention_needs_second_harmonics() -> None:
    """With waves at k alone its neurons would make a mixture; attention's multiplication makes those at 2k that they read."""
    for f in analyses.from_weights(interp.load("checkpoints/zhong-59-rate-1.pt")).frequencies:
        assert f.first_waves > 0.55 and f.predicted < 0.25 and f.measured < 0.15 and f.fitted > 0.99
        assert f.accounted > 0.85


# Neurons as functions of angles


@pytest.mark.parametrize(("p", "count"), [(9, 0), (10, 1), (15, 1), (16, 2), (22, 2), (23, 3), (113, 3)])
def test_a_function_of_two_angles_has_a_tenth_of_a_neuron_s_numbers_at_most(p: int, count: int) -> None:
    assert angles.harmonics(p) == count


def test_angles_are_projections_on_products_of_harmonics() -> None:
    """By least squares on cos and sin of j k a times those of l k b, |j| and |l| up to the number of harmonics."""
    circuit = Circuit(planted(P, clocks=KEYS))
    noise = torch.randn(P, P, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    residues = torch.arange(P).double()

    def design(k: int, count: int) -> Tensor:
        one = [torch.ones(P, dtype=torch.float64)]
        for j in range(1, count + 1):
            one += [(2 * math.pi * j * k * residues / P).cos(), (2 * math.pi * j * k * residues / P).sin()]
        return torch.stack([(u[:, None] * v).flatten() for u in one for v in one], dim=1)

    for count in (1, 2, 3):
        fitted = design(8, count) @ torch.linalg.lstsq(design(8, count), noise.flatten(0, 1)).solution
        assert torch.allclose(cut_down(noise, 8, count), fitted.view(noise.shape))
    planted_ones = last_neurons(circuit)
    neurons = replace(planted_ones, pre=noise, neuron_logit_map=planted_ones.neuron_logit_map[:5])
    found = Angles.of(neurons, KEYS)
    own, count = found.own_frequency(P)
    assert found.harmonics == 3 and count == 5 * 49
    for n in range(5):
        each = {k: cut_down(noise[..., n : n + 1], k, 3) for k in KEYS}
        best = max(each, key=lambda k: (each[k] - each[k].mean()).norm().item())
        assert torch.allclose(own[..., n : n + 1], each[best]) and KEYS[int(found.own[n])] == best
    together, count = found.all_frequencies(P)
    whole = torch.cat([design(k, 3) for k in KEYS], dim=1)
    fitted = whole @ torch.linalg.lstsq(whole, noise.flatten(0, 1), driver="gelsd").solution
    assert torch.allclose(together, fitted.view(noise.shape)) and count == 5 * int(torch.linalg.matrix_rank(whole))


def test_neurons_that_read_two_key_frequencies_are_carried_by_crosstalk() -> None:
    network = planted(P, clocks=KEYS)
    pure = {r.number: r.score for r in analyses.ladder(Circuit(network)).rungs}
    assert pure[3].explained == pytest.approx(1) and pure[3].numbers == 49 * network.config.d_mlp
    W = network.parameters["blocks.0.mlp.W_in"].clone()
    W += 0.3 * W.roll(DIRECTIONS**2, 1)
    mixed = Circuit(Network(network.config, {**network.parameters, "blocks.0.mlp.W_in": W}))
    rungs = {r.number: r.score for r in analyses.ladder(mixed).rungs}
    assert rungs[4].explained == pytest.approx(1) and rungs[3].explained < 0.99


def test_neurons_at_other_frequencies_carry_nothing() -> None:
    """Functions of angles are few: at frequencies that are not key they do not give the network's answers."""
    circuit = interp.load("checkpoints/nanda-113.pt")
    neurons, keys = last_neurons(circuit), analyses.key_frequencies(circuit).frequencies
    near = {fourier.fold(j * k, 113) for k in keys for j in range(1, 4)}
    others = [k for k in fourier.frequencies(113) if not near & {fourier.fold(j * k, 113) for j in range(1, 4)}]
    for seed in range(3):
        order = torch.randperm(len(others), generator=torch.Generator().manual_seed(seed))[: len(keys)]
        drawn = Angles.of(neurons, [others[i] for i in order.tolist()])
        for pre, _ in (drawn.own_frequency(113), drawn.all_frequencies(113)):
            found = score(circuit, run_on(neurons, pre), name="", numbers=0)
            assert found.explained < 0.3 and found.agreement < 0.2


def test_what_cannot_be_measured_is_said() -> None:
    without = analyses.ladder(interp.from_logits(Circuit(planted(P, clocks=KEYS)).logits))
    assert {r.number for r in without.rungs} == {1} and without.lacking.startswith("Trying the other rungs needs neurons")
    with pytest.raises(Unavailable, match="9 is too small"):
        Angles.of(last_neurons(Circuit(planted(9, clocks=(1, 2)))), (1, 2))
    with pytest.raises(Unavailable, match="needs key frequencies"):
        Angles.of(last_neurons(Circuit(planted(P, clocks=KEYS))), ())


def test_loss_recovered_is_on_held_out_pairs() -> None:
    p = 11
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (torch.randn(p, p, p, generator=generator, dtype=torch.float64) for _ in range(2))
    ours += 9 * torch.nn.functional.one_hot((torch.arange(p)[:, None] + torch.arange(p)) % p, p)
    network = interp.from_logits(ours).network
    for trained in (torch.arange(40), None):
        circuit = Circuit(network, train_pairs=trained)
        kept = [(a, b) for a in range(p) for b in range(p) if trained is None or a * p + b >= 40]
        assert list(zip(*(x.tolist() for x in held_out(circuit)), strict=True)) == kept
        losses = [
            -sum(logits[a, b].log_softmax(-1)[(a + b) % p].item() for a, b in kept) / len(kept) for logits in (ours, theirs)
        ]
        expected = (math.log(p) - losses[1]) / (math.log(p) - losses[0])
        assert score(circuit, theirs.__getitem__, name="", numbers=0).recovered == pytest.approx(expected)
