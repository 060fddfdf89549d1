"""A unit of work: something that takes long, says how far it is, and goes on where it was cut off."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from interp.training import run
from interp.training.watching import NOT_WATCHING, Watching


@dataclass(frozen=True, kw_only=True)
class Status:
    """How far a unit of work is."""

    path: Path
    """The file or directory that the unit makes, which is also its name."""
    step: int
    """Number of steps done."""
    losses: dict[str, float] | None = None
    """Losses and accuracies of a record, where one was just written; None between two records."""
    result: Any = None
    """What came of the unit, where it is done and there is something to hand over."""
    note: str = ""
    """Something to tell the user: the unit was restarted, or it failed."""
    failed: bool = False
    """Has the unit failed, so that it will not go on?"""
    unwritable: bool = False
    """Has it failed because something could not be written? Then it was not the unit's fault, and all others would fail too."""


class Unit(ABC):
    """A unit of work. It can be sent to another process."""

    remedy: ClassVar[str] = ""
    """What the user can do about a unit that was given up."""

    @property
    @abstractmethod
    def path(self) -> Path:
        """The file or directory that the unit makes."""

    @abstractmethod
    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        """Do the work, from where it was left when it was done before. ``say`` hears how far it is.

        Ends early, with what was done so far on disk, when ``should_stop()`` says so. Raises InterpError where it fails.
        """


@dataclass(frozen=True)
class Training(Unit):
    """The training of one run directory."""

    remedy = ": resume it with --resume"
    directory: Path
    """The run directory."""
    watching: Watching = NOT_WATCHING
    """What happens beside training."""

    @property
    def path(self) -> Path:
        return self.directory

    def work(self, say: Callable[[Status], None], should_stop: Callable[[], bool]) -> None:
        def on_step(step: int) -> None:
            say(Status(path=self.path, step=step))

        for snapshot in run.load(self.path).train(should_stop=should_stop, on_step=on_step, watching=self.watching):
            say(Status(path=self.path, step=snapshot.step, losses=snapshot.losses))
