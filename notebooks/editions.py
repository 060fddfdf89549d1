"""Two editions of a notebook of the course, from one script: solved, and a student's, with stubs and folded solutions.

In a script a solution stands between two comments, ``# solution`` and ``# end of solution``. A student's edition has a line
there that raises NotImplementedError, the body of a function; or, where ``# solution: NAME, NAME`` names values, None for each.
The solution itself follows in a cell that is folded up, after the next cell, which is the check.
"""

import re

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

SOLUTION = re.compile(r"^( *)# solution(?:: ([^\n]*))?\n(.*?)^ *# end of solution\n?", re.MULTILINE | re.DOTALL)
"""A solution: its indentation, the names of values, and its lines."""
STUB = "raise NotImplementedError  # not done yet: write your own lines here"
"""Body of a function that a student has not written yet."""


def solved(notebook: NotebookNode) -> NotebookNode:
    """The notebook with its solutions where a student writes."""
    for cell in notebook.cells:
        cell.source = SOLUTION.sub(lambda found: found[3], cell.source).rstrip("\n")
    return notebook


def for_students(notebook: NotebookNode) -> NotebookNode:
    """The notebook with stubs, and each solution folded up after the check that follows it."""
    cells, folded = [], ""
    for cell in notebook.cells:
        is_check, has_solution = bool(folded), bool(SOLUTION.search(cell.source))
        cells.append(cell)
        if is_check:
            cells.append(new_markdown_cell(folded))
            folded = ""
        if has_solution:
            code = SOLUTION.sub(lambda found: found[3], cell.source).rstrip("\n")
            folded = f"<details><summary>A solution (try first)</summary>\n\n```python\n{code}\n```\n\n</details>"
            cell.source = SOLUTION.sub(_stub, cell.source).rstrip("\n")
    notebook.cells = cells
    return notebook


def _stub(found: "re.Match[str]") -> str:
    indentation, names, _ = found.groups()
    if names is None:
        return f"{indentation}{STUB}\n"
    return "".join(f"{indentation}{name.strip()} = None  # not done yet: write your own\n" for name in names.split(","))
