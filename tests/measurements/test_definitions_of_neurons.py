"""Phase law, surrogates, scores, maps of neurons and the fast loss: values by hand, and definitions written slowly."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

import pytest
import torch
from planted import planted
from small import added
from torch import Tensor

import analyses
import interp
from analyses.evidence.neuron_maps import _maps
from analyses.tools.last_layer import last_neurons
from analyses.tools.scoring import score
from analyses.trials.phase_law import _Phases, lawful_map
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.initialisation import initialise
from interp.training.batch import PlainBatch
from interp.training.fast_batch import FastBatch

P = 13


@pytest.fixture(scope="module")
def perturbed() -> Circuit:
    """Planted circuits whose neurons write unequal amplitudes, read products of waves, and err; with something past them."""
    network, generator = planted(P, clocks=(3,), pizzas=(5,)), torch.Generator().manual_seed(1)
    network.parameters["blocks.0.attn.W_K"] *= 2e-3  # the heads look at both numbers
    sizes = {"blocks.0.mlp.W_out": 1.0, "embed.W_E": 0.1, "blocks.0.attn.W_Q": 0.02, "blocks.0.attn.W_K": 2.0}
    for name, size in {**sizes, "unembed.W_U": 0.15}.items():
        W = network.parameters[name]
        network.parameters[name] = W + size * W.std() * torch.randn(W.shape, generator=generator, dtype=W.dtype)
    W_out = network.parameters["blocks.0.mlp.W_out"]
    W_out *= torch.randn(len(W_out), 1, generator=generator, dtype=torch.float64).div(3).exp()
    return Circuit(network)


def _phase(x: Sequence[float], k: int, p: int) -> complex:
    """Of a function of one residue, amplitude · e^{iφ} where it holds amplitude · cos(w_k n - φ)."""
    return 2 / p * sum(value * cmath.exp(2j * math.pi * k * n / p) for n, value in enumerate(x))


def _resultant(weights: Sequence[float], angles: Sequence[float]) -> float:
    return abs(sum(g * cmath.exp(1j * x) for g, x in zip(weights, angles, strict=True))) / sum(weights)


def test_the_phase_law_and_its_null_are_their_definitions(perturbed: Circuit) -> None:
    """An amplitude goes with the phase that its neuron writes, wherever the null deals it."""
    permutations = 15
    found, neurons = analyses.phase_law(perturbed, permutations=permutations), last_neurons(perturbed)
    clusters = analyses.neuron_clusters(perturbed)
    assert [law.k for law in found.frequencies] == [3, 5]
    for law, differences in zip(found.frequencies, found.phase_differences, strict=True):
        k, every = law.k, range(neurons.pre.shape[-1])
        out = [_phase(neurons.neuron_logit_map[n].tolist(), k, P) for n in every]
        members = [n for n in every if clusters.best_frequencies[n] == k and clusters.shares[n] >= 0.85]
        members.sort(key=lambda n: -abs(out[n]))
        a = [cmath.phase(_phase(neurons.pre[..., n].mean(1).tolist(), k, P)) for n in members]
        b = [cmath.phase(_phase(neurons.pre[..., n].mean(0).tolist(), k, P)) for n in members]
        g, written = [abs(out[n]) for n in members], [cmath.phase(out[n]) for n in members]
        assert max(g) > 1.5 * min(g) and len(members) == law.neurons > 10

        assert law.written == pytest.approx(sum(g) / sum(abs(x) for x in out))
        off = [w - x - y for w, x, y in zip(written, a, b, strict=True)]
        assert pytest.approx(_resultant(g, off)) == law.R
        assert law.resultant == pytest.approx(_resultant(g, [x - y for x, y in zip(a, b, strict=True)]))
        assert law.shape == ("disc" if law.resultant >= 0.5 else "torus")
        generator, null = torch.Generator().manual_seed(k), []
        for _ in range(permutations):
            order = torch.randperm(len(members), generator=generator).tolist()
            off = [written[dealt] - x - y for dealt, x, y in zip(order, a, b, strict=True)]
            null.append(_resultant([g[dealt] for dealt in order], off))
        assert law.null_median == pytest.approx(median(null), rel=1e-9)
        assert law.null_most == pytest.approx(max(null), rel=1e-9)
        for turns, w, x, y in zip(differences, written, a, b, strict=True):
            assert cmath.exp(2j * math.pi * turns) == pytest.approx(cmath.exp(1j * (w - x - y))) and abs(turns) <= 0.5
    assert {law.shape for law in found.frequencies} == {"disc", "torus"}


def test_a_neuron_that_writes_a_tenth_of_a_turn_late_is_off_by_a_tenth() -> None:
    """The two columns that a neuron of a planted clock writes are a point on a circle, which is turned."""
    network, angle = planted(P, clocks=(3,)), 2 * math.pi * 0.1
    W_out = network.parameters["blocks.0.mlp.W_out"]
    x, y = W_out[7, 6].item(), W_out[7, 7].item()
    W_out[7, 6], W_out[7, 7] = math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y
    (differences,) = analyses.phase_law(Circuit(network), permutations=1).phase_differences
    ranked = sorted(differences, key=abs)
    assert ranked[-1] == pytest.approx(0.1, abs=1e-6) and abs(ranked[-2]) < 1e-6


@pytest.mark.parametrize(("second", "shape"), [(1.0, "disc"), (1.01, "torus"), (0.9, "disc")])
def test_a_disc_has_a_resultant_of_a_half_or_more(second: float, shape: str) -> None:
    """Two neurons, of amplitude 3 and about 1, read a and b in step and in opposition: (3 - 1)/(3 + 1) is a half."""
    zero, weight = torch.zeros(2, dtype=torch.float64), torch.tensor([3.0, second], dtype=torch.float64)
    each = _Phases(1, torch.tensor([0.0, math.pi], dtype=torch.float64), zero, zero + 2 * math.pi * 0.6, weight, 1.0)
    law = each.law(3)
    assert law.shape == shape and law.resultant == pytest.approx((3 - second) / (3 + second))
    assert each.differences() == pytest.approx((-0.4, 0.1))  # .6 turns are -.4; .6 less the half that is read is .1
    silent = replace(each, weight=zero).law(1)
    assert silent.shape == "none" and math.isnan(silent.R)


def test_every_surrogate_is_scored_on_the_logits_that_its_name_says(perturbed: Circuit) -> None:
    """The neurons are replaced by hand and the rest of the network is run on them."""
    neurons, keys = last_neurons(perturbed), analyses.key_frequencies(perturbed).frequencies
    W_L, count = neurons.neuron_logit_map, 16**2 + 32
    past = perturbed.logits - neurons.activation(neurons.pre) @ W_L
    fitted = neurons.fitted(order=2, frequencies=2)
    two = neurons.activation(fitted)
    by_hand = [
        ("neurons, order 1", 5, neurons.activation(neurons.fitted(order=1)) @ W_L + past),
        ("neurons, order 2", 9, neurons.activation(neurons.fitted(order=2)) @ W_L + past),
        ("neurons, order 2, two frequencies", 17, two @ W_L + past),
        ("the same, phase law", 18, two @ lawful_map(neurons, fitted) + past),
        ("the same, phase law at key frequencies", 19, two @ lawful_map(neurons, fitted, (3, 5)) + past),
        ("the same, neurons alone", 19, two @ lawful_map(neurons, fitted, (3, 5))),
    ]
    found = analyses.surrogate(perturbed).neurons
    assert keys == (3, 5) and [s.name for s in found] == [name for name, _, _ in by_hand]
    assert [s.numbers for s in found] == [each * count for _, each, _ in by_hand]
    for each, (name, numbers, logits) in zip(found, by_hand, strict=True):
        wanted = score(perturbed, logits.__getitem__, name=name, numbers=numbers * count)
        assert (each.explained, each.divergence) == pytest.approx((wanted.explained, wanted.divergence), rel=1e-9)
        assert (each.agreement, each.accuracy) == (wanted.agreement, wanted.accuracy)
    explained = sorted(s.explained for s in found)
    assert all(upper - lower > 1e-6 for lower, upper in pairwise(explained))

    law = analyses.phase_law(perturbed, permutations=1)
    right = [sum(int(by_hand[i][2][a, b].argmax()) == (a + b) % P for a in range(P) for b in range(P)) / P**2 for i in (0, 1)]
    assert [law.accuracy_order_1, law.accuracy_order_2, law.delta_2] == pytest.approx([*right, right[1] - right[0]])
    assert right[0] != right[1]


OURS = [(0.8, 0.15), (0.7, 0.2), (0.6, 0.1), (0.5, 0.3), (0.9, 0.04), (0.3, 0.6), (0.2, 0.7), (0.1, 0.55), (0.35, 0.4)]
THEIRS = [(0.5, 0.3), (0.6, 0.3), (0.4, 0.35), (0.7, 0.1), (0.2, 0.5), (0.1, 0.8), (0.6, 0.3), (0.5, 0.2), (0.2, 0.3)]
"""Per pair of residues mod 3, the probabilities of a + b and of a + b + 1."""


def _logits(probabilities: list[tuple[float, float]], scale: float) -> Tensor:
    """Their logarithms, and a constant per pair, which means nothing."""
    logits = torch.zeros(3, 3, 3, dtype=torch.float64)
    for pair, (right, next_) in enumerate(probabilities):
        a, b = divmod(pair, 3)
        for step, probability in enumerate((right, next_, 1 - right - next_)):
            logits[a, b, (a + b + step) % 3] = math.log(probability) + scale * pair
    return logits


def test_a_score_of_probabilities_chosen_by_hand() -> None:
    """The network errs on the last four pairs; the surrogate gives its wrong answer on one of them, the right one on two."""
    found = score(interp.from_logits(_logits(OURS, 1.0)), _logits(THEIRS, -2.0).__getitem__, name="by hand", numbers=7)
    assert (found.name, found.numbers) == ("by hand", 7)
    assert (found.agreement, found.error_agreement, found.accuracy) == (5 / 9, 1 / 4, 6 / 9)
    divergence, off, variance, margins = 0.0, 0.0, 0.0, []
    for ours, theirs in zip(OURS, THEIRS, strict=True):
        p, q = ((*each, 1 - sum(each)) for each in (ours, theirs))
        divergence += sum(x * math.log(x / y) for x, y in zip(p, q, strict=True)) / 9
        log_p, log_q = ([math.log(x) for x in each] for each in (p, q))
        centred_p, centred_q = ([x - sum(each) / 3 for x in each] for each in (log_p, log_q))
        off += sum((x - y) ** 2 for x, y in zip(centred_p, centred_q, strict=True))
        variance += sum(x**2 for x in centred_p)
        margins.append([log_p[0] - max(log_p[1:]), log_q[0] - max(log_q[1:])])
    assert found.divergence == pytest.approx(divergence, rel=1e-12) and found.divergence > 0.1
    assert found.explained == pytest.approx(1 - off / variance, rel=1e-12)
    assert found.margin_correlation == pytest.approx(torch.tensor(margins, dtype=torch.float64).T.corrcoef()[0, 1].item())
    # The other way round it is another number; without errors there is none to agree with.
    back = score(interp.from_logits(_logits(THEIRS, 0.0)), _logits(OURS, 0.0).__getitem__, name="", numbers=0)
    assert abs(back.divergence - found.divergence) > 0.01
    sure = score(interp.from_logits(_logits([(0.9, 0.05)] * 9, 0.0)), _logits(THEIRS, 0.0).__getitem__, name="", numbers=0)
    assert math.isnan(sure.error_agreement) and math.isnan(sure.margin_correlation) and sure.agreement == 6 / 9


def _gradients(loss: Tensor, parameters: Parameters) -> list[Tensor]:
    found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    return [torch.zeros_like(x) if each is None else each for each, x in zip(found, parameters.values(), strict=True)]


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_gradient_of_a_multiple_or_a_sum_of_losses_is_that_of_the_parts(activation: str) -> None:
    """Against the gradients of the plain network, each taken alone."""
    config = NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4, d_mlp=12, activation=activation)  # type: ignore[arg-type]
    parameters = {name: x.requires_grad_() for name, x in initialise(config, seed=0, dtype=torch.float64).parameters.items()}
    first, second = torch.arange(0, 49, 3), torch.arange(1, 49, 4)
    one, two = (_gradients(added(PlainBatch, config, indices).loss(parameters), parameters) for indices in (first, second))
    tripled = _gradients(3 * added(FastBatch, config, first).loss(parameters), parameters)
    fast, other = added(FastBatch, config, first), added(FastBatch, config, second)
    summed = _gradients(fast.loss(parameters) + 2 * other.loss(parameters), parameters)
    assert max(x.abs().max().item() for x in one) > 1e-2
    for x, y, three, both in zip(one, two, tripled, summed, strict=True):
        assert (three - 3 * x).abs().max() < 1e-12 and (both - x - 2 * y).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("largest", "off", "accepted"),
    [
        (50.0, 50 * 1e-5, True), (50.0, 50 * 9e-4, True), (50.0, 50 * 1.1e-3, False), (50.0, 50 * 1e-2, False),
        (0.5, 9e-4, True), (0.5, 1.1e-3, False), (-50.0, 50 * 9e-4, True), (1.0, 9e-4, True),
    ],
)  # fmt: skip
def test_two_functions_are_one_network_up_to_a_thousandth_of_the_largest_logit(
    largest: float, off: float, accepted: bool
) -> None:
    """Of 1 where no logit is as large; a single logit is off, which neither a mean nor a correlation would show."""

    def function(a: Tensor, b: Tensor) -> Tensor:
        logits = torch.zeros(len(a), 5, dtype=torch.float64)
        logits[3, 2] = largest
        return logits

    def from_embeddings(E_a: Tensor, E_b: Tensor) -> Tensor:
        logits = function(E_a, E_b)
        logits[7, 1] -= off
        return logits

    embedding = torch.eye(5, dtype=torch.float64)
    try:
        interp.from_function(function, 5, embedding=embedding, from_embeddings=from_embeddings)
        said = ""
    except InterpError as error:
        said = str(error)
    assert said == (
        "" if accepted else f"function and from_embeddings disagree by up to {off:.3g} in the logits: not one network"
    )


def test_the_strongest_neuron_is_drawn_with_its_share_on_waves() -> None:
    p = 13
    circuit = Circuit(planted(p, clocks=(2, 5)))
    found = analyses.neuron_maps(circuit)
    assert [m.k for m in found.maps] == [2, 5] and found.without == ()
    best = analyses.neuron_clusters(circuit)
    for m in found.maps:
        x = circuit.neurons[..., m.neuron].double()
        mine = [i for i, k in enumerate(best.best_frequencies) if k == m.k]
        assert m.members == len(mine)
        assert m.deviation == pytest.approx(max(circuit.neurons[..., i].double().std(correction=0).item() for i in mine))
        assert m.deviation == pytest.approx(x.std(correction=0).item())
        assert m.fitted == pytest.approx(best.shares[m.neuron])  # the nine products, by another way
        for a, b in ((0, 0), (3, 7), (12, 1)):
            assert m.activation[b][a] == round(100 * x[a, b].item() / x.abs().max().item())
    figure = found.figure()
    assert len(figure.data) == 4 and figure.data[0].z[7][3] == found.maps[0].activation[7][3]


def test_a_fit_is_the_waves_that_were_there_and_not_what_is_known_by_heart() -> None:
    p, k = 13, 3
    a, b = torch.meshgrid(torch.arange(p).double(), torch.arange(p).double(), indexing="ij")
    wave = (2 * math.pi * k * a / p).cos() * (2 * math.pi * k * b / p + 0.4).cos() + (2 * math.pi * k * b / p).sin()
    by_heart = torch.zeros(p, p).double()
    by_heart[4, 9] = 30.0  # on the pair (4, 9) alone
    neurons = torch.stack([0.5 * wave, wave, by_heart], dim=-1)
    (pure,) = _maps(neurons, (1, k), torch.tensor([k, k, 0]))  # nothing at frequency 1
    assert (pure.neuron, pure.members) == (1, 2) and pure.fitted == pytest.approx(1.0) and pure.activation == pure.fit
    (dotted,) = _maps(neurons, (k,), torch.tensor([0, 0, k]))
    assert dotted.activation[9][4] == 100 and sum(map(sum, dotted.activation)) == 100
    assert dotted.fitted == pytest.approx(8 / (p * p - 1)) and dotted.fit[9][4] == round(100 * 9 / p**2)
