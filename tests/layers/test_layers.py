"""Layer by layer: which frequencies are read and written, where attention looks, what a verdict on the last layer misses."""

import math
from pathlib import Path

import pytest
import torch
from planted import deepened, planted, random_circuit, relayed
from torch.nn.functional import one_hot

import analyses
from analyses.reports.card import save_pretrained
from analyses.tools.depth import depth
from analyses.tools.residual_stream import transformer
from interp import fourier
from interp.circuit import Circuit
from interp.files.checkpoint import Checkpoint
from interp.networks.transformer import Network

P, KEYS = 13, (1, 5)


@pytest.mark.parametrize("p", [9, 12])
def test_waves_of_a_b_sum_and_difference_are_all_that_there_is_at_a_frequency(p: int) -> None:
    x = torch.randn(p, p, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    energies = fourier.pair_waves(x.split(2)).energies
    for k in fourier.frequencies(p):
        assert torch.allclose(fourier.wave_energies(x, k).sum(0), energies[k - 1])


@pytest.mark.parametrize(("p", "k"), [(9, 2), (12, 6), (12, 5)])
def test_a_wave_of_each_kind_is_found_as_that_kind(p: int, k: int) -> None:
    a, b = torch.arange(p)[:, None], torch.arange(p)[None]
    of = [a + 0 * b, b + 0 * a, a + b, a - b][: 3 if 2 * k == p else 4]
    phase = 0.0 if 2 * k == p else 0.7
    waves = torch.stack([(2 * math.pi * k * n / p + phase).double().cos() for n in of], dim=-1)
    found = fourier.wave_energies(waves, k)
    assert torch.allclose(found[: len(of)], torch.diag(waves.square().sum((0, 1))), atol=1e-4)


def test_an_idle_layer_reads_and_writes_nothing_and_the_next_does_what_the_flat_network_does() -> None:
    flat, deep = planted(P, clocks=KEYS), deepened(planted(P, clocks=KEYS))
    found, alone = analyses.layer_frequencies(Circuit(deep)), analyses.layer_frequencies(Circuit(flat))
    assert found.layers == 2 and found.frequencies == KEYS
    assert all(each.neurons == 0 and all(map(math.isnan, (*each.reads, *each.writes))) for each in found.of_layer(0))
    assert [each.neurons for each in found.of_layer(1)] == [*analyses.neuron_clusters(Circuit(flat)).clusters.values()]
    for ours, theirs in zip(found.of_layer(1), alone.of_layer(0), strict=True):
        assert ours.reads == pytest.approx(theirs.reads) and ours.mlp_writes == pytest.approx(theirs.mlp_writes)
    # Neurons of a planted clock read cos x + cos y, half of it the circles of a and half those of b.
    assert found.reads(1) == pytest.approx((0.5, 0.5, 0, 0)) and found.writes(1)[1] == pytest.approx(1, abs=0.001)


def test_neurons_that_read_a_finished_sum_are_told_from_neurons_that_make_it() -> None:
    found = analyses.layer_frequencies(Circuit(relayed(P, clocks=KEYS)))
    assert found.reads(0) == pytest.approx((0.5, 0.5, 0, 0), abs=0.01)
    assert found.reads(1) == pytest.approx((0, 0, 1, 0), abs=0.01)
    assert all(math.isnan(each.mlp_writes) for each in found.of_layer(0)) and found.writes(1)[1] == pytest.approx(1, abs=0.01)
    assert [row[1] for row in found.table().rows] == [*KEYS, "all", *KEYS, "all"]


def test_what_a_layer_writes_is_its_share_by_another_way() -> None:
    """A network of random weights: waves of a + b in what the first layer's MLP adds, by projection on each wave."""
    network = relayed(P, clocks=KEYS)
    for tensor in network.parameters.values():
        tensor += 0.02 * torch.randn(tensor.shape, dtype=tensor.dtype, generator=torch.Generator().manual_seed(2))
    circuit = Circuit(network)
    W_U = network.parameters["unembed.W_U"]
    added = circuit.activation("blocks.0.hook_mlp_out")[..., -1, :] @ (W_U - W_U.mean(1, keepdim=True))
    total = (torch.arange(P)[:, None] + torch.arange(P)).flatten()
    cells = analyses.layer_frequencies(circuit).of_layer(0)
    for cell in cells:
        angles = 2 * math.pi * cell.k * total.double() / P
        waves = torch.stack([angles.cos(), angles.sin()]) * math.sqrt(2) / P
        share = (waves @ added.flatten(0, 1)).square().sum() / (added - added.mean((0, 1))).square().sum()
        assert cell.mlp_writes == pytest.approx(share.item()) and 0.001 < cell.mlp_writes < 0.999
    assert cells


def test_attention_alone_has_no_neurons_to_read_with() -> None:
    """A readout fitted to the sums makes it right on every pair, so that it has key frequencies."""
    circuit = random_circuit(n_layers=2, d_mlp=0, p=5, d_model=40, d_head=20)
    stream = circuit.activation("blocks.1.hook_resid_post").flatten(0, 2)
    fitted = torch.linalg.lstsq(stream, one_hot(circuit.answers.flatten(), 5).double()).solution
    circuit = Circuit(Network(transformer(circuit).config, {**circuit.network.weights(), "unembed.W_U": fitted}))
    found = analyses.layer_frequencies(circuit)
    assert found.cells and all(each.neurons == 0 and all(map(math.isnan, each.reads)) for each in found.cells)
    assert all(math.isnan(each.mlp_writes) and 0 <= each.attention_writes <= 1 for each in found.cells)


def test_attention_of_the_last_layer_is_what_attention_pattern_says_of_it() -> None:
    circuit = random_circuit(n_layers=2, causal=False)
    found, last = analyses.layer_attention(circuit), analyses.attention_pattern(circuit)
    mine = [each for each in found.heads if each.layer == 1]
    assert [each.position for each in mine] == ["=", "="] and found.positions == last.positions == ("a", "b", "=")
    assert [each.means for each in mine] == [pytest.approx(means) for means in last.means]
    assert [each.deviation for each in mine] == pytest.approx([each[0] for each in last.deviations])
    assert [(each.best_frequency, each.share) for each in mine] == [*zip(last.best_frequencies, last.shares, strict=True)]


def test_attention_of_earlier_layers_is_reported_from_every_position_that_has_a_choice() -> None:
    for causal, looking in ((True, ["+", "b", "="]), (False, ["a", "+", "b", "="])):
        circuit = random_circuit(n_layers=3, causal=causal, operator_token=True)
        heads = analyses.layer_attention(circuit).heads
        for layer in (0, 1):
            mine = [each for each in heads if each.layer == layer]
            assert [each.position for each in mine if each.head == 0] == looking and len(mine) == 2 * len(looking)
            pattern = circuit.activation(f"blocks.{layer}.attn.hook_pattern")[:, :, 1, -1].flatten(0, 1)
            assert mine[-1].lowest == pytest.approx(pattern.min(0).values) and mine[-1].position == "="
            assert mine[-1].highest == pytest.approx(pattern.max(0).values) and mine[-1].deviation > 0
        assert [each.position for each in heads if each.layer == 2] == ["=", "="]


def test_attention_that_is_no_softmax_looks_everywhere_alike() -> None:
    heads = analyses.layer_attention(random_circuit(n_layers=2, attention_rate=0.0)).heads
    assert all(set(each.means) <= {0.0, 1.0} and each.deviation == 0 and each.best_frequency == 0 for each in heads)


def test_a_deep_network_s_answer_says_what_its_verdict_is_on_and_what_it_misses(tmp_path: Path) -> None:
    deep = relayed(P, clocks=KEYS)
    line = (
        "Layers: 2, and the verdict is on the last one's neurons; it adds 100.0% of the answer directly, the earlier ones "
        "0.0%, all else 0.0%; what earlier layers compute for the last one to read is not in it (100.0% of what its neurons "
        "read is a function of a + b alone, made before them)"
    )
    assert str(analyses.report(Circuit(deep), only=["performance"])).splitlines()[3] == line
    save_pretrained(Checkpoint(network=deep), tmp_path / "card")
    assert line in (tmp_path / "card" / "README.md").read_text()
    flat = Circuit(planted(P, clocks=KEYS))
    idle = depth(Circuit(deepened(planted(P, clocks=KEYS))))
    assert idle is not None and idle.reads_sum == pytest.approx(0, abs=1e-9)
    assert depth(flat) is None and "Layers" not in str(analyses.report(flat, only=["performance"]))


def test_of_a_network_normalised_after_each_part_the_shares_cannot_be_said() -> None:
    after = depth(random_circuit(n_layers=2, normalization="rms", normalization_place="after"))
    assert after is not None and math.isnan(after.last) and "cannot be said (needs a residual stream" in after.says()
    alone = depth(random_circuit(n_layers=2, d_mlp=0))
    assert alone is not None and math.isnan(alone.reads_sum) and alone.says().endswith("for the last one to read is not in it")
    network = deepened(planted(P, clocks=KEYS))
    network.parameters["unembed.W_U"].zero_()
    silent = depth(Circuit(network))
    assert silent is not None and "the logits do not depend on the answer" in silent.says()
