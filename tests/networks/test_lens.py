"""The same network in TransformerLens gives the same numbers, and its tools work on it."""

import pytest
import torch

from interp.circuit import Circuit
from interp.files.formats.export import native_state_dict
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.lens import to_transformer_lens, tokens
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
