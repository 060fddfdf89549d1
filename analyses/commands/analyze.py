"""interp-analyze: which frequencies and which circuit does a checkpoint use, and how sure is that?"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

from analyses.commands.options import Options, parse
from analyses.commands.series import series_of, show_series
from analyses.findings.terminal import marked, print_line
from analyses.reports import text, timeline
from analyses.reports.answer import SCHEMA, Answer, answer
from analyses.reports.files import check_can_draw, check_is_writable, write_figures, write_page
from analyses.reports.page import Subject
from analyses.timeline.moving_answers import moving_answers
from analyses.timeline.moving_circles import moving_circles
from analyses.timeline.snapshots import readers
from interp.commands.command import MISTAKE, run_command
from interp.errors import InterpError, one_line
from interp.files.plain import ENDINGS
from interp.training import run

AS_EXPECTED, NOT_AS_EXPECTED, UNREADABLE = 0, 1, MISTAKE


def main(arguments: list[str] | None = None) -> int:
    """Run interp-analyze; returns its exit code."""
    return run_command("interp-analyze", lambda: _analyze(parse(arguments)))


def _analyze(options: Options) -> int:
    # No spinner into a pipe, whatever FORCE_COLOR says, which Jupyter sets.
    out, err = _console(), Console(stderr=True, force_terminal=None if sys.stderr.isatty() else False)
    if not options.paths:
        raise InterpError("expected checkpoint files, run directories or others to analyse: see interp-analyze --help")
    runs = [path for path in options.paths if timeline.is_run(path) and not options.series]
    if runs or options.series:
        options.check_options_of_runs()
    if options.html is not None:
        check_is_writable(options.html)
    if options.figures is not None:
        check_can_draw()
    if options.series:
        return _series(options, out, err)
    paths = [path for path in options.paths if path not in runs]
    files = list(_files(paths))
    subjects: list[Subject] = []
    codes = [AS_EXPECTED]
    for number, path in enumerate([*runs, *files], start=1 - len(runs)):
        is_run, label = path in runs, f"{path} ({number} of {len(files)})"
        try:
            subject = _run(path, options, out, err) if is_run else Subject(_answer(path, label, options, err))
        except InterpError as error:
            codes.append(_refuse(path, error, options))
            continue
        if subject is not None:
            subjects.append(subject)
            codes.append(AS_EXPECTED if is_run else _judge(subject.answer, options))
    answers = [subject.answer for subject in subjects if subject.progress is None]
    if not options.json and answers:
        if len(files) > 1 or any(path.is_dir() for path in paths):
            out.print(text.overview(answers))
        else:
            _print_report(out, answers[0], options.tables)
    if subjects:
        _write(subjects, options, err)
    return max(codes)


def _series(options: Options, out: Console, err: Console) -> int:
    """The timeline of every series that is named, printed, and drawn where that is asked; returns the exit code."""
    subjects, codes = [], [AS_EXPECTED]
    for named in series_of(options.paths):
        try:
            subject = show_series(named, options, out, err)
        except InterpError as error:
            codes.append(_refuse(named if isinstance(named, Path) else named[0], error, options))
            continue
        subjects += [] if subject is None else [subject]
    if subjects:
        _write(subjects, options, err)
    return max(codes)


def _run(path: Path, options: Options, out: Console, err: Console) -> Subject | None:
    """A run's timeline, printed; and, where files show it, its last network beside it."""
    networks, subject = readers(path), None
    found = timeline.measure(path, networks, err)
    if options.draws:
        keys = found.key_frequencies
        circles = moving_circles(networks, keys) if keys else None
        last = _answer(run.load(path).model_path, str(path), options, err)
        subject = Subject(last, found, circles, moving_answers(networks))
    timeline.show(path, found, out, as_json=options.json)
    return subject


def _answer(path: Path, label: str, options: Options, err: Console) -> Answer:
    """Everything that is asked about one file, with a word on standard error about how far the analysis is."""
    with err.status(Text(label)) as status:
        slow = options.explain or options.draws
        progress = _progress(status, label, says=slow and not err.is_terminal)
        return answer(
            path,
            only=options.only,
            more=options.more,
            all_triples=options.all_triples,
            facts=options.facts,
            module=options.module,
            progress=progress,
        )


def _judge(given: Answer, options: Options) -> int:
    """Print an answer as JSON where that is asked, and say what is not as expected; returns the exit code for it."""
    if options.json:
        print(json.dumps(given.to_dict(), allow_nan=False))
    unexpected = list(_unexpected(given, options))
    for line in unexpected:
        print(f"interp-analyze: {given.path}: {line}", file=sys.stderr)
    return NOT_AS_EXPECTED if unexpected else AS_EXPECTED


def _refuse(path: Path, error: InterpError, options: Options) -> int:
    """Say what is wrong with a file or run; returns the exit code for it."""
    print(f"interp-analyze: {one_line(str(error))}", file=sys.stderr)
    if options.json:
        print(json.dumps({"schema": SCHEMA, "file": str(path), "error": str(error)}))
    return UNREADABLE


def _write(subjects: list[Subject], options: Options, err: Console) -> None:
    """Write the page and the pictures that were asked for."""
    if options.html is not None:
        size = write_page(options.html, subjects)
        print(f"interp-analyze: {options.html}: {size / 1e6:.1f} MB, open it in a browser", file=sys.stderr)
    if options.figures is not None:
        with err.status(Text(f"{options.figures}: starting a browser")) as status:
            progress = _progress(status, str(options.figures), says=not err.is_terminal)
            count = write_figures(options.figures, subjects, progress)
        print(f"interp-analyze: {options.figures}: {count} pictures", file=sys.stderr)


def _progress(status: Status, label: str, *, says: bool) -> Callable[[str], None]:
    """How far an analysis is: beside the spinner of a terminal, else, for one that takes seconds, a line each."""

    def progress(name: str) -> None:
        status.update(Text(f"{label}: {name}"))
        if says:
            print(f"interp-analyze: {label}: {name}", file=sys.stderr, flush=True)

    return progress


def _print_report(out: Console, given: Answer, names: list[str]) -> None:
    for line in text.headline(given):
        print_line(out, marked(line))
    for name in names:
        if name in given.findings:
            out.print()
            out.print(given.findings[name].table())


def _unexpected(given: Answer, options: Options) -> Iterator[str]:
    found = set(given.frequencies or ())
    expected = options.expect_frequencies
    if expected is not None and found != set(expected):
        yield f"expected key frequencies {sorted(set(expected))}, got {sorted(found)}"
    names, wanted = given.key_representations, options.expect_representations
    if wanted is not None and set(names.keys if names else ()) != set(wanted):
        yield f"expected key representations {', '.join(sorted(set(wanted)))}, got {names.listed if names else 'none'}"
    verdict = given.clock_or_pizza or given.trace_or_coset
    if options.expect_circuit is not None and given.circuit_name != options.expect_circuit:
        got = f"none ({given.lacking})" if verdict is None else f"{verdict.verdict} ({verdict.reason})"
        yield f"expected circuit {options.expect_circuit}, got {got}"


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        # An empty directory stands for itself: reading it says what is wrong, and the other paths are still read.
        found = (file for file in path.rglob("*") if file.suffix in ENDINGS)
        yield from sorted(file for file in found if not timeline.is_on_the_way(file)) or [path]


def _console() -> Console:
    """A console as wide as the terminal; piped, wide enough that no row is folded."""
    return Console() if sys.stdout.isatty() else Console(width=240)


if __name__ == "__main__":
    sys.exit(main())
