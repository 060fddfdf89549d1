"""Spectra, circles, dials and attention by their definitions: values that were put there by hand, and even moduli."""

import math

import pytest
import torch
from planted import planted
from torch import Tensor

import analyses
import interp
from analyses.adding.circles import circle_of, plane_coordinates
from analyses.adding.hands import Hand, Pair, angle_of, dial, in_turns
from analyses.adding.one_pair import output_hands
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


def clock(p: int, k: int) -> Tensor:
    """cos w_k(a+b-c) for all a, b and c."""
    n = torch.arange(p).double()
    return (2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p).cos()


def random_network(**config: object) -> Circuit:
    """Random weights, in float64."""
    start = {"p": 7, "d_model": 8, "n_heads": 2, "d_head": 4, "d_mlp": 12, "answers_equals": False}
    return Circuit(initialise(NetworkConfig(**{**start, **config}), seed=3, dtype=torch.float64))  # type: ignore[arg-type]


# Key frequencies and amplitudes


def test_an_anti_clock_is_neither_key_nor_a_clock() -> None:
    """-cos w(a+b-c) is largest at the answers that are most wrong."""
    keys = analyses.key_frequencies(interp.from_logits(clock(17, 3) - 0.5 * clock(17, 5)))
    assert keys.frequencies == (3,) and keys.minor == ()
    network = planted(13, clocks=(1, 2, 3), strengths={3: -1.0})
    profile = _profile(Circuit(network), 3)
    assert profile.variation < 0.01 and profile.min_over_max > 0.9  # as flat as a clock
    assert (profile.verdict, profile.margin) == ("between", 0.0) and max(profile.profile) < 0
    network.parameters["unembed.W_U"] *= 1e-6  # however small
    assert _profile(Circuit(network), 3).verdict == "between"


def test_a_minor_frequency_has_a_term_of_a_two_hundredth_or_more() -> None:
    weights = {3: 1.0, 5: 0.006, 6: 0.004}
    keys = analyses.key_frequencies(interp.from_logits(sum(w * clock(17, k) for k, w in weights.items())))
    assert keys.minor == (5,)
    terms = analyses.logit_spectrum(interp.from_logits(sum(w * clock(17, k) for k, w in weights.items()))).clock_terms
    assert [terms[k - 1] for k in (5, 6)] == pytest.approx([0.006, 0.004], rel=1e-3)


@pytest.mark.parametrize("keys", [(6,), (1, 6), (2, 3)])
def test_amplitudes_and_what_they_explain_are_exact_for_an_even_modulus(keys: tuple[int, ...]) -> None:
    """At k = p/2 there is a cosine and no sine, and it has twice the energy."""
    circuit = interp.from_logits(sum((i + 2) * clock(12, k) for i, k in enumerate(keys)))
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
    assert torch.allclose(lawful_map(neurons, keys), W_L, atol=1e-9)


# Circularity


def test_circularity_is_at_most_1_for_an_even_modulus() -> None:
    """A wave at p/2 is one number in the spectrum, not two."""
    wave = fourier.rows(6, 12).T
    finding = analyses.circularity(interp.from_logits(clock(12, 1), wave))
    assert finding.components == pytest.approx((1.0,)) and finding.best_frequencies == (6,)
    mixed = torch.cat([3 * fourier.rows(2, 12).T, 2 * wave], dim=1)
    finding = analyses.circularity(interp.from_logits(clock(12, 1), mixed))
    assert finding.components == pytest.approx((1.0, 1.0, 1.0)) and finding.best_frequencies == (2, 2, 6)


def test_circularity_does_not_depend_on_the_size_of_the_embedding_nor_halves_a_circle() -> None:
    """p = 9 is odd, and its last frequency has a sine too."""
    circle = fourier.rows(4, 9).T
    for size in (1e-9, 1.0, 1e9):
        finding = analyses.circularity(interp.from_logits(clock(9, 1), size * circle))
        assert finding.components == pytest.approx((1.0, 1.0)) and finding.best_frequencies == (4, 4)


def test_distances_along_the_arch_are_in_the_order_of_their_turns() -> None:
    profile = _profile(Circuit(planted(13, clocks=(1, 2, 3))), 3)
    assert [3 * d % 13 for d in profile.along_the_arch()] == list(range(13))


