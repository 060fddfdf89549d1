"""interp-analyze's options: what can be asked, and what of it goes together."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from analyses.chapters import EXPLAINING
from analyses.evidence.clock_or_pizza import Verdict
from analyses.findings.measurement import in_order
from analyses.groups.trace_or_coset import Form
from interp.commands.reading import Reading
from interp.errors import InterpError
from interp.files.formats.facts import Facts

if TYPE_CHECKING:
    MeasurementName = str
else:
    MeasurementName = Literal[tuple(in_order())]

DESCRIPTION = f"""\
Say which key frequencies a network trained on arithmetic uses, and which circuit: clock, pizza, both, or a mixture;
or which representations of a group, and whether it works with traces or with cosets.

The first three lines are the answer: does it generalise, at which frequencies, which circuit and how sure.
The tables after them are the evidence. Several files, or a directory, get one row each.

A run directory (of interp-train) gets its timeline instead, from the snapshots in it: what was memorised when, when the
circuit formed, when the rest was cleaned up.

Examples:
  interp-analyze checkpoints/quick-113.pt
  interp-analyze checkpoints                          one row per checkpoint
  interp-analyze runs/quick-p113-seed0/model.pt --only key_frequencies amplitude_profile
  interp-analyze model.pt --json | jq .circuit
  interp-analyze model.pt --html page.html            a page to look at and play with
  interp-analyze runs/quick-p113-seed0                the timeline of a run
  interp-analyze model.pt --explain                   is it explained, by what, and where the rest of its output lives
  interp-analyze theirs.pt --module code.py:build     weights of your own torch module; code.py is run
  interp-analyze model.pt --certify                   what accuracy is proven, with how little work
  interp-analyze their_checkpoints --series           the timeline of anybody's run, from its checkpoints
  interp-analyze logits.npy                           logits of all pairs, [p, p, p]
  interp-analyze theirs.pt --train-pairs train.csv    was it memorised? The pairs it was trained on say so
  interp-analyze theirs.pt --task subtraction         what a file of another project has to compute
  interp-analyze model.pt --expect-circuit clock --expect-frequencies 14 35 41 42 52     in CI

Measurements, in the order of a report: {", ".join(in_order(slow=False))}.
On request (--only, --explain, --html): {", ".join(in_order(slow=True))}.

Exit codes: 0 read, and as expected where something was expected; 1 not as expected; 2 a file could not be read, or the
options are wrong.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-analyze can be told."""

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="checkpoint.pt ...", help_behavior_hint="")]
    """Checkpoint files, run directories or others."""
    json: bool = False
    """Print one JSON object per file and line (documented in docs/json.md)."""
    only: Annotated[tuple[MeasurementName, ...], tyro.conf.arg(metavar="MEASUREMENT ...", help_behavior_hint="")] = ()
    """After the files: the measurements that follow the answer (one file, or --json)."""
    explain: bool = False
    """Is the network explained, and on which rung? The card (what it computes, how, why we believe it, where the rest lives)
    and its evidence; seconds per file (docs/explained.md)."""
    certify: bool = False
    """What accuracy is proven from the weights, and with how much less work than trying all pairs (docs/certificates.md)."""
    html: Annotated[Path | None, tyro.conf.arg(metavar="PAGE.html")] = None
    """Write a page: the answer, the circles, two sliders that compute, the evidence, all measurements; one file that needs no
    network. Of a run directory its timeline too; several files are put side by side."""
    figures: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Write every figure into this directory, as PNG and SVG (needs interp[figures] and Chromium)."""
    all_triples: bool = False
    """Gradient symmetry over all p³ triples instead of a seeded sample (exact; some ten seconds at p = 113)."""
    expect_frequencies: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="K ...")] = None
    """After the files: exit 1 unless these are the key frequencies."""
    expect_representations: Annotated[tuple[str, ...] | None, tyro.conf.arg(metavar="NAME ...")] = None
    """After the files: exit 1 unless these are the key representations."""
    expect_circuit: Verdict | Form | None = None
    """Exit 1 unless this is the verdict."""
    module: Annotated[str | None, tyro.conf.arg(metavar="FILE.py:FUNCTION")] = None
    """Your own code, which is run: FUNCTION() returns the torch module whose weights the files hold, or that and a dict of
    further arguments of interp.from_module (tokens, neurons, …)."""
    series: bool = False
    """The files, or those of a directory, are the checkpoints of one run of anybody: decide on the last how to read them, and
    show the timeline of the run (docs/timeline.md)."""
    reading: Reading = field(default_factory=Reading)
    """How to read a file of another project."""

    @property
    def facts(self) -> Facts:
        """What is said about a file of another project."""
        return self.reading.facts

    @property
    def draws(self) -> bool:
        """Are files asked for, which show everything?"""
        return self.html is not None or self.figures is not None

    @property
    def tables(self) -> list[str]:
        """The measurements whose tables are printed; none where a page is made and none was asked for."""
        asked = [
            *(in_order(chapter=EXPLAINING) if self.explain else ()),
            *(["certificate"] if self.certify else ()),
            *self.only,
        ]
        if asked or self.draws:
            return list(dict.fromkeys(asked))
        return in_order(slow=False)

    @property
    def more(self) -> list[str]:
        """What to measure where it suits the task, in the order to show it: what is printed, then what only files show."""
        return list(dict.fromkeys([*self.tables, *(in_order() if self.draws else [])]))

    def check_options_of_runs(self) -> None:
        """Refuse what is asked about one network where a whole run, or a series, is named."""
        expects = (self.expect_frequencies, self.expect_representations, self.expect_circuit) != (None, None, None)
        if (
            self.only
            or self.explain
            or self.certify
            or self.all_triples
            or expects
            or self.module is not None
            or (self.facts != Facts() and not self.series)
        ):
            what = "a series takes no option but how to read it," if self.series else "a run directory takes no option but"
            one = "one of its files" if self.series else "RUN/model.pt or a snapshot"
            raise InterpError(f"{what} --json, --html and --figures: for one of its networks name {one}")


def parse(arguments: list[str] | None) -> Options:
    """The options on a command line."""
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes)
    return tyro.cli(Options, prog="interp-analyze", args=arguments, description=DESCRIPTION, config=config)
