"""interp-analyze's options: what can be asked, and what of it goes together."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import tyro

from analyses.chapters import EXPLAINING
from analyses.evidence.clock_or_pizza import Verdict
from analyses.findings.measurement import MEASUREMENTS, in_order
from analyses.findings.picture import AS_ON_A_PAGE, PictureStyle
from analyses.groups.trace_or_coset import Form
from analyses.reports.timeline import THROUGH_TIME
from interp.commands.options import Common, InCommon, parse
from interp.commands.reading import Reading
from interp.errors import InterpError
from interp.files.formats.facts import Facts

if TYPE_CHECKING:
    MeasurementName = str
    CircuitName = str
else:
    MeasurementName = Literal[(*in_order(), *THROUGH_TIME)]
    CircuitName = Literal[tuple(dict.fromkeys((*get_args(Verdict), *get_args(Form))))]

DESCRIPTION = f"""\
Say which key frequencies a network trained on arithmetic uses, and which circuit: clock, pizza, both, or a mixture;
or which representations of a group, and whether it works with traces or with cosets.

The first three lines are the answer: does it generalise, at which frequencies, which circuit,
and what would change that verdict. The tables after them are the evidence. Several files, or a directory, get one row each.

A run directory (of interp-train) gets its timeline instead, from the snapshots in it: what was memorised when, when the
circuit formed, when what it knew by heart was cleaned up. What is asked about a network is asked about the last one of the run.

Examples:
  interp-analyze checkpoints/quick-113.pt
  interp-analyze checkpoints                          one row per checkpoint
  interp-analyze runs/quick-p113-seed0/model.pt --only key_frequencies amplitude_profile
  interp-analyze model.pt --explain                   is it explained, by what, and what is not explained
  interp-analyze model.pt --certify                   what accuracy is proven, and with how little work
  interp-analyze model.pt --html page.html            a page to look at and play with
  interp-analyze runs/quick-p113-seed0                the timeline of a run
  interp-analyze runs/quick-p113-seed0/snapshots      one row per snapshot
  interp-analyze one.pt --compare other.pt            what differs between two networks, or two steps of a run
  interp-analyze model.pt --expect-circuit clock --expect-frequencies 14 35 41 42 52     in CI
  interp-analyze model.pt --json | jq .circuit
  interp-analyze model.pt --figures out --only clock_or_pizza --figure-format pdf --figure-width 5.5 --figure-untitled
  interp-analyze theirs.pt --task subtraction         what a file of another project has to compute
  interp-analyze theirs.pt --train-pairs train.csv    was it memorised? The pairs it was trained on say so
  interp-analyze theirs.pt --module code.py:build     weights of your own torch module; code.py is run
  interp-analyze their_checkpoints --series           the timeline of anybody's run, from its checkpoints
  interp-analyze logits.npy                           logits of all pairs, [p, p, p]

Measurements, in the order of a report: {", ".join(in_order(slow=False))}.
On request (--only, --explain, --html): {", ".join(in_order(slow=True))}.
About a run through time: {", ".join(THROUGH_TIME)}.