def test_a_network_generalises_from_99_in_100() -> None:
    """p = 10: one of a hundred pairs may be wrong, two may not."""
    logits = clock(10, 1).clone()
    for wrong, generalises in ((1, True), (2, False)):
        logits[0, wrong - 1] = -logits[0, wrong - 1]
        found = analyses.performance(interp.from_logits(logits))
        assert (found.wrong, found.generalises) == (wrong, generalises)


def test_circularity_looks_at_four_components_and_at_all_that_are_something() -> None:
    circles = [size * fourier.rows(k, 13).T for k, size in ((2, 5.0), (3, 1.0), (6, 0.01))]
    finding = analyses.circularity(interp.from_logits(clock(13, 1), torch.cat(circles, dim=1)))
    assert finding.best_frequencies == (2, 2, 3, 3) and finding.circularity == pytest.approx(1.0)
    small = analyses.circularity(interp.from_logits(clock(13, 1), torch.cat([circles[0], circles[2]], dim=1)))
    assert small.best_frequencies == (2, 2, 6, 6)  # five hundred times as small, and still a circle
    half = torch.cat([5 * fourier.rows(2, 13)[:1].T + 2 * fourier.rows(3, 13)[:1].T, fourier.rows(2, 13)[1:].T], dim=1)
    finding = analyses.circularity(interp.from_logits(clock(13, 1), half))
    assert finding.components == pytest.approx((25 / 29, 1.0)) and finding.circularity == pytest.approx((25 / 29 + 1) / 2)


# Circles


def ring(p: int, k: int, *, radius: float = 2.0) -> Tensor:
    """The numbers in order on a circle."""
    return radius * fourier.waves(k, p).T


def tilted(flat: Tensor, d: int = 5) -> Tensor:
    """The same points in a plane of a space of more dimensions."""
    return flat @ torch.linalg.qr(torch.randn(d, d, generator=torch.Generator().manual_seed(0)).double()).Q[:2]


def test_a_perfect_circle_is_round_pure_and_in_order_wherever_it_lies() -> None:
    found = circle_of(tilted(ring(13, 3)) + torch.tensor([5.0, -1.0, 0.0, 2.0, 9.0]), 3)
    assert (found.radius, found.roundness, found.pure) == pytest.approx((2.0, 1.0, 1.0))
    assert found.off == pytest.approx(0.0, abs=1e-9)
    for n, point in enumerate(found.points):  # number 0 at angle 0, the others k n/p turns on
        assert point == pytest.approx((math.cos(2 * math.pi * 3 * n / 13), math.sin(2 * math.pi * 3 * n / 13)), abs=1e-9)


def test_numbers_out_of_place_are_off_by_their_angle() -> None:
    """All numbers that are turned by +x or -x in equal measure at every place: x out of place, and the plane is the same."""
    p, x = 12, 0.3
    turned = 2 * math.pi * torch.arange(p).double() / p + x * torch.tensor([1.0, -1.0] * 6)
    E = torch.stack([turned.cos(), turned.sin()], dim=1)
    found = circle_of(E, 1)
    assert found.off == pytest.approx(x / (2 * math.pi)) and found.roundness == pytest.approx(1.0)
    # What is off is no part of the frequency: waves of ±(1 + p/2), sin² x of the energy.
    assert found.pure == pytest.approx(math.cos(x) ** 2)
    # A mirror image goes round the other way: no number but 0 and p/2 is in place.
    mirrored = plane_coordinates(E * torch.tensor([1.0, -1.0], dtype=torch.float64), 1)
    assert mirrored.norm(dim=1).tolist() == pytest.approx([1.0] * p)


