"""Every docstring can be read alone: it begins like a sentence, ends like one, and does not lean on the one before it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FILES = sorted(path for package in ("interp", "analyses") for path in (ROOT / package).rglob("*.py"))
LEANING = ("Of", "And", "As above", "As below", "Likewise", "The same", "Same", "Both", "Also", "Ditto", "For what", "With its")
"""Beginnings that make a reader look for what came before."""


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string that stands alone as a statement: of a module, class, function, field or constant."""
    for node in ast.walk(ast.parse(path.read_text())):
        for statement in getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []:
            value = getattr(statement, "value", None)
            if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield statement.lineno, value.value


def faults(text: str) -> Iterator[str]:
    first = re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0]
    if not re.match(r"[A-Z0-9(Σ|‖½αφtA-Za-z_`]", first) or re.match(r"[a-z]+ ", first):
        yield "begins with a small letter"
    if not re.search(r"[.?:!…)\"]$", first.split("\n\n")[0].strip()):
        yield "does not end like a sentence"
    if any(re.match(rf"{words}\b", first) for words in LEANING):
        yield "leans on what came before"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_docstring_can_be_read_alone(path: Path) -> None:
    found = [f"line {line}: {fault}: {text.strip()[:80]!r}" for line, text in docstrings(path) for fault in faults(text)]
    assert not found, "\n".join(found)
