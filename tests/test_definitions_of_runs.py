"""Values and definitions of the phase law, the surrogates, the timeline and the fast loss, by hand or written slowly."""

import cmath
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
import torch
from planted import planted
from torch import Tensor

import analyses
import interp
from analyses.last_layer import last_neurons
from analyses.phase_law import _Phases, lawful_map
from analyses.scoring import score
from analyses.timeline.moment import Moment, moment, squared_weights
from analyses.timeline.parts import PartLosses, part_losses
from analyses.timeline.phases import Boundary, Move, phases
from analyses.timeline.progress import progress
from interp import checkpoint, formats, run, thinning
from interp.batch import PlainBatch
from interp.circuit import Circuit
from interp.config import NetworkConfig, Parameters
from interp.errors import InterpError
from interp.fast_batch import FastBatch
from interp.initialisation import initialise
from interp.network import Network
from interp.recipe import RECIPES
from interp.run import RunConfig
from interp.task import split
from interp.watching import Watching

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
    assert (law.shape, law.resultant) == (shape, pytest.approx((3 - second) / (3 + second)))
    assert each.differences() == pytest.approx((-0.4, 0.1))  # .6 turns are -.4; .6 less the half that is read is .1
    silent = replace(each, weight=zero).law(1)
    assert silent.shape == "none" and math.isnan(silent.R)


def test_every_surrogate_is_scored_on_the_logits_that_its_name_says(perturbed: Circuit) -> None:
    """The neurons are replaced by hand and the rest of the network is run on them."""
    neurons, keys = last_neurons(perturbed), analyses.key_frequencies(perturbed).frequencies
    W_L, count = neurons.neuron_logit_map, 16**2 + 32
    past = perturbed.logits - neurons.activation(neurons.pre) @ W_L
    two = neurons.activation(neurons.fitted(order=2, frequencies=2))
    by_hand = [
        ("neurons, order 1", 5, neurons.activation(neurons.fitted(order=1)) @ W_L + past),
        ("neurons, order 2", 9, neurons.activation(neurons.fitted(order=2)) @ W_L + past),
        ("neurons, order 2, two frequencies", 17, two @ W_L + past),
        ("the same, phase law", 18, two @ lawful_map(neurons) + past),
        ("the same, phase law at key frequencies", 19, two @ lawful_map(neurons, (3, 5)) + past),
        ("the same, neurons alone", 19, two @ lawful_map(neurons, (3, 5))),
    ]
    found = analyses.surrogate(perturbed).neurons
    assert keys == (3, 5) and [s.name for s in found] == [name for name, _, _ in by_hand]
    assert [s.numbers for s in found] == [each * count for _, each, _ in by_hand]
    for each, (name, numbers, logits) in zip(found, by_hand, strict=True):
        wanted = score(perturbed, logits, name=name, numbers=numbers * count)
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
    found = score(interp.from_logits(_logits(OURS, 1.0)), _logits(THEIRS, -2.0), name="by hand", numbers=7)
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
    back = score(interp.from_logits(_logits(THEIRS, 0.0)), _logits(OURS, 0.0), name="", numbers=0)
    assert abs(back.divergence - found.divergence) > 0.01
    sure = score(interp.from_logits(_logits([(0.9, 0.05)] * 9, 0.0)), _logits(THEIRS, 0.0), name="", numbers=0)
    assert math.isnan(sure.error_agreement) and math.isnan(sure.margin_correlation) and sure.agreement == 6 / 9


def _moment(step: int, **values: object) -> Moment:
    """One network on its way; what is not told is the same at every step."""
    plain = Moment(
        step=step, train_loss=1.0, test_loss=1.0, train_accuracy=1.0, test_accuracy=0.0, restricted_loss=1.0,
        excluded_loss=1.0, generalising_score=0.3, memorising_score=0.2, squared_weights=(("W", 1.0),), gini_embedding=0.1,
        gini_neuron_logit_map=math.nan, clock_terms=(0.1,), embedding_shares=(0.1,), neuron_shares=(0.1,), specialised=0.0,
        variations=(math.nan,), explained=0.1,
    )  # fmt: skip
    return replace(plain, **values)  # type: ignore[arg-type]


