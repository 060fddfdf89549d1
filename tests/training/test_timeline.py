"""The timeline of a run: operators on planted logits, phases of planted curves, and no grokking where there was none."""

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import plotly.graph_objects as go
import pytest
import torch
from planted import planted
from small import MEMORISES
from torch.nn import functional

from analyses.timeline.moment import Moment, moment
from analyses.timeline.parts import on_key_frequencies, part_losses
from analyses.timeline.phases import phases
from analyses.timeline.progress import Progress, progress
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.tasks.addition import Addition
from interp.training import run
from interp.training.run_config import RunConfig


def _wave(p: int, k: int, of: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]) -> torch.Tensor:
    a, b, c = torch.meshgrid(*[torch.arange(p).double()] * 3, indexing="ij")
    return torch.cos(2 * math.pi * k * of(a, b, c) / p)


@pytest.mark.parametrize(("p", "keys"), [(11, (2, 5)), (12, (1, 6))])
def test_restricted_and_excluded_loss_of_planted_logits_are_exact(p: int, keys: tuple[int, ...]) -> None:
    """Waves of a + b, a part that depends on a - b only, a bias: each is known, so each loss is too."""
    generator = torch.Generator().manual_seed(0)
    G = torch.stack([3 * _wave(p, k, lambda a, b, c: a + b - c) for k in keys]).sum(0)
    M = 2 * _wave(p, 3, lambda a, b, c: a - b + c) + _wave(p, 4, lambda a, b, c: 2 * a + c)
    bias = torch.randn(p, generator=generator, dtype=torch.float64)
    train = torch.randperm(p * p, generator=generator)[: p * p // 3]
    right = Addition(p).table().flatten()

    assert torch.allclose(on_key_frequencies(G + M + bias, keys), G, atol=1e-12)
    losses = part_losses(G + M + bias, keys, train)

    def loss(logits: torch.Tensor, of: torch.Tensor) -> float:
        flat = logits.expand(p, p, p).flatten(0, 1)[of]
        return functional.cross_entropy(flat, right[of]).item()

    everything, test = torch.arange(p * p), torch.tensor(sorted(set(range(p * p)) - set(train.tolist())))
    assert losses.restricted == pytest.approx(loss(G + bias, everything), rel=1e-12)
    assert losses.excluded == pytest.approx(loss(M + bias, train), rel=1e-12)
    assert losses.train == pytest.approx(loss(G + M + bias, train), rel=1e-12)
    assert losses.test == pytest.approx(loss(G + M + bias, test), rel=1e-12)
    assert losses.restricted_train == pytest.approx(loss(G + bias, train), rel=1e-12)
    assert losses.bias_train == pytest.approx(loss(bias, train), rel=1e-12)
    # Without key frequencies nothing is generalising: the rest is all there is.
    none = part_losses(G + M + bias, (), train)
    assert none.excluded == none.train and none.generalising == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("p", "keys"), [(7, (1, 3)), (8, (2, 4))])
