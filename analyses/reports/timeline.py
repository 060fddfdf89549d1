"""The timeline of run directories, and of series of anyone's checkpoints, as tables or JSON."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from analyses.findings.terminal import print_line
from analyses.reports.answer import SCHEMA, Answer
from analyses.timeline.progress import Progress, progress_of
from analyses.timeline.snapshots import Reader

THROUGH_TIME = ("progress", "moving_answers", "moving_circles")
"""Names of the findings about a run."""


def is_run(path: Path) -> bool:
    """Is this a run directory of interp-train? That of a published network has a config.json too, but no log beside it."""
    return (path / "config.json").is_file() and ((path / "log.jsonl").exists() or (path / "snapshots").is_dir())


def checkpoints_of(folder: Path, endings: Collection[str]) -> list[Path]:
    """The files in a folder, at any depth, that end as checkpoints do.

    Where there are whole runs in it, those that belong to a run's way, not to its result, are left out; a run's own folder of
    snapshots is looked at where it is named.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix in endings)
    return [file for file in files if not _is_on_the_way(file, folder)]


def _is_on_the_way(file: Path, folder: Path) -> bool:
    """Does a file belong to the way of a run that lies within this folder?"""
    if file.name == "resume.pt" and is_run(file.parent):
        return True
    return file.parent.name == "snapshots" and file.parent.resolve() != folder.resolve() and is_run(file.parent.parent)


def show(
    path: Path, found: Progress, out: Console, *, as_json: bool, notes: Sequence[str] = (), last: Answer | None = None
) -> None:
    """Print the timeline of a run. ``notes``: how the files of a series were read; ``last``: for the JSON, its last network."""
    if as_json:
        values = {"schema": SCHEMA, "file": str(path), "error": None, "notes": list(notes), **found.to_dict()}
        print(json.dumps(values if last is None else {**values, "last": last.to_dict()}, allow_nan=False))
    else:
        _print(found, out, notes)


def measure(path: Path, networks: Sequence[Reader], err: Console) -> Progress:
    """The timeline of a run, with a word on standard error about how far it is."""
    with err.status(Text(f"{path}: reading")) as status:
        shown = -1

        def on_moment(done: int, count: int) -> None:
            nonlocal shown
            status.update(Text(f"{path}: snapshot {done} of {count}"))
            if not err.is_terminal and done * 10 // count > shown:  # a line per tenth
                shown = done * 10 // count
                err.print(f"interp-analyze: {path}: snapshot {done} of {count}", highlight=False, markup=False, soft_wrap=True)

        return progress_of(networks, on_moment=on_moment)


def _print(found: Progress, out: Console, notes: Sequence[str]) -> None:
    keys = " ".join(map(str, found.key_frequencies)) or "none"
    verdict = found.phases
    for line in (
        f"{found.words.sentence}, {len(found.moments)} snapshots from step {found.moments[0].step} to {found.moments[-1].step}",
        f"Verdict: {verdict.verdict} ({verdict.reason})",
        f"Key frequencies at the end: {keys}",
        *([f"Wrong labels: {found.labels_in_words}"] if found.labels_in_words else []),
        *([f"Read as: {'; '.join(notes)}"] if notes else []),
    ):
        print_line(out, Text(line))
    tables = [found.table()]
    if verdict.boundaries:
        tables = [verdict.table(), verdict.moves_table(), *tables]
    if found.labels_in_words:
        tables.append(found.labels_table())
    if found.key_frequencies:
        tables.append(found.frequency_table())
    for table in tables:
        out.print()
        out.print(table)
