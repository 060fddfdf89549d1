"""Optimisers: each is torch's own, goes on bit for bit after a break, and has its rate by warm-up and schedule."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from small import SMALL, added

from interp.errors import InterpError
from interp.recipe import Recipe
from interp.training.batch import PlainBatch
from interp.training.loop import initial_network, train, training_split
from interp.training.optimisers import learning_rate
from interp.training.state import load, save

CASES: dict[str, dict[str, object]] = {
    "adamw": {},
    "adam": {"optimiser": "adam", "weight_decay": 1e-4},
    "sgd": {"optimiser": "sgd", "learning_rate": 0.1, "weight_decay": 1e-4},
    "muon": {"optimiser": "muon"},
    "gradient filter": {"gradient_filter": 2.0},
    "cosine": {"schedule": "cosine", "schedule_from": 5},
    "muon and linear": {"optimiser": "muon", "schedule": "linear", "schedule_from": 3, "schedule_to": 15},
    "squared error": {"loss": "mse"},
    "wrong labels": {"corrupt": 0.4},
}


def recipe_of(changes: dict[str, object]) -> Recipe:
    return replace(SMALL, steps=20, warmup_steps=4, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_a_run_goes_on_bit_for_bit_with_every_optimiser(changes: dict[str, object], tmp_path: Path) -> None:
    recipe = recipe_of(changes)
    *_, whole = train(recipe, seed=1, record_every=10)
    *_, broken = islice(train(recipe, seed=1, record_every=10), 2)
    save(tmp_path / "resume.pt", broken.state)
    *_, resumed = train(recipe, seed=1, record_every=10, resume=load(tmp_path / "resume.pt", recipe))
    assert resumed.losses == whole.losses
    for name, x in whole.network.parameters.items():
        assert torch.equal(x, resumed.network.parameters[name]), name
    start = initial_network(recipe, 1).parameters
    assert all(not torch.equal(x, start[name]) for name, x in whole.network.parameters.items())


@pytest.mark.parametrize("name", ["adam", "sgd", "muon"])
def test_training_is_torch_s_own_optimiser(name: str) -> None:
    recipe = replace(recipe_of(CASES[name]), warmup_steps=0)
    reference = initial_network(recipe, 1, torch.float64).parameters
    for tensor in reference.values():
        tensor.requires_grad_()
    matrices = [x for x in reference.values() if x.dim() == 2]
    others = [x for x in reference.values() if x.dim() != 2]
    rate, decay, betas = recipe.learning_rate, recipe.weight_decay, (0.9, 0.98)
    parts: list[torch.optim.Optimizer]
    match name:
        case "adam":
            parts = [torch.optim.Adam([*matrices, *others], lr=rate, weight_decay=decay, betas=betas)]
        case "sgd":
            parts = [torch.optim.SGD([*matrices, *others], lr=rate, weight_decay=decay, momentum=0.9)]
        case _:
            muon = torch.optim.Muon(matrices, lr=rate, weight_decay=decay, momentum=0.9, adjust_lr_fn="match_rms_adamw")
            parts = [muon, torch.optim.AdamW(others, lr=rate, weight_decay=decay, betas=betas)]
    data = added(PlainBatch, recipe.config, training_split(recipe, 1).train_pairs)
    for _ in range(20):
        for part in parts:
            part.zero_grad()
        data.loss(reference).backward()
        for part in parts:
            part.step()
    *_, last = train(recipe, seed=1, dtype=torch.float64)
    for key, tensor in last.network.parameters.items():
        # Muon orthogonalises in bfloat16, which the last bits of its input move.
        assert torch.allclose(tensor, reference[key].detach(), rtol=1e-10, atol=1e-3 if name == "muon" else 1e-12), key


def test_the_gradient_filter_adds_the_running_mean() -> None:
    """Two steps of SGD without momentum: g, then g' with λ times the running mean (1 - α)(α g + g') beside it."""
    recipe = replace(SMALL, optimiser="sgd", momentum=0.0, weight_decay=0.0, warmup_steps=0, steps=2, gradient_filter=3.0,
                     gradient_filter_decay=0.75)  # fmt: skip
    data = added(PlainBatch, recipe.config, training_split(recipe, 0).train_pairs)
    weights = {name: x.requires_grad_() for name, x in initial_network(recipe, 0, torch.float64).parameters.items()}
    mean = {name: torch.zeros_like(x) for name, x in weights.items()}
    for _ in range(2):
        gradients = torch.autograd.grad(data.loss(weights), list(weights.values()))
        mean = {name: 0.75 * mean[name] + 0.25 * g for name, g in zip(weights, gradients, strict=True)}
        weights = {
            name: (x - recipe.learning_rate * (g + 3 * mean[name])).detach().requires_grad_()
            for (name, x), g in zip(weights.items(), gradients, strict=True)
        }
    *_, last = train(recipe, seed=0, dtype=torch.float64)
    for name, x in last.network.parameters.items():
        assert torch.allclose(x, weights[name], rtol=1e-9, atol=1e-12), name


def test_schedules_go_from_the_rate_to_nothing() -> None:
    linear = replace(SMALL, schedule="linear", schedule_from=10, schedule_to=20, learning_rate=1.0, warmup_steps=0)
    assert [learning_rate(linear, step) for step in (0, 10, 15, 20, 30)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    cosine = replace(linear, schedule="cosine", schedule_from=0, schedule_to=0, steps=8)
    assert [learning_rate(cosine, step) for step in (0, 4, 8)] == pytest.approx([1.0, 0.5, 0.0])
    assert learning_rate(replace(cosine, warmup_steps=4), 2) == pytest.approx(learning_rate(cosine, 2) / 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimiser": "lion"}, "optimiser of the recipe to be adamw or adam or sgd or muon"),
        ({"loss": "hinge"}, "loss of the recipe to be cross-entropy or mse"),
        ({"schedule": "step"}, "schedule of the recipe to be constant or linear or cosine"),
        ({"momentum": 1.0}, r"momentum in \[0, 1\)"),
        ({"corrupt": 1.5}, "share of corrupted pairs from 0 to 1"),
        ({"wrong_labels": "a+b+1"}, "--corrupt 1 gives them to all training pairs"),
        ({"corrupt": 0.5, "wrong_labels": "sum of digits"}, "expected a task such as"),
        ({"attention_free": True}, "only d_mlp, activation and separate"),
    ],
)
def test_impossible_options_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InterpError, match=message):
        Recipe.from_dict({**SMALL.to_dict(), **changes})


def test_the_memory_of_another_optimiser_is_refused(tmp_path: Path) -> None:
    first = next(train(recipe_of(CASES["sgd"]), seed=0))
    save(tmp_path / "resume.pt", first.state)
    with pytest.raises(InterpError, match="expected the memory of the optimiser adamw: exp_avg, exp_avg_sq"):
        load(tmp_path / "resume.pt", recipe_of({}))