def test_the_projection_is_that_of_the_definition(p: int, keys: tuple[int, ...]) -> None:
    """Slowly: vectors over the p² pairs, orthonormalised, and the projection onto them."""
    logits = torch.randn(p, p, p, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    sums = Addition(p).table().flatten().double()
    waves = []
    for k in keys:
        waves.append(torch.cos(2 * math.pi * k * sums / p))
        if 2 * k != p:
            waves.append(torch.sin(2 * math.pi * k * sums / p))
    Q = torch.linalg.qr(torch.stack(waves, dim=1)).Q
    projected = (Q @ (Q.T @ logits.flatten(0, 1))).view(p, p, p)
    assert torch.allclose(on_key_frequencies(logits, keys), projected, atol=1e-12)


def test_the_scores_add_up_and_a_part_that_does_nothing_gets_nothing() -> None:
    p, train = 11, torch.arange(0, 121, 3)
    G, M = _wave(p, 2, lambda a, b, c: a + b - c), torch.zeros(p, p, p, dtype=torch.float64)
    M.view(p * p, p)[train, Addition(p).table().flatten()[train]] = 9.0
    M = M - on_key_frequencies(M, (2,)) - M.mean((0, 1))  # what is left has no bias and no wave of a + b
    both, alone, memorised = (part_losses(x, (2,), train) for x in (G + M, G, M))
    for losses in (both, alone, memorised):
        assert losses.generalising + losses.memorising == pytest.approx(losses.bias_train - losses.train, rel=1e-12)
    assert alone.memorising == pytest.approx(0, abs=1e-12) and alone.generalising > 0.1
    assert memorised.generalising == pytest.approx(0, abs=1e-12) and memorised.memorising > 1
    assert both.generalising > 0 and both.memorising > 0


def test_a_moment_of_planted_circuits() -> None:
    p, keys, train = 30, (1, 4, 7), torch.arange(0, 900, 3)
    clock, pizza = (moment(Circuit(network, train), keys, 5) for network in (planted(p, clocks=keys), planted(p, pizzas=keys)))
    assert clock.step == 5 and clock.test_accuracy == pizza.test_accuracy == 1.0
    assert clock.explained == pytest.approx(1, abs=0.001) and pizza.explained == pytest.approx(1, abs=0.001)
    assert clock.clock_pizza < 0.02 and pizza.clock_pizza == pytest.approx(math.sqrt(math.pi**2 / 8 - 1), abs=0.02)
    assert clock.specialised == 1.0 and clock.neuron_shares == pytest.approx((1 / 3,) * 3)
    assert sum(clock.embedding_shares) == pytest.approx(1) and sum(t * t for t in clock.clock_terms) > 0.999
    # All of a clock is waves of a + b: without them nothing is known, with them alone everything.
    assert clock.restricted_loss == pytest.approx(clock.test_loss, rel=0.1, abs=1e-9)
    assert clock.excluded_loss > 1 and clock.memorising_score < 0.1 < clock.generalising_score
    weights = planted(p, clocks=keys).parameters
    assert clock.squared_weights_sum == pytest.approx(sum(x.square().sum().item() for x in weights.values()))
    # Looked at with other frequencies, there is nothing.
    other = moment(Circuit(planted(p, clocks=keys), train), (2, 5), 0)
    assert other.explained < 0.001 and math.isnan(other.clock_pizza)


def _curves(step: int, *, memorised: int, formed: int, cleaned: int) -> Moment:
    """A synthetic run whose phases end at known steps: kinks in the curves that the rule reads."""
    loss = 20.0 if step < formed else 20 * 10 ** (-(step - formed) / 50 - 2)
    falling = min(max(step - formed, 0), cleaned - formed)
    return Moment(
        step=step,
        train_loss=4.7 if step < 10 else 1e-6,
        test_loss=loss,
        train_accuracy=0.01 if step < 10 else 1.0,
        test_accuracy=0.05 if step < formed else 1.0,
        restricted_loss=3.0 if step < (memorised + formed) / 2 else 1e-3,
        excluded_loss=10 ** (-4 * step / memorised) if step < memorised else min(1e-4 * 10 ** ((step - memorised) / 50), 6.0),
        generalising_score=0.0 if step < formed else 5.0,
        memorising_score=5.0 if step < formed else 0.0,
        squared_weights=(("W", 3000 - falling * 1000 / (cleaned - formed) - 1e-3 * step),),
        gini_embedding=step / 1e4,
        gini_neuron_logit_map=math.nan,
        clock_terms=(0.1,),
        embedding_shares=(0.1,),
        neuron_shares=(0.1,),
        specialised=0.0 if step < formed else 1.0,
        variations=(math.nan,),
        explained=0.1,
    )


@pytest.mark.parametrize(
    ("memorised", "formed", "cleaned"), [(140, 940, 1400), (300, 1200, 1900), (200, 500, 2500), (60, 2000, 2300)]
)
@pytest.mark.parametrize("spacing", [10, 50])
def test_the_phases_of_planted_curves_are_found(memorised: int, formed: int, cleaned: int, spacing: int) -> None:
    moments = [_curves(step, memorised=memorised, formed=formed, cleaned=cleaned) for step in range(0, 3000, spacing)]
    found = phases(moments, 113)
    assert found.verdict == "grokking"
    for boundary, truth in zip(found.boundaries, (memorised, formed, cleaned), strict=True):
        assert boundary.step is not None and boundary.latest is not None
        assert abs(boundary.step - truth) <= spacing and boundary.earliest <= truth <= boundary.latest, boundary
    assert [found.at(step) for step in (0, memorised + 50, formed + 50, cleaned + 50)] == [
        "memorisation", "circuit formation", "clean-up", "after",
    ]  # fmt: skip
    # What moves when is planted too: the restricted loss half way between, the neurons with the test accuracy.
    leads = {move.measure: move for move in found.moves}
    assert abs(leads["restricted loss"].lead - (formed - memorised) / 2) <= spacing
    assert leads["specialised neurons"].lead == 0 and leads["specialised neurons"].least_lead == -spacing
    assert "Gini of W_L" not in leads  # unknown in this run


def test_a_run_that_ends_within_a_phase_says_so() -> None:
    moments = [_curves(step, memorised=140, formed=940, cleaned=2000) for step in range(0, 1500, 20)]
    clean_up = phases(moments, 113).boundaries[-1]
    assert clean_up.step is None and clean_up.latest is None and clean_up.earliest == moments[-1].step
    assert phases(moments, 113).at(1480) == "clean-up"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"train_accuracy": 0.5}, "training accuracy never reaches .99: 0.500 at best"),
        ({"test_accuracy": 0.2}, "memorised at step 20, and test accuracy never reaches .99: 0.200 at best"),
        ({"test_accuracy": 1.0}, "generalised as it learned: test accuracy 1.000 when"),
        ({"clock_terms": ()}, "without a key frequency"),
    ],
)
def test_no_grokking_where_there_is_none(changes: dict[str, object], reason: str) -> None:
    moments = [_curves(step, memorised=140, formed=940, cleaned=1400) for step in range(0, 3000, 20)]
    found = phases([replace(m, **changes) for m in moments], 113)  # type: ignore[arg-type]
    assert found.verdict == "no grokking here" and reason in found.reason
    assert found.boundaries == () and found.moves == () and found.at(100) == ""
    assert phases(moments, 113).verdict == "grokking"