def test_one_number_displaced_is_seen_as_a_slow_computation_sees_it() -> None:
    p, k = 13, 2
    E = ring(p, k, radius=1.0)
    E[4] = 0.5 * E[4]
    found = circle_of(tilted(E), k)
    centred = E - E.mean(0)
    radii = [math.hypot(*row) for row in centred.tolist()]
    assert found.roundness == pytest.approx(min(radii) / max(radii)) and 0.45 < found.roundness < 0.6
    assert found.radius == pytest.approx(math.sqrt(sum(r * r for r in radii) / p))
    # The plane is that of the components along cos and sin, turned so that it is nearest to them.
    rows = fourier.rows(k, p) @ E
    U, _, Vh = torch.linalg.svd(rows)
    seen = (centred @ (U @ Vh).T).tolist()
    offs = [(math.atan2(y, x) - 2 * math.pi * k * n / p + math.pi) % (2 * math.pi) - math.pi for n, (x, y) in enumerate(seen)]
    assert found.off == pytest.approx(math.sqrt(sum(o * o for o in offs) / p) / (2 * math.pi)) and found.off > 1e-3
    own = sum(abs(z) ** 2 for z in torch.fft.fft(torch.tensor(seen), dim=0)[[k, p - k]].flatten().tolist()) / p
    assert found.pure == pytest.approx(own / sum(x * x + y * y for x, y in seen))


def test_half_an_even_modulus_is_a_line() -> None:
    flat = plane_coordinates(3 * fourier.waves(4, 8)[:1].T, 4)
    assert flat.shape == (8, 2) and flat[:, 0].abs().tolist() == pytest.approx([3.0] * 8) and not flat[:, 1].any()


# Two numbers on their way


def test_the_numbers_of_a_and_of_b_have_dials_of_their_own() -> None:
    """Where a and b have vocabularies of their own, b stands where b's table has it."""
    p, k = 11, 2
    E_a, E_b = ring(p, k), ring(p, k).roll(-3, 0) * torch.tensor([1.0, 3.0], dtype=torch.float64)
    circuit = interp.from_function(
        lambda a, b: 10 * clock(p, k)[a, b] + 6 * clock(p, 3)[a, b],
        p,
        embedding=(E_a, E_b),
        from_embeddings=lambda x, y: (
            10 * clock(p, k)[place(x, E_a), place(y, E_b)] + 6 * clock(p, 3)[place(x, E_a), place(y, E_b)]
        ),
    )
    shown = analyses.one_pair(circuit, a=4, b=7)
    hand = shown.hands[0]
    assert hand.k == k and hand.a == circle_of(E_a, k).points[4] and hand.b == circle_of(E_b, k).points[7]
    assert hand.b != circle_of(E_a, k).points[7] and hand.ring_a != hand.ring_b


def place(x: Tensor, E: Tensor) -> Tensor:
    """Which number has this vector? For what is no number's, the nearest."""
    return torch.cdist(x.double(), E).argmin(-1)


