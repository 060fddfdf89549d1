"""Makes the .ipynb of every percent script here: run, with pictures instead of live figures, and quiet in a diff.

``make notebooks`` makes them all, ``python notebooks/build.py notebooks/4_hooks.py`` one. Those of the course are made as
students get them, see ``editions``.
"""

import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from editions import for_students
from nbclient import NotebookClient

HERE = Path(__file__).parent
COURSE = HERE / "course"


def scripts() -> list[Path]:
    """The scripts that notebooks are made of: the guides, then the course."""
    return [*sorted(HERE.glob("[0-9]*.py")), *sorted(COURSE.glob("[0-9]*.py"))]


def build(script: Path) -> Path:
    """Run a percent script, and write it with its outputs beside itself. A cell that fails raises, and nothing is written."""
    notebook = image(script)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", coalesce_streams=True)
    client.execute(cwd=str(HERE))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it was run
    notebook.metadata.language_info = {"name": "python"}  # and not which Python ran it
    path = script.with_suffix(".ipynb")
    nbformat.write(notebook, path)
    return path


def image(script: Path) -> nbformat.NotebookNode:
    """The notebook that a script is, without outputs. Its cells are numbered, so that a new one gets no new names for all."""
    notebook = jupytext.read(script)
    if script.resolve().parent == COURSE.resolve():
        notebook = for_students(notebook)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return notebook


if __name__ == "__main__":
    # Of the kernels, which inherit them. Live figures are megabytes.
    os.environ["PLOTLY_RENDERER"] = "png"
    os.environ["INTERP_ANALYSES"] = ""
    for each in [Path(name) for name in sys.argv[1:]] or scripts():
        started = time.monotonic()
        print(f"{build(each)}: {time.monotonic() - started:.0f} s", flush=True)
