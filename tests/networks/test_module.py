"""Any torch module: the same network in torch's own layers gives the same numbers, and what is not named is found or said."""

from typing import Any

import pytest
import torch
from modules import Encoder, GatedPlanted, Memory, OneHots, P, Twin, TwoTables, equals, pairs
from torch import Tensor, nn
from torch.nn import functional

import analyses
import interp
from analyses.tools.last_layer import last_neurons
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.model import Unavailable
from interp.networks.modules.network import ModuleNetwork
from interp.networks.transformer import Network

SMALL: dict[str, Any] = {"p": P, "d_model": 16, "n_heads": 2, "d_head": 8, "d_mlp": 32}
CONFIGS = {
    "as published": NetworkConfig(**SMALL),
    "without '=', gelu, two layers, not causal": NetworkConfig(
        **SMALL, equals_token=False, answers_equals=False, activation="gelu", n_layers=2, causal=False
    ),
    "LayerNorm before and at the end": NetworkConfig(**SMALL, normalization="layer", final_normalization=True),
    "LayerNorm after": NetworkConfig(**SMALL, normalization="layer", normalization_place="after"),
    "RMSNorm, gated, two layers": NetworkConfig(
        **SMALL, normalization="rms", final_normalization=True, gated_mlp=True, activation="silu", n_layers=2
    ),
}


def both(name: str) -> tuple[Circuit, Circuit]:
    """A random network of ours, and its twin in torch's layers."""
    network = initialise(CONFIGS[name], seed=0)
    generator = torch.Generator().manual_seed(1)
    parameters = {each: x + 0.1 * torch.randn(x.shape, generator=generator) for each, x in network.parameters.items()}
    network = Network(network.config, parameters)
    last = network.config.n_layers - 1
    tokens = equals if network.config.equals_token else pairs
    twin = interp.from_module(Twin(network), p=P, tokens=tokens, attention=f"blocks.{last}.attention")
    return Circuit(network), twin


def close(x: Tensor, y: Tensor) -> bool:
    return bool((x - y).abs().max() <= 2e-5 * y.abs().max())


def centred(x: Tensor) -> Tensor:
    return x - x.mean(-1, keepdim=True)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_twin_in_torchs_own_layers_is_the_same_network(name: str) -> None:
    ours, twin = both(name)
    network, config = ours.network, CONFIGS[name]
    assert isinstance(network, Network)
    assert close(twin.logits, ours.logits)
    assert torch.equal(twin.embedding, ours.embedding)
    assert close(twin.neurons, ours.neurons)
    assert close(twin.pattern, ours.pattern) and twin.network.attention_rate() == 1
    assert twin.network.layers_of_neurons() == config.n_layers
    assert analyses.gradient_symmetry(twin).mean == pytest.approx(analyses.gradient_symmetry(ours).mean, abs=1e-4)

    assert close(centred(twin.neuron_logit_map), centred(ours.neuron_logit_map))
    mine, theirs = network.gain(), twin.network.gain()
    assert (mine is None) == (theirs is None) == (not network.normalizations_behind_neurons)
    assert (mine is not None) == any("multiply a pair's own by 1 ±" in note for note in twin.notes)
    if mine is not None and theirs is not None:
        assert close(theirs, mine) and mine.mean() == pytest.approx(1) and mine.std() > 0.05
    assert twin.network.map_variation() == network.map_variation() == 0
    if not config.gated_mlp:
        others = last_neurons(ours).pre.roll(1, 0)
        at = (torch.tensor([0, 3, 5]), torch.tensor([1, 1, 6]))
        held = ours
        for normalization in network.normalizations_behind_neurons:
            hook = f"{normalization}.hook_scale"
            held = held.with_activation(hook, ours.activation(hook).clone())
        truth = held.with_activation(network.pre_activations_name(), others.unsqueeze(-2)).logits
        for each in (last_neurons(ours), last_neurons(twin)):
            assert close(each.pre, last_neurons(ours).pre)
            assert close(each.logits(others), truth)
            assert close(each.logits(others[at], at=at), truth[at])


def test_a_trained_network_gets_the_same_answer_and_says_what_it_read() -> None:
    ours = interp.load("checkpoints/zhong-59-rate-1.pt")
    assert isinstance(ours.network, Network)
    twin = interp.from_module(Twin(ours.network))
    read = "input (a, b) (the one usual input that runs)"
    assert twin.notes == (read, "embedding tok_emb", "neurons blocks.0.act (ReLU)")
    assert (twin.logits - ours.logits).abs().max() < 1e-4
    assert analyses.key_frequencies(twin).frequencies == analyses.key_frequencies(ours).frequencies
    theirs, mine = analyses.clock_or_pizza(twin), analyses.clock_or_pizza(ours)
    assert theirs.frequencies == mine.frequencies and theirs.verdict == mine.verdict == "clock"
    assert theirs.coordinate == pytest.approx(mine.coordinate, abs=1e-5)
    assert theirs.gradient_symmetry == pytest.approx(mine.gradient_symmetry, abs=1e-5)
    assert torch.allclose(centred(twin.neuron_logit_map), centred(ours.neuron_logit_map), atol=1e-5)
    assert twin.network.map_variation() == 0


