"""Interventions by their definitions, on networks that have something at every frequency: there no draw of a null is 0 or 1."""

import math
from collections.abc import Callable

import pytest
import torch
from planted import planted
from torch import Tensor

import analyses
from analyses.tools.ablation import Draw, Site, embedding_site, logit_site, neuron_site
from analyses.tools.last_layer import last_neurons
from analyses.trials.causal import _elsewhere, _keep_and_remove, _knock_out, _null, _turns
from interp import fourier
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.model import Unavailable

P, KEYS = 31, (3, 8, 13)


def accuracy(logits: Tensor) -> float:
    """Share of all pairs answered right, one by one."""
    p = len(logits)
    return sum(int(logits[a, b].argmax()) == (a + b) % p for a in range(p) for b in range(p)) / p**2


def at(E: Tensor, frequencies: tuple[int, ...]) -> Tensor:
    """What lies at these frequencies of a function of one residue: by least squares."""
    waves = torch.cat([fourier.waves(k, len(E)) for k in frequencies]).T
    return waves @ torch.linalg.lstsq(waves, E.double()).solution


def spoiled(name: str, share: float) -> Callable[[Circuit], Circuit]:
    """An edit that knows the pairs: it takes an activation away where a is small."""

    def spoil(x: Tensor) -> Tensor:
        x = x.clone()
        x[: int(share * P)] = 0
        return x

    return lambda circuit: circuit.with_activation(name, spoil)


@pytest.fixture(scope="module")
def noisy() -> Circuit:
    """A planted clock with something at all other frequencies too: what is left when the clock is gone is not rounding."""
    network, generator = planted(P, clocks=KEYS), torch.Generator().manual_seed(0)
    for name, size in (("embed.W_E", 0.1), ("unembed.W_U", 0.02)):
        W = network.parameters[name]
        network.parameters[name] = W + size * torch.randn(W.shape, generator=generator, dtype=W.dtype)
    return Circuit(network)


@pytest.mark.parametrize("name", ["blocks.0.hook_attn_out", "blocks.0.hook_resid_post"])
def test_an_edited_network_is_the_one_that_is_intervened_on(name: str, noisy: Circuit) -> None:
    """An edit sees all pairs at once, so every intervention has to run on all of them."""
    circuit = spoiled(name, 0.3)(noisy)
    assert accuracy(circuit.logits) == analyses.performance(circuit).accuracy < 0.8
    found = analyses.causal(circuit, draws=2, turned_inputs=20 * P)
    E = circuit.embedding
    keep, remove, turn = (found.effect("embedding", edit) for edit in ("keep only", "remove", "turn"))
    assert keep is not None and remove is not None and turn is not None
    assert keep.value == accuracy(circuit.with_embedding(E.mean(0) + at(E, KEYS)).logits)
    assert remove.value == accuracy(circuit.with_embedding(E - at(E, KEYS)).logits)
    whole = [accuracy_of_row(circuit, a, delta) for a, delta in turns(20)]
    assert turn.value == pytest.approx(sum(whole) / len(whole), abs=1e-12)
    assert 0.5 < turn.value < 0.9


