"""Exercises of the course: what a student hands in, and what its check says, in a sentence that helps."""

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from interp.errors import one_line

Result = Literal["passed", "failed", "not done"]

_SIGNS: dict[Result, str] = {"passed": "✓", "failed": "✗", "not done": "○"}


class WrongError(Exception):
    """What is wrong with an answer: a sentence for the student."""


class NotDoneError(Exception):
    """The exercise still is the stub that it came as."""


class RaisedError(Exception):
    """What a student's function raised where it ran in another process, as its message: ``ValueError: ...``."""


class StoppedError(Exception):
    """Why the process in which a student's functions run answers no more."""


@dataclass(frozen=True)
class Outcome:
    """What a check says about an answer. It is true where the answer passed."""

    exercise: str
    """Name of the exercise, such as fourier_basis."""
    result: Result
    """Result of the check: passed, failed, or not done."""
    says: str
    """What is wrong, or what is right, in a sentence."""

    def __bool__(self) -> bool:
        return self.result == "passed"

    def __repr__(self) -> str:
        return f"{_SIGNS[self.result]} {self.exercise}: {self.result}{f'. {self.says}' if self.says else ''}"


@dataclass(frozen=True)
class Exercise:
    """An exercise: where it is set, the names that a student gives a value in it, and its check."""

    name: str
    """Name of the exercise; that of its check is check_NAME."""
    notebook: int
    """Number of the notebook that sets it, from 1."""
    hands_in: tuple[str, ...]
    """Names of what is handed in, functions or values, in the order in which the check takes them."""
    files: frozenset[str]
    """Names among ``hands_in`` whose values are paths of files."""
    check: Callable[..., Outcome]
    """Check of the exercise, from what is handed in to an outcome."""


EXERCISES: dict[str, Exercise] = {}
"""Exercises by name, in the order of the course."""


@dataclass(frozen=True)
class Mine:
    """A student's function. Whatever it raises, and whatever it gives that cannot be right, is said about it, not about us."""

    name: str
    function: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """What the function gives. Raises WrongError where it raises, or gives nothing."""
        try:
            value = self.function(*arguments)
        except (NotImplementedError, NotDoneError) as error:
            raise NotDoneError from error
        except StoppedError:
            raise
        except RaisedError as error:
            raise WrongError(f"{self.shown(*arguments)} raised {one_line(str(error), 300)}") from error
        except Exception as error:
            raise WrongError(f"{self.shown(*arguments)} raised {type(error).__name__}: {one_line(str(error), 300)}") from error
        if value is None:
            raise WrongError(f"{self.shown(*arguments)} gave nothing back: does it end with a return?")
        return value

    def numbers(self, *arguments: Any, shape: Sequence[int]) -> Tensor:
        """Finite numbers of this shape that the function gives, in float64. Raises WrongError on anything else."""
        return as_numbers(self(*arguments), self.shown(*arguments), shape)

    def number(self, *arguments: Any) -> float:
        """The one finite number that the function gives. Raises WrongError on anything else."""
        return float(self.numbers(*arguments, shape=()))

    def shown(self, *arguments: Any) -> str:
        """A call of the function as one would write it, large arguments by their shape."""
        return f"{self.name}({', '.join(map(_shown, arguments))})"


def as_numbers(value: Any, what: str, shape: Sequence[int]) -> Tensor:
    """A value as finite float64 numbers of this shape, one number where it is (). Raises WrongError where it is not."""
    try:
        if isinstance(value, list | tuple) and any(isinstance(each, Tensor) for each in value):
            value = torch.stack([torch.as_tensor(each, dtype=torch.float64) for each in value])
        found = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise WrongError(f"{what} gave {_kind(value)}, where numbers are expected") from error
    if list(found.shape) != list(shape):
        raise WrongError(f"{what} gave {_of_shape(found.shape)}, where {_of_shape(shape)} is expected")
    if found.is_complex():
        raise WrongError(f"{what} gave complex numbers, where real ones are expected")
    found = found.double()
    if not bool(torch.isfinite(found).all()):
        raise WrongError(f"{what} gave numbers that are infinite or not a number (inf or nan): was something divided by 0?")
    return found


