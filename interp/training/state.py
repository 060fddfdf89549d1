"""What a training run is resumed from, and its file: plain values, written atomically, read strictly."""

import io
from dataclasses import dataclass
from pathlib import Path

import torch

from interp.errors import InterpError
from interp.files import plain
from interp.files.atomic import write_atomically
from interp.networks.config import NetworkConfig, Parameters, parameter_shapes
from interp.networks.model import check_parameters

FORMAT, VERSION = "interp training state", 1
_TENSORS = ("parameters", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingState:
    """All that the rest of a training run depends on, besides recipe and seed."""

    step: int
    """Number of full-batch updates done."""
    parameters: Parameters
    exp_avg: Parameters
    """Running mean of the gradients in AdamW, by parameter name."""
    exp_avg_sq: Parameters
    """Running mean of the squared gradients in AdamW, by parameter name."""


def save(path: Path, state: TrainingState) -> None:
    """Write a state; a crash or a full disk leaves the old file whole. Raises InterpError where it cannot be written."""
    content = {"format": FORMAT, "version": VERSION, "step": state.step}
    buffer = io.BytesIO()
    torch.save(content | {name: getattr(state, name) for name in _TENSORS}, buffer)
    write_atomically(path, buffer.getvalue())


def load(path: Path, config: NetworkConfig) -> TrainingState:
    """The state in a file. Raises InterpError, naming the file, where it is no whole state for this configuration."""
    try:
        content, _ = plain.read(path)
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
            raise InterpError(f"is not a training state of version {VERSION}")
        if content.keys() != {"format", "version", "step", *_TENSORS}:
            raise InterpError("is a training state with entries missing or unknown")
        if type(content["step"]) is not int or content["step"] < 0:
            raise InterpError(f"expected step to be a whole number of 0 or more, got {content['step']!r:.40}")
        for name in _TENSORS:
            if not isinstance(content[name], dict) or not all(isinstance(x, torch.Tensor) for x in content[name].values()):
                raise InterpError(f"expected {name} to be a mapping from names to tensors")
            check_parameters(parameter_shapes(config), content[name])
        if any(bool((x < 0).any()) for x in content["exp_avg_sq"].values()):
            raise InterpError("holds negative means of squares")
    except InterpError as error:
        raise InterpError(f"cannot resume: {path}: {error}") from error
    return TrainingState(step=content["step"], **{name: content[name] for name in _TENSORS})
