"""Other projects' files, made up here from networks whose logits are known; containers; what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from foreign import ALL_SAID, FORMATS, attention_free, hooked, linear, mlp, papers, random_network
from suited import possible
from torch.nn import functional

import analyses
import interp
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.formats.layouts import _causal
from interp.networks.transformer import Network


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize(
    ("suffix", "container"), [(".pt", None), (".pt", "model"), (".pt", "state_dict"), (".safetensors", None)]
)
def test_transformers_of_every_layout_give_their_logits(
    tmp_path: Path, name: str, layers: int, suffix: str, container: str | None
) -> None:
    network = random_network(n_layers=layers)
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
    network = random_network(equals_token=equals, separate_vocabularies=separate)
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


def test_every_measurement_of_a_deep_network_is_of_its_last_layer() -> None:
    """With the blocks before it as they are, and its own neurons and attention run by hand."""
    network = random_network(n_layers=3, answers_equals=True)
    circuit = Circuit(network)
    for name in possible():
        measure = analyses.MEASUREMENTS[name]
        measure(circuit).to_dict()
    W = network.parameters
    middle = circuit.activation("blocks.2.hook_resid_mid").select(-2, -1)
    neurons = (middle @ W["blocks.2.mlp.W_in"] + W["blocks.2.mlp.b_in"]).relu()
    assert torch.allclose(circuit.neurons, neurons, atol=1e-5)
    assert torch.allclose(circuit.neuron_logit_map, (W["blocks.2.mlp.W_out"] @ W["unembed.W_U"])[:, :6])
    bypass = middle @ W["unembed.W_U"][:, :6] + W["blocks.2.mlp.b_out"] @ W["unembed.W_U"][:, :6]
    assert torch.allclose(circuit.logits, neurons @ circuit.neuron_logit_map + bypass, atol=1e-5)
    assert torch.equal(circuit.pattern, circuit.activation("blocks.2.attn.hook_pattern").select(-2, -1))
    keys = analyses.key_frequencies(circuit)
    assert keys.neurons is not None and keys.neuron_logit_map is not None and keys.embedding is not None


def test_the_last_neurons_of_an_attention_free_network_write_its_answer() -> None:
    for kind in ("alpha", "beta", "gamma", "delta"):
        circuit = Circuit(attention_free(kind))
        assert torch.allclose(circuit.neurons @ circuit.neuron_logit_map, circuit.logits, atol=1e-5), kind
        assert circuit.network.layers_of_neurons() == (2 if kind in ("beta", "gamma") else 1)


def test_unknown_state_dicts_are_described_with_the_way_in(tmp_path: Path) -> None:
    known = ("embed.weight", "pos", "Wq.weight", "Wo.weight", "mlp_in.weight", "unembed.weight")
    unknown = ("gain", "offset")
    for names, hint in ((known, "nearest supported format: "), (unknown, "none of these names is known (known are ")):
        tensor = torch.zeros(4, 3) if names is known else torch.zeros(4)
        torch.save(dict.fromkeys(names, tensor), tmp_path / "theirs.pt")
        with pytest.raises(InterpError) as caught:
            interp.load(tmp_path / "theirs.pt")
        for words in (f"{names[-1]} [4", hint, "interp.from_function(f, p)", "interp.from_logits"):
            assert words in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("blocks.0.mlp.W_out"), "W_out is missing"),
        (lambda s: s.update({"blocks.0.ln1.w": torch.ones(8)}), r"does not: blocks\.0\.ln1\.w.*missing.*blocks\.0\.ln2\.w"),
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
    state = papers(random_network())
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
        network = random_network()
        torch.save(wrap(make(network)), tmp_path / "theirs.pt")
        given = {key: value for key, value in ALL_SAID.items() if key != "n_heads" or name == "bridge"}
        assert torch.equal(interp.load(tmp_path / "theirs.pt", **given).logits, Circuit(network).logits)


def test_a_file_with_two_networks_is_refused(tmp_path: Path) -> None:
    torch.save({"model": papers(random_network()), "ema": papers(random_network())}, tmp_path / "two.pt")
    with pytest.raises(InterpError, match="several networks, under model, ema"):
        interp.load(tmp_path / "two.pt", **ALL_SAID)


@pytest.mark.parametrize("extra", ["blocks.0.attn.b_Q", "blocks.0.mlp.W_gate", "module.embed.W_E", "blocks.0.attn.temperature"])
def test_tensors_that_could_change_the_answer_are_never_left_out(tmp_path: Path, extra: str) -> None:
    torch.save({**papers(random_network()), extra: torch.ones(6)}, tmp_path / "theirs.pt")
    with pytest.raises(InterpError, match=r"has tensors that this layout does not|unknown state dict"):
        interp.load(tmp_path / "theirs.pt", **ALL_SAID)


def test_biases_of_the_logits_are_read_where_a_layout_usually_has_none(tmp_path: Path) -> None:
    b_U = torch.linspace(-1, 1, 6)
    network = random_network()
    torch.save({**papers(network), "unembed.b_U": b_U}, tmp_path / "theirs.pt")
    circuit = interp.load(tmp_path / "theirs.pt", **ALL_SAID)
    assert torch.allclose(circuit.logits, Circuit(network).logits + b_U, atol=1e-6)
    linear_network = attention_free("delta")
    b = torch.linspace(-1, 1, linear_network.p)
    torch.save({**linear(linear_network), "unembed.bias": b}, tmp_path / "linear.pt")
    circuit = interp.load(tmp_path / "linear.pt", activation="relu")
    assert torch.allclose(circuit.logits, Circuit(linear_network).logits + b, atol=1e-6)


def test_biases_that_are_missing_from_a_group_are_zero(tmp_path: Path) -> None:
    network = random_network(attention_biases=True)
    for gone in ("blocks.0.mlp.b_out", "blocks.0.attn.b_O", "blocks.0.attn.b_K"):
        state = hooked(network)
        del state[gone]
        torch.save(state, tmp_path / "theirs.pt")
        W = {**network.parameters, gone: torch.zeros_like(network.parameters[gone])}
        expected = Circuit(Network(network.config, W)).logits
        assert torch.equal(interp.load(tmp_path / "theirs.pt", activation="relu").logits, expected)


def test_small_files_that_would_need_much_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    torch.save([[] for _ in range(1_500_000)], tmp_path / "lists.pt")
    with pytest.raises(InterpError, match="4 MiB that are not tensors"):
        interp.load(tmp_path / "lists.pt")
    wide = random_network(d_mlp=8_000_000, d_model=1, n_heads=1, d_head=1)
    torch.save(hooked(wide), tmp_path / "wide.pt")
    monkeypatch.setattr("interp.memory.available", lambda: 2 << 30)
    with pytest.raises(InterpError, match=r"too large for this machine: .* would take 2\.9 GiB"):
        interp.load(tmp_path / "wide.pt")


def test_safetensors_without_metadata_and_constant_embeddings(tmp_path: Path) -> None:
    state = hooked(random_network())
    state["embed.W_E"] = torch.ones_like(state["embed.W_E"])
    raw = safetensors.torch.save(state)
    length = int.from_bytes(raw[:8], "little")
    header = json.dumps({"__metadata__": None, **json.loads(raw[8 : 8 + length])}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + raw[8 + length :])
    circuit = interp.load(tmp_path / "x.safetensors", activation="relu")
    for name in possible():
        measure = analyses.MEASUREMENTS[name]
        measure(circuit).to_dict()
        measure(circuit).figure()


def test_a_stored_mask_says_something_only_where_there_are_two_positions_to_mask() -> None:
    full, lower = torch.ones(3, 3), torch.ones(3, 3).tril()
    assert _causal([lower]) is True and _causal([full]) is False and _causal([None, full[None, None]]) is False
    assert _causal([torch.ones(1, 1)]) is None and _causal([torch.ones(0, 0)]) is None and _causal([torch.ones(3)]) is None


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
    network = random_network()
    torch.save({name: tensor.half() for name, tensor in papers(network).items()}, tmp_path / "half.pt")
    circuit = interp.load(tmp_path / "half.pt", **ALL_SAID)
    assert circuit.logits.dtype == torch.float32
    assert torch.allclose(circuit.logits, Circuit(network).logits, atol=0.2)
