"""Each measurement against a slow and obvious computation of its definition."""

import itertools
import math
import random
import statistics

import pytest
import torch
from planted import planted
from torch.nn import functional

import analyses
from analyses.tools.amplitudes import amplitudes
from analyses.tools.paper_triples import paper_sample, shuffled
from interp import fourier
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.function import from_logits
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network

MODULI = [7, 8, 9]


def _circuit(p: int, **config: object) -> Circuit:
    return Circuit(initialise(NetworkConfig(p=p, **config), seed=p, dtype=torch.float64))  # type: ignore[arg-type]


@pytest.mark.parametrize("p", MODULI)
def test_clock_terms_are_the_correlations_over_all_triples(p: int) -> None:
    circuit = _circuit(p)
    Lc = circuit.centred_logits
    spectrum = analyses.logit_spectrum(circuit)
    for k in fourier.frequencies(p):
        C = torch.tensor(
            [[[math.cos(2 * math.pi * k * (a + b - c) / p) for c in range(p)] for b in range(p)] for a in range(p)],
            dtype=torch.float64,
        )
        expected = (Lc * C).sum() / (Lc.norm() * C.norm())
        assert spectrum.clock_terms[k - 1] == pytest.approx(expected.item(), abs=1e-12)
    # Functions of a+b are the terms with equal frequencies of a and b in the three-dimensional spectrum.
    F = torch.fft.fftn(Lc).abs().square()
    diagonal = sum(F[k, k].sum() for k in range(p)) / F.sum()
    assert spectrum.sum_share == pytest.approx(float(diagonal), abs=1e-12)


@pytest.mark.parametrize("p", MODULI)
def test_distance_irrelevance_is_its_definition(p: int) -> None:
    circuit = _circuit(p)
    L = circuit.logits
    correct = {(a, b): L[a, b, (a + b) % p].item() for a in range(p) for b in range(p)}
    wrong = {(a, b): max(L[a, b, c].item() for c in range(p) if c != (a + b) % p) for a in range(p) for b in range(p)}
    finding = analyses.distance_irrelevance(circuit)
    for x, measured in ((correct, finding.correct), (wrong, finding.largest_wrong)):
        rows = [[x[a, b] for a, b in x if (a - b) % p == d] for d in range(p)]
        expected = statistics.mean(map(statistics.pstdev, rows)) / statistics.pstdev(x.values())
        assert measured == pytest.approx(expected, rel=1e-9)
    assert finding.mean_correct[1] == pytest.approx(statistics.mean(correct[a, (a - 1) % p] for a in range(p)))


@pytest.mark.parametrize("p", MODULI)
def test_the_amplitude_profile_is_its_definition(p: int) -> None:
    circuit = _circuit(p)
    for k in fourier.frequencies(p):
        A = amplitudes(circuit, k)
        for d in range(p):
            cosines = [
                [math.cos(2 * math.pi * k * (2 * b + d - c) / p) for c in range(p)] for b in range(p)
            ]  # a + b - c with a = b + d
            over = sum(value**2 for row in cosines for value in row)
            expected = sum(circuit.logits[(b + d) % p, b, c].item() * cosines[b][c] for b in range(p) for c in range(p))
            assert A[d].item() == pytest.approx(expected / over, abs=1e-10)


def test_neuron_shares_are_least_squares_fits() -> None:
    circuit = _circuit(7, d_mlp=20)
    finding = analyses.neuron_clusters(circuit)
    a, b = torch.meshgrid(torch.arange(7.0, dtype=torch.float64), torch.arange(7.0, dtype=torch.float64), indexing="ij")
    w = 2 * math.pi / 7
    for neuron in range(20):
        x = circuit.neurons[..., neuron].flatten()
        x = x - x.mean()
        shares = []
        for k in (1, 2, 3):
            one = torch.ones_like(a)
            factors = [(one, (w * k * a).cos(), (w * k * a).sin()), (one, (w * k * b).cos(), (w * k * b).sin())]
            X = torch.stack([(f * g).flatten() for f, g in itertools.product(*factors)], dim=1)
            residual = x - X @ torch.linalg.lstsq(X, x[:, None]).solution[:, 0]
            shares.append(1 - (residual.square().sum() / x.square().sum()).item())
        if x.norm() == 0:  # a dead neuron has no share and no frequency
            assert math.isnan(finding.shares[neuron]) and finding.best_frequencies[neuron] == 0
            continue
        assert finding.shares[neuron] == pytest.approx(max(shares), abs=1e-9)
        assert shares[finding.best_frequencies[neuron] - 1] == pytest.approx(max(shares), abs=1e-9)  # ties happen


