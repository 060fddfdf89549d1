"""A table of remembered pairs, planted beside a circuit, is found, and nothing else is."""

import math

import pytest
import torch
from planted import clock_logits

import analyses
import interp
from interp.circuit import Circuit
from interp.networks.model import Unavailable

P = 31
TRAINED = torch.randperm(P * P, generator=torch.Generator().manual_seed(5))[:400]


def circuit(height: float, *, at: torch.Tensor = TRAINED, noise: float = 0.3) -> Circuit:
    """Clocks with noise, and the right answers of some pairs raised by a height."""
    generator = torch.Generator().manual_seed(1)
    logits = 4 * sum(clock_logits(P, k) for k in (3, 8, 13)) + noise * torch.randn(P, P, P, generator=generator)
    a, b = at // P, at % P
    logits[a, b, (a + b) % P] += height
    return Circuit(interp.from_logits(logits).network, train_pairs=TRAINED)


@pytest.mark.parametrize("height", [1.0, 3.0])
def test_a_planted_table_is_found_with_its_size(height: float) -> None:
    found = analyses.memory(circuit(height))
    deviation = circuit(height).centred_logits.square().mean().sqrt().item()
    # Of a table, the measured profiles hold what is the same on trained and on other pairs.
    assert found.found and found.lift * deviation == pytest.approx(height, rel=0.15)
    assert found.energy_ratio > 1.05 and found.worth > 0.01
    assert found.trained_loss < found.trained_loss_without and "remembers" in found.in_words()
    assert found.worth == pytest.approx(
        found.held_out_loss - found.trained_loss - found.held_out_loss_without + found.trained_loss_without
    )


def test_a_table_of_other_pairs_and_no_table_are_no_memory() -> None:
    """What is raised on as many pairs that have nothing to do with the training set is not remembered."""
    others = torch.rand(P * P, generator=torch.Generator().manual_seed(9)).argsort()[:400]
    for each in (circuit(0.0), circuit(2.0, at=others), circuit(0.0, noise=0.0)):
        found = analyses.memory(each)
        assert not found.found and not found.lift_beyond_chance and "no memory" in found.in_words()
    everywhere = analyses.memory(circuit(2.0, at=torch.arange(P * P)))
    assert not everywhere.found


def test_a_network_that_only_remembers_has_as_much_energy_everywhere() -> None:
    """Why energy alone says little: it answers all other pairs too, as loudly. The lift and the losses tell."""
    for name, remembers in (("memorising-59", True), ("nanda-113-step-9400", True), ("nanda-113", False), ("quick-113", False)):
        found = analyses.memory(interp.load(f"checkpoints/{name}.pt"))
        assert found.found is remembers and found.energy_ratio < 1.01
        if remembers:
            assert found.lift > 0.5 and found.worth > 3 and found.trained_loss_without > 100 * found.trained_loss
        else:
            assert "next to no memory" in found.in_words()  # beyond chance, and worth nothing
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
        with pytest.raises(Unavailable, match="needs to know which pairs"):
            analyses.memory.__wrapped__(Circuit(circuit(0.0).network, train_pairs=known))  # type: ignore[attr-defined]
    assert math.isnan(
        analyses.memory(Circuit(interp.from_logits(torch.zeros(7, 7, 7)).network, train_pairs=torch.arange(9))).lift
    )