@pytest.mark.parametrize(
    ("steps", "reason"), [(150, "test accuracy never reaches .99"), (0, "training accuracy never reaches .99")]
)
def test_a_memorising_and_an_untrained_run_did_not_grok(tmp_path: Path, steps: int, reason: str) -> None:
    made = run.create(tmp_path / "run", RunConfig(recipe=replace(MEMORISES, steps=steps), seed=0, record_every=50))
    *_, last = made.train()
    heard: list[tuple[int, int]] = []
    found = progress(made.path, on_moment=lambda done, count: heard.append((done, count)))
    assert found.phases.verdict == "no grokking here" and reason in found.phases.reason
    assert heard[-1] == (len(found.moments),) * 2
    end = found.moments[-1]
    assert (end.step, end.train_accuracy, end.test_accuracy) == (steps, last.train_accuracy, last.test_accuracy)
    if steps:
        assert end.train_accuracy == 1.0 and end.test_accuracy < 0.5
        assert end.memorising_score > 1 and end.memorising_score > 3 * end.generalising_score

    figure = found.figure()
    assert isinstance(figure, go.Figure) and "no grokking here" in figure.layout.title.text
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert len(values["moments"]) == len(found.moments) and values["moments"][0].keys() == {f.name for f in fields(Moment)}
    assert "training pairs" in values["operators"]["excluded loss"]
    assert "Timeline, a + b mod 11" in str(found) and len(found.table().rows) <= 24


def test_a_figure_shows_phases_and_axes() -> None:
    moments = tuple(_curves(step, memorised=140, formed=940, cleaned=1400) for step in range(0, 3000, 20))
    found = Progress(p=113, key_frequencies=(14,), phases=phases(moments, 113), moments=moments)
    figure = found.figure()
    assert [each.text for each in figure.layout.annotations] == ["memorisation", "circuit formation", "clean-up"]
    assert {(shape.x0, shape.x1) for shape in figure.layout.shapes} == {(0, 140), (140, 940), (940, 1420)}
    assert figure.layout.xaxis4.title.text == "step" and figure.layout.yaxis.title.text == "loss (nats)"
    shown = [row[0] for row in found.table().rows]
    assert len(shown) <= 24 and {140, 940, 1420} <= set(shown) and len(found.frequency_table().rows) == len(shown)


def test_the_rows_shown_are_spread_evenly_and_no_number_is_minus_nothing() -> None:
    moments = tuple(_curves(step, memorised=140, formed=940, cleaned=1400) for step in range(0, 3000, 10))
    found = Progress(p=113, key_frequencies=(14,), phases=phases(moments[:2], 113), moments=moments)
    assert found.phases.boundaries == ()
    assert [row[0] for row in found.table().rows] == [10 * round(i * 299 / 23) for i in range(24)]
    few = dataclasses.replace(found, moments=moments[:24])
    assert [row[0] for row in few.table().rows] == [10 * i for i in range(24)]
    nothing = dataclasses.replace(found, moments=(replace(moments[0], memorising_score=-1e-9, generalising_score=0.12345),))
    shown = nothing.table().rows[0][7:9]
    assert shown == (0.1235, 0.0) and math.copysign(1, float(shown[1])) == 1


def test_a_run_without_snapshots_or_with_a_foreign_one_is_refused(tmp_path: Path) -> None:
    none = run.create(tmp_path / "none", RunConfig(recipe=replace(MEMORISES, steps=2), seed=0, snapshots_per_decade=0))
    list(none.train())
    with pytest.raises(InterpError, match="has no snapshots, so there is no timeline: train it again with --snapshots"):
        progress(none.path)
    with pytest.raises(InterpError, match="is not a run directory"):
        progress(tmp_path)

    other = replace(MEMORISES, steps=2, network=replace(MEMORISES.network, d_mlp=32))
    some = run.create(tmp_path / "some", RunConfig(recipe=replace(MEMORISES, steps=2), seed=0))
    foreign = run.create(tmp_path / "foreign", RunConfig(recipe=other, seed=0))
    list(some.train()), list(foreign.train())
    (some.path / "snapshots" / "step-000002.pt").write_bytes((foreign.path / "snapshots" / "step-000002.pt").read_bytes())
    with pytest.raises(InterpError, match=r"step-000002.pt is no network of this run"):
        progress(some.path)
