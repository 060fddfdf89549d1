"""What a network was told and what it answers: shares, phases and neurons of planted networks, and of the committed ones."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import analyses
import interp
from analyses.tools.wrong_labels import Shares, shares
from analyses.trials.memorisation import participation_ratios
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.model import Unavailable
from interp.tasks import task_named

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "checkpoints" / "corruption"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())
ANALYZE = str(Path(sys.executable).parent / "interp-analyze")
P, N = 23, 240


def answering(table: torch.Tensor, train: torch.Tensor, told: torch.Tensor | None, task: str = "addition") -> Circuit:
    """A network that answers as a table says."""
    logits = torch.nn.functional.one_hot(table, len(table)).double()
    network = interp.from_logits(logits.numpy(), task=task).network
    return Circuit(network, train, told, task=task_named(task, len(table)))


@pytest.mark.parametrize("task", ["addition", "multiplication", "S3"])
def test_shares_are_those_that_were_planted(task: str) -> None:
    size = 6 if task == "S3" else 7
    truth = task_named(task, size).table()
    pairs = task_named(task, size).pairs()
    train = pairs[torch.arange(0, len(pairs), 2)][:16]
    told = truth.flatten()[train].clone()
    told[:8] = (told[:8] + 1) % size  # eight labels of sixteen are wrong
    table = truth.clone().flatten()
    table[train[:2]] = told[:2]  # two of these are kept, five answered truly, one otherwise
    table[train[2]] = (truth.flatten()[train[2]] + 2) % size
    table[train[15]] = (truth.flatten()[train[15]] + 1) % size  # and one right label is not
    circuit = answering(table.reshape(size, size), train, told, task)
    found = shares(circuit)
    expected = {"wrong": 8 / 16, "train": 9 / 16, "told": 2 / 8, "truth": 5 / 8, "clean": 7 / 8, "held_out": 1.0}
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected)
    assert found.otherwise == pytest.approx(1 / 8)
    drawn = np.array(analyses.wrong_labels(circuit).kinds)
    assert np.bincount(drawn.flatten(), minlength=5)[2:].tolist() == [5, 2, 2]
    assert drawn.flatten()[int(train[0])] == 3 and drawn.flatten()[int(train[2])] == 4


def shares_of(train: float, told: float, truth: float, held_out: float, wrong: float = 0.35) -> Shares:
    return Shares(wrong=wrong, train=train, told=told, truth=truth, clean=1.0, held_out=held_out)


@pytest.mark.parametrize(
    ("found", "phase", "published"),
    [
        (shares_of(1.0, 1.0, 0.0, 0.1), "memorisation", "memorisation"),
        (shares_of(0.98, 0.95, 0.05, 0.98), "coexistence", "coexistence"),
        (shares_of(0.80, 0.43, 0.57, 1.0), "partial inversion", "partial inversion"),
        (shares_of(0.65, 0.0, 1.0, 1.0), "full inversion", "full inversion"),
        (shares_of(0.2, 0.2, 0.2, 0.1), "forgetting", "forgetting"),
        # Of a tenth of wrong labels all can be inverted and the training accuracy still be .9: published as coexistence.
        (shares_of(0.9, 0.0, 1.0, 1.0, wrong=0.1), "full inversion", "coexistence"),
        (shares_of(1.0, math.nan, math.nan, 1.0, wrong=0.0), "", ""),
    ],
)
def test_phases_by_both_definitions(found: Shares, phase: str, published: str) -> None:
    assert (found.phase, found.published_phase) == (phase, published)


def quadratic(memory: bool) -> tuple[AttentionFree, torch.Tensor, torch.Tensor]:
    """The analytic solution of the network of Doshi et al. 2023: cosines whose phases add up; with ``memory`` also neurons that
    answer 40 pairs wrongly. Returns it with the training pairs, all pairs but a few, and their labels."""
    generator = torch.Generator().manual_seed(0)
    k = torch.randint(1, P // 2 + 1, (N,), generator=generator)
    phase_a, phase_b = 2 * math.pi * torch.rand(2, N, generator=generator, dtype=torch.float64)
    angles = 2 * math.pi * torch.arange(P, dtype=torch.float64)[:, None] * k / P
    tables = [torch.cos(angles + phase_a), torch.cos(angles + phase_b), torch.cos(angles + phase_a + phase_b).T]
    train = torch.arange(0, P * P - 20)
    labels = (train // P + train % P) % P
    if memory:
        wrong = torch.randperm(len(train), generator=generator)[:40]
        labels[wrong] = (labels[wrong] + 5) % P
        a, b = train[wrong] // P, train[wrong] % P
        # A neuron per wrong pair: 2·[a]·[b] of its square is 1 at this pair alone, its two other parts are taken back by the
        # neurons of [a] and of [b].
        one = torch.eye(P, dtype=torch.float64)
        to = 400 * one[labels[wrong]]
        nothing = torch.zeros(len(a), P, dtype=torch.float64)
        tables[0] = torch.cat([tables[0], one[a].T, one[a].T, nothing.T], dim=1)
        tables[1] = torch.cat([tables[1], one[b].T, nothing.T, one[b].T], dim=1)
        tables[2] = torch.cat([tables[2], to, -to, -to])
    width = tables[0].shape[1]
    config = AttentionFreeConfig(
        p=P, kind="direct", d_embedding=width, d_hidden=width, biases=False, separate_vocabularies=True, activation="square"
    )
    names = ("embed_a.W_E", "embed_b.W_E", "unembed.W_U")
    return AttentionFree(config, dict(zip(names, (x.contiguous() for x in tables), strict=True))), train, labels


def test_the_analytic_solution_is_right_and_every_neuron_of_it_periodic() -> None:
    """Source: arXiv 2310.13061: from 200 neurons on the accuracy is 1."""
    network, train, _ = quadratic(memory=False)
    circuit = Circuit(network, train)
    assert analyses.performance(circuit).accuracy == 1.0
    assert participation_ratios(circuit).min().item() == pytest.approx(1.0, abs=1e-9)


def test_a_planted_memory_is_told_apart_from_the_circuit() -> None:
    network, train, labels = quadratic(memory=True)
    circuit = Circuit(network, train, labels)
    found = analyses.memorisation(circuit)
    assert found.shares.told == 1.0 and found.shares.held_out == 1.0 and found.shares.phase == "coexistence"
    assert found.periodic == pytest.approx(N / (N + 120))
    assert (found.only_periodic.told, found.only_periodic.held_out) == (0.0, 1.0)
    assert found.only_others.told == 1.0 and found.only_others.held_out < 0.2
    assert [each.share for each in found.least_first] == pytest.approx([part / 10 for part in range(1, 10)], abs=0.01)
    # A third of the neurons is the memory: pruned first, nothing else goes; pruned last, the sum goes first.
    assert found.least_first[3].told == 0.0 and found.least_first[3].held_out == 1.0
    assert found.most_first[6].told == 1.0 and found.most_first[6].held_out < 0.2


def test_where_all_labels_are_right_it_is_about_the_training_pairs() -> None:
    network, train, _ = quadratic(memory=False)
    circuit = Circuit(network, train)
    assert "Every label was right" in analyses.wrong_labels(circuit).in_words()
    assert "of the training pairs as it was told" in analyses.memorisation(circuit).in_words()


def test_nothing_is_said_where_the_training_pairs_are_not_known() -> None:
    with pytest.raises(Unavailable, match="needs the pairs that it was trained on, which are not known"):
        analyses.wrong_labels(Circuit(quadratic(memory=False)[0]))
    with pytest.raises(InterpError, match="a label for every training pair"):
        Circuit(quadratic(memory=False)[0], None, torch.tensor([1]))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_known_checkpoint_does_with_wrong_labels_what_is_expected(name: str) -> None:
    expected, found = EXPECTED[name], analyses.wrong_labels(interp.load(FOLDER / name))
    assert (found.phase, found.published_phase) == (expected["phase"], expected["published_phase"])
    for share in ("told", "truth", "held_out"):
        assert getattr(found.shares, share) == pytest.approx(expected[share], abs=1e-3)


def test_the_neurons_of_the_network_in_coexistence_are_two_kinds() -> None:
    """Published values (arXiv 2310.13061, by an independent program): without the 350 neurons of least ratio the wrong labels
    go from .94 to 0 and the held-out accuracy to 1; without the 150 of largest it is .01."""
    found = analyses.memorisation(interp.load(FOLDER / "coexistence-97.pt"))
    least, most = found.least_first[6], found.most_first[2]
    assert (least.share, most.share) == (0.7, 0.3)
    assert least.told == pytest.approx(0.0, abs=0.03) and least.held_out == pytest.approx(1.0, abs=0.03)
    assert most.held_out == pytest.approx(0.01, abs=0.03)
    # The published pruning had no control: in random orders neither happens.
    assert all(order[6].told > 0.2 and order[6].held_out < 0.5 and order[2].held_out > 0.8 for order in found.at_random)
    assert found.only_periodic.held_out > 0.999 and found.only_periodic.told < 0.001
    assert found.only_others.held_out < 0.02 and found.only_others.told > 0.97


def test_the_first_line_says_what_became_of_the_wrong_labels() -> None:
    command = [ANALYZE, str(FOLDER / "coexistence-97.pt"), "--only", "wrong_labels"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "it keeps 95.1% of its wrong labels and answers 4.9% truly (coexistence), with 7801 of 9409 pairs right" in printed
    assert "trained, wrong label: answered as told" in printed
