"""Interventions by their definitions, on networks that have something at every frequency: there no draw of a null is 0 or 1."""

import math
from collections.abc import Callable

import pytest
import torch
from planted import planted
from torch import Tensor

import analyses
from analyses.tools.ablation import Draw, Site, as_large, embedding_site, logit_site, neuron_site, part, random_draws
from analyses.tools.last_layer import last_neurons
from analyses.tools.pairs import Pairs, held_out, some_of
from analyses.tools.turning import Turning
from analyses.trials.causal import _elsewhere, _keep_and_remove, _knock_out, _null
from interp import fourier
from interp.circuit import Circuit
from interp.errors import InterpError
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
    generator = torch.Generator().manual_seed(0)
    pairs = some_of(held_out(circuit), P * P, generator)  # all, in the order in which they are drawn
    some_of(pairs, 100, generator)
    turning = Turning.of(circuit, pairs, 20 * P, generator)
    assert turn.value == pytest.approx(turned_share(turning), abs=1e-12)
    assert 0.5 < turn.value < 0.9


def turned_share(turning: Turning) -> float:
    """How often is the answer (a + Δ) + b when the key part of every number's embedding is that of Δ more? One by one."""
    E_a, E_b = turning.circuit.tables
    hand = at(E_a, KEYS)
    logits = {
        delta: turning.circuit.with_tables((E_a - hand + hand.roll(-delta, 0), E_b)).logits
        for delta in turning.delta.unique().tolist()
    }
    inputs = zip(*(x.tolist() for x in turning.shown), turning.delta.tolist(), strict=True)
    moved = [int(logits[delta][(there - delta) % P, b].argmax()) == (there + b) % P for there, b, delta in inputs]
    return sum(moved) / len(moved)


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
        assert any(
            each.startswith("trying interventions at the pre-activations needs a network that is not edited")
            for each in lacking
        ), name


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
SOME = torch.tensor([0, 4, 4, 11, 5, 12]), torch.tensor([7, 7, 0, 1, 12, 3])
"""Some pairs."""
EVERYWHERE = torch.arange(SMALL * SMALL) // SMALL, torch.arange(SMALL * SMALL) % SMALL


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
    site, each = site_of(name, anything), parts(name, anything)

    def of(values: Tensor, pairs: Pairs) -> Tensor:
        return values if name == "embedding" else values[pairs]

    for k in fourier.frequencies(SMALL):
        assert torch.allclose(site.part([k], EVERYWHERE), of(each[k], EVERYWHERE))
    assert torch.allclose(site.part(MINE, EVERYWHERE), of(each[2] + each[5], EVERYWHERE))
    control = site.as_large(DRAW, EVERYWHERE)
    assert torch.allclose(control, of(large(name, anything), EVERYWHERE))
    assert control.norm().item() == pytest.approx(site.part(MINE, EVERYWHERE).norm().item())
    assert torch.allclose(site.part(MINE, SOME), of(each[2] + each[5], SOME))
    whole = site.whole(EVERYWHERE)
    if name == "pre-activations":  # products of different frequencies are no part of any
        assert torch.allclose(site.constant, whole.mean(0))
        assert all(part.mean((0, 1)).abs().max() < 1e-12 for part in each.values())
    else:
        assert torch.allclose(site.constant + of(sum(each.values()), EVERYWHERE), whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SITES)