def _closed_gradients(network: Network, a: int, b: int, c: int) -> tuple[torch.Tensor, torch.Tensor]:
    """∂L[a,b,c]/∂E_a and ∂L[a,b,c]/∂E_b of a one-layer ReLU network without attention biases, by the chain rule."""
    config, W = network.config, network.parameters
    x = W["embed.W_E"][torch.tensor([a, b, config.p])] + W["pos_embed.W_pos"]
    Q, K, V, O = (W[f"blocks.0.attn.W_{letter}"] for letter in "QKVO")  # noqa: E741
    middle = x[-1].clone()
    jacobians = [torch.zeros(config.d_model, config.d_model, dtype=x.dtype) for _ in x]  # ∂middle/∂x_i
    for h in range(config.n_heads):
        key_direction = x[-1] @ Q[h] @ K[h].T / math.sqrt(config.d_head)  # ∂score_i/∂x_i
        softmax = (x @ key_direction).softmax(0)
        OV = V[h] @ O[h]
        mixture = config.attention_rate * softmax + 1 - config.attention_rate
        middle = middle + mixture @ x @ OV
        average = softmax @ x @ OV
        for i in range(2):
            by_score = config.attention_rate * softmax[i] * (x[i] @ OV - average)
            jacobians[i] += mixture[i] * OV.T + torch.outer(by_score, key_direction)
    active = (middle @ W["blocks.0.mlp.W_in"] + W["blocks.0.mlp.b_in"] > 0).double()
    u = W["unembed.W_U"][:, c]
    at_middle = u + W["blocks.0.mlp.W_in"] @ (active * (W["blocks.0.mlp.W_out"] @ u))
    return at_middle @ jacobians[0], at_middle @ jacobians[1]


@pytest.mark.parametrize("rate", [1.0, 0.6, 0.0])
def test_gradient_symmetry_is_the_mean_cosine_of_the_closed_gradients(rate: float) -> None:
    p = 5
    circuit = _circuit(p, attention_rate=rate, d_model=12, n_heads=2, d_head=6, d_mlp=20)
    network = circuit.network
    assert isinstance(network, Network)
    finding = analyses.gradient_symmetry(circuit, triples=None)
    triples = list(itertools.product(range(p), repeat=3))
    cosines = [functional.cosine_similarity(*_closed_gradients(network, *triple), dim=0).item() for triple in triples]
    assert finding.triples == p**3 and finding.standard_error == 0
    assert finding.mean == pytest.approx(statistics.mean(cosines), abs=1e-10)

    random.Random(42).shuffle(triples)
    sample = [functional.cosine_similarity(*_closed_gradients(network, *triple), dim=0).item() for triple in triples[:100]]
    assert finding.paper_sample == pytest.approx(statistics.mean(sample), abs=1e-10)


def test_a_sample_of_triples_agrees_with_all_of_them_within_its_error() -> None:
    circuit = _circuit(13)
    exact = analyses.gradient_symmetry(circuit, triples=None)
    sampled = analyses.gradient_symmetry(circuit, triples=1500)
    assert sampled.triples == 1500 and sampled.standard_error > 0
    assert abs(sampled.mean - exact.mean) < 5 * sampled.standard_error


def test_the_paper_s_triples_are_the_first_of_its_shuffled_list() -> None:
    index = list(range(59**3))
    random.Random(42).shuffle(index)
    a, b, c = paper_sample(59)
    assert len(a) == 100 and (a * 59**2 + b * 59 + c).tolist() == index[:100]


