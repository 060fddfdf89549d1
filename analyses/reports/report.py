"""Report: the whole answer about any circuit, in one call, as text, JSON and page."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analyses.findings.finding import Finding
from analyses.findings.measurement import MEASUREMENTS, in_order
from analyses.reports import text
from analyses.reports.answer import Answer, examine
from analyses.reports.page.assemble import Subject, page
from interp.circuit import Circuit


@dataclass(frozen=True, eq=False)
class Report:
    """What there is to say about a circuit; prints as ``interp-analyze`` does."""

    answer: Answer
    """The verdict and the findings that were asked for."""

    def __str__(self) -> str:
        """The lines of the answer, then the tables of the findings."""
        tables = [str(finding).rstrip() for finding in self.findings.values()]
        return "\n\n".join(["\n".join(text.headline(self.answer)), *tables]) + "\n"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    @property
    def findings(self) -> dict[str, Finding]:
        """The findings by the names of their measurements."""
        return self.answer.findings

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values, as ``interp-analyze --json`` prints them."""
        return self.answer.to_dict()

    def json(self) -> str:
        """The answer as one line of JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def page(self) -> str:
        """The page, one HTML file that needs nothing else, with every measurement: what was not asked for is measured now, less
        what is only measured on request, as is ``certificate``."""
        circuit, have = self.answer.circuit, self.findings
        missing = [name for name in in_order() if name not in have and not MEASUREMENTS[name].on_request]
        every = {**have, **examine(circuit, path=self.answer.path, more=missing).findings}
        ordered = {name: every[name] for name in in_order() if name in every}
        return page([Subject(replace(self.answer, findings=ordered))])


def report(
    circuit: Circuit,
    *,
    only: Sequence[str] = (),
    name: str = "this network",
    progress: Callable[[str], None] = lambda measurement: None,
) -> Report:
    """What does this network compute, with which frequencies and which circuit, and how sure is that?

    ``circuit``: from ``interp.load``, ``from_function``, ``from_logits`` or ``Circuit(network)``. ``only``: the measurements
    wanted, as names; all that are not slow where none is named. ``name``: what to call the network. ``progress`` hears the name
    of each measurement before it is made.
    """
    return Report(examine(circuit, path=Path(name), only=only, progress=progress))
