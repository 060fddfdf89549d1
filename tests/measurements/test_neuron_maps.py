"""Maps of neurons: a planted neuron is found, drawn where it is active, and fitted by its own waves."""

import math

import pytest
import torch
from planted import planted

import analyses
from analyses.evidence.neuron_maps import _maps
from interp.circuit import Circuit


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
