"""Row by row, with nothing kept, a circuit says what it says with everything in memory."""

import dataclasses
import math
from typing import Any

import pytest
import torch

import analyses
from analyses.evidence.neuron_clusters import best_frequencies
from analyses.tools.last_layer import last_neurons
from analyses.tools.logit_sums import logit_sums
from analyses.tools.paper_triples import paper_sample
from interp import by_rows, fourier
from interp.circuit import Circuit
from interp.memory import available, missing, rows_at_once, whole
from interp.networks.attention_free import AttentionFreeConfig
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise, initialise_attention_free
from interp.networks.model import Unavailable
from interp.tasks import task_named

P = 13
SLOW = ("ladder", "logit_attribution", "memory", "representation_ladder", "residual", "surrogate")
"""Slow measurements that go through the logits a few rows at a time."""


def _transformer(**options: Any) -> Circuit:
    config = NetworkConfig(p=P, d_model=8, n_heads=2, d_head=4, d_mlp=20, **options)
    return Circuit(initialise(config, seed=3, dtype=torch.float64))


def _circuits() -> dict[str, Circuit]:
    deep = _transformer(n_layers=2, normalization="layer")
    division = Circuit(deep.network, task=task_named("division", P))
    free = AttentionFreeConfig(p=P, kind="direct", d_embedding=9, d_hidden=9)
    return {
        "transformer": _transformer(),
        "read at b": _transformer(equals_token=False, answers_equals=False, separate_vocabularies=True),
        "with biases": _transformer(unembed_bias=True, mlp_biases=True, activation="gelu"),
        "two layers, normalised": deep,
        "division": division,
        "subtraction": Circuit(_transformer().network, task=task_named("subtraction", P)),
        "attention-free": Circuit(initialise_attention_free(free, seed=1, std=0.5, dtype=torch.float64)),
        "edited": _transformer().with_activation("blocks.0.mlp.hook_post", lambda post: 2 * post),
    }


def _equal(found: object, expected: object) -> bool:
    if isinstance(found, float) and isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-9, abs=1e-11, nan_ok=True)
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(_equal, found, expected))
    if dataclasses.is_dataclass(found) and dataclasses.is_dataclass(expected):
        return all(_equal(getattr(found, each.name), getattr(expected, each.name)) for each in dataclasses.fields(found))
    return found == expected


