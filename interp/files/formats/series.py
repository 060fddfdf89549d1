"""The checkpoints of one run of anybody: read once, their reading decided once, in the order in which they were written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from interp.errors import InterpError, one_line
from interp.files import formats, plain
from interp.files.checkpoint import Checkpoint
from interp.files.formats.directory import checkpoints_in, stated_step, steps_of_names
from interp.files.formats.facts import Facts
from interp.function import Function
from interp.networks.transformer import Network

MAX_FILES = 2000
"""Largest number of checkpoints of one series: all of them are held in memory together, 1 MB each."""


def load_series(paths: Path | Sequence[Path], given: Facts | None = None) -> list[tuple[Path, Checkpoint]]:
    """The checkpoints of one run, by their files, the earliest first.

    ``paths``: a directory, which is searched at any depth, or the files. Their order is that of the steps in their containers
    or else of the numbers in their names. How they are to be read is decided on the last one, which has learned most, and
    every other is read in the same way. ``given``: what the caller knows and the files do not say.

    Raises InterpError, one line, on a file that cannot be read, on networks of different shapes, on fewer than two files, and
    where the order cannot be told.
    """
    files = checkpoints_in(paths) if isinstance(paths, Path) else list(paths)
    if not 2 <= len(files) <= MAX_FILES:
        where = f"{paths}: " if isinstance(paths, Path) else ""
        raise InterpError(f"{where}expected 2 to {MAX_FILES} checkpoints of one run for a series, got {len(files)}")
    order = sorted(zip(_steps(files), files, strict=True))
    decides, given = order[-1][1], given or Facts()
    last = formats.load(decides, given)
    decided = _decided(last, given)
    read = [(path, step, formats.load(path, decided)) for step, path in order[:-1]]
    for path, _, each in read:
        if _shapes(each) != _shapes(last):
            raise InterpError(f"{path}: is no network of the same run as {decides}: {_difference(each, last)}; take it out")
    pairs = last.train_pairs
    for path, _, each in read:
        if pairs is None or each.train_pairs is None:
            pairs = each.train_pairs if pairs is None else pairs
        elif not torch.equal(pairs, each.train_pairs):
            raise InterpError(f"{path}: was trained on other pairs than {decides}: it is of another run, take it out")
    every = [*read, (decides, order[-1][0], last)]
    return [(path, replace(each, step=step, train_pairs=pairs)) for path, step, each in every]


def _steps(files: Sequence[Path]) -> list[int]:
    """The step of each file, from its container or else from its name. Raises InterpError where they do not tell the order."""
    stated: list[int | None] = []
    for path in files:
        try:
            stated.append(stated_step(plain.read(path)[0]))
        except InterpError as error:
            raise InterpError(one_line(f"{path}: {error}")) from error
    known = [step for step in stated if step is not None]
    if len(set(known)) == len(files):
        return known
    named = steps_of_names(files)
    if named is not None:
        return named
    shown = one_line(", ".join(each.name for each in files[:4]), 120)
    raise InterpError(
        f"the order of these {len(files)} checkpoints cannot be told: neither do their containers say different steps, nor do "
        f"the numbers in their names ({shown}): take out what is there twice, or number them"
    )


def _decided(last: Checkpoint, given: Facts) -> Facts:
    """All that was decided in reading a checkpoint, as facts under which another of the same run is read in the same way."""
    network = last.network
    if not last.notes:
        return given  # this project's own, which says all about itself
    decided = replace(given, task=last.task.name, modulus=network.p, answers=last.answers or {})
    if last.answers or isinstance(network, Function):
        return decided
    config = network.config
    decided = replace(decided, separate_vocabularies=config.separate_vocabularies)
    if not isinstance(network, Network):
        return replace(decided, kind=network.config.kind)
    return replace(
        decided,
        activation=network.config.activation,
        attention_rate=network.config.attention_rate,
        causal=network.config.causal,
        n_heads=network.config.n_heads,
    )


def _shapes(each: Checkpoint) -> dict[str, tuple[int, ...]]:
    network = each.network
    tensors = {"logits": network.logits} if isinstance(network, Function) else network.parameters
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _difference(one: Checkpoint, other: Checkpoint) -> str:
    """The first parameter in which two networks differ, with its shapes."""
    ours, theirs = _shapes(one), _shapes(other)
    name = next(name for name in [*ours, *theirs] if ours.get(name) != theirs.get(name))
    shape, expected = (list(each[name]) if name in each else "missing" for each in (ours, theirs))
    return f"{one_line(name, 60)} is {shape}, expected {expected}"
