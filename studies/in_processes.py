"""Networks of a study that no sweep describes: a row of plain values of each, kept as it comes."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from interp.sweep.pool import work_all
from interp.sweep.unit import Status, Unit

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class _Making(Unit):
    """The making of one row."""

    name: str
    make: Callable[[Any], Row]
    of: Any

    @property
    def path(self) -> Path:
        return Path(self.name)

    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        torch.set_num_threads(1)
        say(Status(path=self.path, step=0, result={"name": self.name, **self.make(self.of)}))


def finish(work: Callable[[T], Row], units: Mapping[str, T], path: Path, workers: int) -> None:
    """Do every unit whose name has no row in a file yet; ``work``, a function of a module, makes its row.

    What was broken off is done again from its start, and nothing else is.
    """
    done = {row["name"] for row in rows(path)}
    missing = [_Making(name, work, unit) for name, unit in units.items() if name not in done]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:

        def report(status: Status) -> None:
            if status.result is not None:
                file.write(json.dumps(status.result) + "\n")
                file.flush()
            print(f"{status.path} {status.note}", file=sys.stderr, flush=True)

        work_all(missing, workers=workers, report=report)


def rows(path: Path) -> list[Row]:
    """The rows in a file, without a last line that was cut off."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]
