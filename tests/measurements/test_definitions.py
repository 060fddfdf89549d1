"""Spectra, circles, dials and attention by their definitions: values that were put there by hand, and even moduli."""

import math

import pytest
import torch
from planted import clock_logits, planted, random_circuit
from torch import Tensor

import analyses
import interp
from analyses.evidence.amplitude_profile import _profile
from analyses.tools.amplitudes import amplitudes, explained_share
from analyses.tools.last_layer import LastNeurons
from analyses.tools.scoring import score
from analyses.trials.phase_law import lawful_map
from interp import fourier
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

# Key frequencies and amplitudes


def test_an_anti_clock_is_neither_key_nor_a_clock() -> None:
    """-cos w(a+b-c) is largest at the answers that are most wrong."""
    keys = analyses.key_frequencies(interp.from_logits(clock_logits(17, 3) - 0.5 * clock_logits(17, 5)))
    assert keys.frequencies == (3,) and keys.minor == ()
    network = planted(13, clocks=(1, 2, 3), strengths={3: -1.0})
    profile = _profile(Circuit(network), 3)
    assert profile.variation < 0.01 and profile.min_over_max > 0.9  # as flat as a clock
    assert (profile.verdict, profile.margin) == ("undecided", 0.0) and max(profile.profile) < 0
    network.parameters["unembed.W_U"] *= 1e-6  # however small
    assert _profile(Circuit(network), 3).verdict == "undecided"


def test_a_minor_frequency_has_a_term_of_a_two_hundredth_or_more() -> None:
    weights = {3: 1.0, 5: 0.006, 6: 0.004}
    keys = analyses.key_frequencies(interp.from_logits(sum(w * clock_logits(17, k) for k, w in weights.items())))
    assert keys.minor == (5,)
    terms = analyses.logit_spectrum(interp.from_logits(sum(w * clock_logits(17, k) for k, w in weights.items()))).clock_terms
    assert [terms[k - 1] for k in (5, 6)] == pytest.approx([0.006, 0.004], rel=1e-3)


@pytest.mark.parametrize("keys", [(6,), (1, 6), (2, 3)])
def test_amplitudes_and_what_they_explain_are_exact_for_an_even_modulus(keys: tuple[int, ...]) -> None:
    """At k = p/2 there is a cosine and no sine, and it has twice the energy."""
    circuit = interp.from_logits(sum((i + 2) * clock_logits(12, k) for i, k in enumerate(keys)))
    for i, k in enumerate(keys):
        assert amplitudes(circuit, k).tolist() == pytest.approx([i + 2.0] * 12)
    assert explained_share(circuit, keys) == pytest.approx(1.0)
    assert explained_share(circuit, keys[:1]) == pytest.approx(
        (4 * (2 if keys[0] == 6 else 1)) / sum((i + 2) ** 2 * (2 if k == 6 else 1) for i, k in enumerate(keys))
    )


@pytest.mark.parametrize("keys", [None, (2, 6)])
def test_the_lawful_map_is_w_l_of_a_lawful_network_also_at_half_an_even_modulus(keys: tuple[int, ...] | None) -> None:
    """Neurons that fire at cos w_k(a+b-c_0) and write 0.7 times that to c: two at k = 2, two at k = 6 = p/2."""
    p = 12
    n = torch.arange(p).double()
    k, shift = torch.tensor([2, 2, 6, 6]), torch.tensor([0.0, 5.0, 0.0, 1.0], dtype=torch.float64)
    angle = 2 * math.pi * k * (n[:, None, None] + n[None, :, None] - shift) / p
    W_L = 0.7 * (2 * math.pi * k[:, None] * (n - shift[:, None]) / p).cos()
    neurons = LastNeurons(angle.cos(), torch.relu, W_L, torch.zeros(p, p, p, dtype=torch.float64))
    assert torch.allclose(lawful_map(neurons, neurons.fitted(order=2, frequencies=2), keys), W_L, atol=1e-9)


# Circularity


def test_circularity_is_at_most_1_for_an_even_modulus() -> None:
    """A wave at p/2 is one number in the spectrum, not two."""
    wave = fourier.rows(6, 12).T
    finding = analyses.circularity(interp.from_logits(clock_logits(12, 1), wave))
    assert finding.components == pytest.approx((1.0,)) and finding.best_frequencies == (6,)
    mixed = torch.cat([3 * fourier.rows(2, 12).T, 2 * wave], dim=1)
    finding = analyses.circularity(interp.from_logits(clock_logits(12, 1), mixed))
    assert finding.components == pytest.approx((1.0, 1.0, 1.0)) and finding.best_frequencies == (2, 2, 6)


def test_circularity_does_not_depend_on_the_size_of_the_embedding_nor_halves_a_circle() -> None:
    """p = 9 is odd, and its last frequency has a sine too."""
    circle = fourier.rows(4, 9).T
    for size in (1e-9, 1.0, 1e9):
        finding = analyses.circularity(interp.from_logits(clock_logits(9, 1), size * circle))
        assert finding.components == pytest.approx((1.0, 1.0)) and finding.best_frequencies == (4, 4)


def test_distances_along_the_arch_are_in_the_order_of_their_turns() -> None:
    profile = _profile(Circuit(planted(13, clocks=(1, 2, 3))), 3)
    assert [3 * d % 13 for d in profile.along_the_arch()] == list(range(13))


