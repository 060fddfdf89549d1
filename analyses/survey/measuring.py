"""Sweeps with this project's measurements: a spec and a directory are all they need."""

from pathlib import Path

from analyses.survey.row import columns, look
from analyses.survey.through_time import COLUMNS, timeline
from interp.sweep.spec import Spec
from interp.sweep.sweep import Sweep


def measured_sweep(path: Path, spec: Spec) -> Sweep:
    """The sweep of a spec in a directory, whose rows have the verdict on every network, its card, the numbers of the findings
    that the spec names and, where it asks for timelines, what became of every run.

    Raises InterpError on a finding that no measurement has.
    """
    of_runs = COLUMNS if spec.timeline else {}
    look_back = timeline if spec.timeline else None
    return Sweep(path, spec, {**columns(spec.findings), **of_runs}, look(spec.findings), look_back)
