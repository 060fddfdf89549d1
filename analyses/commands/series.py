"""interp-analyze --series: the timeline of the checkpoints of one run of anybody."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from analyses.commands.options import Options
from analyses.reports import timeline
from analyses.reports.answer import examine
from analyses.reports.page import Subject
from analyses.timeline.moving_circles import MovingCircles, moving_circles
from analyses.timeline.snapshots import Reader
from interp.circuit import Circuit
from interp.files.checkpoint import Checkpoint
from interp.files.formats.series import load_series
from interp.networks.model import Unavailable


def series_of(paths: Sequence[Path]) -> list[Path | tuple[Path, ...]]:
    """The series that are named: a directory is one of its own, and all files together are one."""
    files = tuple(path for path in paths if not path.is_dir())
    return [*(path for path in paths if path.is_dir()), *([files] if files else [])]


def show_series(named: Path | tuple[Path, ...], options: Options, out: Console, err: Console) -> Subject | None:
    """Print a series's timeline; and, where files show it, its last network beside it. Raises InterpError."""
    saved = load_series(named, options.facts)
    path = named if isinstance(named, Path) else saved[-1][0].parent
    last_path, last = saved[-1]
    networks: list[Reader] = [partial(_circuit_and_step, each) for _, each in saved]
    found = timeline.measure(path, networks, err)
    timeline.show(path, found, out, as_json=options.json, notes=(*last.notes, f"decided on {last_path.name}, the last"))
    if not options.draws:
        return None
    answer = examine(last.circuit(), path=last_path, checkpoint=last, more=options.more)
    return Subject(answer, found, _circles(networks, found.key_frequencies), is_series=True)


def _circuit_and_step(saved: Checkpoint) -> tuple[Circuit, int]:
    return saved.circuit(), saved.step


def _circles(networks: Sequence[Reader], keys: Sequence[int]) -> MovingCircles | None:
    try:
        return moving_circles(networks, keys) if keys else None
    except Unavailable:  # of logits alone there are no circles
        return None
