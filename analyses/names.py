"""What type checkers and editors are told of this package's names: ``python -m analyses.names`` writes ``__init__.pyi``.

Measurements are found when the package is imported, which a type checker does not do. So that it sees them, the file that it
reads is made of what is found; a test says when it is no longer what would be written.
"""

import sys
from pathlib import Path

from analyses import ASKED_FOR
from analyses.findings.measurement import MEASUREMENTS

FILE = Path(__file__).with_name("__init__.pyi")
_OTHERS = {
    "Finding": "analyses.findings.finding",
    "MEASUREMENTS": "analyses.findings.measurement",
    **ASKED_FOR,
}
"""Where the names are defined that are no measurements."""


def stub() -> str:
    """The content of the file: every measurement in a folder of this package, from where it is defined, and the others."""
    found = {name: each.measure.__module__ for name, each in MEASUREMENTS.items()}
    own = {name: module for name, module in found.items() if FILE.parent in Path(str(sys.modules[module].__file__)).parents}
    homes = {**_OTHERS, **own}
    lines = sorted(f"from {module} import {name} as {name}" for name, module in homes.items())
    head = '"""Written by ``python -m analyses.names``: not to be changed by hand."""\n'
    return "\n".join([head, *lines, "", "FOLDERS: str", "ASKED_FOR: dict[str, str]", ""])


if __name__ == "__main__":
    FILE.write_text(stub())
