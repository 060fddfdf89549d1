"""Networks that are right on hardly any pair, on all, or on some: accurate ones with noise, without some neurons, and worse."""

from dataclasses import replace
from functools import cache

import torch
from planted import planted

from analyses.tools.proofs.token_forward import token_forward
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.config import Parameters
from interp.networks.transformer import Network

Certifiable = Network | AttentionFree


@cache
def accurate() -> tuple[Certifiable, ...]:
    """Small networks that are right on all pairs: a trained one with attention, a planted pizza, the same without attention."""
    pizza = planted(13, pizzas=(1, 3, 5), attention_rate=0.0)
    return trained(), pizza, without_attention(pizza)


def trained() -> Network:
    """A network of p = 13 that is right on all pairs, trained once."""
    from interp.recipe import RECIPES
    from interp.training.loop import train

    network = replace(RECIPES["zhong-2023"].network, d_model=32, d_head=8, d_mlp=64)
    recipe = replace(RECIPES["zhong-2023"], p=13, network=network, steps=800, learning_rate=5e-3)
    *_, last = train(recipe, seed=0, record_every=800)
    assert isinstance(last.network, Network) and last.test_accuracy == 1
    return last.network


def without_attention(network: Network) -> AttentionFree:
    """The network as W_U ReLU(F_a + G_b), where its attention rate is 0 and what it writes past the neurons is nothing."""
    tables = token_forward(network)
    F, G = (table.value.sum(1) for table in tables.to_neurons[:2])
    G = G + tables.last_neurons.value + sum(table.value.sum(1) for table in tables.to_neurons[2:])
    p, width = F.shape
    config = AttentionFreeConfig(
        p=p, kind="direct", d_embedding=width, d_hidden=width, biases=False, separate_vocabularies=True
    )
    return AttentionFree(config, {"embed_a.W_E": F, "embed_b.W_E": G, "unembed.W_U": tables.V.value})


def perturbed(network: Certifiable, seed: int) -> Certifiable:
    """The network with noise, some neurons gone, or its unembedding in fewer dimensions: accuracies from chance to all."""
    generator = torch.Generator().manual_seed(seed)
    parameters, kind = dict(network.parameters), seed % 3
    strength = torch.rand(1, generator=generator).item()
    if kind == 0:
        for name, x in parameters.items():
            parameters[name] = x + 1.5 * strength * x.std() * torch.randn(x.shape, generator=generator)
    elif kind == 1:
        written = "blocks.0.mlp.W_out" if isinstance(network, Network) else "unembed.W_U"
        kept = torch.rand(len(parameters[written]), generator=generator) > strength
        parameters[written] = parameters[written] * kept[:, None]
    else:
        W_U = parameters["unembed.W_U"]
        noise = torch.randn(W_U.shape, generator=generator) * W_U.std()
        parameters["unembed.W_U"] = (1 - strength) * W_U + strength * noise
    return with_parameters(network, parameters)


def with_parameters(network: Certifiable, parameters: Parameters) -> Certifiable:
    """The network with other parameters."""
    if isinstance(network, Network):
        return Network(network.config, parameters)
    return AttentionFree(network.config, parameters)


def in_double(network: Certifiable) -> Certifiable:
    """The same network computing in float64."""
    return with_parameters(network, {name: x.double() for name, x in network.parameters.items()})