@pytest.mark.parametrize("length", [1, 2, 3, 8, 64, 99, 101, 1000, 1001, 1024, 1025, 4913, 65_536, 65_537, 300_763])
def test_a_list_is_shuffled_as_python_shuffles_it(length: int) -> None:
    """Around powers of two, where Python draws another number of bits; and where looking through blocks begins."""
    for seed in (42, 0, 7):
        index = list(range(length))
        random.Random(seed).shuffle(index)
        assert shuffled(length, 100, seed).tolist() == index[:100]


def test_circularity_of_circles_is_1_and_near_equal_energies_spoil_it() -> None:
    """The second half is the known flaw of this measure: every frequency here is a perfect circle."""
    p = 31
    config = NetworkConfig(p=p, d_model=8, n_heads=1, d_head=2, d_mlp=4)
    network = initialise(config, seed=0, dtype=torch.float64)

    def circularity(strengths: list[float]) -> float:
        rows = [s * fourier.rows(k, p).T for k, s in zip((3, 5, 11), strengths, strict=True)]
        circles = torch.cat(rows, dim=1)
        W_E = torch.cat([circles, torch.zeros(p, 8 - circles.shape[1], dtype=torch.float64)], dim=1)
        rotation = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(2)).double()).Q
        noise = 1e-4 * torch.randn(p, 8, generator=torch.Generator().manual_seed(1)).double()
        return analyses.circularity(Circuit(network).with_embedding(W_E @ rotation + noise)).circularity

    assert circularity([3.0, 2.0, 1.0]) > 0.995
    assert circularity([1.0, 1.0, 1.0]) < 0.9


@pytest.mark.parametrize("p", MODULI)
def test_the_embedding_s_spectrum_is_its_definition(p: int) -> None:
    circuit = _circuit(p)
    finding = analyses.embedding_spectrum(circuit)
    F = torch.fft.rfft(circuit.embedding, dim=0)
    power = F.abs().square().sum(1)[1:] * 2
    if p % 2 == 0:
        power[-1] /= 2
        assert finding.axis_ratios[-1] == 0  # one row cannot be a circle
    assert finding.shares == pytest.approx((power / power.sum()).tolist())
    assert finding.effective_frequencies == pytest.approx((power.sum() ** 2 / power.square().sum()).item())
    rows = torch.stack([F[1].real, F[1].imag])
    singular = torch.linalg.svdvals(rows)
    assert finding.axis_ratios[0] == pytest.approx((singular[1] / singular[0]).item())


def test_a_pure_wave_has_participation_ratio_1_and_a_line_has_axis_ratio_0() -> None:
    p = 11
    circuit = _circuit(p, d_model=1, n_heads=1, d_head=1)
    wave = torch.cos(2 * math.pi * 3 * torch.arange(p).double() / p)[:, None]
    finding = analyses.embedding_spectrum(circuit.with_embedding(wave))
    assert finding.present == (3,) and finding.inverse_participation_ratio == pytest.approx(1.0)
    assert finding.axis_ratios[2] == 0


def test_the_embedding_s_gini_and_participation_are_their_definitions() -> None:
    circuit = _circuit(9)
    finding = analyses.embedding_spectrum(circuit)
    norms = sorted(share**0.5 for share in finding.shares)
    pairs = sum(abs(x - y) for x in norms for y in norms) / (2 * len(norms) ** 2 * statistics.mean(norms))
    assert finding.gini == pytest.approx(pairs)
    F = torch.fft.rfft(circuit.embedding, dim=0)[1:].abs()
    ratios = [sum((f / column.norm()) ** 4 for f in column).item() for column in F.T]
    assert finding.inverse_participation_ratio == pytest.approx(statistics.mean(ratios))


def test_the_raw_clock_share_leaves_the_classes_uncentred() -> None:
    circuit = _circuit(7)
    finding = analyses.logit_spectrum(circuit)
    raw = circuit.logits - circuit.logits.mean()
    onto = 0.0
    for k in (1, 2, 3):
        n = torch.arange(7).double()
        C = torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / 7)
        onto += ((raw * C).sum() / C.norm()).item() ** 2
    assert finding.raw_clock_share == pytest.approx(onto / raw.square().sum().item())
    assert finding.raw_clock_share < finding.clock_share


