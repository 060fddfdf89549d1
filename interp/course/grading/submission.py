"""A submission: a file that a student handed in, and the exercises of the course that are in it."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp.course.exercise import EXERCISES, Exercise
from interp.errors import InterpError, one_line
from interp.files.plain import ENDINGS as CHECKPOINTS

LARGEST = 64 << 20
"""Largest size in bytes of a notebook or a script: with figures they are some megabytes."""
_HIDDEN = re.compile(r"^[._]|^__pycache__$")
"""Names of files and folders that nobody hands in: .ipynb_checkpoints, ._x.ipynb, __MACOSX."""
_KEPT_MAGICS = ("%%time", "%%capture")
"""Jupyter's words at the head of a cell that is Python nevertheless."""


@dataclass(frozen=True)
class Submission:
    """A file that was handed in: code that is to be run, or a trained network."""

    name: str
    """Path of the file in the folder that is graded."""
    path: Path
    """Path of the file."""
    cells: tuple[str, ...]
    """Cells of code, one for a plain script, none for a network."""
    exercises: tuple[Exercise, ...]
    """Exercises of every notebook that is in it, those that are not done among them."""


def files(folder: Path) -> list[Path]:
    """All files in a folder and the folders in it that may have been handed in, in alphabetical order."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in found if not any(map(_HIDDEN.match, path.relative_to(folder).parts)))


def read(path: Path, folder: Path) -> Submission:
    """The submission in a file; nothing of it is run. Raises InterpError, which says what is wrong with it."""
    name = path.relative_to(folder).as_posix()
    if path.suffix in CHECKPOINTS:
        return Submission(name, path, (), (EXERCISES["trained"],))
    if path.suffix not in (".ipynb", ".py"):
        raise InterpError("is neither a notebook (.ipynb), nor a script (.py), nor a network (.pt, .safetensors)")
    if path.stat().st_size > LARGEST:
        raise InterpError(f"has more than {LARGEST >> 20} MiB")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InterpError(f"cannot be read as text: {one_line(str(error), 100)}") from error
    cells = _cells_of_notebook(text) if path.suffix == ".ipynb" else re.split(r"^# ?%%.*\n", text, flags=re.MULTILINE)
    python = tuple(_python(cell) for cell in cells if cell.strip())
    exercises = tuple(_exercises("\n".join(python), python))
    if not exercises:
        raise InterpError("has no exercise of the course in it")
    return Submission(name, path, python, exercises)


def _cells_of_notebook(text: str) -> list[str]:
    try:
        cells: Any = json.loads(text)["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return [source if isinstance(source, str) else "".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InterpError("is no notebook of Jupyter (format 4): is it damaged?") from error


def _python(cell: str) -> str:
    """The Python in a cell, without what only Jupyter understands: lines that begin with % or !, whole cells with %%."""
    if cell.lstrip().startswith("%%") and not cell.lstrip().startswith(_KEPT_MAGICS):
        return ""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", cell, flags=re.MULTILINE)


def _exercises(code: str, cells: tuple[str, ...]) -> Iterator[Exercise]:
    """The exercises of all notebooks whose checks are called in the code; where none is, those whose functions are in it."""
    called = {name for name in EXERCISES if re.search(rf"\bcheck_{name}\b", code)}
    defined = {defined for cell in cells for defined in _defined(cell)}
    begun = called or {name for name, each in EXERCISES.items() if each.hands_in[0] in defined}
    notebooks = {EXERCISES[name].notebook for name in begun}
    for each in sorted(EXERCISES.values(), key=lambda each: each.notebook):
        if each.notebook in notebooks:
            yield each


def _defined(cell: str) -> Iterator[str]:
    """Names that a cell gives a value at its top level; none where it is no Python."""
    try:
        statements = ast.parse(cell).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