def turns(count: int) -> list[tuple[int, int]]:
    """The (a, Δ) that are turned, which are drawn after the rows of the null."""
    generator = torch.Generator().manual_seed(0)
    torch.randperm(P, generator=generator)
    order = torch.randperm(P * (P - 1), generator=generator)[:count]
    return [(int(i) // (P - 1), int(i) % (P - 1) + 1) for i in order]


def accuracy_of_row(circuit: Circuit, a: int, delta: int) -> float:
    """How often is the answer (a + Δ) + b, over all b, when the key part of every number's embedding is that of Δ more?"""
    E_a, E_b = circuit.tables
    hand = at(E_a, KEYS)
    logits = circuit.with_tables((E_a - hand + hand.roll(-delta, 0), E_b)).logits
    return sum(int(logits[a, b].argmax()) == (a + delta + b) % P for b in range(P)) / P


def test_pre_activations_are_run_on_where_the_edit_lies_before_them_and_not_behind(noisy: Circuit) -> None:
    circuit = noisy
    before = spoiled("blocks.0.hook_attn_out", 0.3)(circuit)
    neurons = last_neurons(before)
    assert torch.allclose(neurons.logits(neurons.pre), before.logits)
    remove = analyses.causal(before, draws=1, turned_inputs=P).effect("pre-activations", "remove")
    assert remove is not None
    rest = neurons.pre - sum(products(neurons.pre, k) for k in KEYS)
    edited = before.with_activation("blocks.0.mlp.hook_pre", rest[:, :, None])
    assert remove.value == accuracy(edited.logits)
    for name in ("blocks.0.mlp.hook_post", "blocks.0.hook_mlp_out", "blocks.0.hook_resid_post"):
        behind = spoiled(name, 0.3)(circuit)
        with pytest.raises(Unavailable, match="not edited behind its neurons"):
            last_neurons(behind)
        lacking = analyses.causal(behind, draws=1, turned_inputs=P).lacking
        assert any(each.startswith("pre-activations: needs a network that is not edited") for each in lacking), name


def products(x: Tensor, k: int) -> Tensor:
    """What lies of functions of (a, b) on the 8 products of waves of a and waves of b at k: by least squares."""
    p = len(x)
    one = torch.cat([torch.ones(1, p, dtype=torch.float64), fourier.waves(k, p)])
    design = torch.stack([(u[:, None] * v[None]).flatten() for u in one for v in one][1:], dim=1)
    return (design @ torch.linalg.lstsq(design, x.flatten(0, 1).double()).solution).view(x.shape)


SMALL, MINE = 13, (2, 5)
DRAW = Draw((1, 6), ((0.3, 1.1), (2.0, -0.7)))
"""Other frequencies, and phases for a and for b."""
SITES = {"embedding": embedding_site, "pre-activations": neuron_site, "logits": logit_site}
ROWS = torch.tensor([0, 4, 5, 11])


@pytest.fixture(scope="module")
def anything() -> Circuit:
    """A random network, with nothing special about MINE."""
    config = NetworkConfig(p=SMALL, d_model=16, n_heads=2, d_head=8, d_mlp=12, answers_equals=False)
    return Circuit(initialise(config, seed=1, dtype=torch.float64))


def site_of(name: str, circuit: Circuit) -> Site:
    return SITES[name](circuit, MINE)


def parts(name: str, circuit: Circuit) -> dict[int, Tensor]:
    """What lies at each frequency at a site, by the definition."""
    match name:
        case "embedding":
            return {k: at(circuit.embedding, (k,)) for k in fourier.frequencies(SMALL)}
        case "logits":
            over_c = circuit.centred_logits.flatten(0, 1).T
            return {k: at(over_c, (k,)).T.view(SMALL, SMALL, SMALL) for k in fourier.frequencies(SMALL)}
        case _:
            return {k: products(last_neurons(circuit).pre, k) for k in fourier.frequencies(SMALL)}


def moved(x: Tensor, k: int, phase: float, dim: int) -> Tensor:
    """A wave of frequency k along an axis, at angle w n + phase instead of w n."""
    transformed = torch.fft.fft(x, dim=dim)
    # The axis has this wave at k and at -k only; what has no wave of this axis stays as it is.
    turn = torch.ones(SMALL, dtype=torch.complex128)
    turn[k] = torch.tensor(complex(math.cos(phase), math.sin(phase)), dtype=torch.complex128)
    turn[-k] = turn[k].conj()
    shape = [1] * x.dim()
    shape[dim] = SMALL
    return torch.fft.ifft(transformed * turn.view(shape), dim=dim).real


def large(name: str, circuit: Circuit) -> Tensor:
    """What lies at the frequencies of the draw, turned, as large as what lies at MINE; by the definition."""
    each, total = parts(name, circuit), torch.tensor(0.0)
    for k, (of_a, of_b) in zip(DRAW.frequencies, DRAW.phases, strict=True):
        turned = moved(each[k], k, of_a, dim=2 if name == "logits" else 0)
        total = total + (moved(turned, k, of_b, dim=1) if name == "pre-activations" else turned)
    return total * sum(each[k] for k in MINE).norm() / total.norm()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", SITES)
def test_a_site_has_its_parts_where_they_are_and_its_controls_as_large(name: str, anything: Circuit) -> None:
    site, each, everywhere = site_of(name, anything), parts(name, anything), torch.arange(SMALL)
    for k in fourier.frequencies(SMALL):
        assert torch.allclose(site.part([k], everywhere), each[k])
    assert torch.allclose(site.part(MINE, everywhere), each[2] + each[5])
    control = site.as_large(DRAW, everywhere)
    assert torch.allclose(control, large(name, anything))
    assert control.norm().item() == pytest.approx(site.part(MINE, everywhere).norm().item())
    assert torch.allclose(site.part(MINE, ROWS), (each[2] + each[5])[slice(None) if name == "embedding" else ROWS])
    whole = site.whole(everywhere)
    if name == "pre-activations":  # products of different frequencies are no part of any
        assert torch.allclose(site.constant, whole.mean((0, 1)))
        assert all(part.mean((0, 1)).abs().max() < 1e-12 for part in each.values())
    else:
        assert torch.allclose(site.constant + sum(each.values()), whole)


@pytest.mark.parametrize("name", SITES)
def test_keeping_and_removing_are_their_definitions(name: str, anything: Circuit) -> None:
    """The answers of a random network are few and far between: hardly any two of these accuracies are the same."""
    site, each, control = site_of(name, anything), parts(name, anything), large(name, anything)
    whole, constant = site.whole(torch.arange(SMALL)), site.constant
    mine, theirs = each[2] + each[5], each[1] + each[6]

    def right(value: Tensor, rows: Tensor) -> float:
        match name:
            case "embedding":
                logits = anything.with_embedding(value).logits
            case "logits":
                logits = value
            case _:
                logits = anything.with_activation("blocks.0.mlp.hook_pre", value[:, :, None]).logits
        count = sum(int(logits[a, b].argmax()) == (a + b) % SMALL for a in rows.tolist() for b in range(SMALL))
        return count / (len(rows) * SMALL)

    keep, remove = _keep_and_remove(site, MINE, [DRAW], ROWS, SMALL)
    everywhere = torch.arange(SMALL)
    found = [keep.value, remove.value, keep.same.least, keep.as_large.least, remove.same.least, remove.as_large.least]
    expected = [
        right(constant + mine, everywhere), right(whole - mine, everywhere), right(constant + theirs, ROWS),
        right(constant + control, ROWS), right(whole - theirs, ROWS), right(whole - theirs + control, ROWS),
    ]  # fmt: skip
    assert found == expected
    assert (keep.site, keep.edit, remove.site, remove.edit) == (name, "keep only", name, "remove")


def test_knocking_out_takes_the_products_away_at_each_neuron_s_own_frequency(anything: Circuit) -> None:
    neurons = last_neurons(anything)
    rest = neurons.pre.clone()
    for n in range(12):
        x = neurons.pre[..., n : n + 1]
        shares = {k: products(x, k).norm().item() for k in fourier.frequencies(SMALL)}
        own = products(x, max(shares, key=shares.__getitem__))
        alone = own.mean(1, keepdim=True) + own.mean(0, keepdim=True) - own.mean((0, 1), keepdim=True)
        rest[..., n : n + 1] -= own - alone  # waves of a and of b stay
    effect = _knock_out(anything, [DRAW], ROWS)
    assert effect.value == accuracy(anything.with_activation("blocks.0.mlp.hook_pre", rest[:, :, None]).logits)
    assert (effect.site, effect.edit) == ("pre-activations", "knock out") and effect.same == effect.as_large


@pytest.mark.parametrize("p", [5, 12, 13])
def test_knocked_out_elsewhere_is_never_where_it_was(p: int) -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [_elsewhere(p, generator) for _ in range(50)]
    for each in drawn:
        assert sorted(each) == sorted(each.values()) == list(fourier.frequencies(p))
        assert all(k != there for k, there in each.items())
    assert len({each[1] for each in drawn}) == p // 2 - 1  # and everywhere else


def test_every_hand_is_turned_once_by_every_distance_but_none() -> None:
    a, delta = _turns(7, 42, torch.Generator().manual_seed(0))
    assert sorted(zip(a.tolist(), delta.tolist(), strict=True)) == [(i, d) for i in range(7) for d in range(1, 7)]
    some = _turns(7, 5, torch.Generator().manual_seed(0))
    assert torch.equal(some[0], a[:5]) and torch.equal(some[1], delta[:5])


def test_a_null_is_beaten_only_beyond_every_draw() -> None:
    assert not _null("turn", 0.0, [0.0] * 20).beaten and not _null("remove", 1.0, [1.0] * 20).beaten
    for edit, beats in (("keep only", 0.6), ("turn", 0.6), ("remove", 0.1), ("knock out", 0.1)):
        drawn = [0.2, 0.5, 0.3, 0.4, 0.2]
        null = _null(edit, beats, drawn)  # type: ignore[arg-type]
        assert null.beaten and (null.least, null.median, null.most) == pytest.approx((0.2, 0.3, 0.5))
        for tie in (0.2, 0.35, 0.5):
            assert not _null(edit, tie, drawn).beaten  # type: ignore[arg-type]
