"""The timeline of a run, what is kept of it and what is measured on the way: values by hand, and definitions written slowly."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import analyses
from analyses.timeline.moment import Moment, moment, squared_weights
from analyses.timeline.parts import PartLosses, part_losses
from analyses.timeline.phases import Boundary, Move, phases
from analyses.timeline.progress import progress
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import checkpoint, formats
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network
from interp.recipe import RECIPES
from interp.tasks.addition import Addition
from interp.tasks.split import split
from interp.training import run, thinning
from interp.training.run_config import RunConfig
from interp.training.watching import Watching


def _moment(step: int, **values: object) -> Moment:
    """One network on its way; what is not told is the same at every step."""
    plain = Moment(
        step=step, train_loss=1.0, test_loss=1.0, train_accuracy=1.0, test_accuracy=0.0, restricted_loss=1.0,
        excluded_loss=1.0, generalising_score=0.3, memorising_score=0.2, squared_weights=(("W", 1.0),), gini_embedding=0.1,
        gini_neuron_logit_map=math.nan, clock_terms=(0.1,), embedding_shares=(0.1,), neuron_shares=(0.1,), specialised=0.0,
        variations=(math.nan,), explained=0.1,
    )  # fmt: skip
    return replace(plain, **values)  # type: ignore[arg-type]


def test_clock_or_pizza_is_a_mean_weighted_by_the_squares_of_the_clock_terms() -> None:
    some = _moment(0, clock_terms=(0.1, 0.5, 0.2), variations=(0.1, 0.4, math.nan))
    assert some.clock_pizza == pytest.approx((0.01 * 0.1 + 0.25 * 0.4) / 0.26, rel=1e-12)
    assert math.isnan(replace(some, variations=(math.nan,) * 3).clock_pizza)
    assert math.isnan(_moment(0, clock_terms=(), variations=()).clock_pizza)
    assert replace(some, variations=(0.1, 0.4, 0.0)).clock_pizza == pytest.approx((0.001 + 0.1) / 0.3, rel=1e-12)
    assert _moment(0, squared_weights=(("W_E", 1.5), ("W_U", 2.25))).squared_weights_sum == 3.75


def _small(seed: int) -> Network:
    config = NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4, d_mlp=12, mlp_biases=True)
    return initialise(config, seed=seed, dtype=torch.float64)


def test_accuracies_and_squared_weights_of_a_moment_are_counts_and_sums() -> None:
    network = _small(3)
    train = torch.tensor([8 * i for i in range(7)] + [1, 5, 20, 33])
    circuit = Circuit(network, train)
    logits, right = circuit.logits, dict[bool, list[float]]({True: [], False: []})
    for a in range(7):
        for b in range(7):
            right[7 * a + b in train.tolist()].append(float(logits[a, b].argmax() == (a + b) % 7))
    found = moment(circuit, (2,), 4)
    assert found.train_accuracy == pytest.approx(sum(right[True]) / 11, rel=1e-12)
    assert found.test_accuracy == pytest.approx(sum(right[False]) / 38, rel=1e-12)
    assert found.train_accuracy != found.test_accuracy
    squares = {name: sum(x**2 for x in W.flatten().tolist()) for name, W in network.parameters.items()}
    assert dict(squared_weights(circuit)) == pytest.approx(squares)
    assert found.squared_weights_sum == pytest.approx(sum(squares.values())) and len(squares) > 8


def test_a_part_s_score_is_the_mean_of_what_it_adds_alone_and_last() -> None:
    """The Shapley value, v of a set of parts being what they take off the loss of the bias."""
    losses = PartLosses(whole=6.0, train=0.5, test=9.0, restricted=8.0, excluded=1.7, restricted_train=2.9, bias_train=3.4)
    worth = {"": 0.0, "G": 3.4 - 2.9, "M": 3.4 - 1.7, "GM": 3.4 - 0.5}
    generalising = ((worth["GM"] - worth["M"]) + (worth["G"] - worth[""])) / 2
    memorising = ((worth["GM"] - worth["G"]) + (worth["M"] - worth[""])) / 2
    assert (losses.generalising, losses.memorising) == pytest.approx((generalising, memorising))
    assert (generalising, memorising) == pytest.approx((0.85, 2.05))

    logits = torch.randn(7, 7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    train, angles = [0, 5, 11, 17, 30, 31, 44], [2 * math.pi * 2 * (a + b) / 7 for a in range(7) for b in range(7)]
    wave = torch.tensor([[math.cos(x), math.sin(x)] for x in angles], dtype=torch.float64)
    L = logits.flatten(0, 1)
    B, G = L.mean(0, keepdim=True).expand(49, 7), 2 / 49 * wave @ (wave.T @ L)

    def loss(of: Tensor) -> float:
        return sum(float(of[pair].logsumexp(0) - of[pair, (pair // 7 + pair % 7) % 7]) for pair in train) / len(train)

    none, alone, rest, all_ = loss(B), loss(B + G), loss(L - G), loss(L)
    found = part_losses(logits, (2,), torch.tensor(train))
    assert found.generalising == pytest.approx(((rest - all_) + (none - alone)) / 2, rel=1e-9)
    assert found.memorising == pytest.approx(((alone - all_) + (none - rest)) / 2, rel=1e-9)


STEPS = (0, 10, 30, 60, 100, 150, 210, 280, 360, 450, 550, 660, 800)
TEST_LOSS = (2.0, 2.0, 1.5, 0.41, 0.39, 0.201, 0.199, 0.101, 0.099, 0.05, 0.02, 0.01, 0.005)
"""As shares of log p: formed at step 210; below .4 at step 100, after 60, and below .1 at step 360."""
EXCLUDED = (4.0, 2.0, 1.5, 1.0, 1.2, 2.01, 3.0, 0.2, 4.0, 4.0, 4.0, 4.0, 4.0)
"""Least at step 60 before the circuit has formed, and up to twice that from step 10 to step 100."""
SPEEDS = (0.0, 0.0, 0.0, 0.0, 0.0, 1000.0, 100.0, 50.0, 4.1, 3.9, 1.9, 1.1, 0.9)
"""By which the squared weights fall per step before each snapshot: of 100, which is that up to step 210."""
TEST_ACCURACY = (0.0, 0.499, 0.2, 0.0, 0.04, 0.06, 0.09, 0.11, 0.19, 0.21, 0.6, 0.9899, 0.99)
RESTRICTED = (5.0, 5.0, 5.0, 2.0, 1.96, 1.94, 1.85, 1.79, 1.5, 1.4, 1.3, 1.1, 1.0)
GINI = (0.9, 0.8, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.04, 0.07, 0.15, 1.0)


def _run(p: int = 113) -> list[Moment]:
    """A run on whose uneven snapshots every threshold falls between two values."""
    moments, weights = [], 1e6
    for i, step in enumerate(STEPS):
        weights -= SPEEDS[i] * (step - STEPS[i - 1]) if i else 0.0
        moments.append(
            _moment(
                step, test_loss=TEST_LOSS[i] * math.log(p), excluded_loss=EXCLUDED[i], test_accuracy=TEST_ACCURACY[i],
                train_accuracy=0.9899 if step == 0 else 0.99, restricted_loss=RESTRICTED[i], gini_embedding=GINI[i],
                squared_weights=(("W_E", weights / 4), ("W_U", 3 * weights / 4)),
            )
        )  # fmt: skip
    return moments


def _ends(boundary: Boundary) -> tuple[int | None, int, int | None]:
    return boundary.step, boundary.earliest, boundary.latest


@pytest.mark.parametrize("p", [113, 59])
def test_the_phases_of_a_run_end_where_its_curves_were_made_to(p: int) -> None:
    found = phases(_run(p), p)
    assert (found.verdict, found.reason) == (
        "grokking", "training accuracy .99 at step 10, test accuracy .99 at step 800",
    )  # fmt: skip
    memorisation, formation, clean_up = found.boundaries
    assert _ends(memorisation) == (60, 10, 100)
    assert _ends(formation) == (210, 60, 360)
    # Below 4 per step before 450, so after 360; below 2 before 550; and below 1 before the last.
    assert _ends(clean_up) == (550, 360, 800)
    assert [found.at(step) for step in (59, 60, 209, 210, 549, 550)] == [
        "memorisation", "circuit formation", "circuit formation", "clean-up", "clean-up", "after",
    ]  # fmt: skip


def test_a_sharp_minimum_of_the_excluded_loss_lies_between_its_neighbours() -> None:
    sharp = [replace(m, excluded_loss=1.0 if m.step == 60 else 2.01) for m in _run()]
    assert _ends(phases(sharp, 113).boundaries[0]) == (60, 30, 100)
    # Where it is least when the circuit has formed, or at the start, nothing lies beyond.
    for step, ends in ((210, (210, 150, 210)), (0, (0, 0, 10))):
        moved = [replace(m, excluded_loss=1.0 if m.step == step else 2.01) for m in _run()]
        assert _ends(phases(moved, 113).boundaries[0]) == ends


def test_clean_up_begins_with_the_interval_in_which_the_circuit_forms() -> None:
    """A circuit that is there at the first snapshot has no interval before it."""
    early = [replace(m, test_loss=0.01) for m in _run()]
    # The fastest is now 1000 per step, before step 150: 4% of it are 40, which the fall before step 360 is below.
    assert _ends(phases(early, 113).boundaries[2]) == (360, 280, 360)
    assert _ends(phases(early, 113).boundaries[1]) == (0, 0, 0)
    growing = [replace(m, squared_weights=(("W", float(m.step)),)) for m in _run()]
    assert _ends(phases(growing, 113).boundaries[2]) == (None, 800, None)


def test_leads_are_told_with_the_spacing_of_the_snapshots_between_which_either_moved() -> None:
    """From step 60 on; test accuracy has gone 5, 10 and 20 hundredths of its way at steps 150, 280 and 450."""
    moves = {move.measure: move for move in phases(_run(), 113).moves}
    # At 150, 210 and 280: leads 0, 70 and 170. Accuracy may have moved 50, 70 or 90 earlier, the loss 50, 60 or 70.
    assert moves["restricted loss"] == Move(measure="restricted loss", step=210, lead=70, least_lead=-50, most_lead=240)
    # At 550, 660 and 800, 5 hundredths of 1 being more than .04: leads -400, -380 and -350; 100, 110 and 140 earlier.
    assert moves["Gini of W_E"] == Move(measure="Gini of W_E", step=660, lead=-380, least_lead=-450, most_lead=-210)
    # What stays the same has gone its way at once, at step 60, before which there is no snapshot.
    still = Move(measure="generalising score", step=60, lead=220, least_lead=40, most_lead=390)
    assert moves["generalising score"] == still and "Gini of W_L" not in moves


def test_grokking_is_less_than_half_at_the_fit_and_99_hundredths_later() -> None:
    moments = _run()

    def verdict(at_fit: float, at_end: float) -> tuple[str, str]:
        changed = [*moments]
        changed[1], changed[-1] = replace(moments[1], test_accuracy=at_fit), replace(moments[-1], test_accuracy=at_end)
        found = phases(changed, 113)
        return found.verdict, found.reason

    assert verdict(0.4999, 0.99)[0] == "grokking"
    refused = "generalised as it learned: test accuracy 0.500 when training accuracy reached .99"
    assert verdict(0.5, 0.99) == ("no grokking here", refused)
    assert verdict(0.4, 0.9899) == (
        "no grokking here",
        "memorised at step 10, and test accuracy never reaches .99: 0.990 at best",
    )
    never = phases([replace(m, train_accuracy=0.9899) for m in moments], 113)
    assert never.reason == "training accuracy never reaches .99: 0.990 at best" and not never.boundaries
    guessing = [replace(m, test_loss=0.2 * math.log(113)) for m in moments]
    assert "no better than guessing" in phases(guessing, 113).reason


def test_a_timeline_is_the_moments_of_the_snapshots_at_the_keys_of_the_last(tmp_path: Path) -> None:
    """In the order of their steps, whatever the files are called, and split as the seed of the run says."""
    architecture = Architecture(d_model=32, n_heads=2, d_head=16, d_mlp=64, answers_equals=False)
    network = architecture.with_symbols(5)
    recipe = replace(
        RECIPES["steady"], p=5, network=architecture, train_fraction=0.4, warmup_steps=0, steps=6, stop_test_loss=0.0
    )
    made = run.create(tmp_path / "run", RunConfig(recipe=recipe, seed=5, record_every=3, snapshots=True))
    list(made.train())
    names = [path.name for path in made.snapshot_paths]
    assert names == ["step-000000.pt", "step-000003.pt", "step-000006.pt"]
    # The last network is made to have a key frequency, its readout being fitted to waves of a + b - c.
    saved = formats.load(made.snapshot_paths[-1])
    stream = Circuit(saved.network).activation("blocks.0.hook_resid_post").flatten(0, 2)
    waves = [[math.cos(4 * math.pi * (pair // 5 + pair % 5 - c) / 5) for c in range(5)] for pair in range(25)]
    W_U = torch.linalg.lstsq(stream, torch.tensor(waves, dtype=stream.dtype)).solution
    fitted = Network(network, {**saved.network.parameters, "unembed.W_U": W_U})
    checkpoint.save(made.snapshot_paths[-1], replace(saved, network=fitted))

    networks = [formats.load(path).network for path in made.snapshot_paths]
    keys = [analyses.key_frequencies(Circuit(each)).frequencies for each in networks]
    assert keys == [(), (), (2,)]
    (made.path / "snapshots" / "step-000000.pt").rename(made.path / "snapshots" / "step-000004.pt")

    train = split(Addition(5), method=recipe.split_method, fraction=0.4, seed=5).train_pairs
    heard: list[tuple[int, int]] = []
    found = progress(made.path, on_moment=lambda done, count: heard.append((done, count)))
    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert (found.p, found.key_frequencies) == (5, (2,))
    assert [m.step for m in found.moments] == [0, 3, 6]
    for each, network_then in zip(found.moments, networks, strict=True):
        assert isinstance(network_then, Network)
        wanted = moment(Circuit(network_then, train), (2,), each.step)
        assert repr(each) == repr(wanted)  # NaN and all
    assert len({m.train_loss for m in found.moments}) == 3


def test_which_records_are_kept_at_the_very_thresholds() -> None:
    kept = {"step": 1000, "train_loss": 1.0, "test_loss": 8.0, "test_accuracy": 0.0}
    still = {**kept, "step": 1020}
    for changed, moved in (
        ({"test_loss": 2.0}, True), ({"test_loss": 2.01}, False), ({"train_loss": 4.0}, True), ({"train_loss": 3.99}, False),
        ({"test_accuracy": 0.1}, True), ({"test_accuracy": 0.0999}, False),
        ({"test_accuracy": 0.1, "step": 1019}, False), ({"train_loss": 0.0}, False),
    ):  # fmt: skip
        assert thinning.has_moved(kept, {**still, **changed}) is moved, changed
    assert thinning.has_moved({**kept, "train_loss": 0.0}, {**still, "train_loss": 5.0}) is False
    for per_decade in (3, 12, 20):  # with 20, step 9 would be one
        nearest = {round(10 ** (i / per_decade)) for i in range(3 * per_decade + 1)}
        wanted = [0, *sorted(step for step in nearest if step >= 10)]
        assert [step for step in range(1001) if thinning.is_spaced(step, per_decade)] == wanted


def test_a_network_is_measured_every_hundred_steps_or_as_often_as_asked() -> None:
    refused = {}
    for every in (-1, 0, 1, 7):
        try:
            assert Watching(every=every).every == every
        except InterpError as error:
            refused[every] = str(error)
    assert Watching().every == 100
    assert refused == {every: f"expected --measure-every of at least 1, got {every}" for every in (-1, 0)}
