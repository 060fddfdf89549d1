"""interp-analyze: which frequencies and which circuit does a checkpoint use, and how sure is that?"""

# argparse rather than interp-train's tyro: it starts in no time, and this command is run on many files.
import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.status import Status
from rich.text import Text

from analyses import MEASUREMENTS
from analyses.clock_or_pizza import CircuitName
from analyses.report import text, timeline
from analyses.report.answer import SCHEMA, Answer, answer
from analyses.report.files import check_is_writable, write_figures, write_page
from analyses.report.page import Subject
from analyses.timeline.moving_circles import moving_circles
from interp import run
from interp.command import MISTAKE, run_command
from interp.errors import InterpError, one_line
from interp.finding import is_on_request
from interp.formats.facts import Facts
from interp.formats.options import add_reading_options, facts_of
from interp.terminal import marked, print_line

AS_EXPECTED, NOT_AS_EXPECTED, UNREADABLE = 0, 1, MISTAKE
SUFFIXES = (".pt", ".pth", ".safetensors")
"""What is looked for in a directory; a file that is named may be called anything."""
CARD = ("explanation", "surrogate", "phase_law", "causal", "residual")
"""What --explain adds, the card first."""
ORDER = ("clock_or_pizza", "key_frequencies", "amplitude_profile", "logit_spectrum", "neuron_clusters")
"""The tables that come first; all others follow by name."""

_USUAL = sorted(name for name, measure in MEASUREMENTS.items() if not is_on_request(measure))

_DESCRIPTION = """\
Say which key frequencies a network trained on a + b mod p uses, and which circuit: clock, pizza or a hybrid.

The first three lines are the answer: does it generalise, at which frequencies, which circuit and how sure.
The tables after them are the evidence. Several files, or a directory, get one row each.

A run directory (of interp-train) gets its timeline instead, from the snapshots in it: what was memorised when, when the
circuit formed, when the rest was cleaned up.
"""

