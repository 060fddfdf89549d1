"""Which optimiser and schedule are soonest at a mod-113 network that is accurate, stays so, and is clean?

python studies/optimisers.py tries [--workers 2] [--device cuda]    eight settings of each method, seed 0
python studies/optimisers.py seeds [--workers 2] [--device cuda]    the best setting of each method, seeds 1 to 5
python studies/optimisers.py table                                  print the tables of docs/speed.md

No sweep: a network is trained until it has arrived and stayed there, which is measured on its way; no recipe ends by that.
All else is recipe nanda-2023. A network has arrived at the first record, one every 50 steps, that is clean and from which on
every record of the next 500 steps has a test accuracy of 1. Clean: test loss and restricted loss (of the key frequencies
alone, on all pairs) are within a factor of ten of each other. The best of a method's settings is the one whose network
arrived soonest; the seeds that then count took no part in choosing it.
"""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from timelines import markdown

from analyses.evidence.key_frequencies import key_frequencies
from analyses.timeline.parts import part_losses
from interp.circuit import Circuit
from interp.files.atomic import write_atomically
from interp.networks.kinds import Trained
from interp.recipe import RECIPES
from interp.sweep.dataset import read_rows
from interp.sweep.pool import work_all
from interp.sweep.unit import Status, Unit
from interp.training.loop import TrainingDivergedError, train, training_split

STEPS, EVERY, STAYS, CLEAN = 3_000, 50, 500, 10.0
Setting = dict[str, Any]
Row = dict[str, Any]


def _settings(rates: Iterable[float], decays: Iterable[float], **rest: Any) -> list[Setting]:
    return [{"learning_rate": rate, "weight_decay": decay, **rest} for rate, decay in product(rates, decays)]


METHODS: dict[str, list[Setting]] = {
    "AdamW": _settings((3e-3, 5e-3, 1e-2, 2e-2), (1.0, 3.0)),
    "Adam": _settings((3e-3, 1e-2), (1e-5, 1e-4, 3e-4, 1e-3), optimiser="adam"),
    "SGD": _settings((0.1, 0.3, 1.0, 3.0), (1e-4, 1e-3), optimiser="sgd"),
    "Muon": _settings((3e-3, 1e-2, 2e-2, 4e-2), (1.0, 3.0), optimiser="muon", momentum=0.95),
    "AdamW, gradient filter": [
        {**each, "gradient_filter": factor} for factor in (0.5, 2.0) for each in _settings((3e-3, 1e-2), (1.0, 3.0))
    ],
    "AdamW, linear": [
        {**each, "schedule": "linear", "schedule_from": start, "schedule_to": 1_500}
        for start in (0, 300)
        for each in _settings((1e-2, 2e-2), (1.0, 2.0))
    ],
    "AdamW, cosine": [
        {**each, "schedule": "cosine", "schedule_to": end}
        for end in (1_000, 2_000)
        for each in _settings((1e-2, 2e-2), (1.0, 2.0))
    ],
}
"""Method → the eight settings that it was tried with."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    what: Annotated[Literal["tries", "seeds", "table"], tyro.conf.Positional]
    """Train the settings that are missing, the seeds that are missing, or print the table."""
    rows: Path = Path(__file__).parent / "optimisers.jsonl"
    """Where the rows of the networks are."""
    workers: int = 2
    """How many networks are trained at once."""
    device: str = "cpu"
    """Where they are trained."""


@dataclass(frozen=True)
class Try(Unit):
    """One network of the study, whose row it makes."""

    name: str
    device: str
    of: tuple[str, int, int]
    """Method, number of its setting, seed."""

    @property
    def path(self) -> Path:
        return Path(self.name)

    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        torch.set_num_threads(1)
        say(Status(path=self.path, step=0, result={"name": self.name, **row(self.device, self.of)}))


def finish(units: Iterable[Try], path: Path, workers: int) -> None:
    """Do every unit whose name has no row in a file yet, and add its row to the file as it comes."""
    found = rows(path)
    done = {row["name"] for row in found}
    write_atomically(path, "".join(json.dumps(row) + "\n" for row in found).encode())  # without a last line that was cut off
    with path.open("a") as file:

        def report(status: Status) -> None:
            if status.result is not None:
                file.write(json.dumps(status.result) + "\n")
                file.flush()
            print(f"{status.path} {status.note}", file=sys.stderr, flush=True)

        work_all([unit for unit in units if unit.name not in done], workers=workers, report=report)


def rows(path: Path) -> list[Row]:
    """The rows in a file, without a last line that was cut off."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def row(device: str, unit: tuple[str, int, int]) -> Row:
    """When did a network of a method's setting arrive, and how did it go on? None for never."""
    method, number, seed = unit
    setting = METHODS[method][number]
    recipe = replace(RECIPES["nanda-2023"], **setting, steps=STEPS, stop_test_loss=0.0)
    pairs = training_split(recipe, seed).train_pairs
    arrived: int | None = None
    accurate: int | None = None
    found: Row = {"method": method, "setting": setting, "number": number, "seed": seed, "device": device}
    try:
        for each in train(recipe, seed=seed, device=device, record_every=EVERY):
            found |= {"step": each.step, "test_loss": each.test_loss, "test_accuracy": each.test_accuracy}
            if each.test_accuracy < 1:
                arrived = None
            else:
                accurate = each.step if accurate is None else accurate
                if arrived is None and _is_clean(each.network, pairs):
                    arrived = each.step
            if arrived is not None and each.step - arrived >= STAYS:
                break
    except TrainingDivergedError as error:
        return {**found, "accurate": accurate, "arrived": None, "error": str(error)}
    stayed = arrived is not None and found["step"] - arrived >= STAYS
    return {**found, "accurate": accurate, "arrived": arrived if stayed else None}


