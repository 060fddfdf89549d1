"""Training: the published first losses, when it stops, what a snapshot is."""

import math
from dataclasses import replace
from itertools import islice

import pytest
import torch
from small import SMALL, added

from interp.errors import InterpError
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.initialisation import initialise
from interp.recipe import RECIPES, Recipe
from interp.tasks.addition import Addition
from interp.tasks.split import split
from interp.training.batch import Batch, PlainBatch
from interp.training.fast_batch import FastBatch
from interp.training.loop import TrainingDivergedError, batch, initial_network, train, training_split, training_step
from interp.training.optimisers import Optimiser


@pytest.mark.parametrize(
    ("seed", "weight_decay", "train_loss", "test_loss"),
    [(0, 1.0, 4.76405226, 4.76834731), (1, 0.1, 4.7769121628, 4.7677262062)],
)
def test_first_losses_of_nanda_2023(seed: int, weight_decay: float, train_loss: float, test_loss: float) -> None:
    """Provenance: the released code of Nanda et al. 2023, rerun independently from these seeds."""
    recipe = replace(RECIPES["nanda-2023"], weight_decay=weight_decay, steps=1)
    first, second = train(recipe, seed=seed, record_every=1)
    assert first.train_loss == pytest.approx(train_loss, rel=1e-7)
    assert first.test_loss == pytest.approx(test_loss, rel=1e-7)
    # The first step of the warm-up has learning rate 0.
    assert second.train_loss == first.train_loss


def test_zhong_2023_starts_from_the_published_scales() -> None:
    recipe = RECIPES["zhong-2023"]
    start = next(train(recipe, seed=0))
    W = start.network.parameters
    assert W["blocks.0.mlp.W_in"].std().item() == pytest.approx(512**-0.5, rel=0.01)
    assert W["blocks.0.mlp.W_out"].std().item() == pytest.approx(128**-0.5, rel=0.01)
    assert W["unembed.W_U"].std().item() == pytest.approx(59**-0.5, rel=0.02)
    assert W["embed.W_E"].shape == (59, 128) and W["unembed.W_U"].shape == (128, 59)


