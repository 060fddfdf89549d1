"""Proofs are sound: no pair that is answered wrongly is certified, no bound is exceeded, and a fault in any of them is seen."""

from collections.abc import Callable

import pytest
import torch
from perturbed import Certifiable, accurate, in_double, perturbed
from torch import Tensor

import analyses
from analyses.tools.proofs import cells, clusters, low_rank, readout, waves
from analyses.tools.proofs.cells import Cells, Cut
from analyses.tools.proofs.low_rank import LowRank
from analyses.tools.proofs.rounding import Bounded
from analyses.tools.proofs.rung import margins
from analyses.tools.proofs.token_forward import token_forward
from analyses.tools.proofs.waves import Waves
from interp.circuit import Circuit

SIZES = (0.6, 0.2, 0.05)
"""Sizes of cells that are tried here: coarse ones that certify little, and fine ones that certify nearly all that is right."""


def network_of(seed: int) -> Certifiable:
    kinds = accurate()
    return perturbed(kinds[seed // 3 % len(kinds)], seed)


def right(network: Certifiable) -> Tensor:
    """Which pairs are answered rightly by a forward pass in float64, not by proofs' own, [a, b]?"""
    circuit = Circuit(in_double(network))
    answers = circuit.task.table()[..., None]
    own = circuit.logits.gather(-1, answers)
    return (own > circuit.logits.scatter(-1, answers, -torch.inf).amax(-1, keepdim=True))[..., 0]


def by_low_rank(network: Certifiable, seed: int) -> Tensor:
    """Which pairs does each rank certify, [rank, a, b]?"""
    tables, answers = token_forward(network), Circuit(network).task.table()
    posts, directs = zip(*tables.rows(), strict=True)
    post, direct = (
        Bounded(torch.cat([x.value for x in rows]), max(x.error for x in rows)) for rows in (posts, directs)
    )  # all pairs at once, to save time
    return LowRank(tables.V).certifies(post, direct, answers.flatten()).unflatten(1, answers.shape)


def by_waves(network: Certifiable, seed: int) -> Tensor:
    """Which pairs does a number of waves that depends on the seed certify, [1, a, b]?"""
    circuit = Circuit(network)
    held = Waves(token_forward(network), circuit.numbers)
    return held.certified(held.counts()[seed % len(held.counts())], circuit.task.table())[None]


def by_cells(network: Certifiable, seed: int) -> Tensor:
    """Which pairs do cells of a size that depends on the seed certify, [1, a, b]?"""
    circuit = Circuit(network)
    held = Cells(token_forward(network, half_past_neurons=True), circuit.numbers)
    cuts = held.cut(SIZES[seed % len(SIZES)])
    assert cuts is not None
    return held.certified(cuts, circuit.task.table())[0][None]


Certify = Callable[[Certifiable, int], Tensor]
RUNGS: dict[str, Certify] = {"low rank": by_low_rank, "waves": by_waves, "cells": by_cells}


@pytest.fixture(autouse=True)
def many_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """At p = 13 cells as fine as these are about as many as pairs, which is no use, but a test."""
    monkeypatch.setattr(cells, "MOST", 1.0)


def wrongly_certified(seeds: range, rungs: dict[str, Certify]) -> tuple[int, dict[str, list[float]]]:
    """The number of pairs that are certified and answered wrongly; for every rung what share of the pairs it certified."""
    wrong, shares = 0, dict[str, list[float]]()
    for seed in seeds:
        network = network_of(seed)
        truth = right(network)
        for rung, certify in rungs.items():
            masks = certify(network, seed // 9)  # since seed % 9 says which network it is, and how it is perturbed
            wrong += int((masks & ~truth).sum())
            shares.setdefault(rung, []).extend(masks.double().mean((1, 2)).tolist())
    return wrong, shares


SHARDS = [pytest.param(range(n, n + 2500), marks=pytest.mark.faults, id=f"{n} to {n + 2500}") for n in range(0, 10_000, 2500)]


@pytest.mark.parametrize("seeds", [pytest.param(range(45), id="45"), *SHARDS])
def test_no_pair_that_is_answered_wrongly_is_certified(seeds: range) -> None:
    wrong, shares = wrongly_certified(seeds, RUNGS)
    assert wrong == 0
    for found in shares.values():
        # The test says something: some networks are proven, some are not, and many are in part.
        assert min(found) == 0 and max(found) > 0.9 and sum(0 < each < 1 for each in found) > len(found) / 20


@pytest.mark.parametrize("seed", range(12))
def test_the_finding_never_proves_more_than_is_true(seed: int) -> None:
    network = network_of(seed)
    found, truth = analyses.certificate(Circuit(network)), right(network).double().mean().item()
    assert found.accuracy <= truth + 1e-12 and found.proven <= found.accuracy
    assert all(step.certified <= found.accuracy for rung in found.rungs for step in rung.steps)
    assert all(share <= found.accuracy for _, share, _ in found.front)


def shrunk(module: object, name: str, factor: float) -> Callable[[pytest.MonkeyPatch], None]:
    """A fault: what a function or property gives is multiplied."""

    def put_in(monkeypatch: pytest.MonkeyPatch) -> None:
        true = getattr(module, name)
        if isinstance(true, property):
            assert true.fget is not None
            get = true.fget
            monkeypatch.setattr(module, name, property(lambda self: get(self) * factor))
        else:
            monkeypatch.setattr(module, name, lambda *given, **named: true(*given, **named) * factor)

    return put_in


def replaced(module: object, name: str, value: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(module, name, value)


def spread_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    true = low_rank.what_is_missing
    monkeypatch.setattr(low_rank, "what_is_missing", lambda V, A, B: (true(V, A, B)[0] * 0.02, true(V, A, B)[1]))


def margins_without_sign(module: object) -> Callable[[pytest.MonkeyPatch], None]:
    true = margins
    return replaced(module, "margins", lambda logits, answers: true(logits, answers).abs())


def distances_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    true = Waves.__init__

    def start(self: Waves, *given: object) -> None:
        true(self, *given)  # type: ignore[arg-type]
        self.far = self.far * 0.02

    monkeypatch.setattr(Waves, "__init__", start)


def half_the_neurons_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cut, "y", property(lambda self: self._sums[0] / 2))


FAULTS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "low rank: what is missing is made small": ("low rank", spread_is_small),
    "low rank: what is read is taken for what is not": ("low rank", replaced(low_rank, "gamma", lambda count: -0.9)),
    "low rank: margins have no sign": ("low rank", margins_without_sign(low_rank)),
    "waves: answers are close to each other": ("waves", distances_are_small),
    "waves: lengths are small": ("waves", replaced(waves, "gamma", lambda count: -0.9)),
    "waves: margins have no sign": ("waves", margins_without_sign(waves)),
    "cells: neurons are as lines": ("cells", shrunk(Cut, "half", 0.0)),
    "cells: half of what neurons add": ("cells", half_the_neurons_are_left_out),
    "cells: margins have no sign": ("cells", margins_without_sign(cells)),
}
"""Faults of a sign or of a factor: in which rung, and how each is put in."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_bound_is_seen(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rung, put_in = FAULTS[fault]
    put_in(monkeypatch)
    assert any(wrongly_certified(range(seed, seed + 1), {rung: RUNGS[rung]})[0] > 0 for seed in range(90))


def exceeded(network: Certifiable) -> list[str]:
    """Which bounds of the proof by cells are exceeded, beside what the network's own activations are in float64?"""
    tables = token_forward(network, half_past_neurons=True)
    held = Cells(tables, Circuit(network).numbers)
    pre, found = torch.cat([tables.pre(a).value for a in range(tables.p)]), []
    V, B = tables.V.value, held.readout.B
    left_out = V - held.readout.A @ B
    if torch.cdist(left_out.T, left_out.T).max() > held.readout.missing:
        found.append("missing")
    for number, cluster in enumerate(held.clusters):
        mine, V_mine = pre[:, cluster.neurons], V[cluster.neurons]
        seen = cluster.c + cluster.v @ cluster.N.T
        if ((mine - seen).norm(dim=1) > cluster.rest + 1e-12).any():
            found.append("rest")
        if (seen.norm(dim=1) > cluster.lengths()).any():
            found.append("lengths")
        if (torch.cdist(V_mine.T, V_mine.T) > held.readout.apart[len(B) + number] + 1e-7).any():
            found.append("apart")
        for size in SIZES:
            cuts = held.cut(size)
            assert cuts is not None
            true = seen.abs() @ held.readout.A[cluster.neurons] / 2
            if ((true - cuts[number].y).abs() > cuts[number].half).any():
                found.append(f"cells of {size}")
    return found


@pytest.mark.parametrize("seed", range(0, 27, 2))
def test_no_bound_of_the_cells_is_exceeded(seed: int) -> None:
    assert exceeded(network_of(seed)) == []


CELL_FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "cells of 0.6": shrunk(Cut, "half", 0.7),
    "cells of 0.2": shrunk(Cut, "half", 0.4),
    "rest": shrunk(clusters, "_outside", 0.1),
    "lengths": replaced(clusters, "OUTWARD", 0.5),
    "missing": replaced(readout, "OUTWARD", 0.3),
    "apart": replaced(readout, "OUTWARD", 0.9),
}
"""Faults of a factor, by the bound that they break."""


@pytest.mark.parametrize("bound", CELL_FAULTS)
def test_a_bound_of_the_cells_that_is_too_small_is_seen(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    CELL_FAULTS[bound](monkeypatch)
    assert any(bound in exceeded(network_of(seed)) for seed in range(27))