def test_an_answer_its_margin_and_the_output_s_hands_are_those_of_the_logits() -> None:
    p = 12
    circuit = interp.from_logits(4 * clock(p, 2) + 1.5 * clock(p, 6), torch.eye(p, dtype=torch.float64))
    for k, size in ((2, 4.0), (6, 1.5)):
        hands, largest = output_hands(circuit, k)
        assert largest == pytest.approx(size)
        for a, b in ((0, 0), (5, 9), (11, 3)):
            angle = 2 * math.pi * k * (a + b) / p
            assert hands[a, b].tolist() == pytest.approx([math.cos(angle), 0.0 if k == 6 else math.sin(angle)], abs=1e-9)
    random = random_network()
    for a, b in ((0, 0), (2, 6), (6, 5)):
        shown, logits = analyses.one_pair(random, a=a, b=b), random.logits[a, b].tolist()
        best, second, *_ = sorted(logits, reverse=True)
        assert (shown.answer, shown.right, shown.p) == (logits.index(best), (a + b) % 7, 7)
        assert shown.margin == pytest.approx(best - second)
        mean = sum(logits) / 7
        assert shown.logits == pytest.approx([x - mean for x in logits])
    default = analyses.one_pair(random)
    assert (default.a, default.b) == (7 // 5, 7 // 3)
    for a, b in ((7, 0), (0, 7), (-1, 0), (0, -1)):
        with pytest.raises(InterpError, match="expected a and b from 0 to 6"):
            analyses.one_pair(random, a=a, b=b)


def test_what_the_inputs_places_make_together() -> None:
    """A clock adds the angles; a pizza takes twice the angle of the mean of the two points."""
    a, b = (math.cos(0.4), math.sin(0.4)), (2 * math.cos(1.0), 2 * math.sin(1.0))
    of = {
        verdict: Hand(1, verdict, a, b, (1.0, 0.0), (a, b, a), (a, b, a), (a, b, a))
        for verdict in ("clock", "pizza", "between")
    }
    assert of["clock"].predicted == of["between"].predicted == pytest.approx(1.4)
    mean = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    assert of["pizza"].mean == mean and of["pizza"].predicted == pytest.approx(2 * math.atan2(mean[1], mean[0]))
    assert angle_of((0.0, 2.0)) == pytest.approx(math.pi / 2) and in_turns(-math.pi / 2) == pytest.approx(0.75)
    for verdict, drawn in (
        ("clock", {"sum"}),
        ("pizza", {"slice", "chord", "mean"}),
        ("between", {"sum", "slice", "chord", "mean"}),
    ):
        traces = {trace["meta"]: trace for trace in dial(of[verdict], Pair(p=3, a=0, b=1, answer=2, b_as="b"))}
        assert traces.keys() - {"ring_a", "ring_b", "ring_answer", "a", "b", "output", "answer", "labels"} == drawn
        assert (traces["answer"]["x"], traces["answer"]["y"]) == ([a[0]], [a[1]])
        assert traces["labels"]["text"] == ["0", "1", "2"] and traces["b"]["x"] == [0.0, b[0]]
        if "sum" in drawn:
            assert traces["sum"]["x"] == pytest.approx([0.0, math.cos(1.4)])
        if "slice" in drawn:
            rims = [math.atan2(y, x) for x, y in zip(traces["slice"]["x"], traces["slice"]["y"], strict=True) if x or y]
            middle = math.atan2(mean[1], mean[0])
            expected = (middle - math.pi / 6, middle + math.pi / 6, middle + 5 * math.pi / 6, middle - 5 * math.pi / 6)
            assert [in_turns(rim) for rim in rims] == pytest.approx([in_turns(rim) for rim in expected])


def test_a_dial_has_its_star_on_the_answer_s_ring_and_each_number_outside_in_its_direction() -> None:
    """The answer stands on a ring of its own; numbers are written 1.3 mean radii out, whatever the point's distance."""
    ring_a = ((1.0, 0.0), (0.0, 1.0), (-0.6, -0.8))
    ring_b = ((1.0, 0.0), (0.3, 0.4), (0.8, -0.6))
    hand = Hand(1, "clock", ring_a[1], ring_b[1], (1.0, 0.0), ring_a, ring_b, ring_a[::-1])
    traces = {trace["meta"]: trace for trace in dial(hand, Pair(p=3, a=1, b=1, answer=0, b_as="-b"))}
    assert (traces["answer"]["x"], traces["answer"]["y"]) == ([-0.6], [-0.8])
    assert traces["labels"]["text"] == ["1", "-1", "0"]
    assert traces["labels"]["x"] == pytest.approx([0.0, 1.3 * 0.6, 1.3 * -0.6], abs=1e-12)
    assert traces["labels"]["y"] == pytest.approx([1.3, 1.3 * 0.8, 1.3 * -0.8])


# Attention, edits, scores, beginnings


def test_the_attention_that_is_drawn_is_the_one_to_a() -> None:
    p = 5
    values = torch.arange(p * p * 2 * 3).double().view(p, p, 2, 1, 3) / 1000
    circuit = random_network(p=p).with_activation("blocks.0.attn.hook_pattern", lambda _: values)
    finding = analyses.attention_pattern(circuit)
    for head in range(2):
        for a in range(p):
            for b in range(p):
                assert finding.to_a[head][a][b] == pytest.approx((6 * (p * a + b) + 3 * head) / 1000)
    assert finding.means[1] == pytest.approx([(6 * 12 + 3 + i) / 1000 for i in range(3)])
    assert finding.positions == ("a", "b", "=") and finding.attention_rate == 1.0


def test_the_halves_of_an_embedding_are_a_s_and_b_s() -> None:
    circuit = random_network(separate_vocabularies=True)
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
    circuit = random_network()
    other = random_network(d_mlp=9)
    found = score(circuit, other.logits, name="", numbers=0)
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
