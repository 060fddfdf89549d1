"""interp-analyze's options: what can be asked, and what of it goes together."""

# argparse rather than interp-train's tyro: it starts in no time, and this command is run on many files.
import argparse
from pathlib import Path
from typing import get_args

from analyses import MEASUREMENTS
from analyses.clock_or_pizza import CircuitName
from interp.errors import InterpError
from interp.finding import is_on_request
from interp.formats.facts import Facts
from interp.formats.options import add_reading_options, facts_of

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


def parser() -> argparse.ArgumentParser:
    """What interp-analyze understands."""
    made = argparse.ArgumentParser(
        prog="interp-analyze",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "paths", nargs="+", type=Path, metavar="checkpoint.pt", help="checkpoint files, run directories or others"
    )
    made.add_argument("--json", action="store_true", help="print one JSON object per file and line (schema: README)")
    made.add_argument(
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
    made.add_argument(
        "--explain",
        action="store_true",
        help="is the network explained? the card (what it computes, how, why we believe it, what is left) and its evidence; "
        "seconds per file",
    )
    made.add_argument(
        "--html",
        type=Path,
        metavar="PAGE.html",
        help="write a page: the answer, the circles, two sliders that add, the evidence, all measurements; one file that needs "
        "no network. Of a run directory its timeline too; several files are put side by side",
    )
    made.add_argument(
        "--figures", type=Path, metavar="DIR", help="write every figure into this directory, as PNG and SVG (needs Chromium)"
    )
    made.add_argument(
        "--all-triples",
        action="store_true",
        help="gradient symmetry over all p³ triples instead of a seeded sample (exact; some ten seconds at p = 113)",
    )
    made.add_argument(
        "--expect-frequencies",
        nargs="*",
        type=int,
        metavar="K",
        help="after the files: exit 1 unless these are the key frequencies",
    )
    made.add_argument(
        "--expect-circuit",
        choices=get_args(CircuitName),
        metavar="CIRCUIT",
        help="exit 1 unless this is the verdict: " + ", ".join(get_args(CircuitName)),
    )
    add_reading_options(made)
    return made


def draws(options: argparse.Namespace) -> bool:
    """Are files asked for, which show everything?"""
    return options.html is not None or options.figures is not None


def check_options_of_runs(options: argparse.Namespace) -> None:
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


def measurements(options: argparse.Namespace) -> list[str]:
    """What to measure, in the order to show it: what is printed first, then what only files show."""
    printed = tables(options)
    drawn = [*ORDER, *_USUAL, *CARD, "addition"] if draws(options) else []
    return list(dict.fromkeys([*printed, *drawn]))


def tables(options: argparse.Namespace) -> list[str]:
    """The measurements whose tables are printed; none where a page is made and none was asked for."""
    if options.explain:
        return list(dict.fromkeys([*CARD, *options.only]))
    if options.only or draws(options):
        return list(options.only)
    return list(dict.fromkeys([*ORDER, *_USUAL]))
