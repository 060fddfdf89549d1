"""What other projects' files do not say: from where it is learnt, what is tried, and what is assumed and said."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import ALL_SAID, FORMATS, hooked, papers, random_network
from planted import planted

import analyses
import interp
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.formats.facts import Facts, facts_within
from interp.networks.transformer import Network


def test_what_nobody_says_is_tried_and_named(tmp_path: Path) -> None:
    """With an '=' the attention is ordinary unless somebody says otherwise; ReLU is taken where it computes the sum."""
    network = planted(11, clocks=(1, 2, 3))
    torch.save(papers(network), tmp_path / "theirs.pt")
    circuit = interp.load(tmp_path / "theirs.pt")
    assert torch.equal(circuit.logits, Circuit(network).logits)
    assert circuit.notes[1].startswith("attention rate 1, ordinary attention, assumed")
    assert circuit.notes[2].startswith("read as --activation relu, assumed (not stored; it answers 1.0000 of the pairs")
    assert "as gelu it answers" in circuit.notes[2]
    assert analyses.clock_or_pizza(circuit).verdict == "clock"


@pytest.mark.parametrize("trained_with", ["relu", "gelu"])
def test_an_activation_that_nobody_says_is_relu_whatever_the_loss(tmp_path: Path, trained_with: str) -> None:
    """Both compute the sum, and the loss is lower with GELU: it is a coin toss, so the assumption is stated, not the loss."""
    network = planted(11, clocks=(1, 2, 3))
    network.parameters["embed.W_E"] *= 2
    network.parameters["unembed.W_U"] *= 0.01
    network = Network(replace(network.config, activation=trained_with), network.parameters)  # type: ignore[arg-type]
    torch.save(papers(network), tmp_path / "theirs.pt")
    saved = formats.load(tmp_path / "theirs.pt")
    assert isinstance(saved.network, Network) and saved.network.config.activation == "relu"
    (assumed,) = saved.assumed
    assert (assumed.taken, assumed.other) == ("activation relu", "activation gelu")
    assert assumed.network.config.activation == "gelu"
    losses = [analyses.performance(Circuit(each)).loss for each in (saved.network, assumed.network)]
    assert all(analyses.performance(Circuit(each)).accuracy == 1 for each in (saved.network, assumed.network))
    assert losses[1] < losses[0]
    for said in ("relu", "gelu"):
        told = formats.load(tmp_path / "theirs.pt", Facts(activation=said))
        assert not told.assumed and isinstance(told.network, Network) and told.network.config.activation == said


def test_an_activation_under_which_alone_it_computes_the_sum_is_taken_and_said(tmp_path: Path) -> None:
    """A network for which GELU alone is right is read with GELU; ReLU is what is then said to fail."""
    network = planted(11, clocks=(1, 2, 3))
    # Small sums: GELU is nearly x/2 + 0.4x² there, which multiplies; a bias below 0 leaves ReLU with nothing.
    W = dict(network.parameters)
    W["embed.W_E"] = W["embed.W_E"] / 20
    W["blocks.0.mlp.b_in"] = torch.full((network.config.d_mlp,), -0.2, dtype=torch.float64)
    W["blocks.0.mlp.b_out"] = torch.zeros(network.config.d_model, dtype=torch.float64)
    torch.save(papers(Network(replace(network.config, mlp_biases=True, activation="gelu"), W)), tmp_path / "theirs.pt")
    saved = formats.load(tmp_path / "theirs.pt")
    assert isinstance(saved.network, Network) and saved.network.config.activation == "gelu"
    assert analyses.performance(Circuit(saved.network)).accuracy == 1
    assert [each.network.config.activation for each in saved.assumed] == ["relu"]
    assert "read as --activation gelu, assumed" in saved.notes[-1] and "as relu it answers 0." in saved.notes[-1]


def test_a_network_that_has_not_learned_is_read_with_relu_and_the_doubt_is_said(tmp_path: Path) -> None:
    network = random_network()
    torch.save(papers(network), tmp_path / "random.pt")
    circuit = interp.load(tmp_path / "random.pt")
    assert torch.equal(circuit.logits, Circuit(network).logits)
    assert "Under neither does it compute a + b mod 6" in circuit.notes[-1] and "normalisation" in circuit.notes[-1]


@pytest.mark.parametrize(
    "container",
    [
        lambda s: {"model": s, "config": {"act_fn": "gelu"}},
        lambda s: {"model": s, "config": {"lr": 1e-3, "model_config": {"act_fn": "GELU", "normalization_type": None}}},
        lambda s: {"state_dict": s, "hyper_parameters": {"model": 3, "cfg": {"activation": "gelu"}}},
        lambda s: {"model": s, "args": {"hidden_act": "gelu"}, "history": {"p": [1.0], "act_fn": "relu"}},
        lambda s: {"model": s, "activation": "gelu", "optimizer": {"param_groups": [{"act_fn": "relu"}]}},
    ],
)
def test_what_a_container_says_is_found_however_deep(tmp_path: Path, container: Any) -> None:
    network = random_network(activation="gelu")
    torch.save(container(papers(network)), tmp_path / "theirs.pt")
    saved = formats.load(tmp_path / "theirs.pt")
    assert not saved.assumed and torch.equal(Circuit(saved.network).logits, Circuit(network).logits)


def test_what_a_json_file_beside_it_says_is_found_however_deep(tmp_path: Path) -> None:
    network = random_network(activation="gelu")
    torch.save(papers(network), tmp_path / "theirs.pt")
    (tmp_path / "config.json").write_text(json.dumps({"seed": 1, "model_config": {"hparams": {"act_fn": "gelu"}}}))
    assert torch.equal(interp.load(tmp_path / "theirs.pt").logits, Circuit(network).logits)


def test_which_source_outranks_which(tmp_path: Path) -> None:
    """Options, then what the layout stores, then the container, the shallower first, then a JSON file beside it."""
    network = random_network(activation="gelu")
    beside = tmp_path / "config.json"
    beside.write_text(json.dumps({"act_fn": "relu"}))
    deep = {"act_fn": "gelu", "model_config": {"act_fn": "relu"}}

    def activation(content: Any, **given: Any) -> str:
        torch.save(content, tmp_path / "theirs.pt")
        read = interp.load(tmp_path / "theirs.pt", **given).network
        assert isinstance(read, Network)
        return read.config.activation

    state = papers(network)
    assert activation(state) == "relu"
    assert activation({"model": state, "config": {"act_fn": "gelu"}}) == "gelu"
    assert activation({"model": state, "config": deep}) == "gelu"
    assert activation({"model": state, "act_fn": "gelu", "config": {"act_fn": "relu"}}) == "gelu"
    assert activation({"model": state, "config": deep}, activation="relu") == "relu"
    masked = random_network(n_layers=2, causal=True)
    torch.save(hooked(masked), tmp_path / "masked.pt")
    unmasked = interp.load(tmp_path / "masked.pt", activation="relu", causal=False).network
    assert isinstance(unmasked, Network) and not unmasked.config.causal
    # The moduli of clock-and-pizza, of rep-theory and of anybody: the first outranks.
    for values, modulus in (({"C": 6, "group_parameter": 7, "p": 8}, 6), ({"group_parameter": 6, "p": 8}, 6), ({"p": 6}, 6)):
        assert facts_within({"config": values}).modulus == modulus
    # clock-and-pizza stores a direction and does not use it: with a rate beside it, every position sees every other.
    two = random_network(n_layers=2, causal=False, attention_rate=0.5, equals_token=False)
    torch.save(papers(two), tmp_path / "theirs.pt")
    beside.write_text(json.dumps({"p": 6, "attn_coeff": 0.5, "attention_dir": "causal", "act_fn": "relu"}))
    assert torch.equal(interp.load(tmp_path / "theirs.pt").logits, Circuit(two).logits)
    causal = random_network(n_layers=2, causal=True)
    torch.save(papers(causal), tmp_path / "theirs.pt")
    beside.write_text(json.dumps({"attention_dir": "causal", "act_fn": "relu"}))
    assert torch.equal(interp.load(tmp_path / "theirs.pt").logits, Circuit(causal).logits)


def test_configurations_that_contain_each_other_are_gone_through_once(tmp_path: Path) -> None:
    wide: dict[str, Any] = {}
    wide.update({f"config{i}": wide for i in range(300)})
    assert facts_within({"model": {}, "config": wide, "p": 7}).modulus == 7


def test_an_attention_rate_that_several_fit_is_never_guessed(tmp_path: Path) -> None:
    """A pizza computes the sum at any rate, and the loss does not tell which one it was trained at."""
    network = planted(11, pizzas=(1, 2, 3), attention_rate=0.3, equals_token=False)
    torch.save(papers(network), tmp_path / "theirs.pt")
    with pytest.raises(InterpError, match=r"under \d+ of 22 readings \(.*\): decide with --attention-rate"):
        interp.load(tmp_path / "theirs.pt")
    circuit = interp.load(tmp_path / "theirs.pt", attention_rate=0.3)
    assert torch.equal(circuit.logits, Circuit(network).logits)


def test_a_network_that_computes_nothing_is_read_literally_and_the_options_that_decide_are_named(tmp_path: Path) -> None:
    network = random_network(equals_token=False)
    torch.save(papers(network), tmp_path / "random.pt")
    circuit = interp.load(tmp_path / "random.pt", modulus=6)
    assert torch.equal(circuit.logits, Circuit(network).logits)  # ReLU, rate 1
    assert "does not compute a + b mod 6 under any of 22 readings" in circuit.notes[-1]
    assert "--activation --attention-rate decide" in circuit.notes[-1]


def test_several_readings_name_the_options_that_decide(tmp_path: Path) -> None:
    # 12 tokens at two positions: p = 12, or p = 6 with vocabularies of their own.
    wide = random_network(equals_token=False, separate_vocabularies=True)
    state = papers(wide)
    state["unembed.W_U"] = torch.cat([state["unembed.W_U"]] * 2, dim=1)
    torch.save(state, tmp_path / "wide.pt")
    with pytest.raises(InterpError, match="--modulus"):
        interp.load(tmp_path / "wide.pt", **ALL_SAID)
    assert interp.load(tmp_path / "wide.pt", **ALL_SAID, modulus=6).p == 6
    assert interp.load(tmp_path / "wide.pt", **ALL_SAID, modulus=12).p == 12


@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_mask_matters_from_two_layers_on_and_is_read_where_stored(tmp_path: Path, n_layers: int) -> None:
    for causal in (True, False):
        network = random_network(n_layers=n_layers, causal=causal)
        torch.save(hooked(network), tmp_path / "theirs.pt")
        circuit = interp.load(tmp_path / "theirs.pt", activation="relu")
        assert torch.equal(circuit.logits, Circuit(network).logits)


def test_a_json_file_beside_it_is_believed_and_options_overrule_it(tmp_path: Path) -> None:
    network = random_network(attention_rate=0.3, equals_token=False, activation="gelu")
    torch.save(papers(network), tmp_path / "model_abc.pt")
    beside = tmp_path / "config_abc.json"
    beside.write_text(json.dumps({"C": 6, "attn_coeff": 0.3, "act_fn": "GeLU", "diff_vocab": False, "func": None}))
    assert torch.equal(interp.load(tmp_path / "model_abc.pt").logits, Circuit(network).logits)
    other = interp.load(tmp_path / "model_abc.pt", attention_rate=1.0)
    assert isinstance(other.network, Network) and other.network.config.attention_rate == 1

    for text, message in (
        ("{", "cannot be read as JSON"),
        ('{"C": "six"}', "gives C as 'six', not a number"),
        ('{"attn_coeff": 7}', "out of range"),
        ('{"act_fn": "Tanh"}', "relu, gelu, gelu_tanh, silu, square are supported"),
        ('{"C": 59}', r"fit no way to read a \+ b mod p with modulus 59"),
    ):
        beside.write_text(text)
        with pytest.raises(InterpError, match=message):
            interp.load(tmp_path / "model_abc.pt", activation=None if "act_fn" in text else "relu")


def test_heads_of_any_number_are_tried_for_a_native_bridge(tmp_path: Path) -> None:
    network = random_network(n_heads=3, d_model=6, d_head=2)
    torch.save(FORMATS["bridge"](network), tmp_path / "theirs.pt")
    literal = interp.load(tmp_path / "theirs.pt", activation="relu")
    assert "under any of 4 readings" in literal.notes[-1] and "--heads decide" in literal.notes[-1]  # 1, 2, 3 and 6
    assert torch.equal(interp.load(tmp_path / "theirs.pt", activation="relu", n_heads=3).logits, Circuit(network).logits)


def test_what_a_json_file_said_is_said_and_does_not_overrule_the_weights(tmp_path: Path) -> None:
    network = random_network(n_layers=2, causal=True)
    torch.save(hooked(network), tmp_path / "model.pt")
    beside = tmp_path / "config.json"
    beside.write_text(json.dumps({"attn_coeff": 0.0, "act_fn": "relu"}))
    circuit = interp.load(tmp_path / "model.pt")
    assert torch.equal(circuit.logits, Circuit(network).logits)  # this layout has no rate, and its mask is stored
    assert circuit.notes[1] == "from config.json beside it: activation relu"
    for key, value in (("parallel_attn_mlp", True), ("use_attn_scale", False), ("positional_embedding_type", "rotary")):
        beside.write_text(json.dumps({key: value, "act_fn": "relu"}))
        with pytest.raises(InterpError, match=f"says {key} .*: such networks are not supported"):
            interp.load(tmp_path / "model.pt")
    beside.write_text(json.dumps({"C": 3}))
    with pytest.raises(InterpError, match=r"modulus 3.*from config\.json beside it"):
        interp.load(tmp_path / "model.pt")
    beside.write_text('{"p": 1' + "0" * 400 + "}")
    with pytest.raises(InterpError, match="out of range"):
        interp.load(tmp_path / "model.pt")
