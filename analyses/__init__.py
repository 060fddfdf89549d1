"""The microscope: one file per measurement, each a function of the same name from a Circuit to a Finding.

A file ``foo.py`` in the folder of a chapter (``analyses.chapters``) that defines ``@measurement() def foo(circuit, *, options)
-> Foo`` is ``analyses.foo(circuit)``, appears in the report, the page and the JSON, and in ``interp-analyze --only foo``. There
is nothing else to edit: what else is to be known of it (its place, whether it is slow, what it needs) is in its decorator.

Measurements of one's own need not live here: those in the folders that INTERP_ANALYSES names are found likewise.

The whole answer about any circuit, as text, JSON and page, is ``analyses.report(circuit)``; what differs between two is
``analyses.compare(a, b)``; the timeline of a run directory is ``analyses.progress(path)``.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from analyses.chapters import CHAPTERS, OWN
from analyses.findings.finding import Finding as Finding
from analyses.findings.measurement import MEASUREMENTS

FOLDERS = "INTERP_ANALYSES"
"""Environment variable: more folders to look for measurements in, separated as in PATH. Read once, at import."""

ASKED_FOR = {
    "compare": "analyses.reports.compare",
    "progress": "analyses.timeline.progress",
    "report": "analyses.reports.report",
}
"""Functions of this package that are no measurements, and the modules that they are in."""


def __getattr__(name: str) -> Callable[..., Any]:
    """Every measurement by its name, and ``ASKED_FOR``; ``__init__.pyi`` tells type checkers and editors of them."""
    if name in ASKED_FOR:
        # Imported when it is asked for: these modules import this package.
        found: Callable[..., Any] = getattr(import_module(ASKED_FOR[name]), name)
        return found
    if name in MEASUREMENTS:
        return MEASUREMENTS[name].measure
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What an interactive session completes."""
    return ["Finding", "MEASUREMENTS", *ASKED_FOR, *MEASUREMENTS]


def _own_folders() -> Iterator[str]:
    """The folders of the environment variable that exist."""
    for folder in filter(None, os.environ.get(FOLDERS, "").split(os.pathsep)):
        if Path(folder).is_dir():
            yield str(Path(folder).resolve())
        else:
            warnings.warn(f"{FOLDERS} names {folder}, which is no folder: no measurements from there", stacklevel=4)


def _find_measurements() -> None:
    """Import every file of every chapter; the files of one's own folders become part of the last chapter."""
    chapters: dict[str, ModuleType] = {name: import_module(f"{__name__}.{name}") for name in CHAPTERS}
    taken = set[str]()
    for name, chapter in chapters.items():
        for file in iter_modules(chapter.__path__):
            import_module(f"{__name__}.{name}.{file.name}")
            taken.add(file.name)
    for folder in _own_folders():
        chapters[OWN].__path__.append(folder)
        for file in iter_modules([folder]):
            if file.name in taken:
                warnings.warn(f"{folder} has a file {file.name}.py, and that name is taken: rename it", stacklevel=3)
            elif not file.ispkg:
                import_module(f"{__name__}.{OWN}.{file.name}")
                taken.add(file.name)


_find_measurements()
