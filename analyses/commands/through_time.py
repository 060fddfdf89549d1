"""interp-analyze on runs and on series: the timeline, and what is asked about the last network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from analyses.commands.options import Options
from analyses.reports import timeline
from analyses.reports.answer import Answer, examine
from analyses.reports.page import Subject
from analyses.timeline.moving_answers import moving_answers
from analyses.timeline.moving_circles import MovingCircles, moving_circles
from analyses.timeline.progress import Progress
from analyses.timeline.snapshots import Reader, circuit_and_step, readers
from interp.files.formats.series import load_series
from interp.networks.model import Unavailable


@dataclass(frozen=True, kw_only=True)
class Way:
    """The networks of a run, or of anybody's series, on their way."""

    path: Path
    """What was named."""
    networks: Callable[[], Sequence[Reader]]
    """Function that gives a reader for each network, the earliest first. Raises InterpError where none were kept."""
    last: Callable[[], Answer]
    """Function that gives the answer about the last network, as far as the options ask about it."""
    notes: tuple[str, ...] = ()
    """Notes on how the files of a series were read."""
    is_series: bool = False
    """Is it a series of anybody's checkpoints, and no run directory?"""


def way_of_run(path: Path, last: Callable[[], Answer]) -> Way:
    """The way of a run directory; ``last`` gives the answer about its newest checkpoint."""
    return Way(path=path, networks=lambda: readers(path), last=last)


def series_of(paths: Sequence[Path]) -> list[Path | tuple[Path, ...]]:
    """The series that are named: a directory is one of its own, and all files together are one."""
    files = tuple(path for path in paths if not path.is_dir())
    return [*(path for path in paths if path.is_dir()), *([files] if files else [])]


def way_of_series(named: Path | tuple[Path, ...], options: Options) -> Way:
    """The way of anybody's checkpoints. Raises InterpError where they cannot be read, or are not of one run."""
    saved = load_series(named, options.facts)
    last_path, last = saved[-1]
    networks: list[Reader] = [partial(circuit_and_step, path, each) for path, each in saved]
    return Way(
        path=named if isinstance(named, Path) else last_path.parent,
        networks=lambda: networks,
        last=lambda: examine(
            last.circuit(),
            path=last_path,
            checkpoint=last,
            only=options.of_network,
            more=options.more,
            all_triples=options.all_triples,
        ),
        notes=(*last.notes, f"decided on {last_path.name}, the last"),
        is_series=True,
    )


def show_way(way: Way, options: Options, out: Console, err: Console) -> tuple[Answer | None, Subject | None]:
    """Print a timeline where it is asked for; the answer about the last network, and what files are to show of the run.

    The answer is None where nothing is asked about it. Raises InterpError.
    """
    found: Progress | None = None
    if options.asks_for_timeline:
        found = timeline.measure(way.path, way.networks(), err)
    last = way.last() if options.asks_about_network or options.draws else None
    if found is None:
        last = None if last is None else replace(last, path=way.path)
        return last, None if last is None else Subject(last)
    asked = last if options.asks_about_network else None
    timeline.show(way.path, found, out, as_json=options.json, notes=way.notes, last=asked)
    if last is None or not options.draws:
        return asked, None
    networks = way.networks()
    return asked, Subject(
        last,
        found,
        _circles(networks, found.key_frequencies) if options.shows("moving_circles") else None,
        moving_answers(networks) if options.shows("moving_answers") and not way.is_series else None,
        is_series=way.is_series,
    )


def _circles(networks: Sequence[Reader], keys: Sequence[int]) -> MovingCircles | None:
    try:
        return moving_circles(networks, keys) if keys else None
    except Unavailable:  # of logits alone there are no circles
        return None