def test_training_is_torch_s_adamw_with_a_linear_warm_up() -> None:
    recipe = replace(SMALL, steps=15, warmup_steps=4)
    reference = initial_network(recipe, 3, torch.float64).parameters
    for tensor in reference.values():
        tensor.requires_grad_()
    adamw = torch.optim.AdamW(list(reference.values()), lr=1e-2, weight_decay=1.0, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(adamw, lambda step: min(step / 4, 1))
    pairs = split(Addition(7), method="python-shuffle", fraction=0.5, seed=3).train_pairs
    data = added(PlainBatch, recipe.config, pairs)
    for _ in range(15):
        adamw.zero_grad()
        data.loss(reference).backward()
        adamw.step()
        schedule.step()

    *_, last = train(recipe, seed=3, dtype=torch.float64)
    for name, tensor in last.network.parameters.items():
        assert torch.allclose(tensor, reference[name].detach(), rtol=1e-12, atol=1e-14), name


@pytest.mark.parametrize("kind", [PlainBatch, FastBatch])
def test_the_loss_is_right_where_the_network_is_sure(kind: type[Batch]) -> None:
    """In float32, log-softmax of a sure network is a multiple of 1.2e-7 and its loss wrong in the first digit."""
    config = NetworkConfig(p=5, d_model=5, n_heads=1, d_head=1, d_mlp=1, equals_token=False, answers_equals=False)
    network = initialise(config, seed=0)
    parameters = {name: torch.zeros_like(tensor) for name, tensor in network.parameters.items()}
    # The right answer of (0, 0) leads by 17.3: the true loss is 4 e^-17.3.
    parameters["embed.W_E"][:, 0] = 1
    parameters["unembed.W_U"][0, 0] = 17.3
    data = added(kind, config, torch.tensor([0]))
    loss, logits = data.loss(parameters), data.logits(parameters)
    true = torch.log1p(4 * torch.exp(-torch.tensor(17.3, dtype=torch.float64))).item()
    assert loss.item() == pytest.approx(true, rel=1e-5)
    assert torch.nn.functional.cross_entropy(logits, data.labels).item() != pytest.approx(true, rel=0.01)


def test_a_seed_reproduces_a_run_and_another_does_not() -> None:
    *_, first = train(SMALL, seed=1)
    *_, again = train(SMALL, seed=1)
    *_, other = train(SMALL, seed=2)
    assert first.losses == again.losses
    assert all(torch.equal(first.network.parameters[k], again.network.parameters[k]) for k in first.network.parameters)
    assert first.losses != other.losses


def test_it_stops_at_the_last_step_at_the_test_loss_and_when_asked() -> None:
    steps = [snapshot.step for snapshot in train(SMALL, seed=0, record_every=8)]
    assert steps == [0, 8, 16, 20]
    *_, last = train(replace(SMALL, stop_test_loss=100.0), seed=0)
    assert last.step == 0 and last.is_last

    # It is the test loss that ends a run: a network that has memorised, and is still wrong elsewhere, goes on.
    memorises = replace(SMALL, steps=60, weight_decay=0.0, stop_test_loss=1.0)
    *_, before, last = train(memorises, seed=0, record_every=5)
    assert last.step == 60 and before.step == 55 and not before.is_last
    assert before.train_loss < 1 < before.test_loss

    # An accuracy is that on all pairs: of 49, those trained on and the others.
    records = list(train(memorises, seed=0, record_every=5))
    chosen = training_split(memorises, 0)
    right = [r.train_accuracy * len(chosen.train_pairs) + r.test_accuracy * len(chosen.test_pairs) for r in records]
    reached = next(index for index, count in enumerate(right) if count > 49 / 2)
    assert records[reached].test_accuracy < 0.5 < records[reached].train_accuracy
    *_, last = train(replace(memorises, stop_accuracy=round(right[reached]) / 49), seed=0, record_every=5)
    assert last.step == records[reached].step < 60 and last.is_last

    heard: list[int] = []
    *_, last = train(SMALL, seed=0, record_every=8, should_stop=lambda: len(heard) >= 11, on_step=heard.append)
    assert last.step == 11 and last.is_last and heard == list(range(1, 12))


def test_a_snapshot_is_a_copy_that_later_steps_do_not_touch() -> None:
    snapshots = train(SMALL, seed=0, record_every=5)
    _, early = islice(snapshots, 2)
    kept = early.network.parameters["embed.W_E"].clone()
    *_, late = snapshots
    assert torch.equal(early.network.parameters["embed.W_E"], kept)
    assert not torch.equal(late.network.parameters["embed.W_E"], kept)


def test_divergence_stops_training_with_the_remedy() -> None:
    seen = []
    with pytest.raises(TrainingDivergedError, match=r"no longer finite at step \d+: lower the learning rate"):
        for snapshot in train(replace(SMALL, learning_rate=1e30, steps=200), seed=0, record_every=1):
            seen.append(snapshot)
    assert seen and all(math.isfinite(snapshot.train_loss) for snapshot in seen)


def test_weights_that_are_not_finite_behind_a_loss_that_is_stop_training() -> None:
    """ReLU makes nothing of a bias of minus infinity, and the loss stays finite: the network is lost all the same."""

    def spoil(step: int, parameters: dict[str, torch.Tensor]) -> None:
        if step == 10:
            parameters["blocks.0.mlp.b_in"].data[0] = -torch.inf

    seen = []
    with pytest.raises(TrainingDivergedError, match="weights are no longer finite at step 10"):
        for snapshot in train(SMALL, seed=0, record_every=5, watch=spoil):
            seen.append(snapshot.step)
    assert seen == [0, 5]


NUMBERS = {
    "nanda-2023": {
        "p": 113, "equals_token": True, "answers_equals": True, "causal": True, "d_model": 128, "n_heads": 4, "d_head": 32,
        "d_mlp": 512, "n_layers": 1, "activation": "relu", "attention_rate": 1.0, "attention_biases": False,
        "mlp_biases": True, "unembed_bias": False, "separate_vocabularies": False,
        "operator_token": False, "gated_mlp": False, "residual": True, "normalization": "none", "normalization_place": "before",
        "normalization_weights": True, "normalization_epsilon": 1e-5, "final_normalization": False, "rotary_base": 0.0,
        "rotary_interleaved": False,
        "split_method": "python-shuffle", "train_fraction": 0.3, "learning_rate": 1e-3, "weight_decay": 1.0, "beta_1": 0.9,
        "beta_2": 0.98, "warmup_steps": 10, "W_in_fan_is_d_mlp": False, "steps": 40_000, "stop_test_loss": 0.0,
        "task": "addition", "batch_size": 0, "positions": "learned", "embedding_std": 0.0,
        "corrupt": 0.0, "wrong_labels": "", "attention_free": False, "loss": "cross-entropy", "optimiser": "adamw",
        "momentum": 0.9, "gradient_filter": 0.0, "gradient_filter_decay": 0.98, "schedule": "constant", "schedule_from": 0,
        "schedule_to": 0, "stop_accuracy": 0.0,
    }
}  # fmt: skip
NUMBERS["zhong-2023"] = {
    **NUMBERS["nanda-2023"], "p": 59, "equals_token": False, "answers_equals": False, "causal": False,
    "split_method": "torch-randperm", "train_fraction": 0.8, "weight_decay": 2.0, "W_in_fan_is_d_mlp": True, "steps": 20_000,
}  # fmt: skip
NUMBERS["chughtai-2023"] = {
    **NUMBERS["nanda-2023"], "task": "S5", "p": 120, "answers_equals": False, "mlp_biases": False,
    "split_method": "torch-randperm", "train_fraction": 0.6, "warmup_steps": 0, "steps": 50_000,
}  # fmt: skip
NUMBERS["furuta-2024"] = {
    **NUMBERS["nanda-2023"], "p": 97, "equals_token": False, "operator_token": True, "answers_equals": False,
    "mlp_biases": False, "warmup_steps": 0, "positions": "none", "embedding_std": 0.099, "steps": 100_000,
}  # fmt: skip
NUMBERS["power-2022"] = {
    **NUMBERS["nanda-2023"], "task": "division", "p": 97, "n_layers": 2, "operator_token": True, "mlp_biases": False,
    "normalization": "layer", "normalization_place": "after", "train_fraction": 0.5, "batch_size": 512,
    "positions": "sinusoidal", "embedding_std": 1.0, "steps": 100_000,
}  # fmt: skip
NUMBERS["doshi-2023"] = {
    **NUMBERS["nanda-2023"], "p": 97, "equals_token": True, "causal": True, "separate_vocabularies": True, "d_mlp": 500,
    "activation": "square", "attention_free": True, "loss": "mse", "split_method": "torch-randperm", "train_fraction": 0.5,
    "learning_rate": 1e-2, "weight_decay": 5.0, "warmup_steps": 0, "embedding_std": 0.05, "steps": 2_000,
}  # fmt: skip
NUMBERS["quick"] = {
    **NUMBERS["nanda-2023"], "learning_rate": 2e-2, "weight_decay": 2.0, "schedule": "linear", "steps": 1_500,
}  # fmt: skip
NUMBERS["steady"] = {**NUMBERS["nanda-2023"], "learning_rate": 1e-2, "steps": 5_000, "stop_test_loss": 1e-5}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_the_published_one(name: str) -> None:
    """Sources: arXiv 2301.05217, 2306.17844, 2302.03025, 2402.16726, 2201.02177, 2310.13061; quick is our own."""
    values = RECIPES[name].to_dict()
    network = values.pop("network")
    assert {**values, **network} == NUMBERS[name]


def test_the_step_changes_every_parameter() -> None:
    network = initial_network(SMALL, 0)
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in network.parameters.items()}
    loss = training_step(parameters, Optimiser(SMALL, parameters), 5, added(FastBatch, SMALL.config, torch.arange(20)))
    assert loss > 0
    assert not any(torch.equal(parameters[name], network.parameters[name]) for name in parameters)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_fraction": 0.0}, "nothing is left to train on"),
        ({"train_fraction": 1.0}, "nothing is left to test"),
        ({"learning_rate": -1.0}, "learning_rate of 0 or more"),
        ({"learning_rate": float("inf")}, "learning_rate of 0 or more"),
        ({"beta_2": 1.0}, r"beta_2 in \[0, 1\)"),
        ({"steps": -1}, "steps of 0 or more"),
        ({"network": Architecture(n_heads=3)}, "heads that divide d_model"),
        ({"network": Architecture(d_mlp=530_000)}, "at most 134217728 weights, got 136"),
        ({"p": 10_001}, "modulus of at most 10000, got 10001"),
        ({"p": 1}, "modulus p of at least 2, got 1"),
        ({"task": "magic"}, "expected a task such as addition"),
        ({"network": NetworkConfig(p=7)}, "leaves the number of symbols to the task"),
    ],
)
def test_impossible_recipes_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InterpError, match=message):
        replace(RECIPES["quick"], **changes)  # type: ignore[arg-type]


