"""How the sums of a training run are rounded, and whether this machine can compute them."""

from dataclasses import dataclass
from typing import Literal

import torch

from interp.errors import InterpError

Precision = Literal["float32", "float64"]


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """How sums are rounded in training, which with recipe, seed and machine determines every weight."""

    precision: Precision = "float32"
    """Floating-point precision of weights and arithmetic; the loss is always float64."""
    device: str = "cpu"
    """Device that trains the network, in torch's words: cpu, cuda or cuda:1 and so on."""
    threads: int = 1
    """Number of processor threads; the order in which sums are rounded depends on it."""

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise InterpError(f"expected --threads of at least 1, got {self.threads}")
        if self.device.partition(":")[0] not in ("cpu", "cuda"):
            raise InterpError(f"expected device cpu or cuda, got {self.device!r:.40}")

    def check_is_possible_here(self) -> None:
        """Raises InterpError where this machine lacks the device to train on; no device is needed to read a trained network."""
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise InterpError(
                "no CUDA device here: leave --device out to train on the processor; a run that was begun on one goes on where "
                "there is one"
            )
