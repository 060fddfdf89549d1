"""What must not change a finding does not, and what must change it changes it in the known way."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import planted
from suited import possible

import analyses
from analyses.findings.finding import Finding
from interp import fourier
from interp.circuit import Circuit
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network
from interp.recipe import RECIPES
from interp.training.loop import train


@pytest.fixture(scope="module")
def trained() -> Network:
    """A network that has learned something, in float64, so that laws hold to many digits."""
    recipe = dataclasses.replace(
        RECIPES["steady"],
        p=13,
        network=Architecture(d_model=24, n_heads=2, d_head=12, d_mlp=48),
        train_fraction=0.8,
        steps=300,
        stop_test_loss=0.0,
    )
    *_, last = train(recipe, seed=0, dtype=torch.float64)
    assert isinstance(last.network, Network)
    return last.network


def _rotate(network: Network, seed: int) -> Network:
    """The same function in a rotated residual stream."""
    d = network.config.d_model
    R = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))).Q
    W = dict(network.parameters)
    for name in ("embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_O", "blocks.0.mlp.W_out", "blocks.0.mlp.b_out"):
        W[name] = W[name] @ R
    for name in ("blocks.0.attn.W_Q", "blocks.0.attn.W_K", "blocks.0.attn.W_V", "blocks.0.mlp.W_in", "unembed.W_U"):
        W[name] = R.T @ W[name]
    return Network(network.config, W)


def _permute_neurons(network: Network) -> Network:
    order = torch.randperm(network.config.d_mlp, generator=torch.Generator().manual_seed(0))
    W = dict(network.parameters)
    W["blocks.0.mlp.W_in"], W["blocks.0.mlp.b_in"] = W["blocks.0.mlp.W_in"][:, order], W["blocks.0.mlp.b_in"][order]
    W["blocks.0.mlp.W_out"] = W["blocks.0.mlp.W_out"][order]
    return Network(network.config, W)


def _swap_a_and_b(network: Network) -> Network:
    """With '=' at the end, exchanging the first two positions exchanges a and b."""
    W = dict(network.parameters)
    W["pos_embed.W_pos"] = W["pos_embed.W_pos"][[1, 0, 2]]
    return Network(network.config, W)


def _relabel(network: Network, u: int) -> Network:
    """Token a means u·a: L'[a, b, c] = L[ua, ub, uc]."""
    p = network.config.p
    order = torch.cat([torch.arange(p) * u % p, torch.arange(p, network.config.d_vocab)])
    W = dict(network.parameters)
    W["embed.W_E"], W["unembed.W_U"] = W["embed.W_E"][order], W["unembed.W_U"][:, order[: network.config.d_vocab_out]]
    return Network(network.config, W)


def _close(ours: object, theirs: object) -> bool:
    """Equal but for rounding, however nested."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_close(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_close, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-8)
    return ours == theirs


def _findings(network: Network) -> dict[str, Finding]:
    circuit = Circuit(network)
    exact = {"gradient_symmetry": {"triples": None}, "clock_or_pizza": {"triples": None}}
    return {name: analyses.MEASUREMENTS[name](circuit, **exact.get(name, {})) for name in possible()}


def test_rotating_the_residual_stream_changes_nothing_but_the_participation_ratio(trained: Network) -> None:
    before = _findings(trained)
    for seed in range(3):
        after = _findings(_rotate(trained, seed))
        for name, finding in before.items():
            ours, theirs = finding.to_dict(), after[name].to_dict()
            # It is defined per column of W_E, so it alone depends on the basis.
            for values in (ours, theirs):
                values.pop("inverse_participation_ratio", None)
            assert _close(ours, theirs), name


def test_permuting_neurons_permutes_the_neurons_and_nothing_else(trained: Network) -> None:
    before, after = _findings(trained), _findings(_permute_neurons(trained))
    for name, finding in before.items():
        ours, theirs = finding.to_dict(), after[name].to_dict()
        if name == "neuron_clusters":
            for values in (ours, theirs):
                values["best_frequencies"].sort()
                values["shares"].sort()
        if name == "neuron_maps":
            for each in (*ours["maps"], *theirs["maps"]):
                each.pop("neuron")
        assert _close(ours, theirs), name


def test_swapping_a_and_b_swaps_attention_and_nothing_else_but_the_published_sample(trained: Network) -> None:
    before, after = _findings(trained), _findings(_swap_a_and_b(trained))
    assert torch.allclose(Circuit(_swap_a_and_b(trained)).logits, Circuit(trained).logits.transpose(0, 1), atol=1e-9)
    for name in ("performance", "key_frequencies", "logit_spectrum", "neuron_clusters", "embedding_spectrum"):
        assert _close(before[name].to_dict(), after[name].to_dict()), name
    for name in ("gradient_symmetry", "distance_irrelevance"):
        ours, theirs = before[name].to_dict(), after[name].to_dict()
        for values in (ours, theirs):
            values.pop("paper_sample", None)
            values.pop("mean_correct", None)
        assert _close(ours, theirs), name
    means = after["attention_pattern"].to_dict()["means"]
    assert _close([[b, a, e] for a, b, e in means], before["attention_pattern"].to_dict()["means"])


@settings(max_examples=8)
@given(u=st.integers(2, 58), kind=st.sampled_from(["clocks", "pizzas"]))
def test_relabelling_sends_each_frequency_to_its_image(u: int, kind: str) -> None:
    p, frequencies = 59, (3, 15, 17)
    circuit = Circuit(_relabel(planted(p, **{kind: frequencies}), u))  # type: ignore[arg-type]
    images = {fourier.fold(k * u, p) for k in frequencies}
    keys = analyses.key_frequencies(circuit)
    assert set(keys.frequencies) == images and keys.differences() == {}
    verdict = analyses.clock_or_pizza(circuit, triples=100)
    assert verdict.verdict == kind.removesuffix("s")
    assert dict(verdict.frequencies).keys() == images


def test_relabelling_a_trained_network_moves_its_spectra(trained: Network) -> None:
    p, u = 13, 5
    before, after = _findings(trained), _findings(_relabel(trained, u))
    for name, field in (("logit_spectrum", "clock_terms"), ("embedding_spectrum", "shares")):
        ours, theirs = before[name].to_dict()[field], after[name].to_dict()[field]
        for k in fourier.frequencies(p):
            # cos w_k(ua + ub - uc) is the term of frequency ku
            assert math.isclose(ours[k - 1], theirs[fourier.fold(k * u, p) - 1], rel_tol=1e-6, abs_tol=1e-9)
    assert _close(before["gradient_symmetry"].to_dict()["mean"], after["gradient_symmetry"].to_dict()["mean"])
    ours, theirs = before["distance_irrelevance"].to_dict(), after["distance_irrelevance"].to_dict()
    assert _close(ours["correct"], theirs["correct"]) and _close(ours["largest_wrong"], theirs["largest_wrong"])


def test_float32_and_float64_agree() -> None:
    network = initialise(NetworkConfig(p=13), seed=0)
    single, double = _findings(network), _findings(network.to(torch.float64))
    for name in ("performance", "embedding_spectrum", "logit_spectrum", "distance_irrelevance", "circularity"):
        other = double[name].to_dict()
        for field, value in single[name].to_dict().items():
            if isinstance(value, float):
                assert math.isclose(value, other[field], rel_tol=1e-3, abs_tol=1e-5), (name, field)
