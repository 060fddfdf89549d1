"""Other projects' files, made up here from networks whose logits are known; what they do not say; what is refused."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from foreign import FORMATS, attention_free, hooked, linear, mlp, papers
from planted import planted
from torch.nn import functional

import analyses
import interp
from interp import formats
from interp.circuit import Circuit
from interp.config import NetworkConfig
from interp.errors import InterpError
from interp.formats.facts import Facts, facts_within
from interp.formats.layouts import _causal, recognise
from interp.formats.readings import _transformers, _vocabularies
from interp.initialisation import initialise
from interp.network import Network

ALL_SAID = {"activation": "relu", "attention_rate": 1.0, "causal": True, "n_heads": 2}


def _network(**config: Any) -> Network:
    """Random weights and biases."""
    start = {"p": 6, "d_model": 8, "n_heads": 2, "d_head": 4, "d_mlp": 12, "answers_equals": False}
    network = initialise(NetworkConfig(**{**start, **config}), seed=0)
    generator = torch.Generator().manual_seed(1)
    noise = {name: torch.randn(x.shape, generator=generator) for name, x in network.parameters.items()}
    return Network(network.config, {name: x + 0.3 * noise[name] for name, x in network.parameters.items()})


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize(
    ("suffix", "container"), [(".pt", None), (".pt", "model"), (".pt", "state_dict"), (".safetensors", None)]
)
def test_transformers_of_every_layout_give_their_logits(
    tmp_path: Path, name: str, layers: int, suffix: str, container: str | None
) -> None:
    network = _network(n_layers=layers)
    state = FORMATS[name](network)
    path = tmp_path / f"theirs{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        torch.save({container: state, "epoch": 3} if container else state, path)
    given = {key: value for key, value in ALL_SAID.items() if key != "n_heads" or name == "bridge"}
    circuit = interp.load(path, **given)
    assert torch.equal(circuit.logits, Circuit(network).logits)
    assert circuit.notes[0].startswith("format: ")


@pytest.mark.parametrize("equals", [True, False])
@pytest.mark.parametrize("separate", [True, False])
def test_vocabularies_are_told_apart(tmp_path: Path, equals: bool, separate: bool) -> None:
    network = _network(equals_token=equals, separate_vocabularies=separate)
    torch.save(papers(network), tmp_path / "theirs.pt")
    circuit = interp.load(tmp_path / "theirs.pt", **ALL_SAID, modulus=6)
    assert torch.equal(circuit.logits, Circuit(network).logits)
    assert circuit.embedding.shape == (6, 16 if separate else 8)


@pytest.mark.parametrize("kind", ["alpha", "beta", "gamma", "delta"])
def test_attention_free_networks_compute_what_their_paper_says(tmp_path: Path, kind: Any) -> None:
    network = attention_free(kind)
    state = linear(network)
    torch.save(state, tmp_path / "model_x.pt")
    (tmp_path / "config_x.json").write_text(json.dumps({"C": 7, "model_type": "ABGD".replace("G", "C")["abgd".index(kind[0])]}))
    circuit = interp.load(tmp_path / "model_x.pt")

    def l1(x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, state["l1.weight"], state["l1.bias"])

    def l2(x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, state["l2.weight"], state["l2.bias"])

    for a, b in ((0, 0), (2, 5), (6, 1)):
        x, y = state["embed.weight"][a], state["embed.weight"][b]
        match kind:
            case "alpha":
                h = l1(x + y).relu()
            case "beta":
                h = l2(l1(x + y).relu()).relu()
            case "gamma":
                h = l2((l1(x) + l1(y)).relu()).relu()
            case _:
                h = l1(torch.cat([x, y])).relu()
        assert torch.allclose(circuit.logits[a, b], state["unembed.weight"] @ h, atol=1e-4)


def test_the_one_layer_mlp_reads_two_embeddings(tmp_path: Path) -> None:
    state = mlp(attention_free("delta", separate=True, biases=False))
    torch.save(state, tmp_path / "model.pt")
    circuit = interp.load(tmp_path / "model.pt")
    h = (torch.cat([state["W_x"][3], state["W_y"][5]]) @ state["W"]).relu()
    assert torch.allclose(circuit.logits[3, 5], h @ state["W_U"], atol=1e-4)
    assert torch.equal(circuit.embedding, torch.cat([state["W_x"], state["W_y"]], dim=1))


def test_what_nobody_says_is_tried_and_named(tmp_path: Path) -> None:
    """With an '=' the attention is ordinary unless somebody says otherwise; ReLU is taken where it computes the sum."""
    network = planted(11, clocks=(1, 2, 3))
    torch.save(papers(network), tmp_path / "theirs.pt")
    circuit = interp.load(tmp_path / "theirs.pt")
    assert torch.equal(circuit.logits, Circuit(network).logits)
    assert circuit.notes[1].startswith("attention rate 1, ordinary attention, assumed")
    assert circuit.notes[2].startswith("read as --activation relu, assumed (not stored; it answers 1.0000 of the pairs")
    assert "as gelu it answers" in circuit.notes[2]
    assert analyses.clock_or_pizza(circuit).circuit == "clock"


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
    assert saved.assumed is not None and (saved.assumed.taken, saved.assumed.other) == ("activation relu", "activation gelu")
    assert saved.assumed.network.config.activation == "gelu"
    losses = [analyses.performance(Circuit(each)).loss for each in (saved.network, saved.assumed.network)]
    assert all(analyses.performance(Circuit(each)).accuracy == 1 for each in (saved.network, saved.assumed.network))
    assert losses[1] < losses[0]
    for said in ("relu", "gelu"):
        told = formats.load(tmp_path / "theirs.pt", Facts(activation=said))  # type: ignore[arg-type]
        assert told.assumed is None and isinstance(told.network, Network) and told.network.config.activation == said


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
    assert saved.assumed is not None and saved.assumed.network.config.activation == "relu"
    assert "read as --activation gelu, assumed" in saved.notes[-1] and "as relu it answers 0." in saved.notes[-1]


def test_a_network_that_has_not_learned_is_read_with_relu_and_the_doubt_is_said(tmp_path: Path) -> None:
    network = _network()
    torch.save(papers(network), tmp_path / "random.pt")
    circuit = interp.load(tmp_path / "random.pt")
    assert torch.equal(circuit.logits, Circuit(network).logits)
    assert "Under neither does it compute a + b mod p" in circuit.notes[-1] and "normalisation" in circuit.notes[-1]


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
    network = _network(activation="gelu")
    torch.save(container(papers(network)), tmp_path / "theirs.pt")
    saved = formats.load(tmp_path / "theirs.pt")
    assert saved.assumed is None and torch.equal(Circuit(saved.network).logits, Circuit(network).logits)


def test_what_a_json_file_beside_it_says_is_found_however_deep(tmp_path: Path) -> None:
    network = _network(activation="gelu")
    torch.save(papers(network), tmp_path / "theirs.pt")
    (tmp_path / "config.json").write_text(json.dumps({"seed": 1, "model_config": {"hparams": {"act_fn": "gelu"}}}))
    assert torch.equal(interp.load(tmp_path / "theirs.pt").logits, Circuit(network).logits)


def test_which_source_outranks_which(tmp_path: Path) -> None:
    """Options, then what the layout stores, then the container, the shallower first, then a JSON file beside it."""
    network = _network(activation="gelu")
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
    masked = _network(n_layers=2, causal=True)
    torch.save(hooked(masked), tmp_path / "masked.pt")
    unmasked = interp.load(tmp_path / "masked.pt", activation="relu", causal=False).network
    assert isinstance(unmasked, Network) and not unmasked.config.causal
    # The moduli of clock-and-pizza, of rep-theory and of anybody: the first outranks.
    for values, modulus in (({"C": 6, "group_parameter": 7, "p": 8}, 6), ({"group_parameter": 6, "p": 8}, 6), ({"p": 6}, 6)):
        assert facts_within({"config": values}).modulus == modulus
    # clock-and-pizza stores a direction and does not use it: with a rate beside it, every position sees every other.
    two = _network(n_layers=2, causal=False, attention_rate=0.5, equals_token=False)
    torch.save(papers(two), tmp_path / "theirs.pt")
    beside.write_text(json.dumps({"p": 6, "attn_coeff": 0.5, "attention_dir": "causal", "act_fn": "relu"}))
    assert torch.equal(interp.load(tmp_path / "theirs.pt").logits, Circuit(two).logits)
    causal = _network(n_layers=2, causal=True)
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


def test_several_readings_or_none_name_the_options_that_decide(tmp_path: Path) -> None:
    torch.save(papers(_network(equals_token=False)), tmp_path / "random.pt")
    with pytest.raises(InterpError, match=r"under none of the 22 readings .* --activation --attention-rate"):
        interp.load(tmp_path / "random.pt", modulus=6)
    # 12 tokens at two positions: p = 12, or p = 6 with vocabularies of their own.
    wide = _network(equals_token=False, separate_vocabularies=True)
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
        network = _network(n_layers=n_layers, causal=causal)
        torch.save(hooked(network), tmp_path / "theirs.pt")
        circuit = interp.load(tmp_path / "theirs.pt", activation="relu")
        assert torch.equal(circuit.logits, Circuit(network).logits)


def test_a_json_file_beside_it_is_believed_and_options_overrule_it(tmp_path: Path) -> None:
    network = _network(attention_rate=0.3, equals_token=False, activation="gelu")
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
        ('{"act_fn": "Tanh"}', "relu and gelu are supported"),
        ('{"C": 59}', r"fit no way to read a \+ b mod p with modulus 59"),
        ('{"normalization_type": "LN"}', "LayerNorm"),
    ):
        beside.write_text(text)
        with pytest.raises(InterpError, match=message):
            interp.load(tmp_path / "model_abc.pt", activation=None if "act_fn" in text else "relu")


def test_measurements_that_need_one_layer_say_so_and_the_others_work(tmp_path: Path) -> None:
    circuit = Circuit(_network(n_layers=3))
    for name in ("neuron_clusters", "attention_pattern"):
        with pytest.raises(InterpError, match="needs one layer, and this is a transformer of 3 layers"):
            analyses.MEASUREMENTS[name](circuit)
    keys = analyses.key_frequencies(circuit)
    assert keys.neurons is None and keys.neuron_logit_map is None and keys.embedding is not None
    for name in ("gradient_symmetry", "distance_irrelevance", "circularity", "amplitude_profile", "clock_or_pizza"):
        analyses.MEASUREMENTS[name](circuit).to_dict()


def test_unknown_state_dicts_are_described_with_the_way_in(tmp_path: Path) -> None:
    known = ("embed.weight", "pos", "Wq.weight", "Wo.weight", "mlp_in.weight", "unembed.weight")
    for names, hint in ((known, "nearest supported format: "), (("W_in", "W_out"), "none of these names is known (known are ")):
        torch.save({name: torch.zeros(3, 2) for name in names}, tmp_path / "theirs.pt")
        with pytest.raises(InterpError) as caught:
            interp.load(tmp_path / "theirs.pt")
        for words in (f"{names[-1]} [3, 2]", hint, "interp.from_function(f, p)", "interp.from_logits"):
            assert words in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("blocks.0.mlp.W_out"), "W_out is missing"),
        (lambda s: s.update({"blocks.0.ln1.w": torch.ones(8)}), "LayerNorm.*a folded network still divides by the standard"),
        (lambda s: s.update({"embed.W_E": torch.zeros(3, dtype=torch.int64)}), "expected embed.W_E with 2 axes"),
        (lambda s: s.update({"embed.W_E": torch.zeros(8, 7, dtype=torch.int64)}), "floating-point numbers"),
        (lambda s: s.update({"embed.W_E": torch.full((8, 7), torch.nan)}), "NaN or infinite"),
        (lambda s: s.update({"unembed.W_U": torch.zeros(8, 5)}), "fit no way to read"),
        (lambda s: s.update({"blocks.0.attn.W_O": torch.zeros(8, 9)}), "heads do not divide"),
        (lambda s: s.update({"embed.W_E": torch.zeros(1, 1).expand(10**6, 10**6)}), "larger than its storage"),
        (lambda s: s.update({"embed.W_E": torch.zeros(8, 7).to_sparse()}), "sparse, quantised"),
    ],
)
def test_broken_state_dicts_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    state = papers(_network())
    change(state)
    torch.save(state, tmp_path / "theirs.pt")
    with pytest.raises(InterpError, match=message) as caught:
        interp.load(tmp_path / "theirs.pt", **ALL_SAID)
    assert "\n" not in str(caught.value)


def test_our_own_files_need_no_options(tmp_path: Path) -> None:
    with pytest.raises(InterpError, match="give no reading options"):
        interp.load("checkpoints/zhong-59-rate-0.pt", attention_rate=1.0)
    with pytest.raises(InterpError, match="attention rate between 0 and 1"):
        interp.load("checkpoints/zhong-59-rate-0.pt", attention_rate=3.0)
    assert formats.load("checkpoints/zhong-59-rate-0.pt").notes == ()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: {"net": s, "epoch": 3},
        lambda s: {"checkpoint": {"weights": s}, "optimizer": {"state": {0: torch.zeros(2)}}},
        lambda s: {"model": s, "params": {"lr": torch.tensor(0.1)}},
        lambda s: {"state_dict": {f"model.{name}": tensor for name, tensor in s.items()}},
        lambda s: {f"_orig_mod.module.{name}": tensor for name, tensor in s.items()},
    ],
)
def test_containers_and_prefixes_of_any_name(tmp_path: Path, wrap: Any) -> None:
    for name, make in FORMATS.items():
        network = _network()
        torch.save(wrap(make(network)), tmp_path / "theirs.pt")
        given = {key: value for key, value in ALL_SAID.items() if key != "n_heads" or name == "bridge"}
        assert torch.equal(interp.load(tmp_path / "theirs.pt", **given).logits, Circuit(network).logits)


def test_a_file_with_two_networks_is_refused(tmp_path: Path) -> None:
    torch.save({"model": papers(_network()), "ema": papers(_network())}, tmp_path / "two.pt")
    with pytest.raises(InterpError, match="several networks, under model, ema"):
        interp.load(tmp_path / "two.pt", **ALL_SAID)


@pytest.mark.parametrize("extra", ["unembed.b_U", "blocks.0.attn.b_Q", "blocks.0.mlp.W_gate", "module.embed.W_E"])
def test_tensors_that_could_change_the_answer_are_never_left_out(tmp_path: Path, extra: str) -> None:
    torch.save({**papers(_network()), extra: torch.ones(6)}, tmp_path / "theirs.pt")
    with pytest.raises(InterpError, match=r"has tensors that this layout does not|unknown state dict"):
        interp.load(tmp_path / "theirs.pt", **ALL_SAID)
    torch.save({**linear(attention_free("delta")), "unembed.bias": torch.ones(7)}, tmp_path / "linear.pt")
    with pytest.raises(InterpError, match=r"does not: unembed\.bias"):
        interp.load(tmp_path / "linear.pt")


def test_biases_that_are_missing_from_a_group_are_zero(tmp_path: Path) -> None:
    network = _network(attention_biases=True)
    for gone in ("blocks.0.mlp.b_out", "blocks.0.attn.b_O", "blocks.0.attn.b_K"):
        state = hooked(network)
        del state[gone]
        torch.save(state, tmp_path / "theirs.pt")
        W = {**network.parameters, gone: torch.zeros_like(network.parameters[gone])}
        expected = Circuit(Network(network.config, W)).logits
        assert torch.equal(interp.load(tmp_path / "theirs.pt", activation="relu").logits, expected)


def test_heads_of_any_number_are_tried_for_a_native_bridge(tmp_path: Path) -> None:
    network = _network(n_heads=3, d_model=6, d_head=2)
    torch.save(FORMATS["bridge"](network), tmp_path / "theirs.pt")
    with pytest.raises(InterpError, match=r"under none of the 4 readings .* --heads"):  # 1, 2, 3 and 6
        interp.load(tmp_path / "theirs.pt", activation="relu")
    assert torch.equal(interp.load(tmp_path / "theirs.pt", activation="relu", n_heads=3).logits, Circuit(network).logits)


def test_what_a_json_file_said_is_said_and_does_not_overrule_the_weights(tmp_path: Path) -> None:
    network = _network(n_layers=2, causal=True)
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


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"modulus": "113"}, "modulus between 2"),
        ({"modulus": 1}, "modulus between 2"),
        ({"attention_rate": "1"}, "attention rate between 0 and 1"),
        ({"activation": "silu"}, "activation relu or gelu"),
        ({"kind": "zeta"}, "kind alpha or beta"),
        ({"n_heads": 0}, "n heads between 1"),
    ],
)
def test_impossible_facts_are_refused(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(InterpError, match=message):
        _unchecked(facts).__post_init__()


def _unchecked(facts: dict[str, Any]) -> Facts:
    """Facts as somebody gets them who does not check annotations."""
    made = object.__new__(Facts)
    for field in fields(Facts):
        object.__setattr__(made, field.name, facts.get(field.name))
    return made


def test_small_files_that_would_need_much_memory_are_refused(tmp_path: Path) -> None:
    shared: Any = [1]
    for _ in range(7):
        shared = [shared] * 60
    torch.save(shared, tmp_path / "exponential.pt")
    with pytest.raises(InterpError, match="holds a list"):
        interp.load(tmp_path / "exponential.pt")
    big = torch.zeros(1 << 21)
    torch.save({f"{i}": big for i in range(64)}, tmp_path / "shared.pt")
    with pytest.raises(InterpError, match="numbers, more than"):
        interp.load(tmp_path / "shared.pt")
    torch.save([[] for _ in range(6_000_000)], tmp_path / "lists.pt")
    with pytest.raises(InterpError, match="4 MiB that are not tensors"):
        interp.load(tmp_path / "lists.pt")
    wide = _network(d_mlp=4_000_000, d_model=1, n_heads=1, d_head=1)
    torch.save(hooked(wide), tmp_path / "wide.pt")
    with pytest.raises(InterpError, match="activations per pair are too many"):
        interp.load(tmp_path / "wide.pt")


def test_safetensors_without_metadata_and_constant_embeddings(tmp_path: Path) -> None:
    state = hooked(_network())
    state["embed.W_E"] = torch.ones_like(state["embed.W_E"])
    raw = safetensors.torch.save(state)
    length = int.from_bytes(raw[:8], "little")
    header = json.dumps({"__metadata__": None, **json.loads(raw[8 : 8 + length])}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + raw[8 + length :])
    circuit = interp.load(tmp_path / "x.safetensors", activation="relu")
    for measure in analyses.MEASUREMENTS.values():
        measure(circuit).to_dict()
        measure(circuit).figure()


def _open_questions(state: dict[str, torch.Tensor], **said: Any) -> list[dict[str, str]]:
    """What each reading of a state dict assumes beyond what is said."""
    layout = recognise(state)
    assert layout is not None
    return [reading.assumed for reading in _transformers(layout, Facts(**said))]


def test_the_readings_of_a_state_dict_are_those_that_its_shapes_leave_open() -> None:
    """One per activation, attention rate and mask that nobody says; a mask matters from two layers on."""
    one, two = _network(p=7, equals_token=False), _network(p=7, n_layers=2)
    rates = [f"{i / 10:g}" for i in range(11)]
    assert _open_questions(papers(one)) == [
        {"activation": activation, "attention-rate": rate} for activation in ("relu", "gelu") for rate in rates
    ]
    assert _open_questions(papers(two), activation="relu") == [{"no-causal": ""}, {"causal": ""}]
    assert _open_questions(papers(two), activation="relu", causal=True) == [{}]
    heads = _open_questions(FORMATS["bridge"](_network(p=7)), activation="relu")
    assert heads == [{"heads": "1"}, {"heads": "2"}, {"heads": "4"}, {"heads": "8"}]
    # 8 tokens at two positions: p = 8, or p = 4 with vocabularies of their own.
    even = papers(_network(p=8, equals_token=False))
    assert _open_questions(even, activation="relu", attention_rate=1.0) == [{"modulus": "8"}, {"modulus": "4"}]
    even["unembed.W_U"] = even["unembed.W_U"][:, :4]
    assert _open_questions(even, activation="relu", attention_rate=1.0) == [{}]


def test_the_vocabularies_that_fit_are_those_that_can_be_answered() -> None:
    def fit(vocabulary: int, positions: int, outputs: int, **said: Any) -> list[tuple[int, bool, bool]]:
        W = {
            "embed.W_E": torch.zeros(vocabulary, 3),
            "pos_embed.W_pos": torch.zeros(positions, 3),
            "unembed.W_U": torch.zeros(3, outputs),
        }
        return list(_vocabularies(W, Facts(**said)))

    assert fit(2, 2, 2) == [(2, False, False)]  # p = 1 with vocabularies of their own is nothing to add
    assert fit(8, 2, 8) == [(8, False, False), (4, False, True)]
    assert fit(8, 2, 4) == [(4, False, True)] and fit(8, 3, 8) == [(7, True, False)]
    assert fit(8, 3, 7) == [(7, True, False)] and fit(8, 3, 6) == []
    assert fit(9, 3, 5) == [(4, True, True)] and fit(9, 3, 9) == [(8, True, False), (4, True, True)]
    assert fit(8, 5, 8) == [(8, False, False), (4, False, True), (7, True, False)]
    assert fit(8, 5, 8, modulus=7) == [(7, True, False)] and fit(8, 5, 8, separate_vocabularies=True) == [(4, False, True)]
    assert fit(401, 3, 401) == [(400, True, False), (200, True, True)] and fit(401, 2, 401) == []


def test_an_output_for_equals_is_part_of_the_network(tmp_path: Path) -> None:
    network = _network(answers_equals=True)
    torch.save(papers(network), tmp_path / "theirs.pt")
    read = interp.load(tmp_path / "theirs.pt", **ALL_SAID, modulus=6).network
    assert isinstance(read, Network) and read.config.answers_equals
    assert torch.equal(read.parameters["unembed.W_U"], network.parameters["unembed.W_U"])


def test_a_stored_mask_says_something_only_where_there_are_two_positions_to_mask() -> None:
    full, lower = torch.ones(3, 3), torch.ones(3, 3).tril()
    assert _causal([lower]) is True and _causal([full]) is False and _causal([None, full[None, None]]) is False
    assert _causal([torch.ones(1, 1)]) is None and _causal([torch.ones(0, 0)]) is None and _causal([torch.ones(3)]) is None


@pytest.mark.parametrize("values", [{"n_heads": 0}, {"n_heads": 1025}, {"p": 1}, {"p": 1e7}, {"attn_coeff": 1.1}, {"p": 7.5}])
def test_facts_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InterpError, match="out of range"):
        facts_within({"config": values})
    edges = facts_within({"config": {"n_heads": 1024, "p": 2, "attn_coeff": 1}})
    assert (edges.n_heads, edges.modulus, edges.attention_rate) == (1024, 2, 1.0)


def test_the_nearest_format_is_the_one_with_most_names_in_common(tmp_path: Path) -> None:
    torch.save({"l1.weight": torch.zeros(2), "embed.weight": torch.zeros(2), "x": torch.zeros(2)}, tmp_path / "x.pt")
    with pytest.raises(InterpError, match=r"nearest supported format: clock-and-pizza attention-free \(embed\.weight, l1"):
        interp.load(tmp_path / "x.pt")


def test_containers_are_nested_eight_deep_and_no_deeper(tmp_path: Path) -> None:
    nested: Any = 1
    for depth in range(1, 11):
        nested = [nested]
        torch.save(nested, tmp_path / "nested.pt")
        with pytest.raises(InterpError, match="more than 8 deep" if depth > 8 else "holds a list, not a state dict"):
            interp.load(tmp_path / "nested.pt")


def test_half_precision_is_widened(tmp_path: Path) -> None:
    network = _network()
    torch.save({name: tensor.half() for name, tensor in papers(network).items()}, tmp_path / "half.pt")
    circuit = interp.load(tmp_path / "half.pt", **ALL_SAID)
    assert circuit.logits.dtype == torch.float32
    assert torch.allclose(circuit.logits, Circuit(network).logits, atol=0.2)


def test_a_vocabulary_of_words_is_refused_before_memory_runs_out(tmp_path: Path) -> None:
    state = papers(_network())
    state["embed.W_E"], state["unembed.W_U"] = torch.zeros(8, 50_257), torch.zeros(8, 50_257)
    torch.save(state, tmp_path / "language_model.pt")
    with pytest.raises(InterpError, match="vocabulary 50257, 3 positions and 50257 outputs fit no way to read"):
        interp.load(tmp_path / "language_model.pt")
