"""Minibatches, and positions that are not trained: every pair once in a pass, and a broken run goes on bit for bit."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from small import SMALL, added

from interp.errors import InterpError
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.recipe import RECIPES, Recipe
from interp.training.batch import PlainBatch
from interp.training.loop import batch, train
from interp.training.minibatches import Minibatches

CONFIG = SMALL.config


def whole(count: int) -> PlainBatch:
    return added(PlainBatch, CONFIG, torch.arange(count))


@pytest.mark.parametrize(("count", "batch_size", "size"), [(20, 6, 6), (20, 512, 10), (21, 512, 11), (20, 0, 20)])
def test_every_pass_has_every_pair_once_in_an_order_of_its_own(count: int, batch_size: int, size: int) -> None:
    batches = Minibatches(whole(count), batch, batch_size=batch_size, seed=3)
    assert batches.size == size and batches.in_a_pass == math.ceil(count / size)
    passes = []
    for epoch in range(2):
        steps = range(epoch * batches.in_a_pass, (epoch + 1) * batches.in_a_pass)
        parts = [batches.at(step) for step in steps]
        pairs = torch.cat([each.a * CONFIG.p + each.b for each in parts])
        assert sorted(pairs.tolist()) == list(range(count))
        assert all(torch.equal(each.labels, (each.a + each.b) % CONFIG.p) for each in parts)
        passes.append(pairs.tolist())
    assert (passes[0] == passes[1]) == (batch_size == 0)
    again, other = (Minibatches(whole(count), batch, batch_size=batch_size, seed=seed) for seed in (3, 4))
    assert torch.equal(again.at(1).a, batches.at(1).a)
    assert torch.equal(other.at(1).a, batches.at(1).a) == (batch_size == 0)


def test_a_broken_run_goes_on_with_the_minibatches_it_would_have_had() -> None:
    recipe = replace(SMALL, batch_size=7, steps=30)
    *_, last = train(recipe, seed=5, record_every=10)
    until = [snapshot for snapshot in train(recipe, seed=5, record_every=10) if snapshot.state.step == 10]
    *_, resumed = train(recipe, seed=5, record_every=10, resume=until[0].state)
    for name, tensor in last.state.parameters.items():
        assert torch.equal(tensor, resumed.state.parameters[name]), name
    *_, in_one = train(replace(recipe, batch_size=0), seed=5, record_every=10)
    assert not torch.equal(last.state.parameters["embed.W_E"], in_one.state.parameters["embed.W_E"])


def test_positions_that_are_given_are_not_trained() -> None:
    for positions in ("sinusoidal", "none"):
        first, *_, last = train(replace(SMALL, positions=positions), seed=0, record_every=10)
        assert torch.equal(first.state.parameters["pos_embed.W_pos"], last.state.parameters["pos_embed.W_pos"])
        assert not torch.equal(first.state.parameters["embed.W_E"], last.state.parameters["embed.W_E"])
    assert not last.state.parameters["pos_embed.W_pos"].any()


def test_sinusoidal_positions_are_those_of_the_paper() -> None:
    W_pos = initialise(NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4), seed=0, positions="sinusoidal").parameters[
        "pos_embed.W_pos"
    ]
    for t in range(3):
        for i in range(4):
            angle = t / 10_000 ** (2 * i / 8)
            assert W_pos[t, 2 * i : 2 * i + 2].tolist() == pytest.approx([math.sin(angle), math.cos(angle)], abs=1e-6)


def test_the_scale_of_the_embedding_alone_is_what_is_asked_for() -> None:
    config = NetworkConfig(p=59)
    usual, scaled = (initialise(config, seed=0, embedding_std=std).parameters for std in (0.0, 1.0))
    assert torch.allclose(scaled["embed.W_E"], usual["embed.W_E"] * math.sqrt(128))
    assert all(torch.equal(usual[name], scaled[name]) for name in usual if name != "embed.W_E")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_takes_a_step(name: str) -> None:
    recipe = replace(RECIPES[name], steps=2)
    first, *_, last = train(recipe, seed=0, record_every=2)
    assert math.isfinite(last.test_loss) and last.state.step == 2 and first.test_loss != last.test_loss


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": -1}, "batch_size of 0 or more"), ({"embedding_std": -1.0}, "embedding_std of 0 or more"),
        ({"positions": "rotary"}, "positions of the recipe to be learned or sinusoidal or none"),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InterpError, match=f"expected {message}"):
        Recipe.from_dict({**SMALL.to_dict(), **changes})