Exit codes: 0 read, and as expected where something was expected; 1 not as expected; 2 a file could not be read, or the
options are wrong; 141 nobody reads on.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-analyze can be told."""

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="checkpoint.pt ...", help_behavior_hint="")]
    """Checkpoint files, run directories or others."""
    only: Annotated[tuple[MeasurementName, ...], tyro.conf.arg(metavar="MEASUREMENT ...", help_behavior_hint="")] = ()
    """After the files: the measurements that follow the answer, are drawn by --figures, and are in the JSON."""
    explain: bool = False
    """Is the network explained, and on which rung? The card (what it computes, how, why we believe it, what is not explained)
    and its evidence; seconds per file (docs/explained.md)."""
    certify: bool = False
    """What accuracy is proven from the weights, and with how much less work than trying all pairs (docs/certificates.md)."""
    html: Annotated[Path | None, tyro.conf.arg(metavar="PAGE.html")] = None
    """Write a page: the answer, the circles, two sliders that compute, the evidence, all measurements; one file that needs no
    network. Of a run directory its timeline too; several files are put side by side."""
    compare: Annotated[Path | None, tyro.conf.arg(metavar="OTHER.pt")] = None
    """Say what differs between the one file named and this one: verdict, key frequencies, coordinates, accuracy, loss."""
    expect_circuit: CircuitName | None = None
    """Exit with 1 unless this is the verdict on every file, and on the last network of every run."""
    expect_frequencies: Annotated[tuple[int, ...] | None, tyro.conf.arg(metavar="K ...")] = None
    """After the files: exit with 1 unless these are the key frequencies."""
    expect_representations: Annotated[tuple[str, ...] | None, tyro.conf.arg(metavar="NAME ...")] = None
    """After the files: exit with 1 unless these are the key representations."""
    json: bool = False
    """Print one JSON object per file and line (documented in docs/json.md)."""
    figures: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Write every figure, or those of --only, into this directory (needs interp[figures] and Chromium)."""
    style: PictureStyle = field(default_factory=PictureStyle)
    """How --figures draws."""
    threads: int = 1
    """Threads of the processor for one file. More than one helps only where p is some hundred and a core is idle; on a busy
    machine two that wait for each other take several times as long as one."""
    workers: int = 1
    """How many files are analysed at once, each in a process of one thread; each process starts in a second or two and takes a
    third of a gigabyte or more."""
    all_triples: bool = False
    """Gradient symmetry over all p³ triples instead of a seeded sample (exact; some ten seconds at p = 113)."""
    series: bool = False
    """The files, or those of a directory, are the checkpoints of one run of anybody: decide on the last how to read them, and
    show the timeline of the run (docs/timeline.md)."""
    module: Annotated[str | None, tyro.conf.arg(metavar="FILE.py:FUNCTION")] = None
    """Your own code, which is run: FUNCTION() returns the torch module whose weights the files hold, or that and a dict of
    further arguments of interp.from_module (tokens, neurons, …)."""
    reading: Reading = field(default_factory=Reading)
    """How to read a file of another project."""
    common: InCommon = field(default_factory=Common)
    """What every command can be told."""

    @property
    def facts(self) -> Facts:
        """What is said about a file of another project."""
        return self.reading.facts

    @property
    def draws(self) -> bool:
        """Are files asked for, which show everything?"""
        return self.html is not None or self.figures is not None

    @property
    def of_network(self) -> list[str]:
        """The measurements of --only that are of one network."""
        return [name for name in self.only if name not in THROUGH_TIME]

    @property
    def tables(self) -> list[str]:
        """The measurements whose tables are printed; none where a page is made and none was asked for."""
        asked = [
            *(in_order(chapter=EXPLAINING) if self.explain else ()),
            *(["certificate"] if self.certify else ()),
            *self.of_network,
        ]
        if asked or self.draws or self.only:
            return list(dict.fromkeys(asked))
        return in_order(slow=False)

    @property
    def more(self) -> list[str]:
        """What to measure where it suits the task, in the order to show it: what is printed, then what only files show."""
        return list(dict.fromkeys([*self.tables, *filter(self.shows, in_order())]))

    @property
    def expects(self) -> bool:
        """Is something expected of the networks?"""
        return (self.expect_frequencies, self.expect_representations, self.expect_circuit) != (None, None, None)

    @property
    def asks_for_timeline(self) -> bool:
        """Is the timeline of a run asked for? Not where --only names nothing of it, and no page shows it."""
        return not self.only or self.html is not None or any(name in THROUGH_TIME for name in self.only)

    @property
    def asks_about_network(self) -> bool:
        """Is something asked about the last network of a run, and not only how it came to be?"""
        return bool(self.of_network) or self.explain or self.certify or self.expects or self.all_triples

    def shows(self, name: str) -> bool:
        """Do the files that are asked for show this measurement?"""
        if name in MEASUREMENTS and MEASUREMENTS[name].on_request:
            return name in self.tables
        return self.html is not None or (self.figures is not None and (not self.only or name in self.only))

    def check(self) -> None:
        """Raises InterpError on options that do not go together, before anything is read."""
        if not self.paths:
            raise InterpError("expected checkpoint files, run directories or others to analyse: see interp-analyze --help")
        if self.style != AS_ON_A_PAGE and self.figures is None:
            raise InterpError("--figure-... options say how figures are drawn: name a directory for them with --figures DIR")
        for name, count in (("threads", self.threads), ("workers", self.workers)):
            if count < 1:
                raise InterpError(f"--{name}: expected 1 or more, got {count}")
        if self.compare is None:
            return
        asks = self.only or self.explain or self.certify or self.html or self.expects or self.all_triples or self.series
        if asks or self.module is not None or len(self.paths) != 1:
            raise InterpError(
                "--compare takes one file beside its own, and no option but --json, --figures and how to read the files: "
                "interp-analyze ONE.pt --compare OTHER.pt"
            )

    def check_options_of_runs(self) -> None:
        """Refuse options about how to read a file where a whole run is named, whose files say all about themselves."""
        if self.module is not None or (self.facts != Facts() and not self.series):
            what = "a series takes no --module:" if self.series else "a run directory says all about its networks: give no"
            raise InterpError(f"{what} {'name one of its files' if self.series else '--module and no option for reading'}")


def parsed(arguments: list[str] | None) -> Options:
    """The options on a command line."""
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes)
    return parse(Options, "interp-analyze", arguments, DESCRIPTION, config=config)
