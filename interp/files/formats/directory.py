"""Checkpoints in a directory: which one is meant, which belong together, and in which order they were written."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files.plain import ARRAYS, ENDINGS

STEPS = ("step", "global_step", "steps", "iteration", "iter", "it", "update", "num_steps", "epoch", "epochs")
"""Keys under which a training container says how far the training is; the first outranks."""


def file_of(path: Path) -> Path:
    """The file that a path stands for: itself, the newest checkpoint of a run directory, the only one of any other.

    A directory without any stands for itself: reading it says what is wrong. Raises InterpError where it holds several.
    """
    if not path.is_dir():
        return path
    if (path / "model.safetensors").is_file():
        return path / "model.safetensors"
    if (path / "log.jsonl").exists() or (path / "snapshots").is_dir():  # a run of interp-train
        snapshots = sorted((path / "snapshots").glob("step-*.pt"), key=lambda each: (len(each.name), each.name))
        newest = [each for each in (path / "model.pt", *reversed(snapshots)) if each.is_file()]
        if newest:
            return newest[0]
    files = checkpoints_in(path)
    if len(files) > 1:
        names = one_line(", ".join(str(each.relative_to(path)) for each in files[:4]), 120)
        raise InterpError(
            f"{path}: holds {len(files)} files ({names}{', …' if len(files) > 4 else ''}): name one; those of one run are read "
            "together by interp-analyze FOLDER --series, or interp.load_series(folder)"
        )
    return files[0] if files else path


def checkpoints_in(folder: Path) -> list[Path]:
    """The files in a directory, at any depth, that end as checkpoints do, numbers in their names in order of size.

    Arrays of numpy count only where there is nothing else: beside weights they are data.
    """
    files = sorted((each for each in folder.rglob("*") if each.suffix in ENDINGS and each.is_file()), key=natural)
    return [each for each in files if each.suffix not in ARRAYS] or files


def natural(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts paths by the words and numbers in them, so that step_900 comes before step_1000."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def stated_step(content: Any) -> int | None:
    """How far the training is, as a training container says; None where it does not."""
    for key in STEPS if isinstance(content, dict) else ():
        value = content.get(key)
        if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
            value = value.item()
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15 and value == int(value):
            return int(value)
    return None


def steps_of_names(paths: Sequence[Path]) -> list[int] | None:
    """How far the training is, by the numbers in the files' names; None where these do not say.

    Of the numbers in a name that differ between the files the last one counts, if no two files have the same.
    """
    numbers = [[int(number) for number in re.findall(r"\d+", str(path))] for path in paths]
    if len({len(each) for each in numbers}) != 1:
        return None
    differing = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
    return list(differing[-1]) if differing and len(set(differing[-1])) == len(paths) else None
