"""The same network in TransformerLens gives the same numbers, and its tools work on it."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from planted import planted
from transformer_lens import HookedRootModule
from transformer_lens.hook_points import HookPoint

import analyses
import interp
from analyses.tools.last_layer import last_neurons
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files.formats.export import native_state_dict
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.lens import to_transformer_lens, tokens
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

CONFIGS = {
    "nanda": NetworkConfig(p=13),
    "pizza": NetworkConfig(p=11, equals_token=False, answers_equals=False, causal=False, attention_rate=0.0),
    "mixed rate, biases": NetworkConfig(
        p=12, answers_equals=False, attention_rate=0.4, attention_biases=True, unembed_bias=True
    ),
    "separate vocabularies": NetworkConfig(p=7, separate_vocabularies=True, answers_equals=False),
    "two layers, gelu": NetworkConfig(p=10, n_layers=2, activation="gelu", attention_rate=0.7, d_mlp=64),
    "no biases, not causal": NetworkConfig(p=7, mlp_biases=False, causal=False, n_layers=2),
}


def _network(config: NetworkConfig) -> Network:
    """Random weights, random biases too: zeros would hide a bias that went nowhere."""
    network = initialise(config, seed=0)
    generator = torch.Generator().manual_seed(1)
    noise = {name: 0.1 * torch.randn(x.shape, generator=generator) for name, x in network.parameters.items()}
    return Network(config, {name: x + noise[name] for name, x in network.parameters.items()})


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_and_activations_agree_on_all_pairs(name: str) -> None:
    network = _network(CONFIGS[name])
    circuit, model = Circuit(network), to_transformer_lens(network)
    p, last = network.config.p, network.config.n_layers - 1
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens(network.config))
    theirs = logits[:, -1, :p].reshape(p, p, p)
    assert (theirs - circuit.logits).abs().max() < 1e-4
    neurons = cache[f"blocks.{last}.mlp.hook_post"][:, -1].reshape(p, p, -1)
    assert (neurons - circuit.activation(f"blocks.{last}.mlp.hook_post")[:, :, -1]).abs().max() < 1e-4
    pattern = cache[f"blocks.{last}.attn.hook_pattern"][:, :, -1].reshape(p, p, network.config.n_heads, -1)
    assert (pattern - circuit.activation(f"blocks.{last}.attn.hook_pattern")[:, :, :, -1]).abs().max() < 1e-4


def test_the_exported_state_dict_is_the_one_that_transformer_lens_writes() -> None:
    network = _network(CONFIGS["nanda"])
    theirs, ours = to_transformer_lens(network).state_dict(), native_state_dict(network)
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in ours)


def test_hooks_patching_and_weights_work() -> None:
    config = CONFIGS["mixed rate, biases"]
    network = _network(config)
    model = to_transformer_lens(network)
    circuit = Circuit(network)
    p = config.p

    assert torch.equal(model.W_E, network.parameters["embed.W_E"])
    OV = network.parameters["blocks.0.attn.W_V"] @ network.parameters["blocks.0.attn.W_O"]
    assert torch.allclose(model.OV[0].AB, OV, atol=1e-5)

    # Ablating a neuron there and here is the same edit.
    def ablate(activation: torch.Tensor, hook: object = None) -> torch.Tensor:
        activation = activation.clone()
        activation[..., 3] = 0
        return activation

    with torch.no_grad():
        theirs = model.run_with_hooks(tokens(config), fwd_hooks=[("blocks.0.mlp.hook_post", ablate)])
    ours = circuit.with_activation("blocks.0.mlp.hook_post", ablate).logits
    assert (theirs[:, -1, :p].reshape(p, p, p) - ours).abs().max() < 1e-4
    assert (ours - circuit.logits).abs().max() > 1e-3

    # Patching the residual stream of another pair in gives that pair's answer.
    corrupted, clean = tokens(config)[:1], tokens(config)[17:18]
    with torch.no_grad():
        _, cache = model.run_with_cache(clean)
        patched = model.run_with_hooks(
            corrupted,
            fwd_hooks=[("blocks.0.hook_resid_post", lambda activation, hook: cache["blocks.0.hook_resid_post"])],
        )
    assert (patched[0, -1, :p] - circuit.logits.flatten(0, 1)[17]).abs().max() < 1e-4


def test_a_live_model_is_a_circuit_with_the_hooks_and_weights_that_it_has() -> None:
    known = interp.load("checkpoints/zhong-59-rate-0.pt")
    assert isinstance(known.network, Network)
    model = to_transformer_lens(known.network)
    live = interp.from_transformer_lens(model)
    assert live.notes == (
        "input (a, b) (the one usual input that runs)",
        "embedding hook_embed",
        "neurons blocks.0.mlp.hook_post (relu)",
    )
    assert (live.logits - known.logits).abs().max() < 1e-4 and torch.equal(live.embedding, known.embedding)
    assert (live.neurons - known.neurons).abs().max() < 1e-5 and (live.pattern - known.pattern).abs().max() < 1e-5
    assert analyses.attention_pattern(live).attention_rate == 0 and live.network.map_variation() == 0
    assert analyses.key_frequencies(live).frequencies == (21, 24, 29)
    assert (last_neurons(live).pre - last_neurons(known).pre).abs().max() < 1e-4

    heard: list[str] = []

    # The same function of (activation, hook), in TransformerLens and here.
    def patched(activation: torch.Tensor, hook: Any) -> torch.Tensor:
        heard.append(hook.name)
        return activation * (torch.arange(activation.shape[-1]) % 3 > 0)

    name = "blocks.0.mlp.hook_post"
    with torch.no_grad():
        theirs = model.run_with_hooks(tokens(known.network.config), fwd_hooks=[(name, patched)])[:, -1].unflatten(0, (59, 59))
    assert (live.with_activation(name, patched).logits - theirs).abs().max() < 1e-4
    assert (known.with_activation(name, patched).logits - theirs).abs().max() < 1e-4
    assert heard[1:] == [name, name]  # TransformerLens 4 has a name of its own for it
    with pytest.raises(InterpError, match=r"called blocks\.0\.mlp\.hook_psot: nearest are .*blocks\.0\.mlp\.hook_post"):
        _ = live.activation("blocks.0.mlp.hook_psot")

    model.add_perma_hook(name, patched)
    with torch.no_grad():
        model.W_E[0] = model.W_E[1]
    edited = interp.from_transformer_lens(model)
    expected = known.with_activation(name, patched).with_embedding(known.embedding[[1, *range(1, 59)]])
    assert (edited.logits - expected.logits).abs().max() < 1e-4 and (edited.logits - live.logits).abs().max() > 1


def test_equals_is_told_from_an_operator_by_what_the_model_computes_and_by_its_context() -> None:
    network = _network(CONFIGS["nanda"])
    model = to_transformer_lens(network)
    with pytest.raises(InterpError, match=r"\(a, b, =\) with p = 13, .* say p="):
        interp.from_transformer_lens(model)
    planted_one = to_transformer_lens(planted(11, clocks=[2]).to(torch.float32))
    assert interp.from_transformer_lens(planted_one).notes[0].startswith("input (a, b, =) (the one of 2")


def test_an_older_kind_of_model_will_do() -> None:
    """HookedTransformer, which TransformerLens 4 no longer has, is such a module: hook points by name, a configuration."""

    class Hooked(HookedRootModule):
        def __init__(self) -> None:
            super().__init__()
            self.cfg = SimpleNamespace(n_layers=1, n_ctx=2, d_vocab=7)
            self.W_E, self.W_in, self.W_U = (torch.nn.Parameter(torch.randn(*s)) for s in ((7, 6), (6, 20), (20, 7)))
            self.hook_embed = HookPoint()
            self.blocks = torch.nn.ModuleList([torch.nn.Module()])
            self.blocks[0].mlp = torch.nn.Module()
            self.blocks[0].mlp.hook_pre, self.blocks[0].mlp.hook_post = HookPoint(), HookPoint()
            self.setup()

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            mlp: Any = self.blocks[0].mlp
            pre = mlp.hook_pre(self.hook_embed(self.W_E[tokens]) @ self.W_in)
            return mlp.hook_post(pre.relu()).sum(1, keepdim=True) @ self.W_U

    circuit = interp.from_transformer_lens(Hooked(), p=7)
    assert circuit.notes[1:] == ("embedding hook_embed", "neurons blocks.0.mlp.hook_post (relu)")
    assert circuit.network.pre_activations_name() == "blocks.0.mlp.hook_pre"
    with pytest.raises(Unavailable, match="needs attention"):
        _ = circuit.pattern
