"""Measuring a network while it trains: a callback every n steps, its numbers logged, and passed on where asked for.

RUN/measures.jsonl   one JSON object per measurement: step, then what the callback returned

The callback comes from outside, because this package knows no measurements; ``analyses.timeline.live`` has one.
"""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from interp.errors import InterpError
from interp.files.checkpoint import Checkpoint

Measure = Callable[[Checkpoint], Mapping[str, Any]]
"""Function from a network in training, with its step and training pairs, to numbers (or lists of numbers) by name."""
Write = Callable[[int, Mapping[str, Any]], None]
"""Function that writes the numbers of one step, by name."""
WriterName = Literal["none", "wandb"]


@dataclass(frozen=True, kw_only=True)
class Watching:
    """What happens beside training, which never changes a weight; it can be sent to another process."""

    measure: Measure | None = None
    """Function that measures the network, defined at the top of a module; None measures nothing."""
    every: int = 100
    """Number of steps between measurements."""
    writer: WriterName = "none"
    """Where log records and measurements go besides RUN/log.jsonl and RUN/measures.jsonl."""

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InterpError(f"expected --measure-every of at least 1, got {self.every}")

    def writing(self, directory: Path, about: Mapping[str, Any]) -> AbstractContextManager[Write]:
        """The writer for a run in a directory; ``about`` describes the run to it."""
        return _wandb(directory, about) if self.writer == "wandb" else _nowhere()


NOT_WATCHING = Watching()
"""Watching that does nothing beside training."""


def named(name: str) -> Measure:
    """The function that a command line means by ``package.module:function``. Imports the module.

    Raises InterpError where there is no such function.
    """
    module, colon, function = name.partition(":")
    try:
        found: Measure = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise InterpError(
            f"expected --measure package.module:function, like analyses.timeline.live:measures, got {name!r:.80}: {error}"
        ) from error
    if not colon or not callable(found):
        raise InterpError(f"expected --measure package.module:function, got {name!r:.80}, which is no function")
    return found


@contextmanager
def _nowhere() -> Iterator[Write]:
    yield lambda step, numbers: None


@contextmanager
def _wandb(directory: Path, about: Mapping[str, Any]) -> Iterator[Write]:
    """The writer to Weights & Biases: offline, under the run directory, unless WANDB_MODE says otherwise."""
    try:
        import wandb  # here, and here alone: seconds to import, and few have it
    except ImportError as error:
        raise InterpError("--writer wandb needs Weights & Biases: pip install wandb, or leave --writer out") from error
    mode: Literal["offline"] | None = None if "WANDB_MODE" in os.environ else "offline"
    with wandb.init(project="interp", name=directory.name, dir=directory, config=dict(about), mode=mode) as theirs:
        # Not wandb's own step, which may only grow: a record and a measurement share theirs, and a resumed run goes back.
        yield lambda step, numbers: theirs.log({"step": step, **numbers})
