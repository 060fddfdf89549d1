"""Measurements: functions from a circuit to a finding, with all that a report has to know of them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast, overload

from analyses.findings.finding import Finding
from interp.circuit import Circuit
from interp.needs import Need, check_has

M = TypeVar("M", bound=Callable[..., Finding])

LAST = 1000
"""The place of a measurement that names none: after all that do, by name."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Measurement:
    """A measurement, and what a report has to know of it."""

    name: str
    """What it is called in Python, in JSON and on a command line."""
    measure: Callable[..., Finding]
    """The function."""
    chapter: str
    """The chapter of the page that shows it: the folder of its file."""
    place: int
    """Reports show the measurements in ascending order of this number, then by name."""
    slow: bool
    """Does it take seconds? A report then leaves it out unless it is asked for."""
    on_request: bool
    """Does it take so long that pages and pictures leave it out too, unless it is asked for?"""
    needs: tuple[Need, ...]
    """What a circuit must have for it."""

    def __call__(self, circuit: Circuit, **options: Any) -> Finding:
        """Measure a circuit. ``options`` that this measurement does not have are left out."""
        known = inspect.signature(self.measure).parameters
        return self.measure(circuit, **{name: value for name, value in options.items() if name in known})


MEASUREMENTS: dict[str, Measurement] = {}
"""Every measurement by its name."""


@overload
def measurement(measure: M, /) -> M: ...
@overload
def measurement(
    *, place: int = LAST, slow: bool = False, on_request: bool = False, needs: tuple[Need, ...] = ("addition",)
) -> Callable[[M], M]: ...
def measurement(
    measure: M | None = None,
    /,
    *,
    place: int = LAST,
    slow: bool = False,
    on_request: bool = False,
    needs: tuple[Need, ...] = ("addition",),
) -> M | Callable[[M], M]:
    """Makes a measurement of a function from a circuit to a finding. The result is kept with the circuit, and computed once.

    ``place``: where reports show it, smaller first. ``slow``: it takes seconds, so reports leave it out unless it is asked for.
    ``on_request``: it takes so long that pages and pictures leave it out too.
    ``needs``: what a circuit must have for it; one that lacks it gives ``Unavailable``, which says so.
    """

    def decorate(measure: M) -> M:
        measured = _remembering(measure, needs)
        name, file = measure.__name__, measure.__module__.rpartition(".")[2]
        if name == file:  # what a test or a notebook decorates in passing has no file of its name
            chapter = measure.__module__.split(".")[-2]
            MEASUREMENTS[name] = Measurement(
                name=name, measure=measured, chapter=chapter, place=place, slow=slow, on_request=on_request, needs=needs
            )
        return measured

    return decorate if measure is None else decorate(measure)


def _remembering(measure: M, needs: tuple[Need, ...]) -> M:
    signature = inspect.signature(measure)

    @wraps(measure)
    def measured(circuit: Circuit, *args: Any, **kwargs: Any) -> Finding:
        call = signature.bind(circuit, *args, **kwargs)
        call.apply_defaults()
        for need in needs:
            check_has(circuit, need)
        key = (measure.__qualname__, measure.__module__, tuple(list(call.arguments.items())[1:]))
        return circuit.remember(key, lambda: replace(measure(*call.args, **call.kwargs), words=circuit.task.words))

    return cast(M, measured)


def suits(circuit: Circuit, name: str) -> bool:
    """Is a measurement about tasks such as this circuit's? Where it is not, a report leaves it out unless it is asked for.

    Those of labels are about networks that were told something wrong. Those of a group's representations are not about
    addition, of which frequencies say the same.
    """
    needs = MEASUREMENTS[name].needs if name in MEASUREMENTS else ()
    if "labels" in needs and circuit.told is None:
        return False
    if "addition" in needs:
        return circuit.is_addition
    if "disguise" in needs:
        return circuit.task.disguise() is not None
    return "group" not in needs or (circuit.is_of_group and not circuit.is_addition)


def in_order(*, slow: bool | None = None, chapter: str | None = None) -> list[str]:
    """The names of the measurements in the order in which reports show them; of one kind or chapter where that is asked."""
    chosen = [each for each in MEASUREMENTS.values() if slow in (None, each.slow) and chapter in (None, each.chapter)]
    return [each.name for each in sorted(chosen, key=lambda each: (each.place, each.name))]