def _is_clean(network: Trained, pairs: Any) -> bool:
    circuit = Circuit(network, pairs)
    assert circuit.train_numbers is not None
    losses = part_losses(circuit.logits, key_frequencies(circuit).frequencies, circuit.train_numbers)
    return 1 / CLEAN < losses.restricted / losses.test < CLEAN


def best(found: Iterable[Row], method: str) -> int:
    """The setting of a method whose network of seed 0 arrived soonest; if none did, whose test loss ended lowest."""
    tries = [each for each in found if each["method"] == method and each["seed"] == 0]
    order = sorted(tries, key=lambda each: (each["arrived"] is None, each["arrived"] or 0, each.get("test_loss", 1e9)))
    return int(order[0]["number"])


def table(found: list[Row]) -> str:
    """Every method's best setting, and when the networks of the seeds that did not choose it arrived, in Markdown."""
    columns = ("method", "best of 8 settings", "tries that arrived", "arrived with seeds 1 to 5", "median step")
    lines: list[tuple[str, ...]] = []
    for method in METHODS:
        number = best(found, method)
        tries = [each for each in found if each["method"] == method and each["seed"] == 0]
        seeds = [each["arrived"] for each in found if each["method"] == method and each["number"] == number and each["seed"]]
        setting = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in METHODS[method][number].items())
        reached = sorted(step for step in seeds if step is not None)
        median = f"{statistics.median(reached):g} ({reached[0]}–{reached[-1]})" if reached else "never"
        arrived = sum(each["arrived"] is not None for each in tries)
        lines.append((method, setting, f"{arrived} of {len(tries)}", f"{len(reached)} of {len(seeds)}", median))
    return markdown(columns, lines)


def to_the_end(found: list[Row]) -> str:
    """What networks of studies/quick.toml are at the last step, in Markdown."""
    columns = ("schedule", "networks", "generalise", "explained", "last test loss", "circuits")
    lines: list[tuple[str, ...]] = []
    for label in dict.fromkeys(row["label"] for row in sorted(found, key=lambda row: -len(row["label"]))):
        those = [row for row in found if row["label"] == label]
        losses = sorted(row["test_loss"] for row in those)
        circuits = Counter(f"{row['circuit']}, {row['sureness']}" for row in those if row["generalises"])
        counts = [sum(bool(row[column]) for row in those) for column in ("generalises", "is_explained")]
        loss = f"{statistics.median(losses):.1g} ({losses[0]:.1g}–{losses[-1]:.1g})"
        said = "; ".join(f"{count} {circuit}" for circuit, count in circuits.most_common())
        lines.append((label, str(len(those)), *map(str, counts), loss, said))
    return markdown(columns, lines)


def main() -> int:
    options = tyro.cli(Options, description=__doc__)
    found = rows(options.rows)
    if options.what == "table":
        print(table(found), to_the_end(read_rows(options.rows.with_name("quick.parquet"))), sep="\n\n")
        return 0
    if options.what == "tries":
        chosen = [(method, number, 0) for method, settings in METHODS.items() for number in range(len(settings))]
    else:
        chosen = [(method, best(found, method), seed) for seed in range(1, 6) for method in METHODS]
    units = [
        Try(f"{method}, setting {number}, seed {seed}", options.device, (method, number, seed))
        for method, number, seed in chosen
    ]
    finish(units, options.rows, options.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