def test_keeping_and_removing_are_their_definitions(name: str, anything: Circuit) -> None:
    """The answers of a random network are few and far between: hardly any two of these accuracies are the same."""
    site, each, control = site_of(name, anything), parts(name, anything), large(name, anything)
    whole = {"embedding": anything.embedding, "logits": anything.centred_logits}.get(name)
    whole = last_neurons(anything).pre if whole is None else whole
    constant = whole.mean((0, 1)) if name == "pre-activations" else whole - sum(each.values())
    mine, theirs = each[2] + each[5], each[1] + each[6]

    def right(value: Tensor, pairs: Pairs) -> float:
        match name:
            case "embedding":
                logits = anything.with_embedding(value).logits
            case "logits":
                logits = value
            case _:
                logits = anything.with_activation("blocks.0.mlp.hook_pre", value[:, :, None]).logits
        answered = [int(logits[a, b].argmax()) == (a + b) % SMALL for a, b in zip(*(x.tolist() for x in pairs), strict=True)]
        return sum(answered) / len(answered)

    keep, remove = _keep_and_remove(site, MINE, [DRAW], EVERYWHERE, SOME)
    found = [keep.value, remove.value, keep.same.least, keep.as_large.least, remove.same.least, remove.as_large.least]
    expected = [
        right(constant + mine, EVERYWHERE), right(whole - mine, EVERYWHERE), right(constant + theirs, SOME),
        right(constant + control, SOME), right(whole - theirs, SOME), right(whole - theirs + control, SOME),
    ]  # fmt: skip
    assert found == pytest.approx(expected, abs=1e-12)
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
    effect = _knock_out(anything, [DRAW], EVERYWHERE, SOME)
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


def test_hands_are_turned_at_pairs_that_were_not_trained_on(anything: Circuit) -> None:
    """Where the split is not known, or leaves nothing, at all pairs."""
    trained = torch.arange(SMALL * SMALL).reshape(SMALL, SMALL)[:, :-2].flatten()
    circuit = Circuit(anything.network, train_pairs=trained)
    assert set(held_out(circuit)[1].tolist()) == {SMALL - 2, SMALL - 1} and len(held_out(circuit)[0]) == 2 * SMALL
    turning = Turning.of(circuit, held_out(circuit), 400, torch.Generator().manual_seed(0))
    assert set(turning.shown[1].tolist()) == {SMALL - 2, SMALL - 1} and set(turning.shown[0].tolist()) == set(range(SMALL))
    assert set(turning.delta.tolist()) == set(range(1, SMALL))
    found = analyses.causal(circuit, draws=1, turned_inputs=40)
    assert (found.pairs, found.are_held_out) == (2 * SMALL, True)
    wrong = [int(circuit.logits[a, b].argmax()) != (a + b) % SMALL for a in range(SMALL) for b in (SMALL - 2, SMALL - 1)]
    assert found.accuracy == pytest.approx(1 - sum(wrong) / len(wrong))
    for known in (None, torch.arange(SMALL * SMALL)):
        everything = Circuit(anything.network, train_pairs=known)
        assert len(held_out(everything)[0]) == SMALL * SMALL
        assert not analyses.causal(everything, draws=1, turned_inputs=40).are_held_out


def test_a_null_is_beaten_only_beyond_every_draw() -> None:
    assert not _null("turn", 0.0, [0.0] * 20).beaten and not _null("remove", 1.0, [1.0] * 20).beaten
    for edit, beats in (("keep only", 0.6), ("turn", 0.6), ("remove", 0.1), ("knock out", 0.1)):
        drawn = [0.2, 0.5, 0.3, 0.4, 0.2]
        null = _null(edit, beats, drawn)  # type: ignore[arg-type]
        assert null.beaten and (null.least, null.median, null.most) == pytest.approx((0.2, 0.3, 0.5))
        for tie in (0.2, 0.35, 0.5):
            assert not _null(edit, tie, drawn).beaten  # type: ignore[arg-type]


def test_draws_are_as_many_as_large_and_elsewhere() -> None:
    drawn = random_draws(KEYS, P, count=100, least=20, seed=0)
    assert len({tuple(sorted(draw.frequencies)) for draw in drawn}) == 100
    x = torch.randn(P, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for draw in drawn:
        assert len(set(draw.frequencies)) == 3 and not set(draw.frequencies) & set(KEYS)
        control = as_large(x, KEYS, draw)
        assert control.norm().item() == pytest.approx(part(x, KEYS).norm().item())
        assert (part(control, draw.frequencies) - control).abs().max() < 1e-9
    assert len(random_draws((1, 2), 17, count=100, least=15, seed=0)) == 15  # all that there are
    with pytest.raises(InterpError, match="needs 20 different sets of 3 frequencies that are not key, of 3"):
        random_draws((1, 2, 3), 13, count=100, least=20, seed=0)
    with pytest.raises(InterpError, match="needs key frequencies"):
        random_draws((), 13, count=100, least=20, seed=0)
