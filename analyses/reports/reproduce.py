"""The commands that make a network again, and that make an answer about it again."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from interp.files.checkpoint import Checkpoint
from interp.recipe import RECIPES, Recipe


def training_command(saved: Checkpoint) -> str:
    """The ``interp-train`` that trains this network; empty where the file does not say how it was trained."""
    if saved.recipe is None or saved.seed is None:
        return ""
    return recipe_command(saved.recipe, saved.seed, _arithmetic(saved))


def recipe_command(
    wanted: Recipe, seed: int, further: Sequence[tuple[str, Any]] = (), *, among: Iterable[str] = tuple(RECIPES)
) -> str:
    """The ``interp-train`` that trains by this recipe, by the name of the nearest of those named ``among``.

    ``further``: more options.
    """
    name, differing = _nearest(wanted, among)
    options = [option for field, value in [*differing.items(), *further] for option in _option(field, value)]
    return shlex.join(["interp-train", "--recipe", name, "--seed", str(seed), *options])


def _nearest(wanted: Recipe, among: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """The named recipe with the fewest differences, and these. One without any ends the search: some take long to make."""
    found: tuple[str, dict[str, Any]] | None = None
    for name in among:
        differing = _differences(RECIPES[name], wanted)
        if found is None or len(differing) < len(found[1]):
            found = name, differing
        if not differing:
            break
    assert found is not None
    return found


def not_said(saved: Checkpoint) -> str:
    """What the weights depend on besides the training command and the file does not say; empty where it says all."""
    return "the device and the number of threads" if saved.arithmetic is None else ""


def _arithmetic(saved: Checkpoint) -> list[tuple[str, Any]]:
    """Precision and device where they are not the usual ones, and threads, of which a machine has its own number."""
    used = saved.arithmetic
    weights = next(iter(saved.network.parameters.values()))
    precision = str(weights.dtype).removeprefix("torch.") if used is None else used.precision
    unusual = [("precision", precision)] if precision != "float32" else []
    if used is None:
        return unusual
    return [*unusual, *([("device", used.device)] if used.device != "cpu" else []), ("threads", used.threads)]


def analysis_command(path: Path, *, is_series: bool = False) -> str:
    """The ``interp-analyze`` that makes this page."""
    return shlex.join(["interp-analyze", str(path), *(["--series"] if is_series else []), "--html", "page.html"])


def _differences(recipe: Recipe, wanted: Recipe) -> dict[str, Any]:
    """The fields in which two recipes differ, in the words of the options, with the values of ``wanted``."""
    of_recipe = _flat(recipe)
    return {name: value for name, value in _flat(wanted).items() if value != of_recipe[name]}


def _flat(recipe: Recipe) -> dict[str, Any]:
    values = asdict(recipe)
    network = values.pop("network")
    return {**values, **{f"network.{name}": value for name, value in network.items()}}


def _option(field: str, value: Any) -> list[str]:
    place, _, name = field.replace("_", "-").rpartition(".")
    prefix = f"--{place}." if place else "--"
    if isinstance(value, bool):
        return [f"{prefix}{'' if value else 'no-'}{name}"]
    return [f"{prefix}{name}", f"{value}"]