def test_minor_frequencies_and_harmonics() -> None:
    """Logits with a strong term at 3 and 5, a weak one at 6 = 2 · 3 and at 8, and a negligible one at 1."""
    p = 17
    n = torch.arange(p).double()
    x = n[:, None, None] + n[None, :, None] - n
    weights = {3: 1.0, 5: 1.0, 6: 0.04, 8: 0.02, 1: 0.003}
    keys = analyses.key_frequencies(from_logits(sum(w * torch.cos(2 * math.pi * k * x / p) for k, w in weights.items())))
    assert keys.frequencies == (3, 5) and keys.minor == (6, 8) and keys.harmonics == (6,)
    assert keys.strengths == pytest.approx((1 / math.sqrt(2),) * 2, abs=1e-2)


def test_edits_and_gradient_symmetry_exclude_each_other() -> None:
    """An edit sees all pairs, [a, b]; triples are another batch: the result would mean nothing."""
    circuit = _circuit(5)
    edited = circuit.with_activation("blocks.0.mlp.hook_post", circuit.activation("blocks.0.mlp.hook_post"))
    with pytest.raises(InterpError, match="activations are not edited"):
        analyses.gradient_symmetry(edited)
    assert math.isnan(analyses.clock_or_pizza(edited).gradient_symmetry)


def test_activations_are_shown_on_all_pairs() -> None:
    circuit = _circuit(5)
    for name in ("hook_embed", "blocks.0.attn.hook_q", "blocks.0.attn.hook_attn_scores", "blocks.0.hook_resid_post"):
        assert circuit.activation(name).shape[:2] == (5, 5)


def test_circularity_of_a_single_circle() -> None:
    finding = analyses.circularity(Circuit(planted(59, clocks=(3,))))
    assert finding.circularity == pytest.approx(1.0) and finding.best_frequencies == (3, 3)


def test_performance_counts_and_splits() -> None:
    circuit = _circuit(5)
    train = torch.tensor([0, 3, 7, 24])
    measured = analyses.performance(Circuit(circuit.network, train))
    right = (circuit.logits.argmax(-1) == circuit.answers).flatten()
    losses = -circuit.logits.log_softmax(-1).flatten(0, 1)[torch.arange(25), circuit.answers.flatten()]
    is_test = torch.ones(25, dtype=torch.bool).index_fill(0, train, False)
    assert measured.wrong == 25 - int(right.sum())
    assert measured.train_loss == pytest.approx(losses[train].mean().item())
    assert measured.test_loss == pytest.approx(losses[is_test].mean().item())
    assert measured.test_accuracy == pytest.approx(right[is_test].double().mean().item())
    assert math.isnan(analyses.performance(circuit).test_loss)


def test_attention_pattern_finds_a_periodic_head_and_a_constant_one() -> None:
    p = 9
    circuit = _circuit(p, n_heads=2, d_head=4)

    def pattern(old: torch.Tensor) -> torch.Tensor:
        new = torch.full_like(old, 1 / 3)
        a = torch.arange(p).double()
        new[:, :, 0, 0, 0] = (0.3 + 0.2 * torch.cos(2 * math.pi * 2 * a / p))[:, None]
        return new

    finding = analyses.attention_pattern(circuit.with_activation("blocks.0.attn.hook_pattern", pattern))
    assert finding.best_frequencies == (2, 0)
    assert finding.shares[0] == pytest.approx(1.0) and math.isnan(finding.shares[1])
    assert finding.means[0] == pytest.approx((0.3, 1 / 3, 1 / 3))
    assert finding.deviations[0] == pytest.approx((0.2 / math.sqrt(2), 0, 0), abs=1e-12)


def test_asking_twice_computes_once() -> None:
    circuit = _circuit(5)
    assert analyses.logit_spectrum(circuit) is analyses.logit_spectrum(circuit)
    assert analyses.gradient_symmetry(circuit) is analyses.gradient_symmetry(circuit, triples=4000, seed=0)
    assert analyses.gradient_symmetry(circuit) is not analyses.gradient_symmetry(circuit, seed=1)