@pytest.mark.parametrize("kind", list(_circuits()))
def test_what_is_not_kept_is_measured_alike(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SLOW if kind in ("transformer", "division") else ()
    every = [name for name, each in analyses.MEASUREMENTS.items() if not each.slow or name in slow]

    def measured() -> dict[str, object]:
        found: dict[str, object] = {}
        for name in every:
            try:
                found[name] = getattr(analyses, name)(_circuits()[kind])
            except Unavailable as error:
                found[name] = str(error)
        return found

    kept = measured()
    for name in ("interp.circuit.KEPT", "analyses.tools.scoring.KEPT", "interp.by_rows.OWN_ARITHMETIC"):
        monkeypatch.setattr(name, 0)
    monkeypatch.setattr("analyses.trials.residual.AT_ONCE", 2 * P**2)
    monkeypatch.setattr("analyses.tools.scoring.AT_ONCE", 3)
    monkeypatch.setattr("interp.memory.VALUES", 3 * P * 20)  # three values of a at a time
    by_the_row = measured()
    assert not [name for name in every if not _equal(by_the_row[name], kept[name])]
    assert sum(not isinstance(value, str) for value in kept.values()) >= 3


@pytest.mark.parametrize("kind", ["transformer", "read at b", "with biases", "division", "subtraction", "attention-free"])
def test_projected_logits_are_the_logits_times_the_matrix(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interp.by_rows.OWN_ARITHMETIC", 0)
    circuit = _circuits()[kind]
    if kind == "division":  # a plain layer in other numbers
        circuit = Circuit(_transformer().network, task=task_named("division", P))
    turned = tuple(E.roll(1, 0) for E in circuit.tables)
    for each in (circuit, circuit.with_tables((turned[0], turned[1]))):
        F = torch.randn(each.p, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        assert torch.allclose(by_rows.projected_logits(each, F), each.logits @ F, rtol=1e-10, atol=1e-10)


def test_nothing_is_kept_of_a_circuit_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interp.circuit.KEPT", 0)
    circuit = _transformer()
    analyses.clock_or_pizza(circuit)
    assert "logits" not in vars(circuit) and "centred_logits" not in vars(circuit)
    assert not circuit._activations.keys() & {"blocks.0.mlp.hook_post"}


def test_what_does_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit, other = _transformer(), _transformer()
    monkeypatch.setattr("interp.memory.available", lambda: P**3 * 4)
    with pytest.raises(Unavailable, match="double precision at once, which would take 0 MiB"):
        _ = circuit.centred_logits
    assert circuit.logits.shape == (P, P, P)
    monkeypatch.setattr("interp.memory.available", lambda: 0)
    with pytest.raises(Unavailable, match="needs the logits of all pairs at once"):
        _ = other.logits
    monkeypatch.setattr("interp.circuit.KEPT", 0)
    with pytest.raises(Unavailable, match=r"needs blocks\.0\.mlp\.hook_post of all pairs at once"):
        _ = other.neurons
    assert missing(0) == ""


def test_memory_that_there_is() -> None:
    assert 1 << 20 < available() < 1 << 50


def test_raw_and_centred_squares() -> None:
    circuit = _transformer()
    sums, logits = logit_sums(circuit), circuit.logits
    assert sums.square == pytest.approx(circuit.centred_logits.square().sum().item(), rel=1e-12)
    assert sums.raw_square == pytest.approx((logits - logits.mean()).square().sum().item(), rel=1e-12)


def test_pair_waves_are_coefficients_on_an_orthonormal_basis() -> None:
    for p in (2, 5, 6):
        x = torch.randn(p, p, 3, generator=torch.Generator().manual_seed(p), dtype=torch.float64)
        for size in (1, 2, p):
            waves, basis = fourier.pair_waves(x.split(size)), fourier.basis(p)
            both = torch.einsum("ia,jb,abn->ijn", basis, basis, x)
            assert torch.allclose(waves.total, x.sum((0, 1))) and torch.allclose(waves.square, x.square().sum((0, 1)))
            assert torch.allclose(waves.variance, (x - x.mean((0, 1))).square().sum((0, 1)))
            for k in fourier.frequencies(p):
                index = [0, *fourier.row_numbers(k, p)]
                block = both[index][:, index].clone()
                block[0, 0] = 0
                assert torch.allclose(waves.blocks[k - 1, : len(index), : len(index)], block)
                assert torch.allclose(waves.energies[k - 1], block.square().sum((0, 1)))


def test_a_neuron_active_at_one_pair_has_the_first_of_all_frequencies() -> None:
    x = torch.zeros(P, P, 2)
    x[3, 5, 0] = 1.0
    best, shares, variances = best_frequencies(x.split(4))
    assert best == (1, 0) and shares[0] == pytest.approx(8 / (P**2 - 1)) and math.isnan(shares[1]) and variances[1] == 0


def test_rows_that_are_looked_at_together() -> None:
    assert rows_at_once(1) == 16 and rows_at_once(1 << 18) == 4 and rows_at_once(1 << 30) == 1
    parts = ({"x": torch.full((2, 3), float(i))} for i in range(2))
    assert whole(4, parts)["x"].tolist() == [[0.0] * 3] * 2 + [[1.0] * 3] * 2


def test_a_normalised_network_of_a_division_has_its_gain_in_the_numbers_of_the_addition() -> None:
    circuit = _circuits()["division"]
    assert circuit.p == P - 1
    neurons = last_neurons(circuit)
    assert torch.allclose(neurons.logits(neurons.pre), circuit.logits, atol=1e-9)


def test_beyond_400_the_triples_are_a_seeded_sample() -> None:
    a, b, c = paper_sample(401)
    assert all(torch.equal(x, y) for x, y in zip((a, b, c), paper_sample(401), strict=True))
    assert len({*zip(a.tolist(), b.tolist(), c.tolist(), strict=True)}) == 100 and int(torch.stack([a, b, c]).max()) <= 400
    assert all(len(set(x.tolist())) > 60 for x in (a, b, c))
