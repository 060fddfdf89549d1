"""The networks that a run kept on its way."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.checkpoint import Checkpoint
from interp.training import run
from interp.training.run import Run

Reader = Callable[[], tuple[Circuit, int]]
"""Function that gives a network on its way, read when it is called, and its step."""


def readers(path: str | Path) -> list[Reader]:
    """A reader for each snapshot of a run directory, in order of step. Raises InterpError where it is none, or has none."""
    each = run.load(path)
    return [partial(circuit_at, each, snapshot) for snapshot in snapshots(each)]


def snapshots(each: Run) -> list[Path]:
    """The files of a run's snapshots, in order of step. Raises InterpError where there are none."""
    paths = each.snapshot_paths
    if not paths:
        raise InterpError(
            f"{each.path} has no snapshots, so there is no timeline: train it again with --snapshots (every record) or "
            f"--snapshots-per-decade 12 into another directory; interp-analyze {each.model_path} analyses its last network"
        )
    return paths


def circuit_at(each: Run, path: Path) -> tuple[Circuit, int]:
    """The circuit of a run's snapshot, and its step. Raises InterpError where the file is damaged, or of another run."""
    saved = formats.load(path)
    if saved.recipe != each.config.recipe or saved.seed != each.config.seed:
        raise InterpError(f"{path} is no network of this run, as its config.json describes it: take it out")
    return circuit_and_step(path, saved)


def circuit_and_step(path: Path, saved: Checkpoint) -> tuple[Circuit, int]:
    """The circuit of a network on its way, and its step. Raises InterpError where its file does not say the step."""
    if saved.step is None:
        raise InterpError(f"{path} does not say at which training step it was taken")
    return saved.circuit(), saved.step
