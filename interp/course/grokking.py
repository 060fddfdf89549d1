"""Checks of notebook 2, training and grokking: what is held out, how much is right, how late that is, and a network trained."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

import interp
from analyses.basics.performance import performance
from analyses.evidence.key_frequencies import key_frequencies
from interp.course.exercise import Mine, WrongError, exercise, mistake
from interp.errors import InterpError
from interp.files.checkpoint import Checkpoint, save
from interp.recipe import Recipe
from interp.tasks.addition import Addition
from interp.training.loop import training_split

MODULUS = 31
"""Modulus of the network that is trained in the course: small enough for some ten seconds of training."""
LEAST_ACCURACY, LEAST_HELD_OUT = 0.99, 0.2
"""Least share of held-out pairs that a trained network has to answer right, and least share of all pairs to hold out."""
MOST_STEPS = 3000
"""Largest number of steps that a network of the course is trained for, so that no check takes minutes."""

START = replace(
    interp.RECIPES["steady"],
    p=MODULUS,
    steps=600,
    weight_decay=0.0,
    train_fraction=0.5,
    network=replace(interp.RECIPES["steady"].network, d_mlp=256),
)
"""Recipe that the notebook begins with: no weight decay, so the network it makes knows its training pairs by heart."""


@exercise(notebook=2)
def check_split(split: Mine) -> str:
    """Does ``split(p, fraction, seed)`` divide the pairs (a, b) into those to train on and those held out?

    Expected are two lists of pairs: together all p² pairs, none in both, fraction·p² of them in the first, drawn by the seed.
    """
    drawn = {}
    for p, fraction, seed in [(7, 0.5, 0), (7, 0.5, 1), (11, 0.3, 0), (5, 0.8, 3)]:
        call = split.shown(p, fraction, seed)
        train, test = _two_lists(split(p, fraction, seed), call)
        everything = {(a, b) for a in range(p) for b in range(p)}
        if both := set(train) & set(test):
            raise WrongError(f"{call} has {min(both)} both among the pairs to train on and among those held out")
        if missing := everything - set(train) - set(test):
            raise WrongError(f"{call} has {min(missing)} nowhere: all {p * p} pairs have to be in one of the two lists")
        if strange := (set(train) | set(test)) - everything:
            raise WrongError(f"{call} has {min(strange)}, which is no pair of numbers from 0 to {p - 1}")
        if len(train) + len(test) != p * p:
            raise WrongError(f"{call} has some pair twice in the same list")
        if abs(len(train) - fraction * p * p) >= 1:
            raise WrongError(f"{call} trains on {len(train)} pairs, where {fraction:g} of {p * p} are expected")
        if set(_two_lists(split(p, fraction, seed), call)[0]) != set(train):
            raise WrongError(f"{call} gave two different answers: what is drawn has to depend on the seed alone")
        drawn[p, seed] = set(train)
    if drawn[7, 0] == drawn[7, 1]:
        raise WrongError("split(7, 0.5, 0) and split(7, 0.5, 1) train on the same pairs: draw them by the seed")
    return "Every pair is in one of the two lists, as many as asked for, and the seed decides which."


@exercise(notebook=2)
def check_accuracy(accuracy: Mine) -> str:
    """Does ``accuracy(logits, answers)`` say which share of pairs is answered right?

    ``logits``: a row of scores per pair; ``answers``: the right answers. The network's answer is the highest score of the row.
    """
    for pairs, p in [(40, 7), (60, 11), (1, 5)]:
        generator = torch.Generator().manual_seed(pairs)
        logits = torch.randn(pairs, p, generator=generator)
        answers = torch.where(torch.rand(pairs, generator=generator) < 0.7, logits.argmax(-1), logits.argmin(-1))
        truth = (logits.argmax(-1) == answers).double().mean().item()
        mine, call = accuracy.number(logits, answers), accuracy.shown(logits, answers)
        if abs(mine - truth) < 1e-5:
            continue
        known = [
            (truth * pairs, "that is their number: divide by how many pairs there are"),
            (truth * 100, "that is in percent: a share lies between 0 and 1"),
            (1 - truth, "that is the share of the lowest scores, or of what is wrong"),
        ]
        if why := mistake(mine, known, within=1e-5):
            raise WrongError(f"{call} gave {mine:.3f}, where {truth:.3f} of the pairs are right: {why}")
        raise WrongError(f"{call} gave {mine:.3f}, where {truth:.3f} of the pairs have their highest score at the right answer")
    return "Your share of right answers is right."


@exercise(notebook=2)
def check_delay(delay: Mine) -> str:
    """Does ``delay(steps, train, test)`` say how many steps the held-out pairs come after the training pairs?

    A curve is known for good from the first step on after which its accuracy is never below .99 again. Expected is that step
    of ``test`` less that of ``train``, infinity (math.inf) where the held-out pairs are never known for good.
    """
    for steps, train, test in _runs():
        truth = _known_for_good(steps, test) - _known_for_good(steps, train)
        mine, call = delay(steps, train, test), delay.shown(steps, train, test)
        if not isinstance(mine, int | float):
            raise WrongError(f"{call} gave a value of type {type(mine).__name__}, where a number of steps is expected")
        if mine == truth:
            continue
        if math.isinf(truth):
            raise WrongError(f"{call} gave {mine}: these held-out pairs are never known for good, so it is math.inf")
        first = _first(steps, test) - _first(steps, train)
        if mine == first:
            raise WrongError(f"{call} gave {mine}, and it is {truth}: accuracy fell below .99 again: look for the last time")
        if mine == _record(test) - _record(train):
            raise WrongError(f"{call} gave {mine}, which counts records: the answer is in steps, {truth}")
        raise WrongError(f"{call} gave {mine}, and it is {truth}: train {train}, test {test}, steps {steps}")
    return "You measure grokking: how long a network knows its own pairs before it knows the others."


@exercise(notebook=2)
def check_trained(my_network: Path) -> str:
    """Does the network in a checkpoint generalise: addition mod 31, a fifth of the pairs held out, .99 of these right?

    Which pairs were held out is what the file says.
    """
    try:
        circuit = interp.load(my_network)
        measured = performance(circuit)
    except (InterpError, OSError) as error:
        raise WrongError(f"the file cannot be read as a network: {error}") from error
    if circuit.task != Addition(MODULUS):
        raise WrongError(f"this network is one for {circuit.task.sentence}, where {Addition(MODULUS).sentence} is expected")
    if circuit.train_pairs is None:
        raise WrongError("the file does not say which pairs the network was trained on: save it as the notebook does")
    held_out = 1 - len(circuit.train_pairs) / MODULUS**2
    if held_out < LEAST_HELD_OUT:
        raise WrongError(f"only {held_out:.0%} of the pairs were held out: at least {LEAST_HELD_OUT:.0%} are needed to tell")
    if not measured.test_accuracy >= LEAST_ACCURACY:
        by_heart = measured.train_accuracy >= LEAST_ACCURACY
        raise WrongError(
            f"{measured.test_accuracy:.1%} of the held-out pairs are right, where {LEAST_ACCURACY:.0%} are asked for"
            + (", and all it was trained on: it knows these by heart. Try more weight decay, or more pairs" if by_heart else "")
        )
    keys = key_frequencies(circuit).frequencies
    return f"{measured.test_accuracy:.1%} of the held-out pairs are right; key frequencies {', '.join(map(str, keys))}."


def trained(my_recipe: Callable[[], Recipe], file: str = "my_network.pt", *, seed: int = 0) -> str | None:
    """Trains a network by the recipe that a student's function gives, says how it gets on, and writes it to a file.

    Returns the name of the file; None, after a line that says so, where the function is not done. Raises InterpError on a
    recipe for another task, and on one of more than ``MOST_STEPS`` steps.
    """
    try:
        recipe = my_recipe()
    except NotImplementedError:
        recipe = None
    if recipe is None:
        print("not done yet: my_recipe() has to return a recipe")  # noqa: T201 a notebook shows it
        return None
    if not isinstance(recipe, Recipe) or recipe.task_value != Addition(MODULUS) or recipe.steps > MOST_STEPS:
        raise InterpError(f"expected a recipe for addition mod {MODULUS}, of at most {MOST_STEPS} steps: change course.START")
    for snapshot in interp.train(recipe, seed=seed):
        accuracies = f"{snapshot.train_accuracy:6.1%} of the training pairs right, {snapshot.test_accuracy:6.1%} of the others"
        print(f"step {snapshot.step:5}: {accuracies}", flush=True)  # noqa: T201
    pairs = train_pairs(recipe, seed)
    save(file, Checkpoint(network=snapshot.network, step=snapshot.step, seed=seed, recipe=recipe, train_pairs=pairs,
                          losses=snapshot.losses))  # fmt: skip
    return file


def train_pairs(recipe: Recipe, seed: int) -> Int[Tensor, " train"]:
    """The pairs, as indices a·p + b, that a network of this recipe and seed is trained on."""
    return training_split(recipe, seed).train_pairs


def _two_lists(value: Any, call: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    try:
        train, test = ([(int(a), int(b)) for a, b in each] for each in value)
    except (TypeError, ValueError, OverflowError) as error:
        raise WrongError(f"{call} should give two lists of pairs (a, b): those to train on, and those held out") from error
    return train, test


def _runs() -> list[tuple[list[int], list[float], list[float]]]:
    """Courses of training: one that groks, one that falls back once, one that never knows the held-out pairs, one drawn."""
    steps = [0, 100, 200, 300, 400, 500, 600]
    drawn = random.Random(0)
    late = sorted(drawn.sample(range(10, 5000), 7))
    return [
        (steps, [0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 0.2, 0.3, 0.8, 0.995, 1.0]),
        (steps, [0.1, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 0.99, 0.4, 0.8, 1.0, 1.0]),
        (steps, [0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2]),
        (late, [0.1, 0.2, 0.99, 1.0, 1.0, 1.0, 1.0], [0.0, 0.1, 0.1, 0.2, 0.2, 0.7, 0.99]),
    ]


def _known_for_good(steps: list[int], accuracies: list[float]) -> float:
    record = _record(accuracies)
    return float(steps[record]) if record < len(steps) else math.inf


def _record(accuracies: list[float]) -> int:
    """The first record from which on all is known for good; one after the last where there is none."""
    return max((record for record, accuracy in enumerate(accuracies, start=1) if accuracy < LEAST_ACCURACY), default=0)


def _first(steps: list[int], accuracies: list[float]) -> float:
    return next((float(step) for step, accuracy in zip(steps, accuracies, strict=True) if accuracy >= LEAST_ACCURACY), math.inf)
