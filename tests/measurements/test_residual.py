"""Where the output lives that clocks and pizzas do not explain: planted parts, and planted memories, are found."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from planted import clock_logits, planted

import analyses
import interp
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

P, KEYS = 31, (3, 8, 13)


FOLDER = Path(__file__).parent.parent.parent / "checkpoints"


@pytest.mark.parametrize("squash", [0.8, 0.5])
def test_a_planted_ellipse_is_found_in_the_residual(squash: float) -> None:
    circuit = Circuit(planted(P, clocks=KEYS, squash=squash))
    clock, other = (1 + squash) / 2, (1 - squash) / 2
    where = analyses.residual(circuit)
    assert where.ellipses == pytest.approx(other**2 / (clock**2 + other**2), abs=1e-3)
    assert where.unexplained - where.ellipses < 1e-3
    assert {(abs(a), abs(b), c) for a, b, c, _ in where.strongest[:3]} == {(k, k, k) for k in KEYS}
    card = analyses.explanation(circuit)
    assert card.lives[0] == ("ellipses cos w(a+b+c)", where.ellipses)
    # .012 of the variance is little enough for a formula, .1 is not; but it follows from what the neurons read and write.
    assert card.is_explained and card.rung == (1 if squash == 0.8 else 2)


def test_a_planted_second_harmonic_is_found_in_the_residual() -> None:
    circuit = Circuit(planted(P, clocks=(*KEYS, 6), strengths={6: 0.06}))
    assert analyses.key_frequencies(circuit).frequencies == KEYS
    where = analyses.residual(circuit)
    assert where.harmonics == pytest.approx(0.06**2 / (3 + 0.06**2), rel=0.02)
    assert where.unexplained - where.harmonics < 1e-3
    other = analyses.residual(Circuit(planted(P, clocks=(*KEYS, 9), strengths={9: 0.06})))
    assert other.other_frequencies == pytest.approx(where.harmonics, rel=0.02) and other.harmonics < 1e-5


def test_the_parts_of_the_output_add_up_to_all_of_it() -> None:
    for p in (12, 13):  # even p has a frequency with a cosine only
        where = analyses.residual(Circuit(initialise(NetworkConfig(p=p), seed=0)))
        assert where.explained + sum(where.parts().values()) == pytest.approx(1.0, abs=1e-6)
        assert all(share > -1e-9 for share in where.parts().values())


PARTS: dict[str, Callable[[int, int, int, int, set[int]], bool]] = {
    # Of the wave exp 2πi(ka a + kb b + kc c)/p, with the key frequencies among 0..p-1 (k and p - k).
    "key frequencies": lambda ka, kb, kc, p, keys: (ka + kb + 2 * kc) % p == 0 and kc in keys,
    "harmonics": lambda ka, kb, kc, p, keys: (ka + kb + 2 * kc) % p == 0 and kc in {2 * k % p for k in keys},
    "other_frequencies": lambda ka, kb, kc, p, keys: (ka + kb + 2 * kc) % p == 0 and kc != 0,
    "of_answer": lambda ka, kb, kc, p, keys: ka == kb == 0,
    "ellipses": lambda ka, kb, kc, p, keys: ka == kb == kc,
    "crosstalk": lambda ka, kb, kc, p, keys: ka == kb and ka in keys and kc in keys,
    "other_sums": lambda ka, kb, kc, p, keys: ka == kb,
    "of_one_input": lambda ka, kb, kc, p, keys: ka == 0 or kb == 0,
    "of_pairs_key": lambda ka, kb, kc, p, keys: kc in keys,
    "of_pairs_other": lambda ka, kb, kc, p, keys: True,
}
"""The parts of the residual, by their definitions and in the order of its fields: a wave belongs to the first that it fits."""


@pytest.mark.parametrize("p", [12, 13])
def test_every_wave_of_the_output_belongs_to_the_first_part_that_it_fits(p: int) -> None:
    n = torch.arange(p).double()
    waves = sum(3 * (2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p).cos() for k in (2, 3))
    noise = 0.3 * torch.randn(p, p, p, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    circuit = interp.from_logits(waves + noise)
    assert analyses.key_frequencies(circuit).frequencies == (2, 3)
    keys = {2, 3, p - 2, p - 3}
    found = analyses.residual(circuit)
    assert [f.name for f in dataclasses.fields(found) if f.name not in ("words", "among")] == [
        "explained", "phase_shifted", *list(PARTS)[1:], "low_order", "strongest",
    ]  # fmt: skip
    F = torch.fft.fftn(circuit.centred_logits).abs().square()
    shares, low_order, strongest = dict.fromkeys(PARTS, 0.0), 0.0, {}
    for ka, kb, kc in itertools.product(range(p), repeat=3):
        share = float(F[ka, kb, kc] / F.sum())
        name = next(name for name, fits in PARTS.items() if fits(ka, kb, kc, p, keys))
        shares[name] += share
        if kc in keys and all(k in (0, kc, p - kc) for k in (ka, kb)) and (ka + kb + 2 * kc) % p:
            low_order += share
        if name != "key frequencies" and kc <= p // 2:
            twice = 1 if 2 * kc in (0, p) else 2
            strongest[ka if 2 * ka <= p else ka - p, kb if 2 * kb <= p else kb - p, kc] = twice * share
    assert found.explained + found.phase_shifted == pytest.approx(shares.pop("key frequencies"), abs=1e-12)
    for name, share in shares.items():
        assert getattr(found, name) == pytest.approx(share, abs=1e-12), name
    assert found.low_order == pytest.approx(low_order, abs=1e-12)
    listed = {(ka, kb, kc): share for ka, kb, kc, share in found.strongest}
    assert listed.keys() <= strongest.keys()  # none of them is a clock or a pizza
    assert listed == pytest.approx({wave: strongest[wave] for wave in listed}, abs=1e-12)
    others = [share for wave, share in strongest.items() if wave not in listed and wave[2] not in (0, p // 2)]
    assert len(listed) == 10 and min(listed.values()) >= max(others)


def test_crosstalk_and_biases_are_found_where_they_were_put() -> None:
    circuit = Circuit(planted(P, clocks=KEYS))
    residues = torch.arange(P).double()

    def wave(x: torch.Tensor, k: int) -> torch.Tensor:
        return (2 * math.pi * k * x / P).cos()

    sums, c = residues[:, None, None] + residues[None, :, None], residues[None, None, :]
    size = circuit.centred_logits.square().sum()
    for extra, part_name in (
        (wave(sums, 3) * wave(c, 13), "crosstalk of key frequencies"),
        (wave(sums, 3) * wave(c, 9), "other functions of a+b and c"),
        (wave(c, 13).expand(P, P, P), "functions of c"),
        ((wave(residues, 4)[:, None, None] * wave(c, 13)).expand(P, P, P), "functions of a or b, and c"),
        (wave(residues[:, None, None] - residues[None, :, None], 7) * wave(c, 13), "not of a+b, c at key frequencies"),
        (wave(residues[:, None, None] - residues[None, :, None], 7) * wave(c, 9), "not of a+b, c at other frequencies"),
    ):
        extra = 0.1 * extra * size.sqrt() / extra.norm()
        parts = analyses.residual(interp.from_logits(circuit.centred_logits + extra)).parts()
        assert parts.pop(part_name) == pytest.approx(0.01 / 1.01, rel=0.05)
        assert sum(parts.values()) < 2e-3


# Memory


TRAINED = torch.randperm(P * P, generator=torch.Generator().manual_seed(5))[:400]


def with_table(height: float, *, at: torch.Tensor = TRAINED, noise: float = 0.3) -> Circuit:
    """Clocks with noise, and the right answers of some pairs raised by a height."""
    generator = torch.Generator().manual_seed(1)
    logits = 4 * sum(clock_logits(P, k) for k in (3, 8, 13)) + noise * torch.randn(P, P, P, generator=generator)
    a, b = at // P, at % P
    logits[a, b, (a + b) % P] += height
    return Circuit(interp.from_logits(logits).network, train_pairs=TRAINED)


@pytest.mark.parametrize("height", [1.0, 3.0])
def test_a_planted_table_is_found_with_its_size(height: float) -> None:
    found = analyses.memory(with_table(height))
    deviation = with_table(height).centred_logits.square().mean().sqrt().item()
    # Of a table, the measured profiles hold what is the same on trained and on other pairs.
    assert found.found and found.lift * deviation == pytest.approx(height, rel=0.15)
    assert found.energy_ratio > 1.05 and found.worth > 0.01
    assert found.trained_loss < found.trained_loss_without and "it remembers trained pairs" in found.in_words()
    assert found.worth == pytest.approx(
        found.held_out_loss - found.trained_loss - found.held_out_loss_without + found.trained_loss_without
    )


def test_a_table_of_other_pairs_and_no_table_are_no_memory() -> None:
    """What is raised on as many pairs that have nothing to do with the training set is not remembered."""
    others = torch.rand(P * P, generator=torch.Generator().manual_seed(9)).argsort()[:400]
    for each in (with_table(0.0), with_table(2.0, at=others), with_table(0.0, noise=0.0)):
        found = analyses.memory(each)
        assert not found.found and not found.lift_beyond_chance and "is not seen to remember" in found.in_words()
    everywhere = analyses.memory(with_table(2.0, at=torch.arange(P * P)))
    assert not everywhere.found


def test_a_network_that_only_remembers_has_as_much_energy_everywhere() -> None:
    """Why energy alone says little: it answers all other pairs too, as loudly. The lift and the losses tell."""
    for name, remembers in (("memorising-59", True), ("nanda-113-step-9400", True), ("nanda-113", False), ("quick-113", False)):
        found = analyses.memory(interp.load(f"checkpoints/{name}.pt"))
        assert found.found is remembers and found.energy_ratio < 1.01
        if remembers:
            assert found.lift > 0.5 and found.worth > 3 and found.trained_loss_without > 100 * found.trained_loss
        else:
            assert "remembers next to nothing" in found.in_words()  # beyond chance, and worth nothing
            assert found.lift < 0.05 and found.worth < 1e-5 and found.trained_loss_without < found.trained_loss


def test_the_null_does_not_hold_the_network_s_own_split() -> None:
    """Splits made by a seeded permutation, as recipes make theirs, were once among the null's."""
    for seed in range(3):
        trained = torch.randperm(P * P, generator=torch.Generator().manual_seed(seed))[:400]
        a, b = trained // P, trained % P
        logits = 4 * torch.stack([clock_logits(P, k) for k in (3, 8, 13)]).sum(0)
        logits[a, b, (a + b) % P] += 3.0
        assert analyses.memory(Circuit(interp.from_logits(logits).network, train_pairs=trained)).lift_beyond_chance


def test_where_the_split_is_not_known_nothing_is_said() -> None:
    for known in (None, torch.arange(P * P), torch.arange(0)):
        found = analyses.memory(Circuit(with_table(0.0).network, train_pairs=known))
        assert found.found is None and math.isnan(found.lift) and "cannot be said" in found.in_words()
        assert found.in_short() == "cannot be said" and found.table().rows
    silent = Circuit(interp.from_logits(torch.zeros(7, 7, 7)).network, train_pairs=torch.arange(9))
    assert math.isnan(analyses.memory(silent).lift)