def test_a_circuit_planted_in_gated_neurons_behind_a_normalisation_is_found() -> None:
    circuit = interp.from_module(GatedPlanted(23, pizzas=[5], clocks=[3]))
    assert circuit.notes[0] == "input (a, b, =) (the one of 2 usual inputs that run with which it computes)"
    assert circuit.notes[1:3] == ("embedding embed", "neurons down:input (gated ReLU)")
    keys = analyses.key_frequencies(circuit)
    assert keys.frequencies == keys.neuron_logit_map == keys.neurons == keys.embedding == (3, 5)
    assert analyses.performance(circuit).accuracy == 1
    with pytest.raises(Unavailable, match="a known function of one input, which down:input is not"):
        analyses.phase_law(circuit)

    # The logits of every pair are what the neurons write, divided by the size of that pair, and what bypasses them.
    network = circuit.network
    assert isinstance(network, ModuleNetwork)
    stream = circuit.activation("norm:input").select(-2, -1)
    sizes = 1 / (stream.square().mean(-1) + 1e-6).sqrt()
    gain = network.gain()
    assert gain is not None and gain.std() > 0.1 and torch.allclose(gain, sizes / sizes.mean(), atol=1e-4)


def test_what_a_module_reads_twice_or_in_one_place_is_found() -> None:
    generator = torch.Generator().manual_seed(0)
    for batch_first, kind in ((True, nn.LSTM), (False, nn.GRU)):
        memory = Memory(kind, batch_first)
        circuit = interp.from_module(memory, p=P, tokens=pairs, neurons="memory")
        a, b = torch.cartesian_prod(torch.arange(P), torch.arange(P)).unbind(1)
        direct = memory(pairs(a, b))
        direct = (direct[:, -1] if batch_first else direct[-1]).unflatten(0, (P, P))
        assert torch.allclose(circuit.logits, direct, atol=1e-6)
        E = torch.randn(P, 6, generator=generator)
        with torch.no_grad():
            memory.embedding.weight[:] = E
        assert torch.allclose(circuit.with_embedding(E).logits, interp.from_module(memory, p=P, tokens=pairs).logits, atol=1e-6)
        assert torch.allclose(circuit.neuron_logit_map, memory.head.weight.T, atol=1e-6)
        assert circuit.neurons.shape == (P, P, 10) and analyses.gradient_symmetry(circuit).mean < 1

    tables = TwoTables()
    circuit = interp.from_module(tables)
    assert torch.equal(circuit.embedding, torch.cat([tables.one.weight, tables.two.weight], 1))
    assert circuit.notes[-2:] == ("embedding one and two", "neurons down:input (tanh)")
    assert analyses.gradient_symmetry(circuit).mean == pytest.approx(1)

    perceptron = OneHots()
    circuit = interp.from_module(perceptron)
    assert circuit.notes[1:] == ("logits second", "embedding first", "neurons second:input (relu)")
    W = perceptron.first.weight.detach()
    assert torch.equal(circuit.tables[0], W[:, :P].T) and torch.equal(circuit.tables[1], W[:, P:].T)
    a, b = torch.arange(P)[:, None], torch.arange(P)
    hidden = functional.relu(W.T[:P][a] + W.T[P:][b] + perceptron.first.bias)
    assert torch.allclose(circuit.logits, perceptron.second(hidden), atol=1e-6)


def test_torchs_encoder_is_seen_through_and_left_as_it_was() -> None:
    encoder = Encoder().train()
    circuit = interp.from_module(encoder, p=P, tokens=equals, attention="encoder.layers.0.self_attn")
    assert all(part.training for part in encoder.modules()) and torch.backends.mha.get_fastpath_enabled()
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in encoder.modules())
    assert circuit.notes[2] == "neurons encoder.layers.0.dropout (relu)"
    layer = encoder.eval().encoder.layers[0]
    assert isinstance(layer, nn.TransformerEncoderLayer)
    logits = encoder(equals(torch.arange(P), torch.arange(P)))["logits"]
    assert torch.allclose(circuit.logits.diagonal().T, logits[:, -1], atol=1e-5)
    assert torch.allclose(circuit.pattern.sum(-1), torch.ones(P, P, 2), atol=1e-5) and circuit.pattern.std() > 0.001
    silent = circuit.with_activation("encoder.layers.0.linear2", torch.zeros_like)
    assert (silent.logits - circuit.logits).abs().max() > 0.01
    with pytest.raises(InterpError, match="can be read and not edited"):
        _ = circuit.with_activation("encoder.layers.0.self_attn:pattern", torch.zeros_like).logits


