"""Circles, dials and two numbers on their way: what was put there by hand is what is shown."""

import math

import pytest
import torch
from planted import clock_logits, random_circuit
from torch import Tensor

import analyses
import interp
from analyses.adding.circles import circle_of, plane_coordinates
from analyses.adding.hands import Hand, Pair, angle_of, dial, in_turns, name_of
from analyses.adding.one_pair import output_hands
from interp import fourier
from interp.errors import InterpError


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


def test_the_numbers_of_a_and_of_b_have_dials_of_their_own() -> None:
    """Where a and b have vocabularies of their own, b stands where b's table has it."""
    p, k = 11, 2
    E_a, E_b = ring(p, k), ring(p, k).roll(-3, 0) * torch.tensor([1.0, 3.0], dtype=torch.float64)
    circuit = interp.from_function(
        lambda a, b: 10 * clock_logits(p, k)[a, b] + 6 * clock_logits(p, 3)[a, b],
        p,
        embedding=(E_a, E_b),
        from_embeddings=lambda x, y: (
            10 * clock_logits(p, k)[place(x, E_a), place(y, E_b)] + 6 * clock_logits(p, 3)[place(x, E_a), place(y, E_b)]
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
    circuit = interp.from_logits(4 * clock_logits(p, 2) + 1.5 * clock_logits(p, 6), torch.eye(p, dtype=torch.float64))
    for k, size in ((2, 4.0), (6, 1.5)):
        hands, largest = output_hands(circuit, k)
        assert largest == pytest.approx(size)
        for a, b in ((0, 0), (5, 9), (11, 3)):
            angle = 2 * math.pi * k * (a + b) / p
            assert hands[a, b].tolist() == pytest.approx([math.cos(angle), 0.0 if k == 6 else math.sin(angle)], abs=1e-9)
    random = random_circuit()
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
        name: Hand(1, name.split()[0], a, b, (1.0, 0.0), (a, b, a), (a, b, a), (a, b, a), pizza)
        for name, pizza in (("clock", 0.1), ("pizza", 0.9), ("mixture more clock", 0.4), ("mixture more pizza", 0.6))
    }
    assert [name_of(hand) for hand in of.values()] == [
        "k = 1: clock", "k = 1: pizza", "k = 1: mixture, 60% clock", "k = 1: mixture, 60% pizza"
    ]  # fmt: skip
    turns = {name: dict(hand.steps(2)) for name, hand in of.items()}
    assert turns["clock"]["added"] == pytest.approx(1.4 / (2 * math.pi))
    assert turns["clock"].keys() == {"a", "b", "added", "answer"}
    assert turns["pizza"]["doubled"] == pytest.approx(2 * turns["pizza"]["slice"] % 1)
    assert turns["pizza"].keys() == {"slice", "doubled", "answer"} and turns["pizza"]["slice"] < 0.5
    assert of["clock"].predicted == of["mixture more clock"].predicted == pytest.approx(1.4)
    assert of["pizza"].predicted == of["mixture more pizza"].predicted != pytest.approx(1.4)
    mean = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    assert of["pizza"].mean == mean and of["pizza"].predicted == pytest.approx(2 * math.atan2(mean[1], mean[0]))
    assert angle_of((0.0, 2.0)) == pytest.approx(math.pi / 2) and in_turns(-math.pi / 2) == pytest.approx(0.75)
    for verdict, drawn in (
        ("clock", {"sum"}),
        ("pizza", {"slice", "chord", "mean"}),
        ("mixture more clock", {"sum"}),
        ("mixture more pizza", {"slice", "chord", "mean"}),
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
