"""What each part adds to the logits adds up to them, and a part without output has no effect."""

import math
from typing import Any

import pytest
import torch
from foreign import attention_free
from planted import deepened, planted, random_circuit, relayed

import analyses
import interp
from analyses.tools.residual_stream import Part, direct_effects, parts_of, transformer, writings
from interp.circuit import Circuit
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

P, KEYS = 13, (1, 5)
FINAL = {"final_normalization": True}
KINDS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "three layers, no mask": {"n_layers": 3, "causal": False},
    "all biases": {"n_layers": 2, "attention_biases": True, "unembed_bias": True},
    "rms before, and before the logits": {"n_layers": 2, "normalization": "rms", **FINAL},
    "layer before, and before the logits": {"n_layers": 2, "normalization": "layer", **FINAL},
    "layer before, not before the logits": {"n_layers": 2, "normalization": "layer"},
    "before the logits only": {"n_layers": 2, "normalization": "layer", "normalization_place": "logits", **FINAL},
    "no weights": {"n_layers": 2, "normalization": "layer", "normalization_weights": False, **FINAL},
    "gated, rotary, operator": {"n_layers": 2, "gated_mlp": True, "rotary_base": 1e4, "operator_token": True},
    "attention alone": {"n_layers": 2, "d_mlp": 0, "attention_biases": True},
    "no residual": {"n_layers": 2, "residual": False},
    "no residual, attention alone": {"n_layers": 2, "residual": False, "d_mlp": 0, "attention_biases": True},
    "an output for '='": {"n_layers": 2, "answers_equals": True},
}


def random(**config: Any) -> Circuit:
    """A transformer in which no parameter is 0, as biases are at the start of training."""
    network, generator = transformer(random_circuit(**config)), torch.Generator().manual_seed(1)
    W = {name: w + 0.3 * torch.randn(w.shape, dtype=w.dtype, generator=generator) for name, w in network.parameters.items()}
    return Circuit(Network(network.config, W))


@pytest.mark.parametrize("kind", KINDS)
def test_what_all_parts_add_is_the_logits(kind: str) -> None:
    circuit = random(**KINDS[kind])
    parts = parts_of(transformer(circuit))
    for writing in writings(circuit):
        total = sum((writing.added(part) for part in parts), torch.zeros(()))
        assert torch.allclose(total, circuit.centred_logits[writing.rows], atol=1e-9)
    found = analyses.logit_attribution(circuit)
    assert sum(each.direct for each in found.parts) == pytest.approx(1, abs=1e-9) and found.lacking == ""
    assert [each.name for each in found.parts] == [part.name for part in parts]


@pytest.mark.parametrize("kind", ["one layer", "all biases", "attention alone", "three layers, no mask"])
def test_direct_effects_are_what_the_logits_lose_at_the_end(kind: str) -> None:
    """Taken from the last residual stream, behind all that reads it: by hooks and weights, not by the sum of the parts."""
    circuit = random(**KINDS[kind])
    network, whole = transformer(circuit), circuit.centred_logits
    last = f"blocks.{network.config.n_layers - 1}.hook_resid_post"
    for part, share in direct_effects(circuit).items():
        if part.kind not in ("head", "MLP"):
            continue
        written = circuit.activation(part.hook)
        if part.kind == "head":
            written = written[..., part.head, :] @ network.parameters[f"blocks.{part.layer}.attn.W_O"][part.head]
        without = circuit.with_activation(last, circuit.activation(last) - written[..., -1:, :])
        lost = ((whole - without.centred_logits) * whole).sum() / whole.square().sum()
        assert share == pytest.approx(lost.item(), abs=1e-9), part.name


def test_total_effects_are_those_of_a_network_that_has_the_mean_for_its_bias() -> None:
    circuit = random(n_layers=2, attention_biases=True)
    network = transformer(circuit)
    found = {each.name: each for each in analyses.logit_attribution(circuit).parts}
    W = dict(network.parameters)
    mean = circuit.activation("blocks.1.hook_mlp_out").mean((0, 1))[0]
    without_mlp = Network(network.config, {**W, "blocks.1.mlp.W_out": 0 * W["blocks.1.mlp.W_out"], "blocks.1.mlp.b_out": mean})
    W_O = W["blocks.1.attn.W_O"].clone()
    mean = circuit.activation("blocks.1.attn.hook_z").mean((0, 1))[0, 1] @ W_O[1]
    W_O[1] = 0
    b_O = W["blocks.1.attn.b_O"] + mean
    without_head = Network(network.config, {**W, "blocks.1.attn.W_O": W_O, "blocks.1.attn.b_O": b_O})
    for name, other in (("layer 1, MLP", without_mlp), ("layer 1, head 1", without_head)):
        theirs = Circuit(other)
        measured, lost = analyses.performance(theirs), (circuit.centred_logits - theirs.centred_logits).square().sum()
        assert found[name].accuracy == measured.accuracy and found[name].loss == pytest.approx(measured.loss)
        assert (
            found[name].lost == pytest.approx((lost / circuit.centred_logits.square().sum()).item()) and found[name].lost > 0.01
        )


