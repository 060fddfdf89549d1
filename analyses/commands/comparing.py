"""interp-analyze ONE --compare OTHER: what differs between two networks, or between two steps of a run?"""

import json
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from analyses.commands.options import Options
from analyses.reports.answer import SCHEMA
from analyses.reports.compare import compare
from analyses.reports.files import write_pictures
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.formats.facts import Facts
from interp.files.plain import ENDINGS


def compare_files(one: Path, other: Path, options: Options, out: Console, err: Console) -> int:
    """Print what differs between the networks in two files, and draw it where that is asked; returns the exit code.

    Raises InterpError where one cannot be read.
    """
    circuits = [_circuit(path, options.facts) for path in (one, other)]
    names = _names(one, other)
    with err.status(Text(f"{one}, {other}")):
        found = compare(circuits[0], circuits[1], names=names)
    if options.json:
        values = {"schema": SCHEMA, "files": [str(one), str(other)], "differing": list(found.differing()), **found.to_dict()}
        print(json.dumps(values, allow_nan=False))
    else:
        out.print(found.table())
        if found.frequencies:
            out.print()
            out.print(found.frequency_table())
    if options.figures is not None:
        name = "-and-".join(each.replace("/", "-") for each in names)
        count = write_pictures(options.figures, [(name, found.figure())], lambda picture: None, options.style)
        options.common.say(f"interp-analyze: {options.figures}: {count} picture{'' if count == 1 else 's'}")
    return 0


def _circuit(path: Path, facts: Facts) -> Circuit:
    """The circuit in a file; ``facts`` are about files of other projects, and this one's own say all about themselves."""
    try:
        return formats.load(path, facts).circuit()
    except InterpError as refused:
        with suppress(InterpError):
            own = formats.load(path)
            if facts != Facts() and not own.notes:
                return own.circuit()
        raise refused


def _names(one: Path, other: Path) -> tuple[str, str]:
    """What to call two files: by their names, and by as many of their folders as tell them apart."""
    for count in range(1, 1 + max(len(one.parts), len(other.parts))):
        names = tuple("/".join(path.parts[-count:]) for path in (_without_ending(one), _without_ending(other)))
        if names[0] != names[1]:
            return names[0], names[1]
    return str(one), str(other)


def _without_ending(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in ENDINGS else path
