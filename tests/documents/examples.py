"""Examples in documents: blocks of Python, and commands with their options."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(path for folder in ("start", "concepts", "howto") for path in (DOCS / folder).glob("*.md")),
]
"""Documents for people who are new to something, whose Python is run."""
EXPECTED = "  # → "
"""What stands between an expression and its value in an example."""


def python_blocks(text: str) -> list[str]:
    """The blocks of Python in a document that are to be run; those with a title are files, and are not."""
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run_python(text: str, name: str) -> dict[str, object]:
    """Run the Python of a document, one block after the other, and compare the values that it gives; returns the names made."""
    names: dict[str, object] = {}
    for block in python_blocks(text):
        exec(compile(block, name, "exec"), names)
        for line in block.splitlines():
            expression, arrow, value = line.partition(EXPECTED)
            if arrow:
                assert repr(eval(expression, names)) == value, f"{name}: {line}"
    return names


def commands(text: str) -> Iterator[list[str]]:
    """The words of every line of a document's blocks that begins with a command of this project, its remarks left out."""
    for line in text.splitlines():
        if match := re.match(r"(?:    |(?:.*&& )|[A-Z_]+=\S+ )(interp-[a-z]+ .*)", line):
            yield re.split(r"\s+#|\s\|", match[1])[0].split()