@pytest.mark.parametrize(("part", "weights"), [(Part("head", 0, 1), "attn.W_O"), (Part("MLP", 0), "mlp.W_out")])
def test_a_part_without_output_has_no_effect_and_the_others_have_one(part: Part, weights: str) -> None:
    network = transformer(random(n_layers=2))
    W = {name: tensor.clone() for name, tensor in network.parameters.items()}
    if part.kind == "head":
        W[f"blocks.0.{weights}"][part.head] = 0
    else:
        W[f"blocks.0.{weights}"].zero_()
        W["blocks.0.mlp.b_out"].zero_()
    found = analyses.logit_attribution(Circuit(Network(network.config, W)))
    for each in found.parts:
        if each.name == part.name:
            assert (each.direct, each.lost, each.accuracy, each.loss) == (0, 0, found.accuracy, found.loss)
        else:
            assert abs(each.direct) > 1e-6 and each.lost > 1e-6


def test_the_embedding_replaced_by_its_mean_leaves_one_answer_for_all_pairs() -> None:
    found = analyses.logit_attribution(Circuit(deepened(planted(P, clocks=KEYS))))
    assert found.accuracy == 1 and found.parts[0].name == "embedding"
    assert found.parts[0].accuracy == pytest.approx(1 / P) and found.parts[0].lost == pytest.approx(1, abs=0.01)


def test_a_planted_circuit_is_attributed_to_the_layer_that_it_is_planted_in() -> None:
    found = analyses.logit_attribution(Circuit(deepened(planted(P, clocks=KEYS))))
    assert found.by_layer == pytest.approx((0, 1))
    by_name = {each.name: each for each in found.parts}
    assert by_name["layer 1, MLP"].direct == pytest.approx(1) and by_name["layer 1, MLP"].lost == pytest.approx(1, abs=0.01)
    assert all(each.direct == each.lost == 0 and each.accuracy == 1 for each in found.parts if each.layer == 0)
    assert all(by_name[f"layer 1, head {head}"].accuracy < 0.5 for head in (0, 1))


def test_a_layer_that_works_for_the_next_has_a_total_effect_and_no_direct_one() -> None:
    circuit = Circuit(relayed(P, clocks=KEYS))
    found = analyses.logit_attribution(circuit)
    by_name = {each.name: each for each in found.parts}
    assert found.accuracy == 1 and found.by_layer == pytest.approx((0, 1))
    for name in ("layer 0, head 0", "layer 0, head 1", "layer 0, MLP"):
        assert by_name[name].direct == 0 and by_name[name].accuracy < 0.5 and by_name[name].lost > 0.5
    assert by_name["layer 1, head 0"].lost == 0 and by_name["layer 1, MLP"].lost == pytest.approx(1, abs=0.01)


def test_normalised_after_each_part_direct_effects_cannot_be_said_and_total_ones_can() -> None:
    circuit = random(n_layers=2, normalization="layer", normalization_place="after")
    with pytest.raises(Unavailable, match="a residual stream that is a sum"):
        direct_effects(circuit)
    found = analyses.logit_attribution(circuit)
    assert all(math.isnan(each.direct) and each.lost > 0 for each in found.parts)
    assert (
        "here it cannot be said, because that needs a residual stream that is a sum" in found.table().note
        and found.figure().layout.title.text
    )
    frequencies = analyses.layer_frequencies(circuit)
    assert frequencies.lacking == found.lacking and all(
        math.isnan(share) for cell in frequencies.cells for share in cell.writes
    )


def test_edits_of_parts_count_and_edits_behind_them_are_refused() -> None:
    circuit = random(n_layers=2)
    without = circuit.with_activation("blocks.0.hook_mlp_out", torch.zeros_like)
    found = {each.name: each for each in analyses.logit_attribution(without).parts}
    assert found["layer 0, MLP"].direct == found["layer 0, MLP"].lost == 0
    assert sum(each.direct for each in found.values()) == pytest.approx(1)
    doubled = circuit.with_activation("blocks.1.hook_resid_post", lambda stream: 2 * stream)
    assert "not edited between" in analyses.logit_attribution(doubled).lacking


@pytest.mark.parametrize("name", ["logit_attribution", "layer_frequencies", "layer_attention"])
def test_networks_without_layers_are_refused_in_one_line(name: str) -> None:
    circuits = {
        r"an attention-free network \(beta\)": Circuit(attention_free("beta")),
        "a network given by its logits": interp.from_logits(Circuit(planted(P, clocks=KEYS)).logits),
    }
    for kind, circuit in circuits.items():
        with pytest.raises(Unavailable, match=f"^needs the layers of a transformer, which {kind} does not have$"):
            analyses.MEASUREMENTS[name](circuit)