def test_clock_or_pizza_is_a_mean_weighted_by_the_squares_of_the_clock_terms() -> None:
    some = _moment(0, clock_terms=(0.1, 0.5, 0.2), variations=(0.1, 0.4, math.nan))
    assert some.clock_pizza == pytest.approx((0.01 * 0.1 + 0.25 * 0.4) / 0.26, rel=1e-12)
    assert math.isnan(replace(some, variations=(math.nan,) * 3).clock_pizza)
    assert math.isnan(_moment(0, clock_terms=(), variations=()).clock_pizza)
    assert replace(some, variations=(0.1, 0.4, 0.0)).clock_pizza == pytest.approx((0.001 + 0.1) / 0.3, rel=1e-12)
    assert _moment(0, squared_weights=(("W_E", 1.5), ("W_U", 2.25))).squared_weights_sum == 3.75


def _small(seed: int) -> Network:
    config = NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4, d_mlp=12, mlp_biases=True)
    return initialise(config, seed=seed, dtype=torch.float64)


def test_accuracies_and_squared_weights_of_a_moment_are_counts_and_sums() -> None:
    network = _small(3)
    train = torch.tensor([8 * i for i in range(7)] + [1, 5, 20, 33])
    logits, right = Circuit(network).logits, {True: [], False: []}
    for a in range(7):
        for b in range(7):
            right[7 * a + b in train.tolist()].append(float(logits[a, b].argmax() == (a + b) % 7))
    found = moment(network, train, (2,), 4)
    assert found.train_accuracy == pytest.approx(sum(right[True]) / 11, rel=1e-12)
    assert found.test_accuracy == pytest.approx(sum(right[False]) / 38, rel=1e-12)
    assert found.train_accuracy != found.test_accuracy
    squares = {name: sum(x**2 for x in W.flatten().tolist()) for name, W in network.parameters.items()}
    assert dict(squared_weights(network)) == pytest.approx(squares)
    assert found.squared_weights_sum == pytest.approx(sum(squares.values())) and len(squares) > 8


