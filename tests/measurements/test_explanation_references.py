"""The parts of an explanation against their definitions, written slowly and obviously."""

import math

import pytest
import torch
from planted import planted

import analyses
from analyses.tools.closed_form import closed_forms, logits, mixture
from analyses.tools.last_layer import last_neurons
from analyses.tools.scoring import score
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

P = 13


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return Circuit(initialise(NetworkConfig(p=P, d_model=16, n_heads=2, d_head=8, d_mlp=12), seed=1, dtype=torch.float64))


def _waves(k: int, x: torch.Tensor) -> list[torch.Tensor]:
    return [(2 * math.pi * k * x / P).cos(), (2 * math.pi * k * x / P).sin()]


@pytest.mark.parametrize("order", [1, 2])
def test_a_neuron_is_fitted_by_least_squares_at_the_frequency_that_fits_best(order: int, circuit: Circuit) -> None:
    neurons = last_neurons(circuit)
    fitted = neurons.fitted(order=order)  # type: ignore[arg-type]
    a, b = torch.cartesian_prod(torch.arange(P), torch.arange(P)).double().unbind(1)
    for n in range(12):
        x = neurons.pre[..., n].flatten()
        fits = []
        for k in range(1, P // 2 + 1):
            columns = [torch.ones_like(a), *_waves(k, a), *_waves(k, b)]
            if order == 2:
                columns += [*_waves(k, a + b), *_waves(k, a - b)]
            design = torch.stack(columns, dim=1)
            fits.append(design @ torch.linalg.lstsq(design, x[:, None]).solution[:, 0])
        best = min(fits, key=lambda fit: (fit - x).square().sum().item())
        assert torch.allclose(fitted[..., n].flatten(), best, atol=1e-9)


def test_a_score_is_its_definitions(circuit: Circuit) -> None:
    other = circuit.logits + torch.randn(P, P, P, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = score(circuit, other.__getitem__, name="noisy", numbers=1)
    agree, right, divergence, margins = 0, 0, 0.0, []
    for a in range(P):
        for b in range(P):
            ours, theirs, answer = circuit.logits[a, b], other[a, b], (a + b) % P
            agree += int(ours.argmax() == theirs.argmax())
            right += int(theirs.argmax() == answer)
            p, q = ours.softmax(0), theirs.softmax(0)
            divergence += float((p * (p / q).log()).sum())
            wrong = [c for c in range(P) if c != answer]
            margins.append([float(x[answer] - x[wrong].max()) for x in (ours, theirs)])
    assert (found.agreement, found.accuracy) == (agree / P**2, right / P**2)
    assert found.divergence == pytest.approx(divergence / P**2)
    assert found.margin_correlation == pytest.approx(float(torch.tensor(margins).T.corrcoef()[0, 1]), abs=1e-5)
    off = (other - other.mean(-1, keepdim=True) - circuit.centred_logits).square().sum()
    assert found.explained == pytest.approx(float(1 - off / circuit.centred_logits.square().sum()))


def test_a_closed_form_is_its_formula_and_its_share_is_what_the_residual_leaves() -> None:
    circuit = Circuit(planted(P, clocks=(1, 3), pizzas=(5,)))
    (profiles, numbers), *_ = closed_forms(circuit, analyses.key_frequencies(circuit).frequencies).values()
    ours = logits(profiles, P)
    for a, b, c in ((0, 0, 0), (3, 7, 2), (12, 5, 9)):
        slow = sum(float(A[(a - b) % P]) * math.cos(2 * math.pi * k * (a + b - c) / P) for k, A in profiles.items())
        assert float(ours[a, b, c]) == pytest.approx(slow)
    assert numbers == 3 * P
    found = score(circuit, ours.__getitem__, name="", numbers=0)
    assert found.explained == pytest.approx(analyses.residual(circuit).explained)


def test_a_mixture_gives_back_what_was_mixed() -> None:
    d = torch.arange(P).double()
    for clock, pizza in ((1.0, 0.0), (0.0, 2.0), (0.5, 1.5)):
        found = mixture(clock + pizza * (math.pi * 4 * d / P).cos().abs(), 4)
        assert (found.clock, found.pizza) == pytest.approx((clock, pizza), abs=1e-9)
        mean = pizza * float((math.pi * 4 * d / P).cos().abs().mean())
        assert found.coordinate == pytest.approx(mean / (clock + mean), abs=1e-9) and found.fitted == pytest.approx(1.0)


def test_phases_that_are_dealt_out_anew_break_the_law() -> None:
    """The null is what it says: with W_L's phases shuffled R falls to it."""
    network = planted(31, clocks=(3, 8))
    W_out = network.parameters["blocks.0.mlp.W_out"]
    order = torch.randperm(len(W_out), generator=torch.Generator().manual_seed(0))
    network.parameters["blocks.0.mlp.W_out"] = W_out[order]
    lawful, shuffled = (Circuit(each) for each in (planted(31, clocks=(3, 8)), network))
    for law in analyses.phase_law(lawful).frequencies:
        assert law.R > 0.999 and law.null_most < 0.3 and law.written == pytest.approx(1.0)
    clusters = analyses.neuron_clusters(shuffled)
    for k in (3, 8):
        neurons, members = last_neurons(shuffled), [n for n, best in enumerate(clusters.best_frequencies) if best == k]
        waves, (cosine, sine) = neurons.waves_at(k), neurons.output_waves_at(k)
        total, weights = 0j, 0.0
        for n in members:
            read = math.atan2(waves[2, 0, n], waves[1, 0, n]) + math.atan2(waves[0, 2, n], waves[0, 1, n])
            g, written = math.hypot(cosine[n], sine[n]), math.atan2(sine[n], cosine[n])
            total, weights = total + g * complex(math.cos(written - read), math.sin(written - read)), weights + g
        assert abs(total) / weights < 0.3
