"""Which networks does the study look at? All of them named, seeded and decided before any is trained."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from interp.circuit import Circuit
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint
from interp.networks.kinds import network_of
from interp.recipe import RECIPES, Recipe
from interp.sweep.unit import Status, Unit
from interp.training.loop import Snapshot, batch, initial_network, train, training_split, training_step
from interp.training.optimisers import Optimiser

Kind = Literal["trained", "untrained", "memorising", "shuffled", "near miss"]
WIDTHS = (64, 128, 256)
ACTIVATIONS: tuple[Literal["relu", "gelu"], ...] = ("relu", "gelu")
NEAR_MISS = (0.5, 0.95)
"""Accuracies on all pairs between which a network is a near miss."""
STILL_FROM, STILL_EVERY = 2_000, 500
"""Steps from which, and in which, a network is asked whether it still changes."""
Study = Literal["published", "fast"]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One network of the study."""

    name: str
    kind: Kind
    """trained by its recipe, of which the record with the least test loss is taken: at these learning rates the loss jumps
    now and then, and the last record may be on its way down from a jump. All others are negative controls."""
    recipe: Recipe
    recipe_name: str
    seed: int
    target: float = 0.0
    """Near misses: training stops at the first record with at least this accuracy on all pairs."""
    still: float = 0.0
    """From step 2,000 on training stops when the centred logits of two records 500 steps apart differ, but for their size, by
    less than this: 1 - r², r their correlation. 0: never."""

    def network(self) -> Checkpoint:
        """Train it."""
        if self.kind == "untrained":
            return self._untrained()
        if self.kind == "shuffled":
            return self._shuffled()
        return self._trained()

    def _trained(self) -> Checkpoint:
        split = training_split(self.recipe, self.seed)
        every = 5 if self.kind == "near miss" else 100
        chosen: Snapshot | None = None
        before: Tensor | None = None
        for snapshot in train(self.recipe, seed=self.seed, record_every=every):
            right = snapshot.train_accuracy * len(split.train_pairs) + snapshot.test_accuracy * len(split.test_pairs)
            accuracy = right / self.recipe.p**2
            if self.kind == "near miss":
                chosen = snapshot if NEAR_MISS[0] <= accuracy <= NEAR_MISS[1] else chosen
            elif self.kind != "trained" or chosen is None or snapshot.test_loss < chosen.test_loss:
                chosen = snapshot
            if self.kind == "near miss" and accuracy >= self.target:
                break
            if self.still and snapshot.step >= STILL_FROM and snapshot.step % STILL_EVERY == 0:
                logits = Circuit(snapshot.network).centred_logits.flatten()
                if before is not None and 1 - functional.cosine_similarity(logits, before, dim=0) ** 2 < self.still:
                    break
                before = logits
        if chosen is None:
            raise RuntimeError(f"{self.name}: no record with an accuracy between {NEAR_MISS[0]} and {NEAR_MISS[1]}")
        return Checkpoint(
            network=chosen.network,
            step=chosen.step,
            seed=self.seed,
            recipe=self.recipe,
            train_pairs=split.train_pairs,
            losses=chosen.losses,
        )

    def _untrained(self) -> Checkpoint:
        return Checkpoint(network=initial_network(self.recipe, self.seed), step=0, seed=self.seed, recipe=self.recipe)

    def _shuffled(self) -> Checkpoint:
        """Trained on answers dealt out anew to the training pairs: there is nothing to generalise."""
        start, pairs = self._untrained().network, training_split(self.recipe, self.seed).train_pairs
        parameters = {name: tensor.clone().requires_grad_() for name, tensor in start.parameters.items()}
        order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(self.seed))
        data = batch(self.recipe.config, pairs, self.recipe.task_value.answers(pairs)[order])
        optimiser = Optimiser(self.recipe, parameters)
        for step in range(self.recipe.steps):
            training_step(parameters, optimiser, step, data)
        loss, accuracy = data.evaluate(parameters)
        return Checkpoint(
            network=network_of(self.recipe.config, {name: tensor.detach() for name, tensor in parameters.items()}),
            step=self.recipe.steps,
            seed=self.seed,
            recipe=self.recipe,
            losses={"train_loss": loss, "train_accuracy": accuracy},
        )


