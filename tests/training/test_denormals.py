"""Numbers below the least normal one: training counts them as 0, and no weight is another for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from small import SMALL

from interp.files import formats
from interp.networks.config import Parameters
from interp.recipe import Recipe
from interp.training.denormals import flush_denormals
from interp.training.loop import labelled, train, training_split, training_step
from interp.training.optimisers import Optimiser

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"
LEAST = torch.finfo(torch.float32).tiny


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    torch.set_flush_denormal(False)
    yield
    torch.set_flush_denormal(False)


def are_kept() -> bool:
    return bool(torch.full((1,), LEAST) * 0.5 > 0)


def test_training_counts_them_as_0() -> None:
    assert are_kept()
    flush_denormals()
    assert not are_kept()
    torch.set_flush_denormal(False)
    next(train(SMALL, seed=0))
    assert not are_kept()


@pytest.mark.parametrize("name", ["zhong-59-rate-0", "zhong-59-rate-1"])
def test_no_weight_is_another_for_it(name: str) -> None:
    saved = formats.load(CHECKPOINTS / f"{name}.pt")
    assert isinstance(saved.recipe, Recipe) and saved.seed is not None
    data = labelled(saved.recipe, training_split(saved.recipe, saved.seed).train_pairs)
    ends: list[Parameters] = []
    for flushed in (False, True):
        torch.set_flush_denormal(flushed)
        parameters = {key: x.clone().requires_grad_() for key, x in saved.network.parameters.items()}
        optimiser = Optimiser(saved.recipe, parameters)
        for step in range(100, 112):
            training_step(parameters, optimiser, step, data)
        ends.append({key: x.detach() for key, x in parameters.items()})
    kept, as_zero = ends
    assert all(torch.equal(kept[key], as_zero[key]) for key in kept)
    torch.set_flush_denormal(False)
    _, gradient = data.loss_function.value_and_gradient(data.logits(saved.network.parameters), data.labels)
    assert bool(((gradient != 0) & (gradient.abs() < LEAST)).any())  # else there was nothing to count as 0
