"""A training run on disk: a directory that holds all that is needed to understand, reuse and resume it.

RUN/config.json    the recipe, the seed and how it is run
RUN/log.jsonl      one JSON object per record: step, losses, accuracies, seconds since the start
RUN/measures.jsonl one JSON object per measurement, where one was asked for (``watching``)
RUN/model.pt       the newest checkpoint, replaced atomically at every record
RUN/resume.pt      what training goes on from, replaced atomically after all else of a record is written
RUN/snapshots/     step-000800.pt and so on: weights only, at the steps that ``thinning`` says, or of every record
RUN/.lock          held by the process that trains it
"""

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from interp.errors import InterpError, WriteError
from interp.files import checkpoint, directories
from interp.files.atomic import remove_unfinished, write_atomically
from interp.files.checkpoint import Checkpoint
from interp.networks.kinds import Trained, network_of
from interp.training import state as training_state
from interp.training.loop import Snapshot, told_labels, train, training_split
from interp.training.run_config import RunConfig, read_config, write_config
from interp.training.state import TrainingState
from interp.training.thinning import has_moved, is_spaced
from interp.training.watching import NOT_WATCHING, Watching, Write

_LOGGED = ("step", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "seconds")
_WatchSteps = Callable[[int, dict[str, Tensor]], None]


