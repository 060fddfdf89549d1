"""Networks of unknown make are read by what they compute: every element of an architecture, and nothing misread in silence."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch_strangers  # noqa: F401 (adds to STRANGERS)
from planted import planted
from safetensors.torch import save_file
from strangers import STRANGERS, P, logits, trained

from analyses import key_frequencies, performance
from analyses.tools.last_layer import last_neurons
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import checkpoint, formats
from interp.files.formats.export import native_state_dict
from interp.files.formats.facts import Facts
from interp.networks.attention_free import AttentionFree
from interp.networks.transformer import Network


def distance(network: object, truth: torch.Tensor) -> float:
    """The largest difference between a network's logits and the true ones, by the largest of these."""
    read = Circuit(network).logits  # type: ignore[arg-type]
    return ((read - truth).abs().max() / truth.abs().max()).item() if read.shape == truth.shape else float("inf")


def saved(name: str, folder: Path) -> Path:
    state = trained(name).state_dict()
    if "embed_b.weight" in state and torch.equal(state["embed_a.weight"], state["embed_b.weight"]):
        del state["embed_b.weight"]
    torch.save({"model_state_dict": state, "epoch": 3}, folder / "theirs.pt")
    return folder / "theirs.pt"


@pytest.mark.parametrize("name", STRANGERS)
def test_every_element_of_an_architecture_is_read_to_the_logits_of_its_author(name: str, tmp_path: Path) -> None:
    path, truth = saved(name, tmp_path), logits(trained(name))
    told = formats.load(path, Facts(**STRANGERS[name].said))
    assert distance(told.network, truth) < 1e-5
    assert "computes a + b mod 11" in told.notes[1]
    # Without a word from its author it is read as its author ran it, or that reading is named among those that fit as well.
    epsilon = STRANGERS[name].said.get("normalization_epsilon")  # nothing tells one small number from another
    untold = formats.load(path, Facts(normalization_epsilon=epsilon))
    alike = [untold.network, *(each.network for each in untold.assumed)]
    assert min(distance(each, truth) for each in alike) < 1e-3  # the two forms of GELU count as one


def test_a_stated_loss_decides_between_readings(tmp_path: Path) -> None:
    network, other = trained("gelu"), saved("gelu", tmp_path)
    content = torch.load(other, weights_only=True)
    a, b = torch.arange(P)[:, None], torch.arange(P)[None]
    loss = torch.nn.functional.cross_entropy(logits(network).flatten(0, 1), ((a + b) % P).flatten()).item()
    assert "fits as well: activation gelu" in formats.load(other).notes[-1]  # relu is taken
    torch.save({**content, "train_loss": loss, "val_loss": loss}, other)
    read = formats.load(other).network
    assert isinstance(read, Network) and read.config.activation == "gelu"


def test_a_normalisation_whose_weights_were_folded_away_is_found(tmp_path: Path) -> None:
    """TransformerLens's names, as it saves a network with fold_ln: no tensor says that the stream is divided."""
    module = trained("layer_norm_without_weights").state_dict()
    state = {
        "embed.W_E": module["wte.weight"],
        "pos_embed.W_pos": module["wpe.weight"],
        "unembed.W_U": module["lm_head.weight"].T,
        "unembed.b_U": torch.zeros(P + 1),
        "blocks.0.mlp.W_in": module["h.0.mlp.c_fc.weight"].T,
        "blocks.0.mlp.b_in": module["h.0.mlp.c_fc.bias"],
        "blocks.0.mlp.W_out": module["h.0.mlp.c_proj.weight"].T,
        "blocks.0.mlp.b_out": module["h.0.mlp.c_proj.bias"],
        "blocks.0.attn.W_O": module["h.0.attn.c_proj.weight"].T.reshape(4, 6, 24),
        "blocks.0.attn.b_O": module["h.0.attn.c_proj.bias"],
        "blocks.0.attn.mask": torch.ones(3, 3, dtype=torch.bool).tril(),
        "blocks.0.attn.IGNORE": torch.tensor(-torch.inf),
    }
    for letter, W, bias in zip(
        "QKV", module["h.0.attn.c_attn.weight"].chunk(3), module["h.0.attn.c_attn.bias"].chunk(3), strict=True
    ):
        state[f"blocks.0.attn.W_{letter}"] = W.T.reshape(24, 4, 6).permute(1, 0, 2)
        state[f"blocks.0.attn.b_{letter}"] = bias.reshape(4, 6)
    torch.save({name: x.contiguous() for name, x in state.items()}, tmp_path / "folded.pt")
    truth = logits(trained("layer_norm_without_weights"))
    for said in (Facts(), Facts(activation="gelu"), Facts(normalization="layer", activation="gelu")):
        read = formats.load(tmp_path / "folded.pt", said)
        assert distance(read.network, truth) < 1e-5, said
        assert "LayerNorm before attention and MLP and before the logits, without weights" in read.notes[0]