def differ(mine: Tensor, truth: Tensor) -> bool:
    """Do two tensors of one shape differ by more than rounding in single precision explains?"""
    return bool((mine - truth).abs().max() > 1e-4 * max(1.0, truth.abs().max().item()))


def mistake(mine: Tensor | float, known: Iterable[tuple[Tensor | float, str]], *, within: float | None = None) -> str:
    """What was done wrong, if an answer is that of a known mistake; empty if it is none of them.

    ``known``: the answer that a mistake gives, and what is to be said of it. ``within``: how near two numbers have to be to be
    the same; tensors are the same up to rounding in single precision.
    """

    def same(other: Tensor | float) -> bool:
        if within is not None:
            return abs(float(mine) - float(other)) < within
        return not differ(torch.as_tensor(mine), torch.as_tensor(other))

    return next((why for other, why in known if same(other)), "")


def at(turns: float) -> Tensor:
    """The point (cosine, sine) of a circle at this many turns, counted from the right, against the hands of a clock."""
    return torch.tensor([math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)], dtype=torch.float64)


def as_text(point: Tensor) -> str:
    """A point as a student writes it."""
    return f"({point[0]:.3f}, {point[1]:.3f})"


def exercise(notebook: int) -> Callable[[Callable[..., str]], Callable[..., Outcome]]:
    """Makes a function ``check_NAME`` the check of an exercise of this notebook.

    Its parameters name what a student hands in: functions where they are of type Mine, files where they are of type Path, else
    values. It returns what is to be said of a right answer, and raises WrongError with what is to be said of any other.
    """

    def registered(checks: Callable[..., str]) -> Callable[..., Outcome]:
        name = checks.__name__.removeprefix("check_")
        parameters = inspect.signature(checks).parameters.values()
        kinds = {each.name: each.annotation for each in parameters}

        def check(*handed_in: Any) -> Outcome:
            if len(handed_in) != len(kinds):
                raise TypeError(f"check_{name} takes {', '.join(kinds)}: give it {len(kinds)} values, not {len(handed_in)}")
            try:
                given = [_given(*each) for each in zip(kinds.items(), handed_in, strict=True)]
                return Outcome(name, "passed", checks(*given))
            except NotDoneError:
                return Outcome(name, "not done", "")
            except WrongError as error:
                return Outcome(name, "failed", str(error))

        check.__name__, check.__qualname__, check.__module__ = checks.__name__, checks.__name__, checks.__module__
        check.__doc__ = checks.__doc__
        files = frozenset(each for each, kind in kinds.items() if kind is Path)
        EXERCISES[name] = Exercise(name, notebook, tuple(kinds), files, check)
        return check

    return registered


def _given(parameter: tuple[str, Any], value: Any) -> Any:
    """What is handed in, as the check takes it. Raises NotDoneError on a stub, WrongError on what is of another kind."""
    name, kind = parameter
    if value is None or value is ...:
        raise NotDoneError
    if kind is Mine:
        if not callable(value):
            raise WrongError(f"{name} is {_kind(value)}, where a function is expected: hand it in without calling it")
        return Mine(name, value)
    if kind is Path:
        if not isinstance(value, str | Path):
            raise WrongError(f"{name} is {_kind(value)}, where the name of a file is expected")
        return Path(value)
    return value


def _shown(argument: Any) -> str:
    if isinstance(argument, Tensor):
        return _of_shape(argument.shape)
    text = repr(argument)
    return text if len(text) <= 60 else f"{len(argument)} values"


def _of_shape(shape: Sequence[int]) -> str:
    return f"a tensor of shape {list(shape)}" if len(shape) else "one number"


def _kind(value: Any) -> str:
    return f"a value of type {type(value).__name__}"
