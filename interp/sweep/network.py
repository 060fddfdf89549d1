"""A unit of a sweep: from a configuration to a run, from the run to a row."""

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import torch

import interp
from interp.files import formats
from interp.files.atomic import write_atomically
from interp.files.checkpoint import Checkpoint
from interp.networks.config import Architecture
from interp.recipe import Recipe
from interp.sweep.dataset import Columns, Row
from interp.sweep.point import OF_THE_DISK, Point
from interp.sweep.unit import Status, Unit
from interp.training import run
from interp.training.run_config import FILE, RunConfig

Look = Callable[[Checkpoint], Row]
"""Function, defined at the top of a module, from a trained network to columns of its row."""
LookBack = Callable[[Path], Row]
"""Function, defined at the top of a module, from the directory of a run, with a snapshot of every record, to columns of the
network's row."""
REACHED = 0.99
"""Accuracy at which a network has reached its pairs."""
OUTCOME: Columns = {
    "error": str,
    "step": int,
    "train_loss": float,
    "test_loss": float,
    "train_accuracy": float,
    "test_accuracy": float,
    "told_accuracy": float,
    "truth_accuracy": float,
    "clean_accuracy": float,
    "steps_to_train": int,
    "steps_to_test": int,
    "steps_to_train_for_good": int,
    "steps_to_test_for_good": int,
    "training_seconds": float,
    "analysis_seconds": float,
    "interp_version": str,
    "torch_version": str,
}
"""Columns of what came of a network: why it failed; its last record, or its best where that is measured; the first records with
an accuracy of at least .99 on the training pairs and on the held-out ones, and the first from which on, up to the last, every
record has one; what it took; versions."""


RECORDED = ("step", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "told_accuracy", "truth_accuracy",
            "clean_accuracy")  # fmt: skip
"""What is kept of every record where that is asked: columns records_step, a list of steps, and so on."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a unit hands over."""

    row: Row
    """The network's row."""
    weights: bytes | None
    """Its checkpoint's file, where it is to be kept."""


@dataclass(frozen=True, kw_only=True)
class SweptNetwork(Unit):
    """The training of one network of a sweep, and its row."""

    point: Point
    """The network."""
    runs: Path
    """Directory of the run directories of unfinished networks."""
    look: Look
    """What is measured."""
    keep: bool
    """Are its weights kept?"""
    records: bool = False
    """Is every record of its run kept?"""
    look_back: LookBack | None = None
    """What is measured of its whole run; None for nothing."""

    @property
    def path(self) -> Path:
        return self.runs / self.point.name

    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        if not (self.path / FILE).exists():  # cut off before it had begun
            shutil.rmtree(self.path, ignore_errors=True)
            run.create(self.path, replace(self.point.config, snapshots=self.look_back is not None))
        each = run.load(self.path)
        self._keep_best(each)  # it may have been cut off just before
        for snapshot in each.train(should_stop=should_stop, on_step=lambda step: say(Status(path=self.path, step=step))):
            self._keep_best(each)
            say(Status(path=self.path, step=snapshot.step, losses=snapshot.losses))
        if not each.is_finished:  # asked to stop
            return
        # A record that Ctrl-C made is none of a run that was not interrupted.
        records = [record for record in each.log() if each.is_on_beat(record["step"])]
        started, measured = time.monotonic(), formats.load(self._measured(each))
        assert measured.step is not None  # of a run it is known
        looked = self.look(measured) | (self.look_back(self.path) if self.look_back else {})
        seconds = {"training_seconds": records[-1]["seconds"], "analysis_seconds": round(time.monotonic() - started, 3)}
        row = {**row_of(self.point), **_outcome(records, measured.step), **seconds, **looked}
        if self.records:
            row |= {f"records_{name}": [record.get(name) for record in records] for name in RECORDED}
        weights = self._measured(each).read_bytes() if self.keep else None
        say(Status(path=self.path, step=records[-1]["step"], result=Result(row=row, weights=weights)))

    def _measured(self, each: run.Run) -> Path:
        """The checkpoint that is measured."""
        return self.path / "best.pt" if self.point.best else each.model_path

    def _keep_best(self, each: run.Run) -> None:
        """Copy the newest checkpoint where its test loss is the least so far."""
        if not self.point.best or not each.model_path.exists():
            return
        newest, best = formats.load(each.model_path), self._measured(each)
        least = formats.load(best).losses["test_loss"] if best.exists() else math.inf
        assert newest.step is not None  # of a run it is known
        if each.is_on_beat(newest.step) and newest.losses["test_loss"] < least:
            write_atomically(best, each.model_path.read_bytes())


def row_of(point: Point, error: str | None = None) -> Row:
    """The beginning of a network's row: name, configuration, versions; of a failed one all there is, with its error."""
    versions = {"interp_version": interp.__version__, "torch_version": str(torch.__version__)}
    return {"name": point.name, "label": point.label, **point.configuration(), "error": error, **versions}


def own_columns(*, records: bool = False) -> Columns:
    """The columns of every sweep: name, label, every option of a run, a recipe and a network, and what came of it.

    ``records``: also lists of what every record says.
    """
    options: dict[str, Any] = {}
    for config in (RunConfig, Recipe, Architecture):
        hints = get_type_hints(config)
        options |= {each.name: _kind(hints[each.name]) for each in fields(config) if not is_dataclass(hints[each.name])}
    chosen = {name: kind for name, kind in options.items() if name not in OF_THE_DISK}
    lists = {f"records_{name}": list[int] if name == "step" else list[float] for name in RECORDED}
    return {"name": str, "label": str, **chosen, **OUTCOME, **(lists if records else {})}


def _kind(hint: Any) -> Any:
    """The kind of column for an option: a text where it is one of several words."""
    return hint if hint in (bool, int, float, str) else list[int] if get_origin(hint) is tuple else type(get_args(hint)[0])


def _outcome(records: Sequence[Row], measured: int) -> Row:
    """The columns of the outcome, from the records of a run and the step of the one that is measured."""
    of_measured = next(record for record in records if record["step"] == measured)
    found = {name: of_measured[name] for name in OUTCOME if name in of_measured}
    for part in ("train", "test"):
        steps = [(record["step"], record[f"{part}_accuracy"] >= REACHED) for record in records]
        found[f"steps_to_{part}"] = next((step for step, reached in steps if reached), None)
        held = list(takewhile(lambda each: each[1], reversed(steps)))
        found[f"steps_to_{part}_for_good"] = held[-1][0] if held else None
    return found
