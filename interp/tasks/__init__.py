"""The tasks that networks learn. Every file here that defines a ``Task`` adds a family of tasks; no list names it again.

Tasks of one's own need not live here: those defined anywhere in a program are found as soon as their class is, and those in the
folders that INTERP_TASKS names by every command.
"""

import os
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from pkgutil import iter_modules

from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.tasks.task import ModulusMissing, Task

FOLDERS = "INTERP_TASKS"
"""Environment variable: more folders to look for tasks in, separated as in PATH. Read once, at import."""

_own = [folder for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
for _folder in _own:
    if not Path(_folder).is_dir():
        warnings.warn(f"{FOLDERS} names {_folder}, which is no folder: no tasks from there", stacklevel=2)
__path__ = [*__path__, *(str(Path(folder).resolve()) for folder in _own)]
for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")


def families() -> list[type[Task]]:
    """Every family of tasks, in the order of the names of their classes."""

    def below(kind: type[Task]) -> list[type[Task]]:
        return [each for child in kind.__subclasses__() for each in (child, *below(child))]

    concrete = [kind for kind in below(Task) if not isabstract(kind)]  # type: ignore[type-abstract]
    return sorted(concrete, key=lambda kind: kind.__name__)


def examples() -> list[str]:
    """Names of tasks, some of every family: those that have one name first."""
    return [name for family in sorted(families(), key=lambda each: len(each.examples())) for name in family.examples()]


def find_task(name: str, p: int | None = None) -> Task | None:
    """The task of a name, on p symbols; None where no family knows the name.

    Raises InterpError on an impossible p; ModulusMissing where a task that there is for every p is asked for without one.
    """
    return next((task for family in families() if (task := family.named(name, p)) is not None), None)


def symbols_of(name: str) -> int | None:
    """How many symbols does the task of a name have: as many as its group has elements, or None where the modulus decides?

    Raises InterpError on an unknown name.
    """
    try:
        return task_named(name).p
    except ModulusMissing:
        return None


def task_named(name: str, p: int | None = None) -> Task:
    """The task of a name, on p symbols. Raises InterpError on an unknown name, and as ``find_task`` does."""
    task = find_task(name, p)
    if task is None:
        raise InterpError(f"expected a task such as {', '.join(examples())}, got {name!r:.40}")
    return task


def stored_task(name: str, p: int | None = None) -> Task:
    """The task that somebody's file names: as ``task_named``, but for the name of another file, which is not looked at."""
    if name.endswith(".npy"):
        raise InterpError(f"names a file for a task, {name!r:.40}, which is not looked at: say it with --task")
    return task_named(name, p)


@lru_cache(maxsize=8)
def candidates(p: int) -> Sequence[Task]:
    """The tasks with p symbols that a network of which nothing else is known may have learned, addition first."""
    found = [task for family in families() for task in family.on_symbols(p)]
    return tuple(sorted(found, key=lambda task: task.name != "addition"))


@lru_cache(maxsize=8)
def usual_answers(p: int, stated: str | None = None) -> Mapping[str, Int[Tensor, " pair"]]:
    """Names of the ``candidates`` and of a stated task, and the right answers to all pairs in order.

    UNDEFINED where not everyone trains on a pair. Raises InterpError on an unknown name.
    """
    known = [*candidates(p), *([task_named(stated, p)] if stated else [])]
    return {task.name: task.usual_table().flatten() for task in known}