def test_the_largest_recipes_are_allowed() -> None:
    assert replace(RECIPES["quick"], network=Architecture(d_mlp=520_000)).network.d_mlp == 520_000
    assert replace(RECIPES["quick"], p=720).config.p == 720


def test_recipes_survive_a_round_trip_and_say_what_is_wrong_with_others() -> None:
    for recipe in RECIPES.values():
        assert Recipe.from_dict(recipe.to_dict()) == recipe
    values = RECIPES["quick"].to_dict()
    with pytest.raises(InterpError, match="does not know: moment"):
        Recipe.from_dict({**values, "moment": 0.9})
    with pytest.raises(InterpError, match="recipe is incomplete"):
        Recipe.from_dict({"network": values["network"]})
    with pytest.raises(InterpError, match="expected steps of the recipe to be int, got 'many'"):
        Recipe.from_dict({**values, "steps": "many"})
    with pytest.raises(InterpError, match=r"activation of the network to be relu or gelu or .*, got 'tanh'"):
        Recipe.from_dict({**values, "network": {"activation": "tanh"}})


def test_a_batch_has_the_pairs_of_its_indices_and_the_labels_it_is_given() -> None:
    pairs = torch.tensor([0, 8, 20, 48])
    labels = torch.tensor([3, 1, 0, 6])
    data = batch(SMALL.config, pairs, labels)
    assert data.a.tolist() == [0, 1, 2, 6] and data.b.tolist() == [0, 1, 6, 6] and torch.equal(data.labels, labels)
    parameters = initial_network(SMALL, 0).parameters
    expected = torch.nn.functional.cross_entropy(data.logits(parameters).double(), labels).item()
    assert data.loss(parameters).item() == pytest.approx(expected, rel=1e-6)
    assert data.evaluate(parameters)[0] == pytest.approx(expected, rel=1e-9)
