"""Configurations and parameters that do not fit are refused, with the reason."""

from typing import Any

import pytest
import torch

from interp.errors import InterpError
from interp.networks.attention_free import AttentionFreeConfig
from interp.networks.config import NetworkConfig, parameter_shapes
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"p": 1}, "modulus p of at least 2"),
        ({"n_heads": 0}, "n_heads of at least 1"),
        ({"n_layers": 1000}, "at most 64 layers"),
        ({"attention_rate": 1.5}, "between 0 and 1"),
        ({"attention_rate": float("nan")}, "between 0 and 1"),
        ({"equals_token": False, "answers_equals": True}, "answers_equals needs equals_token"),
    ],
)
def test_impossible_configurations_are_refused(config: dict[str, object], message: str) -> None:
    with pytest.raises(InterpError, match=message):
        NetworkConfig(**config)  # type: ignore[arg-type]


def test_vocabularies_follow_from_the_modulus_given() -> None:
    """Not from a default one: published code that computes them in the field's default gives 114 for p = 59."""
    config = NetworkConfig(p=59)
    assert (config.d_vocab, config.d_vocab_out, config.n_ctx) == (60, 60, 3)
    bare = NetworkConfig(p=59, equals_token=False, answers_equals=False)
    assert (bare.d_vocab, bare.d_vocab_out, bare.n_ctx) == (59, 59, 2)


def test_a_network_of_which_nothing_is_said_is_the_published_one() -> None:
    """Nanda et al. 2023, arXiv 2301.05217, but for the number of steps: see the recipes."""
    config = NetworkConfig()
    assert (config.p, config.d_model, config.n_layers, config.n_heads, config.d_head, config.d_mlp) == (113, 128, 1, 4, 32, 512)
    assert (config.n_ctx, config.d_vocab, config.d_vocab_out) == (3, 114, 114)


def test_parameters_must_fit_the_configuration() -> None:
    config = NetworkConfig(p=5, d_model=8, n_heads=2, d_head=4, d_mlp=16)
    parameters = initialise(config, seed=0).parameters
    name = "blocks.0.mlp.W_in"

    with pytest.raises(InterpError, match=f"missing: {name}"):
        Network(config, {key: value for key, value in parameters.items() if key != name})
    with pytest.raises(InterpError, match="does not have: extra"):
        Network(config, {**parameters, "extra": torch.zeros(1)})
    with pytest.raises(InterpError, match=r"W_in of shape \[8, 16\], got \[16, 8\]"):
        Network(config, {**parameters, name: parameters[name].T})
    with pytest.raises(InterpError, match="NaN or infinite"):
        Network(config, {**parameters, name: parameters[name] * torch.nan})
    with pytest.raises(InterpError, match="all float32 or all float64"):
        Network(config, {**parameters, name: parameters[name].double()})
    with pytest.raises(InterpError, match="all float32 or all float64"):
        Network(config, {key: value.half() for key, value in parameters.items()})


@pytest.mark.parametrize("n_layers", [1, 3])
def test_names_and_shapes_are_transformer_lens_s(n_layers: int) -> None:
    shapes = parameter_shapes(NetworkConfig(p=7, n_layers=n_layers, attention_biases=True, unembed_bias=True))
    assert shapes["embed.W_E"] == (8, 128)
    assert shapes[f"blocks.{n_layers - 1}.attn.W_O"] == (4, 32, 128)
    assert len(shapes) == 4 + 12 * n_layers


@pytest.mark.parametrize("name", ["d_embedding", "d_hidden"])
def test_an_attention_free_network_has_some_width(name: str) -> None:
    start: dict[str, Any] = {"p": 5, "d_embedding": 1, "d_hidden": 1}
    assert AttentionFreeConfig(kind="alpha", biases=True, separate_vocabularies=False, **start).p == 5
    with pytest.raises(InterpError, match=f"{name} of at least 1, got 0"):
        AttentionFreeConfig(kind="alpha", biases=True, separate_vocabularies=False, **{**start, name: 0})
