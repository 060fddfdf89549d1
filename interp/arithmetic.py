"""How the sums of a training run are rounded, and where they can be."""

from dataclasses import dataclass
from typing import Literal

import torch

from interp.errors import InterpError

Precision = Literal["float32", "float64"]


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """How sums are rounded in training: with recipe, seed and machine it determines every weight."""

    precision: Precision = "float32"
    """Of weights and arithmetic; the loss is always float64."""
    device: str = "cpu"
    """Where it is trained, in torch's words."""
    threads: int = 1
    """Of the processor; the order in which sums are rounded depends on it."""

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise InterpError(f"expected --threads of at least 1, got {self.threads}")
        if self.device.partition(":")[0] not in ("cpu", "cuda"):
            raise InterpError(f"expected device cpu or cuda, got {self.device!r:.40}")

    def check_is_possible_here(self) -> None:
        """Raises InterpError where this machine lacks the device. To read what was trained on it no device is needed."""
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise InterpError(
                "no CUDA device here: leave --device out to train on the processor; a run that was begun on one goes on where "
                "there is one"
            )