def test_edits_by_dotted_name_are_those_of_our_own_hooks() -> None:
    ours, twin = both("LayerNorm before and at the end")

    def without_3(activation: Tensor) -> Tensor:
        return activation.index_fill(-1, torch.tensor([3]), 0)

    for mine, theirs in (("blocks.0.mlp.hook_post", "blocks.0.act"), ("blocks.0.mlp.hook_post", "blocks.0.down:input")):
        edited, known = twin.with_activation(theirs, without_3), ours.with_activation(mine, without_3)
        assert torch.allclose(edited.logits, known.logits, atol=1e-4)
        assert (edited.logits - twin.logits).abs().max() > 0.01
    moved = twin.with_embedding(twin.embedding.roll(1, 0))
    assert torch.allclose(moved.logits, twin.logits.roll((1, 1), (0, 1)), atol=1e-5)
    with pytest.raises(InterpError, match=r"must keep its shape \[7, 7, 3, 32\], got \[7, 7, 3, 31\]"):
        _ = twin.with_activation("blocks.0.act", lambda x: x[..., 1:]).logits


def test_functions_of_an_activation_and_its_hook_are_edits_and_unknown_names_list_the_nearest() -> None:
    ours, twin = both("as published")
    heard: list[str] = []

    def halved(activation: Tensor, hook: Any) -> Tensor:
        heard.append(hook.name)
        return activation / 2

    def of_keyword(activation: Tensor, *, hook: Any) -> Tensor:
        return halved(activation, hook)

    for circuit, name in ((ours, "blocks.0.mlp.hook_post"), (twin, "blocks.0.act")):
        expected = circuit.with_activation(name, lambda x: x / 2).logits
        for function in (halved, of_keyword, lambda x, hook=None: x / 2):
            assert torch.equal(circuit.with_activation(name, function).logits, expected)  # type: ignore[arg-type]
    assert heard == ["blocks.0.mlp.hook_post"] * 2 + ["blocks.0.act"] * 2
    with pytest.raises(InterpError, match="got one of 3 arguments"):
        ours.with_activation("hook_embed", lambda x, y, z: x)  # type: ignore[arg-type]
    with pytest.raises(InterpError, match=r"called blocks\.0\.mlp\.hook_psot: nearest are blocks\.0\.mlp\.hook_post"):
        _ = ours.with_activation("blocks.0.mlp.hook_psot", halved).logits
    with pytest.raises(InterpError, match=r"called blocks\.0\.atc: nearest are blocks\.0\.act"):
        _ = twin.activation("blocks.0.atc")


class Faint(nn.Module):
    """Vectors so small that what a normalisation adds to their size counts."""

    def __init__(self, norm: nn.LayerNorm | nn.RMSNorm) -> None:
        super().__init__()
        self.emb, self.act, self.norm, self.head = nn.Embedding(P, 8), nn.Tanh(), norm, nn.Linear(8, P)
        with torch.no_grad():
            self.emb.weight *= 0.01 * torch.arange(1, P + 1)[:, None]

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.norm(self.act(self.emb(tokens).sum(1))))


@pytest.mark.parametrize(
    "norm", [nn.LayerNorm(8, eps=1e-4), nn.RMSNorm(8, eps=1e-4), nn.LayerNorm(8, elementwise_affine=False, eps=1e-4)]
)
def test_the_map_behind_a_normalisation_is_that_of_its_definition(norm: nn.LayerNorm | nn.RMSNorm) -> None:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.normal_(generator=generator)
    module = Faint(norm)
    circuit = interp.from_module(module, p=P, tokens=pairs)
    x = circuit.neurons
    x = x - x.mean(-1, keepdim=True) if isinstance(norm, nn.LayerNorm) else x
    sizes = (x.square().mean(-1) + 1e-4).sqrt()
    weight = torch.ones(8) if norm.weight is None else norm.weight.detach()
    M = torch.diag(weight) @ module.head.weight.detach().T
    M = M - M.mean(0) if isinstance(norm, nn.LayerNorm) else M
    assert (circuit.neuron_logit_map - (1 / sizes).mean() * M).abs().max() < 1e-3 * circuit.neuron_logit_map.abs().max()
    gain = circuit.network.gain()
    assert gain is not None and gain.std() > 0.2 and torch.allclose(gain, (1 / sizes) / (1 / sizes).mean(), atol=1e-3)