def test_a_part_s_score_is_the_mean_of_what_it_adds_alone_and_last() -> None:
    """The Shapley value, v of a set of parts being what they take off the loss of the bias."""
    losses = PartLosses(train=0.5, test=9.0, restricted=8.0, excluded=1.7, restricted_train=2.9, bias_train=3.4)
    worth = {"": 0.0, "G": 3.4 - 2.9, "M": 3.4 - 1.7, "GM": 3.4 - 0.5}
    generalising = ((worth["GM"] - worth["M"]) + (worth["G"] - worth[""])) / 2
    memorising = ((worth["GM"] - worth["G"]) + (worth["M"] - worth[""])) / 2
    assert (losses.generalising, losses.memorising) == pytest.approx((generalising, memorising))
    assert (generalising, memorising) == pytest.approx((0.85, 2.05))

    logits = torch.randn(7, 7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    train, angles = [0, 5, 11, 17, 30, 31, 44], [2 * math.pi * 2 * (a + b) / 7 for a in range(7) for b in range(7)]
    wave = torch.tensor([[math.cos(x), math.sin(x)] for x in angles], dtype=torch.float64)
    L = logits.flatten(0, 1)
    B, G = L.mean(0, keepdim=True).expand(49, 7), 2 / 49 * wave @ (wave.T @ L)

    def loss(of: Tensor) -> float:
        return sum(float(of[pair].logsumexp(0) - of[pair, (pair // 7 + pair % 7) % 7]) for pair in train) / len(train)

    none, alone, rest, all_ = loss(B), loss(B + G), loss(L - G), loss(L)
    found = part_losses(logits, (2,), torch.tensor(train))
    assert found.generalising == pytest.approx(((rest - all_) + (none - alone)) / 2, rel=1e-9)
    assert found.memorising == pytest.approx(((alone - all_) + (none - rest)) / 2, rel=1e-9)


STEPS = (0, 10, 30, 60, 100, 150, 210, 280, 360, 450, 550, 660, 800)
TEST_LOSS = (2.0, 2.0, 1.5, 0.41, 0.39, 0.201, 0.199, 0.101, 0.099, 0.05, 0.02, 0.01, 0.005)
"""As shares of log p: formed at step 210; below .4 at step 100, after 60, and below .1 at step 360."""
EXCLUDED = (4.0, 2.0, 1.5, 1.0, 1.2, 2.01, 3.0, 0.2, 4.0, 4.0, 4.0, 4.0, 4.0)
"""Least at step 60 before the circuit has formed, and up to twice that from step 10 to step 100."""
SPEEDS = (0.0, 0.0, 0.0, 0.0, 0.0, 1000.0, 100.0, 50.0, 4.1, 3.9, 1.9, 1.1, 0.9)
"""By which the squared weights fall per step before each snapshot: of 100, which is that up to step 210."""
TEST_ACCURACY = (0.0, 0.499, 0.2, 0.0, 0.04, 0.06, 0.09, 0.11, 0.19, 0.21, 0.6, 0.9899, 0.99)
RESTRICTED = (5.0, 5.0, 5.0, 2.0, 1.96, 1.94, 1.85, 1.79, 1.5, 1.4, 1.3, 1.1, 1.0)
GINI = (0.9, 0.8, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.04, 0.07, 0.15, 1.0)


def _run(p: int = 113) -> list[Moment]:
    """A run on whose uneven snapshots every threshold falls between two values."""
    moments, weights = [], 1e6
    for i, step in enumerate(STEPS):
        weights -= SPEEDS[i] * (step - STEPS[i - 1]) if i else 0.0
        moments.append(
            _moment(
                step, test_loss=TEST_LOSS[i] * math.log(p), excluded_loss=EXCLUDED[i], test_accuracy=TEST_ACCURACY[i],
                train_accuracy=0.9899 if step == 0 else 0.99, restricted_loss=RESTRICTED[i], gini_embedding=GINI[i],
                squared_weights=(("W_E", weights / 4), ("W_U", 3 * weights / 4)),
            )
        )  # fmt: skip
    return moments


def _ends(boundary: Boundary) -> tuple[int | None, int, int | None]:
    return boundary.step, boundary.earliest, boundary.latest


@pytest.mark.parametrize("p", [113, 59])
def test_the_phases_of_a_run_end_where_its_curves_were_made_to(p: int) -> None:
    found = phases(_run(p), p)
    assert (found.verdict, found.reason) == (
        "grokking", "training accuracy .99 at step 10, test accuracy .99 at step 800",
    )  # fmt: skip
    memorisation, formation, clean_up = found.boundaries
    assert _ends(memorisation) == (60, 10, 100)
    assert _ends(formation) == (210, 60, 360)
    # Below 4 per step before 450, so after 360; below 2 before 550; and below 1 before the last.
    assert _ends(clean_up) == (550, 360, 800)
    assert [found.at(step) for step in (59, 60, 209, 210, 549, 550)] == [
        "memorisation", "circuit formation", "circuit formation", "clean-up", "clean-up", "after",
    ]  # fmt: skip


def test_a_sharp_minimum_of_the_excluded_loss_lies_between_its_neighbours() -> None:
    sharp = [replace(m, excluded_loss=1.0 if m.step == 60 else 2.01) for m in _run()]
    assert _ends(phases(sharp, 113).boundaries[0]) == (60, 30, 100)
    # Where it is least when the circuit has formed, or at the start, nothing lies beyond.
    for step, ends in ((210, (210, 150, 210)), (0, (0, 0, 10))):
        moved = [replace(m, excluded_loss=1.0 if m.step == step else 2.01) for m in _run()]
        assert _ends(phases(moved, 113).boundaries[0]) == ends


def test_clean_up_begins_with_the_interval_in_which_the_circuit_forms() -> None:
    """A circuit that is there at the first snapshot has no interval before it."""
    early = [replace(m, test_loss=0.01) for m in _run()]
    # The fastest is now 1000 per step, before step 150: 4% of it are 40, which the fall before step 360 is below.
    assert _ends(phases(early, 113).boundaries[2]) == (360, 280, 360)
    assert _ends(phases(early, 113).boundaries[1]) == (0, 0, 0)
    growing = [replace(m, squared_weights=(("W", float(m.step)),)) for m in _run()]
    assert _ends(phases(growing, 113).boundaries[2]) == (None, 800, None)


def test_leads_are_told_with_the_spacing_of_the_snapshots_between_which_either_moved() -> None:
    """From step 60 on; test accuracy has gone 5, 10 and 20 hundredths of its way at steps 150, 280 and 450."""
    moves = {move.measure: move for move in phases(_run(), 113).moves}
    # At 150, 210 and 280: leads 0, 70 and 170. Accuracy may have moved 50, 70 or 90 earlier, the loss 50, 60 or 70.
    assert moves["restricted loss"] == Move(measure="restricted loss", step=210, lead=70, least_lead=-50, most_lead=240)
    # At 550, 660 and 800, 5 hundredths of 1 being more than .04: leads -400, -380 and -350; 100, 110 and 140 earlier.
    assert moves["Gini of W_E"] == Move(measure="Gini of W_E", step=660, lead=-380, least_lead=-450, most_lead=-210)
    # What stays the same has gone its way at once, at step 60, before which there is no snapshot.
    still = Move(measure="generalising score", step=60, lead=220, least_lead=40, most_lead=390)
    assert moves["generalising score"] == still and "Gini of W_L" not in moves


def test_grokking_is_less_than_half_at_the_fit_and_99_hundredths_later() -> None:
    moments = _run()

    def verdict(at_fit: float, at_end: float) -> tuple[str, str]:
        changed = [*moments]
        changed[1], changed[-1] = replace(moments[1], test_accuracy=at_fit), replace(moments[-1], test_accuracy=at_end)
        found = phases(changed, 113)
        return found.verdict, found.reason

    assert verdict(0.4999, 0.99)[0] == "grokking"
    refused = "generalised as it learned: test accuracy 0.500 when training accuracy reached .99"
    assert verdict(0.5, 0.99) == ("no grokking here", refused)
    assert verdict(0.4, 0.9899) == (
        "no grokking here",
        "memorised at step 10, and test accuracy never reaches .99: 0.990 at best",
    )
    never = phases([replace(m, train_accuracy=0.9899) for m in moments], 113)
    assert never.reason == "training accuracy never reaches .99: 0.990 at best" and not never.boundaries
    guessing = [replace(m, test_loss=0.2 * math.log(113)) for m in moments]
    assert "no better than guessing" in phases(guessing, 113).reason


def test_a_timeline_is_the_moments_of_the_snapshots_at_the_keys_of_the_last(tmp_path: Path) -> None:
    """In the order of their steps, whatever the files are called, and split as the seed of the run says."""
    network = NetworkConfig(p=5, d_model=32, n_heads=2, d_head=16, d_mlp=64, answers_equals=False)
    recipe = replace(RECIPES["quick"], network=network, train_fraction=0.4, warmup_steps=0, steps=6, stop_test_loss=0.0)
    made = run.create(tmp_path / "run", RunConfig(recipe=recipe, seed=5, record_every=3, snapshots=True))
    list(made.train())
    names = [path.name for path in made.snapshot_paths]
    assert names == ["step-000000.pt", "step-000003.pt", "step-000006.pt"]
    # The last network is made to have a key frequency, its readout being fitted to waves of a + b - c.
    saved = formats.load(made.snapshot_paths[-1])
    stream = Circuit(saved.network).activation("blocks.0.hook_resid_post").flatten(0, 2)
    waves = [[math.cos(4 * math.pi * (pair // 5 + pair % 5 - c) / 5) for c in range(5)] for pair in range(25)]
    W_U = torch.linalg.lstsq(stream, torch.tensor(waves, dtype=stream.dtype)).solution
    fitted = Network(network, {**saved.network.parameters, "unembed.W_U": W_U})
    checkpoint.save(made.snapshot_paths[-1], replace(saved, network=fitted))

    networks = [formats.load(path).network for path in made.snapshot_paths]
    keys = [analyses.key_frequencies(Circuit(each)).frequencies for each in networks]
    assert keys == [(), (), (2,)]
    (made.path / "snapshots" / "step-000000.pt").rename(made.path / "snapshots" / "step-000004.pt")

    train = split(5, method=recipe.split_method, fraction=0.4, seed=5).train
    heard: list[tuple[int, int]] = []
    found = progress(made.path, on_moment=lambda done, count: heard.append((done, count)))
    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert (found.p, found.key_frequencies) == (5, (2,))
    assert [m.step for m in found.moments] == [0, 3, 6]
    for each, network_then in zip(found.moments, networks, strict=True):
        assert isinstance(network_then, Network)
        wanted = moment(network_then, train, (2,), each.step)
        assert repr(each) == repr(wanted)  # NaN and all
    assert len({m.train_loss for m in found.moments}) == 3


def test_which_records_are_kept_at_the_very_thresholds() -> None:
    kept = {"step": 1000, "train_loss": 1.0, "test_loss": 8.0, "test_accuracy": 0.0}
    still = {**kept, "step": 1020}
    for changed, moved in (
        ({"test_loss": 2.0}, True), ({"test_loss": 2.01}, False), ({"train_loss": 4.0}, True), ({"train_loss": 3.99}, False),
        ({"test_accuracy": 0.1}, True), ({"test_accuracy": 0.0999}, False),
        ({"test_accuracy": 0.1, "step": 1019}, False), ({"train_loss": 0.0}, False),
    ):  # fmt: skip
        assert thinning.has_moved(kept, {**still, **changed}) is moved, changed
    assert thinning.has_moved({**kept, "train_loss": 0.0}, {**still, "train_loss": 5.0}) is False
    for per_decade in (3, 12, 20):  # with 20, step 9 would be one
        nearest = {round(10 ** (i / per_decade)) for i in range(3 * per_decade + 1)}
        wanted = [0, *sorted(step for step in nearest if step >= 10)]
        assert [step for step in range(1001) if thinning.is_spaced(step, per_decade)] == wanted


def test_a_network_is_measured_every_hundred_steps_or_as_often_as_asked() -> None:
    refused = {}
    for every in (-1, 0, 1, 7):
        try:
            assert Watching(every=every).every == every
        except InterpError as error:
            refused[every] = str(error)
    assert Watching().every == 100
    assert refused == {every: f"expected --measure-every of at least 1, got {every}" for every in (-1, 0)}


def _gradients(loss: Tensor, parameters: Parameters) -> list[Tensor]:
    found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    return [torch.zeros_like(x) if each is None else each for each, x in zip(found, parameters.values(), strict=True)]


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_gradient_of_a_multiple_or_a_sum_of_losses_is_that_of_the_parts(activation: str) -> None:
    """Against the gradients of the plain network, each taken alone."""
    config = NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4, d_mlp=12, activation=activation)  # type: ignore[arg-type]
    parameters = {name: x.requires_grad_() for name, x in initialise(config, seed=0, dtype=torch.float64).parameters.items()}
    first, second = torch.arange(0, 49, 3), torch.arange(1, 49, 4)
    one, two = (_gradients(PlainBatch(config, indices).loss(parameters), parameters) for indices in (first, second))
    tripled = _gradients(3 * FastBatch(config, first).loss(parameters), parameters)
    fast, other = FastBatch(config, first), FastBatch(config, second)
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
