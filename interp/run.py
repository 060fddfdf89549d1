"""A training run on disk: a directory that holds all that is needed to understand and reuse it.

RUN/config.json    the recipe and the seed
RUN/log.jsonl      one JSON object per record: step, losses, accuracies, seconds since the start
RUN/model.pt       the newest checkpoint, replaced atomically at every record
RUN/snapshots/     step-000800.pt and so on, where asked for
"""

import json
import time
from pathlib import Path
from typing import Any

from interp import checkpoint
from interp.checkpoint import Checkpoint, write_atomically
from interp.errors import InterpError
from interp.recipe import Recipe
from interp.train import Snapshot, training_split


class RunWriter:
    """Writes the records of one run as they come; made by ``create``."""

    def __init__(self, path: Path, recipe: Recipe, seed: int) -> None:
        self.path, self._recipe, self._seed = path, recipe, seed
        self._train = training_split(recipe, seed).train
        self._start = time.monotonic()

    def record(self, snapshot: Snapshot, *, keep: bool = False) -> None:
        """Log a snapshot and make it the newest checkpoint; ``keep`` also keeps it under its step."""
        saved = Checkpoint(
            network=snapshot.network,
            step=snapshot.step,
            seed=self._seed,
            recipe=self._recipe,
            train=self._train,
            losses=snapshot.losses,
        )
        checkpoint.save(self.model_path, saved)
        if keep:
            checkpoint.save(self.path / "snapshots" / f"step-{snapshot.step:06d}.pt", saved)
        seconds = round(time.monotonic() - self._start, 3)
        line = json.dumps({"step": snapshot.step, **snapshot.losses, "seconds": seconds})
        try:
            with (self.path / "log.jsonl").open("a") as log:
                log.write(line + "\n")
        except OSError as error:
            raise InterpError(f"cannot write {self.path / 'log.jsonl'}: {error.strerror}") from error

    @property
    def model_path(self) -> Path:
        """The newest checkpoint."""
        return self.path / "model.pt"


def create(path: str | Path, recipe: Recipe, seed: int, **about: str) -> RunWriter:
    """Start a run directory; ``about`` goes into its config.json.

    Raises InterpError where something is there already: a run is never overwritten."""
    path = Path(path)
    writer = RunWriter(path, recipe, seed)
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InterpError(f"{path} exists and is not an empty directory: name another with --out")
        (path / "snapshots").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InterpError(f"cannot make {path}: {error.strerror}") from error
    config: dict[str, Any] = {"seed": seed, **about, "recipe": recipe.to_dict()}
    write_atomically(path / "config.json", (json.dumps(config, indent=2) + "\n").encode())
    return writer
