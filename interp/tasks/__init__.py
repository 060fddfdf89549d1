"""The tasks that networks learn. Every file of this folder that defines a ``Task`` adds a task; no list names it again."""

from importlib import import_module
from inspect import isabstract
from pkgutil import iter_modules

from interp.errors import InterpError
from interp.tasks.task import Task

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")


def tasks() -> dict[str, type[Task]]:
    """Every task by its name, in alphabetical order."""

    def below(kind: type[Task]) -> list[type[Task]]:
        return [each for child in kind.__subclasses__() for each in (child, *below(child))]

    concrete = [kind for kind in below(Task) if not isabstract(kind)]  # type: ignore[type-abstract]
    return {kind.name: kind for kind in sorted(concrete, key=lambda kind: kind.name)}


def task_named(name: str, p: int) -> Task:
    """The task of this name with p symbols. Raises InterpError on an unknown name and on an impossible p."""
    known = tasks()
    if name not in known:
        raise InterpError(f"expected the task {' or '.join(known)}, got {name!r:.40}")
    return known[name](p)