_EXAMPLES = """\
examples:
  interp-analyze checkpoints/quick-113.pt
  interp-analyze checkpoints                          one row per checkpoint
  interp-analyze runs/quick-p113-seed0/model.pt --only key_frequencies amplitude_profile
  interp-analyze model.pt --json | jq .circuit
  interp-analyze model.pt --html page.html            a page to look at and play with
  interp-analyze runs/quick-p113-seed0                the timeline of a run
  interp-analyze model.pt --explain                   is it explained, how much is left, and where that lives
  interp-analyze model.pt --expect-circuit clock --expect-frequencies 14 35 41 42 52     in CI

exit codes:
  0  read, and as expected where something was expected
  1  not as expected
  2  a file could not be read, or the options are wrong
"""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-analyze; returns its exit code."""
    return run_command("interp-analyze", lambda: _analyze(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interp-analyze",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="checkpoint.pt", help="checkpoint files, run directories or others"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per file and line (schema: README)")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=sorted(MEASUREMENTS),
        metavar="MEASUREMENT",
        help="after the files: the evidence that follows the answer (one file, or --json); default "
        + ", ".join(_USUAL)
        + "; on request also "
        + ", ".join(sorted(MEASUREMENTS.keys() - _USUAL)),
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="is the network explained? the card (what it computes, how, why we believe it, what is left) and its evidence; "
        "seconds per file",
    )
    parser.add_argument(
        "--html",
        type=Path,
        metavar="PAGE.html",
        help="write a page: the answer, the circles, two sliders that add, the evidence, all measurements; one file that needs "
        "no network. Of a run directory its timeline too; several files are put side by side",
    )
    parser.add_argument(
        "--figures", type=Path, metavar="DIR", help="write every figure into this directory, as PNG and SVG (needs Chromium)"
    )
    parser.add_argument(
        "--all-triples",
        action="store_true",
        help="gradient symmetry over all p³ triples instead of a seeded sample (exact; some ten seconds at p = 113)",
    )
    parser.add_argument(
        "--expect-frequencies",
        nargs="*",
        type=int,
        metavar="K",
        help="after the files: exit 1 unless these are the key frequencies",
    )
    parser.add_argument(
        "--expect-circuit",
        choices=get_args(CircuitName),
        metavar="CIRCUIT",
        help="exit 1 unless this is the verdict: " + ", ".join(get_args(CircuitName)),
    )
    add_reading_options(parser)
    return parser


def _analyze(options: argparse.Namespace) -> int:
    # No spinner into a pipe, whatever FORCE_COLOR says, which Jupyter sets.
    out, err = _console(), Console(stderr=True, force_terminal=None if sys.stderr.isatty() else False)
    runs = [path for path in options.paths if timeline.is_run(path)]
    if runs:
        _check_options_of_runs(options)
    if options.html is not None:
        check_is_writable(options.html)
    paths = [path for path in options.paths if path not in runs]
    files = list(_files(paths))
    shows_rows = len(files) > 1 or any(path.is_dir() for path in paths)
    subjects: list[Subject] = []
    code = AS_EXPECTED
    for path in runs:
        try:
            found = timeline.measure(path, err)
            if _draws(options):
                saved = run.load(path).model_path
                circles = moving_circles(path, found.key_frequencies)
                subjects.append(Subject(_answer(saved, str(path), options, err), found, circles))
        except InterpError as error:
            code = _refuse(path, error, options)
            continue
        timeline.show(path, found, out, as_json=options.json)
    for number, path in enumerate(files, start=1):
        try:
            given = _answer(path, f"{path} ({number} of {len(files)})", options, err)
        except InterpError as error:
            code = _refuse(path, error, options)
            continue
        subjects.append(Subject(given))
        if options.json:
            print(json.dumps(given.to_dict(), allow_nan=False))
        for line in _unexpected(given, options):
            print(f"interp-analyze: {path}: {line}", file=sys.stderr)
            code = max(code, NOT_AS_EXPECTED)
    answers = [subject.answer for subject in subjects if subject.progress is None]
    if not options.json and answers:
        if shows_rows:
            out.print(text.overview(answers))
        else:
            _print_report(out, answers[0], [] if _draws(options) and not options.only else _measurements(options))
    if subjects:
        _write(subjects, options, err)
    return code


def _draws(options: argparse.Namespace) -> bool:
    """Are files asked for, which show everything?"""
    return options.html is not None or options.figures is not None


def _answer(path: Path, label: str, options: argparse.Namespace, err: Console) -> Answer:
    """Everything that is asked about one file, with a word about how far it is."""
    wanted = _measurements(options)
    if _draws(options):
        wanted += [name for name in (*ORDER, *_USUAL, *CARD, "addition") if name not in wanted]
        wanted = list(dict.fromkeys(wanted))
    with err.status(Text(label)) as status:
        slow = options.explain or _draws(options)
        progress = _progress(status, label, says=slow and not err.is_terminal)
        return answer(path, only=wanted, all_triples=options.all_triples, facts=facts_of(options), progress=progress)


def _refuse(path: Path, error: InterpError, options: argparse.Namespace) -> int:
    """Say what is wrong with a file or run; the exit code for it."""
    print(f"interp-analyze: {one_line(str(error))}", file=sys.stderr)
    if options.json:
        print(json.dumps({"schema": SCHEMA, "file": str(path), "error": str(error)}))
    return UNREADABLE


def _write(subjects: list[Subject], options: argparse.Namespace, err: Console) -> None:
    """The files that were asked for."""
    if options.html is not None:
        size = write_page(options.html, subjects)
        print(f"interp-analyze: {options.html}: {size / 1e6:.1f} MB, open it in a browser", file=sys.stderr)
    if options.figures is not None:
        with err.status(Text(f"{options.figures}: starting a browser")) as status:
            progress = _progress(status, str(options.figures), says=not err.is_terminal)
            count = write_figures(options.figures, subjects, progress)
        print(f"interp-analyze: {options.figures}: {count} pictures", file=sys.stderr)


def _check_options_of_runs(options: argparse.Namespace) -> None:
    """Refuse what is asked about one network where a whole run is named."""
    asked = (
        options.only
        or options.explain
        or options.all_triples
        or options.expect_frequencies is not None
        or options.expect_circuit
    )
    if asked or facts_of(options) != Facts():
        raise InterpError(
            "a run directory takes no option but --json, --html and --figures: for one of its networks name RUN/model.pt "
            "or a snapshot"
        )


def _measurements(options: argparse.Namespace) -> list[str]:
    """What to measure, in the order to show it."""
    if not options.explain:
        return options.only or [*ORDER, *sorted(set(_USUAL) - set(ORDER))]
    return [*CARD, *(name for name in options.only if name not in CARD)]


def _progress(status: Status, label: str, *, says: bool) -> Callable[[str], None]:
    """Where an analysis is: beside the spinner of a terminal, else, for one that takes seconds, a line each."""

    def progress(name: str) -> None:
        status.update(Text(f"{label}: {name}"))
        if says:
            print(f"interp-analyze: {label}: {name}", file=sys.stderr, flush=True)

    return progress


def _print_report(out: Console, given: Answer, names: list[str]) -> None:
    for line in text.headline(given):
        print_line(out, marked(line))
    for name in names:
        out.print()
        out.print(given.findings[name].table())


def _unexpected(given: Answer, options: argparse.Namespace) -> Iterator[str]:
    found, expected = set(given.key_frequencies.frequencies), options.expect_frequencies
    if expected is not None and found != set(expected):
        yield f"expected key frequencies {sorted(set(expected))}, got {sorted(found)}"
    circuit = given.clock_or_pizza.circuit
    if options.expect_circuit is not None and circuit != options.expect_circuit:
        yield f"expected circuit {options.expect_circuit}, got {circuit} ({given.clock_or_pizza.reason})"


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        # An empty directory stands for itself: reading it says what is wrong, and the other paths are still read.
        found = (file for file in path.rglob("*") if file.suffix in SUFFIXES)
        yield from sorted(file for file in found if not timeline.is_on_the_way(file)) or [path]


def _console() -> Console:
    """As wide as the terminal; piped, wide enough that no row is folded."""
    return Console() if sys.stdout.isatty() else Console(width=240)


if __name__ == "__main__":
    sys.exit(main())
