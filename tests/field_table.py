"""Checkpoints as people publish them: their values beside ours, and what is printed of each, as Markdown: make field.

The files are others' and are not in this repository: see FOLDER. docs/field.md is what this prints.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch.nn import functional

from analyses.reports import text
from analyses.reports.answer import Answer, answer
from interp.errors import InterpError
from interp.tasks.product import Multiplication

FOLDER = Path(__file__).parent.parent.parent / "shared" / "peers" / "field"
FILES = (".pt", ".pth", ".safetensors")

HEAD = """\
# Checkpoints as people publish them

Files that others published with their work, each as its author saved it, read by `interp-analyze FILE` without an option.
Beside ours stand the accuracy and the loss over all pairs that an independent program computed from the same weights, and the
frequencies that carry .02 of the logits' variance or more in it. `make field` writes this page (the files are not in this
repository; the command looks for them in `../shared/peers/field`), and a test derives it again.
"""


@dataclass(frozen=True)
class Case:
    """A file with what is known about it."""

    path: Path
    theirs: dict[str, Any]

    @property
    def name(self) -> str:
        """The file, with its folder."""
        return f"{self.path.parent.name}/{self.path.name}"

    def answer(self) -> Answer | InterpError:
        """Ours, or the refusal; found once."""
        return _answer(self.path)

    @property
    def accuracy(self) -> float | None:
        """Theirs."""
        if steps := self.theirs.get("accuracy_all_pairs"):
            value: float = steps[str(int(self.path.stem.rpartition("_")[2]))]
            return value
        return self.theirs.get("accuracy")

    @property
    def frequencies(self) -> list[int]:
        """Theirs."""
        return [int(k) for k, share in self.theirs.get("sum_waves_share_by_k", {}).items() if share >= 0.02]


@cache
def _answer(path: Path) -> Answer | InterpError:
    try:
        return answer(path, only=["performance"])
    except InterpError as error:
        return error


def cases() -> list[Case]:
    """Every file of the folder."""
    found = []
    for folder in sorted(each for each in FOLDER.iterdir() if each.is_dir()):
        truth = folder / "truth.json"
        theirs = json.loads(truth.read_text()) if truth.is_file() else {}
        found += [Case(path, theirs) for path in sorted(folder.iterdir()) if path.suffix in FILES]
    return found


def ours(case: Case, given: Answer) -> tuple[float, float]:
    """Accuracy and loss over all pairs, of the operation that the network was trained on; products with 0 are counted too."""
    if case.theirs.get("operation") != "mul":
        return given.performance.accuracy, given.performance.loss
    answers = Multiplication(given.circuit.task.p).table().flatten()
    logits = given.circuit.own_logits.double().flatten(0, 1)
    accuracy = (logits.argmax(-1) == answers).double().mean().item()
    return accuracy, functional.cross_entropy(logits, answers).item()


def lines() -> Iterator[str]:
    """The page."""
    yield from HEAD.splitlines()
    yield ""
    yield "| file | accuracy, theirs | ours | loss, theirs | ours | frequencies, theirs | ours |"
    yield "|---|---|---|---|---|---|---|"
    answers = [(case, case.answer()) for case in cases()]
    for case, given in answers:
        if isinstance(given, InterpError):
            yield f"| {case.name} | | refused | | | | |"
            continue
        accuracy, loss = ours(case, given)
        theirs = case.theirs.get("loss")
        keys = " ".join(map(str, given.key_frequencies.frequencies)) if given.key_frequencies else ""
        known = " ".join(map(str, case.frequencies))
        yield (
            f"| {case.name} | {'' if case.accuracy is None else f'{case.accuracy:.4f}'} | {accuracy:.4f} | "
            f"{'' if theirs is None else f'{theirs:.3g}'} | {loss:.3g} | {known} | {keys} |"
        )
    yield ""
    yield "## What each printed"
    for case, given in answers:
        yield ""
        yield f"`{case.name}`"
        yield ""
        yield "```text"
        if isinstance(given, InterpError):
            yield str(given).replace(f"{FOLDER}/", "")
        else:
            yield from text.headline(given)
        yield "```"


def main() -> int:
    """Print the page; 2 where the files are not here."""
    if not FOLDER.is_dir():
        print("field_table: needs the files of others in ../shared/peers/field", file=sys.stderr)
        return 2
    print("\n".join(lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
