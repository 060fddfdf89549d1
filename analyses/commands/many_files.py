"""Many files analysed, one after the other or several at a time, each answer handed on in the order of the files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from rich.console import Console
from rich.text import Text

from analyses.reports.answer import Answer, answer
from interp.errors import InterpError
from interp.sweep.pool import work_all
from interp.sweep.unit import Status, Unit


@dataclass(frozen=True)
class Analysis(Unit):
    """The analysis of one file, in a process that analyses others too."""

    remedy: ClassVar[str] = ": too little memory? Try fewer --workers"
    file: Path
    """The checkpoint."""
    asked: dict[str, Any]
    """What is asked: the arguments of ``answer``."""
    threads: int
    """Number of threads."""

    @property
    def path(self) -> Path:
        return self.file

    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        torch.set_num_threads(self.threads)
        say(Status(path=self.file, step=1, result=answer(self.file, **self.asked)))


def several_at_a_time(
    files: Sequence[Path],
    asked: dict[str, Any],
    workers: int,
    err: Console,
    handle: Callable[[Path, Answer | InterpError], None],
) -> None:
    """Analyse files, ``workers`` at a time, each in as many threads as torch has here.

    ``handle`` gets every answer, or what is wrong with the file, in the order of the files.
    """
    found: dict[Path, Answer | InterpError] = {}
    handled = 0
    with err.status(Text(f"{len(files)} files")) as status:

        def report(word: Status) -> None:
            nonlocal handled
            if word.result is not None:
                found[word.path] = word.result
            elif word.failed:
                found[word.path] = InterpError(word.note)
            status.update(Text(f"{len(found)} of {len(files)} files"))
            while handled < len(files) and files[handled] in found:
                handle(files[handled], found[files[handled]])
                handled += 1

        work_all([Analysis(file, asked, torch.get_num_threads()) for file in files], workers=workers, report=report)
