"""What a training run is, and its file in the run directory: RUN/config.json."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interp.arithmetic import Arithmetic, Precision
from interp.configuration import from_plain
from interp.errors import InterpError
from interp.files.atomic import write_atomically
from interp.recipe import Recipe
from interp.tasks.split import train_count
from interp.training.loop import told_labels

FILE = "config.json"


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What a run is: with the same number of threads on the same machine, it determines every weight."""

    recipe: Recipe
    seed: int
    recipe_name: str = ""
    """Name of the recipe that the run started from."""
    record_every: int = 100
    """Number of steps between records."""
    snapshots: bool = False
    """Is the checkpoint of every record kept, instead of a thinned set?"""
    snapshots_per_decade: int = 12
    """Log-spaced snapshots per factor of ten in steps, others being kept where losses move; 0 keeps no thinned set."""
    precision: Precision = "float32"
    """Floating-point precision of weights and arithmetic; the loss is always float64."""
    device: str = "cpu"
    """Device that trains the network, in torch's words: cpu, cuda or cuda:1 and so on."""
    threads: int = 1
    """Number of processor threads; the order in which sums are rounded depends on it."""

    def __post_init__(self) -> None:
        if self.record_every < 1:
            raise InterpError(f"expected --record-every of at least 1, got {self.record_every}")
        if not 0 <= self.snapshots_per_decade <= 1000:
            raise InterpError(f"expected --snapshots-per-decade between 0 and 1000, got {self.snapshots_per_decade}")
        if not 0 <= self.seed < 1 << 63:
            raise InterpError(f"expected a seed of 0 or more and below 2⁶³, got {self.seed}")
        # What is impossible is refused here, before anything is written.
        _ = self.arithmetic
        train_count(self.recipe.task_value, self.recipe.train_fraction)
        if self.recipe.corrupt:
            told_labels(self.recipe, self.seed)

    @property
    def arithmetic(self) -> Arithmetic:
        """How sums are rounded in this run."""
        return Arithmetic(precision=self.precision, device=self.device, threads=self.threads)


def write_config(directory: Path, config: RunConfig) -> None:
    """Write what a run is into its directory. Raises InterpError where it cannot be written."""
    write_atomically(directory / FILE, (json.dumps(asdict(config), indent=2) + "\n").encode())


def read_config(directory: Path) -> RunConfig:
    """What the run in a directory is. Raises InterpError where the directory holds no run."""
    try:
        values = json.loads((directory / FILE).read_text())
        if not isinstance(values, dict) or not isinstance(values.get("recipe"), dict):
            raise InterpError("expected a mapping with a recipe")
        values = _with_missing_entries(values)
        config: RunConfig = from_plain(RunConfig, {**values, "recipe": Recipe.from_dict(values["recipe"])}, "run")
        return config
    except OSError as error:
        raise InterpError(f"{directory} is not a run directory: cannot read its config.json: {error.strerror}") from error
    except (ValueError, RecursionError, InterpError) as error:
        raise InterpError(f"{directory / FILE}: {error}") from error


def _with_missing_entries(values: dict[str, Any]) -> dict[str, Any]:
    """A config.json of before there were thinned snapshots, whose run goes on without them, or of before there were tasks,
    which has its modulus in the network."""
    recipe, network = values["recipe"], values["recipe"].get("network")
    if isinstance(network, dict) and "p" in network:
        rest = {name: value for name, value in network.items() if name != "p"}
        recipe = {"task": "addition", "p": network["p"], **recipe, "network": rest}
    return {"snapshots_per_decade": 0, **values, "recipe": recipe}
