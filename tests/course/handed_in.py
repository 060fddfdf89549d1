"""What students hand in: solutions out of the notebooks' own scripts, and wrong answers of the kinds that people give."""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from interp.course.exercise import EXERCISES

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "notebooks"))
from build import COURSE
from editions import SOLUTION, for_students, solved

SCRIPTS = sorted(COURSE.glob("[0-9]*.py"))


def edition(script: Path, *, with_solutions: bool) -> NotebookNode:
    """A notebook of the course, solved or as students get it."""
    return (solved if with_solutions else for_students)(jupytext.read(script))


def needed_cells(script: Path) -> list[str]:
    """The cells of a script that its solutions need, solved: imports, the network of a seed, and the solutions themselves."""
    cells = [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "code"]
    needed = [cell for cell in cells if "\nimport " in f"\n{cell}" or "my_seed = " in cell or SOLUTION.search(cell)]
    return [SOLUTION.sub(lambda found: found[3], cell) for cell in needed]


@lru_cache(maxsize=1)
def solutions() -> dict[str, Any]:
    """Every function and value that the solved notebooks hand in, by name."""
    found: dict[str, Any] = {}
    for number, script in enumerate(SCRIPTS, start=1):
        names: dict[str, Any] = {}
        for cell in needed_cells(script):
            exec(cell, names)
        mine = [name for each in EXERCISES.values() if each.notebook == number for name in each.hands_in]
        found |= {name: names.get(name) for name in mine}
    return found
