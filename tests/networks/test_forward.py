"""The forward pass against a plain one, broadcasting, edits. (test_lens compares it with TransformerLens.)"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.config import NetworkConfig
from interp.networks.forward import embed, forward
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network

configs = st.builds(
    lambda equals, **options: NetworkConfig(equals_token=equals, answers_equals=equals, **options),
    equals=st.booleans(),
    p=st.integers(2, 9),
    d_model=st.integers(1, 12),
    n_layers=st.integers(1, 3),
    n_heads=st.integers(1, 3),
    d_head=st.integers(1, 5),
    d_mlp=st.integers(1, 10),
    activation=st.sampled_from(["relu", "gelu"]),
    causal=st.booleans(),
    attention_rate=st.sampled_from([0.0, 0.3, 1.0]),
    attention_biases=st.booleans(),
    mlp_biases=st.booleans(),
    unembed_bias=st.booleans(),
)


def _network(config: NetworkConfig, seed: int = 0) -> Network:
    """Random everywhere, biases included."""
    network = initialise(config, seed=seed, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return Network(
        config,
        {name: x + 0.3 * torch.randn(x.shape, generator=generator, dtype=x.dtype) for name, x in network.parameters.items()},
    )


def _plain(network: Network, tokens: torch.Tensor) -> torch.Tensor:
    """A forward pass written as in the papers: every position everywhere, one einsum per line."""
    config, W = network.config, network.parameters
    x = W["embed.W_E"][tokens] + W["pos_embed.W_pos"]
    for layer in range(config.n_layers):
        block = f"blocks.{layer}"
        q, k, v = (
            torch.einsum("bpm,hmd->bphd", x, W[f"{block}.attn.W_{letter}"]) + W.get(f"{block}.attn.b_{letter}", 0)
            for letter in "QKV"
        )
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(config.d_head)
        visible = torch.ones(config.n_ctx, config.n_ctx, dtype=x.dtype)
        if config.causal:
            visible = visible.tril()
        pattern = scores.masked_fill(visible == 0, -torch.inf).softmax(-1)
        pattern = config.attention_rate * pattern + (1 - config.attention_rate) * visible
        z = torch.einsum("bhqk,bkhd->bqhd", pattern, v)
        x = x + torch.einsum("bqhd,hdm->bqm", z, W[f"{block}.attn.W_O"]) + W.get(f"{block}.attn.b_O", 0)
        pre = x @ W[f"{block}.mlp.W_in"] + W.get(f"{block}.mlp.b_in", 0)
        post = torch.nn.functional.gelu(pre) if config.activation == "gelu" else pre.clamp(min=0)
        x = x + post @ W[f"{block}.mlp.W_out"] + W.get(f"{block}.mlp.b_out", 0)
    return (x @ W["unembed.W_U"] + W.get("unembed.b_U", 0))[:, -1]


@settings(max_examples=60)
@given(config=configs, seed=st.integers(0, 100))
def test_all_pairs_at_once_equal_the_plain_pass(config: NetworkConfig, seed: int) -> None:
    network = _network(config, seed)
    residues = torch.arange(config.p)
    tokens = torch.cartesian_prod(residues, residues)
    if config.equals_token:
        tokens = torch.cat([tokens, torch.full((len(tokens), 1), config.p)], dim=1)
    expected = _plain(network, tokens)
    logits = Circuit(network).logits.flatten(0, 1)
    assert torch.allclose(logits, expected[:, : config.p], rtol=1e-10, atol=1e-10)

    flat, activations = forward(
        config, network.parameters, embed(config, network.parameters, tokens[:, 0], tokens[:, 1]), record=None
    )
    assert torch.allclose(flat, expected, rtol=1e-10, atol=1e-10)
    assert activations["blocks.0.hook_resid_pre"].shape == (config.p**2, config.n_ctx, config.d_model)
    last = f"blocks.{config.n_layers - 1}"
    assert activations[f"{last}.mlp.hook_post"].shape == (config.p**2, 1, config.d_mlp)
    assert activations[f"{last}.attn.hook_pattern"].shape == (config.p**2, config.n_heads, 1, config.n_ctx)
    assert activations[f"{last}.attn.hook_k"].shape == (config.p**2, config.n_ctx, config.n_heads, config.d_head)


CONFIG = NetworkConfig(p=5, d_model=8, n_heads=2, d_head=4, d_mlp=16)


def test_replacing_an_activation_by_itself_changes_nothing_and_by_another_changes_what_follows() -> None:
    circuit = Circuit(_network(CONFIG))
    for name in ("hook_embed", "blocks.0.hook_resid_pre", "blocks.0.attn.hook_v", "blocks.0.attn.hook_pattern",
                 "blocks.0.attn.hook_z", "blocks.0.hook_resid_mid", "blocks.0.mlp.hook_pre"):  # fmt: skip
        value = circuit.activation(name)
        assert torch.allclose(circuit.with_activation(name, value).logits, circuit.logits, atol=1e-12)
        changed = circuit.with_activation(name, lambda activation: activation * 0.5)
        assert not torch.allclose(changed.logits, circuit.logits, atol=1e-6)
        assert torch.equal(changed.activation(name), value * 0.5)


def test_edits_add_up() -> None:
    circuit = Circuit(_network(CONFIG))
    both = circuit.with_embedding(circuit.embedding * 2).with_activation("blocks.0.hook_mlp_out", torch.zeros_like)
    assert torch.equal(both.embedding, circuit.embedding * 2)
    assert torch.equal(both.activation("blocks.0.hook_resid_post"), both.activation("blocks.0.hook_resid_mid"))
    assert not torch.equal(both.activation("blocks.0.hook_resid_mid"), circuit.activation("blocks.0.hook_resid_mid"))


def test_unknown_names_and_wrong_shapes_are_refused() -> None:
    circuit = Circuit(_network(CONFIG))
    with pytest.raises(InterpError, match=r"no activation called blocks\.1\.hook_resid_pre"):
        circuit.activation("blocks.1.hook_resid_pre")
    with pytest.raises(InterpError, match="no activation called hook_nonsense"):
        _ = circuit.with_activation("hook_nonsense", torch.zeros(1)).logits
    with pytest.raises(InterpError, match="must keep its shape"):
        _ = circuit.with_activation("blocks.0.mlp.hook_post", torch.zeros(3)).logits
    with pytest.raises(InterpError, match=r"embedding of shape \[5, 8\], got \[6, 8\]"):
        circuit.with_embedding(torch.zeros(6, 8, dtype=torch.float64))


def test_too_large_a_modulus_is_refused_before_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    network = initialise(NetworkConfig(p=721, d_model=2, n_heads=1, d_head=2, d_mlp=1), seed=0)
    monkeypatch.setattr("interp.memory.available", lambda: 300 << 20)
    with pytest.raises(InterpError, match=r"p = 721 is too large .* would take 0.48 GiB .* 0.29 GiB are free"):
        Circuit(network)
