"""Answers as files: the page, and every figure as a picture."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from analyses.findings.finding import Finding
from analyses.findings.picture import AS_ON_A_PAGE, PictureStyle
from analyses.reports.page import Subject, page
from interp.errors import InterpError
from interp.files.atomic import write_atomically

if TYPE_CHECKING:
    import plotly.graph_objects as go


def check_is_writable(file: Path) -> None:
    """Refuse, before anything is computed for it, a file that cannot be written there."""
    if file.is_dir():
        raise InterpError(f"cannot write {file}: it is a directory")
    if not file.parent.is_dir():
        raise InterpError(f"cannot write {file}: {file.parent} is no directory")


def check_can_draw() -> None:
    """Refuse, before anything is computed for them, pictures where what draws them is not installed."""
    if find_spec("kaleido") is None:
        raise InterpError('--figures needs kaleido, which is not installed: pip install "interp[figures]"')


def write_page(file: Path, subjects: Sequence[Subject]) -> int:
    """Write the page of these networks; returns its size in bytes. Raises InterpError where it cannot be written."""
    content = page(subjects).encode()
    write_atomically(file, content)
    return len(content)


def write_figures(
    directory: Path,
    subjects: Sequence[Subject],
    progress: Callable[[str], None],
    *,
    only: Sequence[str] = (),
    style: PictureStyle = AS_ON_A_PAGE,
) -> int:
    """Write every figure of these networks, or ``only`` those of these measurements, as NETWORK-MEASUREMENT.png and so on.

    All else as ``write_pictures``.
    """
    figures = ((f"{name}-{what}", finding.figure()) for name, what, finding in _figures(subjects) if not only or what in only)
    return write_pictures(directory, figures, progress, style)


def write_pictures(
    directory: Path,
    figures: "Iterable[tuple[str, go.Figure]]",
    progress: Callable[[str], None],
    style: PictureStyle = AS_ON_A_PAGE,
) -> int:
    """Write figures as NAME.png and so on; returns how many pictures. ``progress`` hears of each picture.

    Raises InterpError where they cannot be written, or there is no kaleido or no browser to draw them.
    """
    check_can_draw()
    from choreographer.errors import ChromeNotFoundError

    try:
        directory.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_draw(directory, figures, progress, style))
    except ChromeNotFoundError as error:
        raise InterpError(
            "--figures needs Chrome or Chromium to draw: install one, or name it in the environment variable BROWSER_PATH"
        ) from error
    except OSError as error:
        raise InterpError(f"cannot write into {directory}: {error.strerror}") from error


async def _draw(
    directory: Path, figures: "Iterable[tuple[str, go.Figure]]", progress: Callable[[str], None], style: PictureStyle
) -> int:
    """Draw all figures in one browser, which takes longer to start than to draw."""
    import kaleido

    count = 0
    async with kaleido.Kaleido() as browser:
        for name, drawn in figures:
            figure = style.drawn(drawn)
            for kind in style.formats:
                progress(f"{name}.{kind}")
                size = {"width": figure.layout.width, "height": figure.layout.height, "scale": 2 if kind == "png" else 1}
                picture = await browser.calc_fig(figure, opts={"format": kind, **size})
                write_atomically(directory / f"{name}.{kind}", picture)
                count += 1
    return count


def _figures(subjects: Sequence[Subject]) -> Iterator[tuple[str, str, Finding]]:
    """(network, measurement, finding) of every figure; networks with the same name are told apart by a number."""
    taken = set[str]()
    for number, subject in enumerate(subjects, start=1):
        # A dot in the name of a run's folder begins no ending.
        stem = subject.path.name if subject.path.is_dir() else subject.name.replace("/", "-").replace(", ", "-")
        stem = f"{stem}-{number}" if stem in taken else stem
        taken.add(stem)
        findings: dict[str, Finding | None] = {**subject.answer.findings, **subject.through_time}
        for name, finding in findings.items():
            if finding is not None and finding.is_drawn():
                yield stem, name, finding
