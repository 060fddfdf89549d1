"""Writes docs/map.md: every file of the two packages with the first line of its docstring (make map)."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docs" / "map.md"
HEAD = """\
# What is where

Written by `make map` from the first lines of the files. Data flows one way: task → recipe → training → run, checkpoint →
circuit → measurements → reports; `interp` is what is trained, stored and loaded, `analyses` the microscope.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([HEAD, *(line for package in ("interp", "analyses") for line in _lines(ROOT / package))])


def _lines(folder: Path) -> Iterator[str]:
    """A table for a folder, then those of the folders in it."""
    files = sorted(path for path in folder.glob("*.py") if first_line(path))
    yield f"## {folder.relative_to(ROOT)}/\n"
    yield "| file | |"
    yield "|---|---|"
    for path in files:
        yield f"| `{path.name}` | {first_line(path)} |"
    yield ""
    for below in sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.py"))):
        yield from _lines(below)


def first_line(path: Path) -> str:
    """What a file says of itself."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(text())