class Run:
    """One run directory; made by ``create`` or ``load``."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path, self.config = path, config

    @property
    def model_path(self) -> Path:
        """Path of the newest checkpoint."""
        return self.path / "model.pt"

    @property
    def snapshot_paths(self) -> list[Path]:
        """Paths of the snapshots that were kept, in the order of their steps."""
        return sorted((self.path / "snapshots").glob("step-*.pt"), key=lambda path: (len(path.name), path.name))

    @property
    def is_finished(self) -> bool:
        """Has it been trained to its end? Raises InterpError on a damaged log or state."""
        path = self.path / "resume.pt"
        return path.exists() and self._finished(training_state.load(path, self.config.recipe), self.log())

    def train(
        self,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        on_step: Callable[[int], None] = lambda step: None,
        watching: Watching = NOT_WATCHING,
    ) -> Generator[Snapshot, None, None]:
        """Train from the last record, or from the start, to the end; yields every Snapshot once it is on disk.

        Sets torch's number of threads. Yields nothing where the run is finished. Raises InterpError where this machine lacks
        the device, where another process is training it, where a file cannot be written (the last record stays good), or
        where training diverges.
        """
        config = self.config
        torch.set_num_threads(config.threads)
        with _held(self.path):
            state = self._rewind()
            records = self.log()
            if state is not None and self._finished(state, records):
                return
            config.arithmetic.check_is_possible_here()
            started = time.monotonic() - max([record["seconds"] for record in records], default=0.0)
            train_pairs = training_split(config.recipe, config.seed).train_pairs
            told = told_labels(config.recipe, config.seed)
            # What thinning compares with: found again after a break by going through the log as training did.
            kept: dict[str, Any] | None = None
            for record in records:
                kept = record if self._keeps(record, kept) else kept

            def checkpoint_of(network: Trained, step: int, losses: dict[str, float]) -> Checkpoint:
                return Checkpoint(
                    network=network, task=config.recipe.task_value, step=step, seed=config.seed, recipe=config.recipe,
                    arithmetic=config.arithmetic, train_pairs=train_pairs, told=told, losses=losses,
                )  # fmt: skip

            with watching.writing(self.path, asdict(config)) as write:
                for snapshot in train(
                    config.recipe,
                    seed=config.seed,
                    record_every=config.record_every,
                    dtype=getattr(torch, config.precision),
                    device=config.device,
                    resume=state,
                    should_stop=should_stop,
                    on_step=on_step,
                    watch=self._watch(watching, write, checkpoint_of),
                ):
                    record = {"step": snapshot.step, **snapshot.losses, "seconds": round(time.monotonic() - started, 3)}
                    saved = checkpoint_of(snapshot.network, snapshot.step, snapshot.losses)
                    if self._keeps(record, kept):
                        kept = record
                        self._save_snapshot(saved)
                    self._record(snapshot, saved, record)
                    write(snapshot.step, snapshot.losses)
                    yield snapshot

    def log(self) -> list[dict[str, Any]]:
        """The records of the log so far; a last line that a crash cut off is left out. Raises InterpError on other damage."""
        return self._records("log.jsonl", _LOGGED)

    def measures(self) -> list[dict[str, Any]]:
        """What was measured so far, read as ``log`` reads its records; empty where nothing was measured."""
        return self._records("measures.jsonl", ("step",))

    def _records(self, name: str, numbers: Sequence[str]) -> list[dict[str, Any]]:
        path = self.path / name
        text = path.read_text() if path.exists() else ""
        records = []
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict) or not all(type(record.get(key)) in (int, float) for key in numbers):
                raise InterpError(f"{path}: line {number} is no record: mend it or take it out")
            records.append(record)
        return records

    def _record(self, snapshot: Snapshot, saved: Checkpoint, record: dict[str, Any]) -> None:
        # resume.pt comes last: a crash before it repeats this record, and repeating it changes nothing.
        checkpoint.save(self.model_path, saved)
        self._append("log.jsonl", record)
        training_state.save(self.path / "resume.pt", snapshot.state)

    def _watch(self, watching: Watching, write: Write, checkpoint_of: Callable[..., Checkpoint]) -> _WatchSteps:
        """What sees every step's weights: it keeps log-spaced ones between records, and measures as ``watching`` says."""
        config = self.config

        def watch(step: int, parameters: dict[str, Tensor]) -> None:
            keep = self._thins and not self.is_on_beat(step) and is_spaced(step, config.snapshots_per_decade)
            measure = watching.measure if step % watching.every == 0 else None
            if not keep and measure is None:
                return
            weights = {name: tensor.detach().cpu() for name, tensor in parameters.items()}
            if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
                return  # diverged, as the next record will say
            seen = checkpoint_of(network_of(config.recipe.config, weights), step, {})
            if keep:
                self._save_snapshot(seen)
            if measure is not None:
                measured = measure(seen)
                # JSON has no NaN: what is undefined is null.
                numbers = {name: None if x != x else x for name, x in measured.items()}
                self._append("measures.jsonl", {"step": step, **numbers})
                write(step, numbers)

        return watch

    @property
    def _thins(self) -> bool:
        return not self.config.snapshots and self.config.snapshots_per_decade > 0

    def is_on_beat(self, step: int) -> bool:
        """Is there a record at this step whether or not Ctrl-C comes?"""
        return step % self.config.record_every == 0 or step == self.config.recipe.steps

    def _keeps(self, record: dict[str, Any], kept: dict[str, Any] | None) -> bool:
        """Does a record become a snapshot? ``kept``: the last record that became one."""
        if not self._thins or not self.is_on_beat(record["step"]):  # a record that Ctrl-C made is no part of a thinned set
            return self.config.snapshots
        spaced = is_spaced(record["step"], self.config.snapshots_per_decade)
        return self._ends(record) or spaced or has_moved(kept, record)

    def _ends(self, record: dict[str, Any]) -> bool:
        """Does the recipe end with this record?"""
        said = {name: record[name] for name in ("step", "test_loss", "train_accuracy", "test_accuracy")}
        return self.config.recipe.ends(**said)

    def _save_snapshot(self, saved: Checkpoint) -> None:
        assert saved.step is not None  # of a run it is known
        checkpoint.save(self.path / "snapshots" / f"step-{saved.step:06d}.pt", saved)

    def _append(self, name: str, record: dict[str, Any]) -> None:
        try:
            with (self.path / name).open("a") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise WriteError(f"cannot write {self.path / name}: {error.strerror}") from error

    def _rewind(self) -> TrainingState | None:
        """The last state, None at the start, with logs cut back to it: what was logged after it will be logged again."""
        for directory in (self.path, self.path / "snapshots"):
            remove_unfinished(directory)
        path = self.path / "resume.pt"
        state = training_state.load(path, self.config.recipe) if path.exists() else None
        step = -1 if state is None else state.step
        self._cut_back("log.jsonl", self.log(), step)
        if (self.path / "measures.jsonl").exists():
            self._cut_back("measures.jsonl", self.measures(), step)
        return state

    def _cut_back(self, name: str, records: Sequence[dict[str, Any]], step: int) -> None:
        lines = [json.dumps(record) + "\n" for record in records if record["step"] <= step]
        write_atomically(self.path / name, "".join(lines).encode())

    def _finished(self, state: TrainingState, records: Sequence[dict[str, Any]]) -> bool:
        # A record off the beat is one that Ctrl-C made: the run goes on from it whatever its loss.
        reached = any(record["step"] == state.step and self._ends(record) for record in records)
        return state.step >= self.config.recipe.steps or (self.is_on_beat(state.step) and reached)


def check_is_free(path: Path) -> None:
    """Raises InterpError where a run directory cannot be made because its path holds something already."""
    try:
        taken = path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError as error:
        raise InterpError(f"cannot make {path}: {error.strerror}") from error
    if taken:
        raise InterpError(f"{path} exists and is not an empty directory: name another with --out, or --resume it")


def create(path: str | Path, config: RunConfig) -> Run:
    """Make a run directory, not yet trained.

    Raises InterpError where the path holds something, since no run is overwritten, and where this machine lacks the device.
    """
    path = Path(path)
    config.arithmetic.check_is_possible_here()
    check_is_free(path)
    directories.make(path)
    if config.snapshots or config.snapshots_per_decade:
        directories.make(path / "snapshots")
    with _held(path):
        write_config(path, config)
    return Run(path, config)


def load(path: str | Path) -> Run:
    """The run in a directory. Raises InterpError where it is none."""
    path = Path(path)
    return Run(path, read_config(path))


def _held(path: Path) -> AbstractContextManager[None]:
    """Hold a run directory."""
    return directories.held(path, f"{path} is being trained by another process: wait for it or name another directory")
