"""What a sweep will take: measured on a few steps of a few of its networks, before any is trained."""

import math
import statistics
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from itertools import pairwise

import torch

from interp.files.checkpoint import Checkpoint
from interp.networks.kinds import parameter_shapes
from interp.recipe import Recipe
from interp.sweep.network import Look
from interp.sweep.point import Point
from interp.training.loop import initial_network, train, training_split

TRIED = 5
"""Largest number of networks that are tried."""
STEPS = 6
"""Number of steps that a network is tried for."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What the networks of a sweep take, as far as a few steps of a few of them tell."""

    training_seconds: float
    """Seconds of training, one network after the other, on one thread."""
    analysis_seconds: float
    """Seconds of analysis likewise, of each network and each record as long as that of one untrained network."""
    kept_bytes: int
    """Size of the weights that are kept."""

    @property
    def seconds(self) -> float:
        """Seconds of all, one network after the other."""
        return self.training_seconds + self.analysis_seconds


def estimate(
    points: Collection[Point], look: Look, keep: float, *, of_record: Callable[[Checkpoint], object] | None = None
) -> Estimate:
    """What will these networks take? Seconds on this machine as busy as it is now, on one thread, and bytes.

    ``of_record``: what is measured of every record besides.
    """
    if not points:
        return Estimate(training_seconds=0.0, analysis_seconds=0.0, kept_bytes=0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        by_work = sorted(points, key=lambda point: _work(point.config.recipe))
        tried = [by_work[round(i * (len(by_work) - 1) / (TRIED - 1))] for i in range(TRIED)]
        rates = [(_work(each.config.recipe), _seconds_a_step(each)) for each in dict.fromkeys(tried)]
        training = 0.0
        for point in points:
            work = _work(point.config.recipe)
            measured, seconds = min(rates, key=lambda rate: abs(rate[0] - work))
            training += point.config.recipe.steps * seconds * work / measured
        middle = by_work[len(by_work) // 2]
        analysis = _seconds_to_look(middle, look) * len(points)
        if of_record is not None:
            analysis += _seconds_to_look(middle, of_record) * sum(map(_records, points))
    finally:
        torch.set_num_threads(threads)
    kept = sum(4 * _weights(point.config.recipe) for point in points if point.is_kept(keep))
    return Estimate(training_seconds=training, analysis_seconds=analysis, kept_bytes=kept)


def _weights(recipe: Recipe) -> int:
    return sum(torch.Size(shape).numel() for shape in parameter_shapes(recipe.config).values())


def _work(recipe: Recipe) -> float:
    """What a step of a recipe takes, but for a factor: pairs of a batch times weights."""
    pairs = recipe.train_fraction * recipe.p**2
    return min(pairs, recipe.batch_size or pairs) * _weights(recipe)


def _seconds_a_step(point: Point) -> float:
    config, times = point.config, list[float]()
    config.arithmetic.check_is_possible_here()
    # So that it can neither diverge nor be done before its time.
    recipe = replace(config.recipe, steps=STEPS, learning_rate=0.0, stop_test_loss=0.0, stop_accuracy=0.0)
    for _ in train(
        recipe,
        seed=config.seed,
        record_every=STEPS,
        dtype=getattr(torch, config.precision),
        device=config.device,
        on_step=lambda step: times.append(time.perf_counter()),
    ):
        pass
    return statistics.median(after - before for before, after in pairwise(times))


def _records(point: Point) -> int:
    """Largest number of records of a network's run."""
    return math.ceil(point.config.recipe.steps / point.config.record_every) + 1


def _seconds_to_look(point: Point, look: Callable[[Checkpoint], object]) -> float:
    recipe, seed = point.config.recipe, point.config.seed
    pairs = training_split(recipe, seed).train_pairs
    network = initial_network(recipe, seed)
    started = time.perf_counter()
    look(Checkpoint(network=network, task=recipe.task_value, step=0, seed=seed, recipe=recipe, train_pairs=pairs))
    return time.perf_counter() - started