def test_names_that_say_nothing_are_refused_with_a_map_to_fill_in(tmp_path: Path) -> None:
    state = trained("linear_modules").state_dict()
    strange = {f"part{i}": x for i, x in enumerate(state.values())}
    torch.save(strange, tmp_path / "strange.pt")
    with pytest.raises(InterpError, match=r'--names MAP\.toml .*"part0" = ""; "part1" = ""') as caught:
        formats.load(tmp_path / "strange.pt")
    assert "\n" not in str(caught.value)
    attention = [f"0.attention.{letter}{ending}" for letter in "qkvo" for ending in ("", ".bias")]
    mlp = [f"0.mlp.{part}{ending}" for part in ("in", "out") for ending in ("", ".bias")]
    names = dict(zip(strange, ["positions", "embed", *attention, *mlp, "unembed", "unembed.bias"], strict=True))
    read = formats.load(tmp_path / "strange.pt", Facts(names=names, activation="relu"))
    assert distance(read.network, logits(trained("linear_modules"))) < 1e-5


def test_a_part_that_no_reading_uses_is_never_left_out_of_a_network_that_computes_nothing(tmp_path: Path) -> None:
    state = {**trained("linear_modules").state_dict(), "gain": torch.ones(24)}
    state["fc2.weight"] = torch.randn(state["fc2.weight"].shape, generator=torch.Generator().manual_seed(0))
    torch.save(state, tmp_path / "theirs.pt")
    with pytest.raises(InterpError, match="has tensors that no reading uses: gain; leaving them out could change the answer"):
        formats.load(tmp_path / "theirs.pt")
    state["fc2.weight"] = trained("linear_modules").state_dict()["fc2.weight"]
    torch.save(state, tmp_path / "theirs.pt")
    assert any("not used, and not needed for its answers: gain" in note for note in formats.load(tmp_path / "theirs.pt").notes)


@pytest.mark.parametrize(
    ("name", "operation"), [("times", "a·b mod 11"), ("minus", "a - b mod 11"), ("apart", "|a - b| of numbers below 11")]
)
def test_the_operation_that_it_computes_is_its_task(name: str, operation: str, tmp_path: Path) -> None:
    """One-hot vectors side by side, one neuron a pair: it answers whatever its table says."""
    a, b = (x.flatten() for x in torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij"))
    answers = {"times": a * b % P, "minus": (a - b) % P, "apart": (a - b).abs()}[name]
    rows = torch.cat([torch.eye(P)[a], torch.eye(P)[b]], dim=1)
    state = {"fc1.weight": rows, "fc1.bias": torch.full((P * P,), -1.0), "fc2.weight": torch.eye(P)[answers].T.contiguous()}
    save_file(state, tmp_path / "theirs.safetensors")
    read = formats.load(tmp_path / "theirs.safetensors", Facts(activation="relu"))
    assert read.task.sentence == operation and not read.instead
    # As another task it is told what it does.
    other = formats.load(tmp_path / "theirs.safetensors", Facts(activation="relu", task="ab+b"))
    assert other.task.name == "ab+b"
    assert other.instead.startswith(f"as {operation} it is right on 1.0000 of all pairs")
    assert any(note.startswith("does not compute ab + b mod 11") for note in other.notes)


@pytest.mark.parametrize("name", ["gpt2_convolutions", "rms_norm_after", "norm_before_the_logits_only", "encoder_layer_after"])
def test_behind_the_last_neurons_a_normalised_network_is_linear_while_its_sizes_are_held(name: str, tmp_path: Path) -> None:
    circuit = formats.load(saved(name, tmp_path), Facts(**STRANGERS[name].said)).circuit()
    neurons = last_neurons(circuit)
    assert neurons.gain is not None and neurons.gain.std() > 1e-3
    held = circuit
    assert isinstance(circuit.network, Network)
    for hook in circuit.network.normalizations_behind_neurons:
        held = held.with_activation(f"{hook}.hook_scale", circuit.activation(f"{hook}.hook_scale").clone())
    doubled = held.with_activation(circuit.network.neurons_name(), lambda post: 2 * post)
    expected = neurons.bypass + 2 * (neurons.post(neurons.pre) @ neurons.neuron_logit_map)
    assert torch.allclose(doubled.centred_logits, (expected - expected.mean(-1, keepdim=True)).double(), atol=1e-3)


@pytest.mark.parametrize("name", ["llama_of_two_layers", "rms_norm_after", "zero_vector", "embeddings_side_by_side_two_hidden"])
def test_a_stranger_is_saved_whole_and_what_cannot_be_carried_over_is_refused(name: str, tmp_path: Path) -> None:
    read = formats.load(saved(name, tmp_path), Facts(**STRANGERS[name].said))
    assert isinstance(read.network, Network | AttentionFree)
    for ending in ("pt", "safetensors"):
        checkpoint.save(tmp_path / f"ours.{ending}", read)
        again = formats.load(tmp_path / f"ours.{ending}")
        assert isinstance(again.network, Network | AttentionFree) and again.network.config == read.network.config
        assert torch.equal(Circuit(again.network).logits, Circuit(read.network).logits)
    if isinstance(read.network, Network) and name != "zero_vector":
        with pytest.raises(InterpError, match="not carried over to TransformerLens"):
            native_state_dict(read.network)


def test_a_planted_circuit_inside_a_normalised_network_is_found(tmp_path: Path) -> None:
    """RMSNorm before attention, MLP and logits scales every vector that is read by a number that differs from pair to pair."""

    network = planted(11, clocks=(1, 2), pizzas=(4,))
    normalised = Network(
        replace(network.config, normalization="rms", normalization_weights=False, final_normalization=True), network.parameters
    )
    assert performance(Circuit(normalised)).accuracy == 1
    assert set(key_frequencies(Circuit(normalised)).frequencies) == {1, 2, 4}
