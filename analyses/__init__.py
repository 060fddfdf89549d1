"""The microscope: one file per measurement, each a function of the same name from a Circuit to a Finding.

A file ``foo.py`` here that defines ``foo(circuit, *, options) -> Foo`` is ``analyses.foo(circuit)``, appears in the
report and in ``interp-analyze --only foo``. There is nothing else to edit. One that is slow is decorated with
``@measurement(on_request=True)``: the report then leaves it out unless it is asked for.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from interp.finding import Finding

MEASUREMENTS: dict[str, Callable[..., Finding]] = {}
"""Every measurement by name."""

for _file in iter_modules(__path__):
    if _file.name != "cli" and not _file.ispkg:
        _measure = getattr(import_module(f"{__name__}.{_file.name}"), _file.name, None)
        if _measure is not None:  # a file of helpers has no function of its own name
            MEASUREMENTS[_file.name] = _measure
            # The function, not its module, is what `analyses.foo` means.
            globals()[_file.name] = _measure
