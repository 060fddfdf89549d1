"""Answers as files: the page, and every figure as a picture."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from analyses.report.answer import Lacking
from analyses.report.page import Subject, page
from interp.checkpoint import write_atomically
from interp.drawing import with_caption
from interp.errors import InterpError
from interp.finding import Finding


def check_is_writable(file: Path) -> None:
    """Refuse, before anything is computed for it, a file that cannot be written there."""
    if file.is_dir():
        raise InterpError(f"cannot write {file}: it is a directory")
    if not file.parent.is_dir():
        raise InterpError(f"cannot write {file}: {file.parent} is no directory")


def write_page(file: Path, subjects: Sequence[Subject]) -> int:
    """The page of these networks; its size in bytes. Raises InterpError where it cannot be written."""
    content = page(subjects).encode()
    write_atomically(file, content)
    return len(content)


def write_figures(directory: Path, subjects: Sequence[Subject], progress: Callable[[str], None]) -> int:
    """Every figure as NETWORK-MEASUREMENT.png and .svg, their number. ``progress`` hears of each picture.

    Raises InterpError where they cannot be written, or there is no browser to draw them.
    """
    import kaleido
    from choreographer.errors import ChromeNotFoundError

    try:
        directory.mkdir(parents=True, exist_ok=True)
        kaleido.start_sync_server(silence_warnings=True)
        figures = list(_figures(subjects))
        for name, finding in figures:
            figure = with_caption(finding.figure())
            for kind in ("png", "svg"):
                progress(f"{name}.{kind}")
                size = {"width": figure.layout.width, "height": figure.layout.height, "scale": 2 if kind == "png" else 1}
                picture = kaleido.calc_fig_sync(figure, opts={"format": kind, **size})
                write_atomically(directory / f"{name}.{kind}", picture)
    except ChromeNotFoundError as error:
        raise InterpError(
            "--figures needs Chrome or Chromium to draw: install one, or name it in the environment variable BROWSER_PATH"
        ) from error
    except OSError as error:
        raise InterpError(f"cannot write into {directory}: {error.strerror}") from error
    finally:
        kaleido.stop_sync_server(silence_warnings=True)
    return 2 * len(figures)


def _figures(subjects: Sequence[Subject]) -> Iterator[tuple[str, Finding]]:
    """(name, finding) of every figure; networks with the same file name are told apart by a number."""
    taken = set[str]()
    for number, subject in enumerate(subjects, start=1):
        stem = subject.name.replace("/", "-")
        stem = f"{stem}-{number}" if stem in taken else stem
        taken.add(stem)
        findings: dict[str, Finding | None] = {
            **subject.answer.findings, "progress": subject.progress, "moving_circles": subject.circles
        }  # fmt: skip
        for name, finding in findings.items():
            if finding is not None and not isinstance(finding, Lacking):
                yield f"{stem}-{name}", finding