def test_a_network_generalises_from_99_in_100() -> None:
    """p = 10: one of a hundred pairs may be wrong, two may not."""
    logits = clock_logits(10, 1).clone()
    for wrong, generalises in ((1, True), (2, False)):
        logits[0, wrong - 1] = -logits[0, wrong - 1]
        found = analyses.performance(interp.from_logits(logits))
        assert (found.wrong, found.generalises) == (wrong, generalises)


def test_circularity_looks_at_four_components_and_at_all_that_are_something() -> None:
    circles = [size * fourier.rows(k, 13).T for k, size in ((2, 5.0), (3, 1.0), (6, 0.01))]
    finding = analyses.circularity(interp.from_logits(clock_logits(13, 1), torch.cat(circles, dim=1)))
    assert finding.best_frequencies == (2, 2, 3, 3) and finding.circularity == pytest.approx(1.0)
    small = analyses.circularity(interp.from_logits(clock_logits(13, 1), torch.cat([circles[0], circles[2]], dim=1)))
    assert small.best_frequencies == (2, 2, 6, 6)  # five hundred times as small, and still a circle
    half = torch.cat([5 * fourier.rows(2, 13)[:1].T + 2 * fourier.rows(3, 13)[:1].T, fourier.rows(2, 13)[1:].T], dim=1)
    finding = analyses.circularity(interp.from_logits(clock_logits(13, 1), half))
    assert finding.components == pytest.approx((25 / 29, 1.0)) and finding.circularity == pytest.approx((25 / 29 + 1) / 2)


# Circles


# Two numbers on their way


# Attention, edits, scores, beginnings


def test_the_attention_that_is_drawn_is_the_one_to_a() -> None:
    p = 5
    values = torch.arange(p * p * 2 * 3).double().view(p, p, 2, 1, 3) / 1000
    circuit = random_circuit(p=p).with_activation("blocks.0.attn.hook_pattern", lambda _: values)
    finding = analyses.attention_pattern(circuit)
    for head in range(2):
        for a in range(p):
            for b in range(p):
                assert finding.to_a[head][a][b] == pytest.approx((6 * (p * a + b) + 3 * head) / 1000)
    assert finding.means[1] == pytest.approx([(6 * 12 + 3 + i) / 1000 for i in range(3)])
    assert finding.positions == ("a", "b", "=") and finding.attention_rate == 1.0


def test_the_halves_of_an_embedding_are_a_s_and_b_s() -> None:
    circuit = random_circuit(separate_vocabularies=True)
    E_a, E_b = circuit.tables
    assert not torch.equal(E_a, E_b) and torch.equal(circuit.embedding, torch.cat([E_a, E_b], dim=1))
    assert torch.equal(circuit.with_embedding(circuit.embedding).logits, circuit.logits)
    other = torch.cat([E_a, E_b.roll(1, 0)], dim=1)  # b reads the vectors of b - 1
    assert torch.allclose(circuit.with_embedding(other).logits, circuit.logits.roll(1, 1))
    for wrong in (E_a, other[:, :-1]):
        with pytest.raises(InterpError, match=r"expected an embedding of shape \[7, 16\]"):
            circuit.with_embedding(wrong)
    with pytest.raises(InterpError, match=r"expected embeddings of shape \[7, 8\]"):
        circuit.with_tables((E_a, E_b[:, :-1]))


def test_agreement_and_errors_are_counted() -> None:
    circuit = random_circuit()
    other = random_circuit(d_mlp=9)
    found = score(circuit, other.logits.__getitem__, name="", numbers=0)
    same, errors = 0, []
    for a in range(7):
        for b in range(7):
            ours, theirs = int(circuit.logits[a, b].argmax()), int(other.logits[a, b].argmax())
            same += ours == theirs
            errors += [ours == theirs] if ours != (a + b) % 7 else []
    assert 0 < same < 49 and 0 < sum(errors) < len(errors) < 49
    assert (found.agreement, found.error_agreement) == pytest.approx((same / 49, sum(errors) / len(errors)))


@pytest.mark.parametrize("fan", [None, 200])
def test_a_seed_s_weights_are_drawn_in_the_published_order_and_scales(fan: int | None) -> None:
    config = NetworkConfig(p=6, d_model=16, n_heads=2, d_head=8, d_mlp=200)
    W = initialise(config, seed=4, W_in_fan=fan).parameters
    generator = torch.Generator().manual_seed(4)

    def drawn(*shape: int, scale: float = 16**-0.5) -> Tensor:
        return torch.randn(*shape, generator=generator) * scale

    assert torch.allclose(W["embed.W_E"], drawn(16, 7).T) and torch.allclose(W["pos_embed.W_pos"], drawn(3, 16))
    for letter in "KQV":
        assert torch.allclose(W[f"blocks.0.attn.W_{letter}"], drawn(2, 8, 16).transpose(1, 2))
    W_O = W["blocks.0.attn.W_O"].flatten(0, 1)
    assert torch.allclose(W_O, drawn(16, 16).T)
    assert torch.allclose(W["blocks.0.mlp.W_in"], drawn(200, 16, scale=(fan or 16) ** -0.5).T)
    assert torch.allclose(W["blocks.0.mlp.W_out"], drawn(16, 200).T)
    assert torch.allclose(W["unembed.W_U"], drawn(16, 7, scale=7**-0.5))
    assert not W["blocks.0.mlp.b_in"].any() and not W["blocks.0.mlp.b_out"].any()
