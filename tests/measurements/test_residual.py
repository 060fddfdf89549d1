"""Where the output lives that clocks and pizzas do not explain: planted parts are found, and all add up."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from planted import planted

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
    assert [f.name for f in dataclasses.fields(found) if f.name != "words"] == [
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
