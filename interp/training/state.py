"""What a training run is resumed from, and its file: plain values, written atomically, read strictly."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from interp.errors import InterpError
from interp.files import plain
from interp.files.atomic import write_atomically
from interp.networks.config import Parameters
from interp.networks.kinds import parameter_shapes
from interp.networks.model import check_parameters
from interp.recipe import Recipe
from interp.training.optimisers import Memory, memory_shapes

FORMAT, VERSION = "interp training state", 2


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingState:
    """All that the rest of a training run depends on, besides recipe and seed."""

    step: int
    """Number of full-batch updates done."""
    parameters: Parameters
    memory: Memory
    """What the optimiser remembers: running means of the gradients and of their squares, by parameter name."""


def save(path: Path, state: TrainingState) -> None:
    """Write a state; a crash or a full disk leaves the old file whole. Raises InterpError where it cannot be written."""
    content = {"format": FORMAT, "version": VERSION, "step": state.step}
    buffer = io.BytesIO()
    torch.save({**content, "parameters": state.parameters, "memory": state.memory}, buffer)
    write_atomically(path, buffer.getvalue())


def load(path: Path, recipe: Recipe) -> TrainingState:
    """The state in a file. Raises InterpError, naming the file, where it is no whole state of a run of this recipe."""
    try:
        content, _ = plain.read(path)
        if isinstance(content, dict) and content.get("format") == FORMAT and content.get("version") == 1:
            content = _from_version_1(content)
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
            raise InterpError(f"is not a training state of version 1 to {VERSION}")
        if content.keys() != {"format", "version", "step", "parameters", "memory"}:
            raise InterpError("is a training state with entries missing or unknown")
        if type(content["step"]) is not int or content["step"] < 0:
            raise InterpError(f"expected step to be a whole number of 0 or more, got {content['step']!r:.40}")
        shapes, memory = parameter_shapes(recipe.config), content["memory"]
        remembered = memory_shapes(recipe, shapes)
        if not isinstance(memory, dict) or memory.keys() != remembered.keys():
            raise InterpError(f"expected the memory of the optimiser {recipe.optimiser}: {', '.join(remembered)}")
        for name, tensors in (("parameters", content["parameters"]), *memory.items()):
            if not isinstance(tensors, dict) or not all(isinstance(x, torch.Tensor) for x in tensors.values()):
                raise InterpError(f"expected {name} to be a mapping from names to tensors")
            check_parameters(remembered.get(name, shapes), tensors)
        if any(bool((x < 0).any()) for x in memory.get("exp_avg_sq", {}).values()):
            raise InterpError("holds negative means of squares")
    except InterpError as error:
        raise InterpError(f"cannot resume: {path}: {error}") from error
    return TrainingState(step=content["step"], parameters=content["parameters"], memory=memory)


def _from_version_1(content: dict[Any, Any]) -> dict[Any, Any]:
    """Version 1 as version 2: until 2026-11 AdamW was the only optimiser."""
    rest = {name: value for name, value in content.items() if name not in ("exp_avg", "exp_avg_sq")}
    return {**rest, "version": 2, "memory": {name: content[name] for name in content.keys() - rest.keys()}}
