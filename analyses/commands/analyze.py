"""interp-analyze: which frequencies and which circuit does a checkpoint use, and how sure is that?"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.status import Status
from rich.text import Text

from analyses.commands.comparing import compare_files
from analyses.commands.many_files import several_at_a_time
from analyses.commands.options import Options, parsed
from analyses.commands.through_time import Way, series_of, show_way, way_of_run, way_of_series
from analyses.findings.terminal import marked, print_line
from analyses.reports import text, timeline
from analyses.reports.answer import SCHEMA, Answer, answer
from analyses.reports.files import check_can_draw, check_is_writable, write_figures, write_page
from analyses.reports.page import Subject
from interp.commands.command import MISTAKE, output, run_command
from interp.errors import InterpError, one_line
from interp.files.plain import ENDINGS
from interp.training import run

AS_EXPECTED, NOT_AS_EXPECTED, UNREADABLE = 0, 1, MISTAKE


def main(arguments: list[str] | None = None) -> int:
    """Run interp-analyze; returns its exit code."""
    return run_command("interp-analyze", lambda: _analyze(parsed(arguments)))


def _analyze(options: Options) -> int:
    out, err = output(), options.common.console()
    options.check()
    torch.set_num_threads(options.threads)
    if options.html is not None:
        check_is_writable(options.html)
    if options.figures is not None:
        check_can_draw()
    if options.compare is not None:
        return compare_files(options.paths[0], options.compare, options, out, err)
    runs = [path for path in options.paths if timeline.is_run(path) and not options.series]
    if runs or options.series:
        options.check_options_of_runs()
    elif len(options.of_network) < len(options.only):
        raise InterpError(f"{', '.join(timeline.THROUGH_TIME)} are about a run: name its directory, or --series")
    named = series_of(options.paths) if options.series else runs
    paths = [] if options.series else [path for path in options.paths if path not in runs]
    files = list(_files(paths))
    # The timelines are printed one by one, the files' answers together.
    subjects: list[Subject] = []
    answers: list[Answer] = []
    codes = [AS_EXPECTED]
    for each in named:
        path = each if isinstance(each, Path) else each[0]
        try:
            way = way_of_series(each, options) if options.series else _run(path, options, err)
            last, subject = show_way(way, options, out, err)
        except InterpError as error:
            codes.append(_refuse(path, error, options))
            continue
        subjects += [] if subject is None else [subject]
        codes.append(AS_EXPECTED if last is None else _of_last(last, options, out))

    def handle(path: Path, found: Answer | InterpError) -> None:
        if isinstance(found, InterpError):
            codes.append(_refuse(path, found, options))
            return
        answers.append(found)
        subjects.append(Subject(found))
        if options.json:
            _print_json(found)
        codes.append(_judge(found, options))

    if options.workers > 1 and len(files) > 1:
        several_at_a_time(files, _asked(options), options.workers, err, handle)
    else:
        for number, path in enumerate(files, start=1):
            try:
                found: Answer | InterpError = _answer(path, f"{path} ({number} of {len(files)})", options, err)
            except InterpError as error:
                found = error
            handle(path, found)
    if not options.json and answers:
        _print_answers(out, answers, options, is_list=len(files) > 1 or any(path.is_dir() for path in paths))
    if subjects:
        _write(subjects, options, err)
    return max(codes)


def _run(path: Path, options: Options, err: Console) -> Way:
    """The way of a run. Raises InterpError where the directory is damaged."""
    newest = run.load(path).model_path
    return way_of_run(path, lambda: _answer(newest, str(path), options, err))


def _of_last(last: Answer, options: Options, out: Console) -> int:
    """Show what is asked about the last network of a run; returns the exit code for it."""
    if not options.json:
        if options.asks_for_timeline:
            out.print()
        # The timeline is the evidence that a run has: what is expected of its last network needs no tables of its own.
        _print_report(out, last, options.tables if options.only or options.explain or options.certify else [])
    elif not options.asks_for_timeline:
        _print_json(last)
    return _judge(last, options)


def _answer(path: Path, label: str, options: Options, err: Console) -> Answer:
    """Everything that is asked about one file, with a word on standard error about how far the analysis is."""
    with err.status(Text(label)) as status:
        slow = options.explain or options.draws
        progress = _progress(status, label, options, says=slow and not err.is_terminal)
        return answer(path, **_asked(options), progress=progress)


def _asked(options: Options) -> dict[str, Any]:
    """What is asked about every file: the arguments of ``answer``."""
    return {
        "only": options.of_network,
        "more": options.more,
        "all_triples": options.all_triples,
        "facts": options.facts,
        "module": options.module,
    }


def _print_json(given: Answer) -> None:
    print(json.dumps(given.to_dict(), allow_nan=False))


def _judge(given: Answer, options: Options) -> int:
    """Say what is not as expected; returns the exit code for it."""
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
        options.common.say(f"interp-analyze: {options.html}: {size / 1e6:.1f} MB, open it in a browser")
    if options.figures is not None:
        with err.status(Text(f"{options.figures}: starting a browser")) as status:
            progress = _progress(status, str(options.figures), options, says=not err.is_terminal)
            count = write_figures(options.figures, subjects, progress, only=options.only, style=options.style)
        options.common.say(f"interp-analyze: {options.figures}: {count} picture{'' if count == 1 else 's'}")


def _progress(status: Status, label: str, options: Options, *, says: bool) -> Callable[[str], None]:
    """How far an analysis is: beside the spinner of a terminal, else, for one that takes seconds, a line each."""

    def progress(name: str) -> None:
        status.update(Text(f"{label}: {name}"))
        if says:
            options.common.say(f"interp-analyze: {label}: {name}")

    return progress


def _print_answers(out: Console, answers: list[Answer], options: Options, *, is_list: bool) -> None:
    """One report, or a row per file, and below the rows what --only asks for of each file."""
    if not is_list:
        _print_report(out, answers[0], options.tables)
        return
    out.print(text.overview(answers))
    for given in answers if options.only else ():
        out.print()
        out.print(Text(str(given.path), style="bold"))
        _print_tables(out, given, options.of_network)


def _print_report(out: Console, given: Answer, names: list[str]) -> None:
    for line in text.headline(given):
        print_line(out, marked(line))
    _print_tables(out, given, names)


def _print_tables(out: Console, given: Answer, names: list[str]) -> None:
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
        # An empty directory stands for itself: reading it says what is wrong, and the other paths are still read.
        yield from (timeline.checkpoints_of(path, ENDINGS) or [path]) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
