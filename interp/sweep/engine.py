"""What does the networks of a sweep, wherever it does them: in this process, in others, on other machines."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from interp.sweep.network import SweptNetwork
from interp.sweep.pool import work_all
from interp.sweep.unit import Status


class Engine(ABC):
    """What does the networks of a sweep."""

    @abstractmethod
    def work(
        self, units: Sequence[SweptNetwork], report: Callable[[Status], None], should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        """Do these units; ``report`` hears of each, and of its result. Ends early when ``should_stop()`` says so."""


@dataclass(frozen=True, kw_only=True)
class Pool(Engine):
    """The engine of one machine: processes that each train on one thread."""

    workers: int = 1
    """Number of networks that are trained at once."""

    def work(
        self, units: Sequence[SweptNetwork], report: Callable[[Status], None], should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        for arithmetic in {unit.point.config.arithmetic for unit in units}:  # no fault of the networks
            arithmetic.check_is_possible_here()
        work_all(units, workers=self.workers, report=report, should_stop=should_stop)
