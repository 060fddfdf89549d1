"""The microscope: one file per measurement, each a function of the same name from a Circuit to a Finding.

A file ``foo.py`` here that defines ``foo(circuit, *, options) -> Foo`` is ``analyses.foo(circuit)``, appears in the
report and in ``interp-analyze --only foo``. There is nothing else to edit. One that is slow is decorated with
``@measurement(on_request=True)``: the report then leaves it out unless it is asked for.

Measurements of one's own need not live here: those in the folders that INTERP_ANALYSES names are found likewise.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from interp.finding import Finding

FOLDERS = "INTERP_ANALYSES"
"""Environment variable: more folders to look for measurements in, separated as in PATH. Read once, at import."""

MEASUREMENTS: dict[str, Callable[..., Finding]] = {}
"""Every measurement by name."""


def _own_folders() -> Iterator[str]:
    """Those of the environment variable that exist."""
    for folder in filter(None, os.environ.get(FOLDERS, "").split(os.pathsep)):
        if Path(folder).is_dir():
            yield str(Path(folder).resolve())
        else:
            warnings.warn(f"{FOLDERS} names {folder}, which is no folder: no measurements from there", stacklevel=3)


def _files() -> Iterator[str]:
    """The names of all files beside this one, then of those in the other folders, which become part of this package."""
    taken = set[str]()
    for folder in [*__path__, *_own_folders()]:
        if folder not in __path__:
            __path__.append(folder)
        for file in iter_modules([folder]):
            if file.name in taken:
                warnings.warn(f"{folder} has a file {file.name}.py, and that name is taken: rename it", stacklevel=3)
            elif file.name != "cli" and not file.ispkg:
                yield file.name
            taken.add(file.name)


for _file in _files():
    _measure = getattr(import_module(f"{__name__}.{_file}"), _file, None)
    if _measure is not None:  # a file of helpers has no function of its own name
        MEASUREMENTS[_file] = _measure
        # The function, not its module, is what `analyses.foo` means.
        globals()[_file] = _measure