@dataclass(frozen=True)
class Making(Unit):
    """The training of one network of the study into a file."""

    planned: Planned
    file: Path
    """The checkpoint to write."""

    @property
    def path(self) -> Path:
        return self.file

    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        torch.set_num_threads(1)  # several processes share a machine better than several threads
        saved = self.planned.network()
        checkpoint.save(self.file, saved)
        say(Status(path=self.file, step=saved.step, losses=saved.losses))


def every_network(study: Study) -> Iterator[Planned]:
    """All networks of a study, in an order in which any beginning is a fair sample of the whole.

    published: 102 by ``varied``, trained until they no longer change. fast: 52 by ``fast_recipe`` and 10 by ``steady``. Each
    study has 48 controls of its own.
    """
    trained, first = (list(_published()), 4000) if study == "published" else (list(_fast()), 2000)
    controls = list(_controls(first))
    for index, planned in enumerate(trained):
        yield planned
        yield from controls[index :: len(trained)]


def _published() -> Iterator[Planned]:
    for index in range(102):
        recipe = varied(index, seed := 3000 + index)
        name = f"published-{_described(recipe)}-seed{seed}"
        yield Planned(name=name, kind="trained", recipe=recipe, recipe_name="zhong-2023", seed=seed, still=0.001)


def _fast() -> Iterator[Planned]:
    for index in range(52):
        recipe = fast_recipe(index, seed := 1000 + index)
        yield Planned(
            name=f"p59-{_described(recipe)}-seed{seed}", kind="trained", recipe=recipe, recipe_name="zhong-2023", seed=seed
        )
        if index % 5 == 4:
            seed = 100 + index // 5
            yield Planned(
                name=f"quick-seed{seed}",
                kind="trained",
                recipe=replace(RECIPES["steady"], steps=2_000),
                recipe_name="steady",
                seed=seed,
            )


def _described(recipe: Recipe) -> str:
    network = recipe.network
    return f"width{network.d_model}-{network.activation}-rate{network.attention_rate:.3f}"


def _controls(first: int) -> Iterator[Planned]:
    for index in range(12):
        seed = first + index
        recipe = fast_recipe(index, seed)
        variants: dict[Kind, Recipe] = {
            "untrained": replace(recipe, steps=0),
            "memorising": replace(recipe, train_fraction=0.25, weight_decay=0.0, steps=400),
            "shuffled": replace(recipe, train_fraction=0.5, weight_decay=0.0, steps=400),
            "near miss": replace(recipe, train_fraction=0.4, steps=1500),
        }
        for kind, variant in variants.items():
            yield Planned(
                name=f"{kind.replace(' ', '-')}-seed{seed}",
                kind=kind,
                recipe=variant,
                recipe_name="zhong-2023",
                seed=seed,
                target=0.5 + 0.4 * index / 11,
            )


def varied(index: int, seed: int) -> Recipe:
    """``zhong-2023``, 5,000 steps, in which every width meets every activation; the attention rate is uniform in [0, 1]."""
    width, activation = WIDTHS[index % 3], ACTIVATIONS[index // 3 % 2]
    rate = random.Random(seed).random()
    zhong = RECIPES["zhong-2023"]
    network = replace(
        zhong.network, d_model=width, d_head=width // 4, d_mlp=4 * width, activation=activation, attention_rate=rate
    )
    return replace(zhong, network=network, steps=5_000)


def fast_recipe(index: int, seed: int) -> Recipe:
    """``varied`` with five times its learning rate and half of the pairs to train on instead of four fifths: 2,000 steps
    that are as far as ten thousand, and long enough for a clean-up."""
    recipe = varied(index, seed)
    width = recipe.network.d_model
    network = replace(recipe.network, d_mlp=2 * width if width == 256 else 4 * width)  # the widest is slow
    return replace(recipe, network=network, train_fraction=0.5, learning_rate=5e-3, steps=2_000)
