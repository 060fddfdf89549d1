"""Answer: everything there is to say about one network."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyses.basics.performance import Performance, performance
from analyses.evidence.clock_or_pizza import ClockOrPizza, clock_or_pizza
from analyses.evidence.disguise import Disguise, disguise
from analyses.evidence.key_frequencies import KeyFrequencies, key_frequencies
from analyses.findings.finding import Finding
from analyses.findings.measurement import MEASUREMENTS, in_order, suits
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.groups.key_representations import KeyRepresentations, key_representations
from analyses.groups.trace_or_coset import TraceOrCoset, trace_or_coset
from analyses.reports.otherwise import Otherwise, otherwise
from analyses.tools.depth import Depth, depth
from analyses.trials.explanation import Explanation
from analyses.trials.group_explanation import GroupExplanation
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.checkpoint import Checkpoint
from interp.files.formats.facts import Facts
from interp.files.formats.module_file import load_into
from interp.networks.model import Unavailable

SCHEMA = 4
"""Version of the JSON that ``to_dict`` makes; docs/json.md documents it."""


@dataclass(frozen=True)
class Lacking(Finding):
    """In the place of a finding that this network does not allow."""

    measurement: str
    """The name of the measurement."""
    unavailable: str
    """What the measurement needs."""

    def table(self) -> Table:
        return Table(f"{self.measurement}: not for this network", (), (), sentences(f"It {self.unavailable}"))

    def to_dict(self) -> dict[str, Any]:
        return {"unavailable": self.unavailable}


@dataclass(frozen=True, eq=False)
class Answer:
    """One network's verdict, and the findings that were asked for."""

    path: Path
    """The file that the network comes from, or what it is called."""
    circuit: Circuit
    """The network on all pairs; of a file that was read without its activations, which are run anew where they are asked for:
    those of a directory's files together would be too large to keep."""
    checkpoint: Checkpoint | None
    """The file's content; None for a network in memory."""
    performance: Performance
    """How well it does its task."""
    key_frequencies: KeyFrequencies | None
    """Which frequencies its output uses; None where that makes no sense of its task."""
    clock_or_pizza: ClockOrPizza | None
    """The verdict on its circuit; None as above."""
    key_representations: KeyRepresentations | None
    """Which representations its output uses; None where its task is no product of a group, or an addition in other numbers."""
    disguise: Disguise | None
    """Its key frequencies where the task is an addition of numbers that it does not tell apart; None for all other tasks."""
    trace_or_coset: TraceOrCoset | None
    """The form of what it computes with them; None as above."""
    lacking: str
    """Why there is no verdict; empty where there is one."""
    findings: dict[str, Finding]
    """By measurement name, in the order to show them."""
    otherwise: tuple[Otherwise, ...] = ()
    """One for every other reading of the file that fits as well as the one taken."""
    depth: Depth | None = None
    """What the verdict on a network of several layers is about, and what it misses; None for any other network."""

    @property
    def card(self) -> Explanation | GroupExplanation | None:
        """Is the network explained? None where that was not asked, or does not apply."""
        found = (self.findings.get(name) for name in ("explanation", "group_explanation"))
        return next((each for each in found if isinstance(each, Explanation | GroupExplanation)), None)

    @property
    def is_explained(self) -> bool | None:
        """Is the network explained? None where that was not asked, and where it cannot be said."""
        return self.card.is_explained if self.card else None

    @property
    def rung(self) -> int | None:
        """The rung that an explained network stands on, from 1; None where it is not explained, or that was not asked."""
        return self.card.rung if self.card and self.card.is_explained else None

    @property
    def frequencies(self) -> tuple[int, ...] | None:
        """The key frequencies; in an addition in disguise those of its sums; None where the task is neither."""
        if self.key_frequencies is not None:
            return self.key_frequencies.frequencies
        return None if self.disguise is None else self.disguise.keys

    @property
    def circuit_name(self) -> str | None:
        """The verdict on its circuit, or on the form of its computation in a group; None where there is neither."""
        found = self.clock_or_pizza or self.trace_or_coset
        return found.verdict if found else None

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values, the headline first."""
        found, task = self.clock_or_pizza, self.circuit.task
        keys = self.frequencies
        names, form = self.key_representations, self.trace_or_coset
        said = found or form
        unexplained = math.nan if found is None else found.unexplained
        return {
            "schema": SCHEMA,
            "file": str(self.path),
            "error": None,
            "network": self.circuit.network.describe(),
            "task": task.name,
            "sentence": task.sentence,
            "modulus": task.p,
            "step": self.circuit.step,
            "accuracy": self.performance.accuracy,
            "generalises": self.performance.generalises,
            "key_frequencies": None if keys is None else list(keys),
            "key_representations": None if names is None else list(names.keys),
            "circuit": self.circuit_name,
            "circuit_in_words": None if said is None else said.reason,
            "coordinate": None if found is None or math.isnan(found.coordinate) else found.coordinate,
            "sureness": None if found is None else found.sureness,
            "margin": None if said is None else said.margin,
            "unexplained": None if math.isnan(unexplained) else unexplained,
            "is_explained": self.is_explained,
            "rung": self.rung,
            "notes": list(self.circuit.notes),
            "instead": (self.checkpoint.instead if self.checkpoint else "") or None,
            "assumed": [each.to_dict() for each in self.otherwise],
            "findings": {name: finding.to_dict() for name, finding in self.findings.items()},
        }


def answer(
    path: Path,
    *,
    only: Sequence[str] = (),
    more: Sequence[str] | None = None,
    all_triples: bool = False,
    facts: Facts | None = None,
    module: str | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> Answer:
    """Which frequencies and which circuit does the network in this file use, how sure is that, what is the evidence?

    ``facts``: what the file does not say. ``module``: FILE.py:FUNCTION, which builds the module whose weights the file holds;
    it is run. All else as in ``examine``. Raises InterpError on a file that cannot be read.
    """
    if module is not None:
        known = facts or Facts()
        if known != Facts(task=known.task, modulus=known.modulus):
            raise InterpError(
                "with a module of your own give no reading option but --task and --modulus: it says all else itself"
            )
        circuit = load_into(path, module, task=known.task, p=known.modulus)
        return examine(circuit, path=path, only=only, more=more, all_triples=all_triples, progress=progress)
    saved = formats.load(path, facts)
    try:
        circuit = saved.circuit()
    except InterpError as error:
        raise InterpError(f"{path}: {error}") from error
    return examine(circuit, path=path, checkpoint=saved, only=only, more=more, all_triples=all_triples, progress=progress)


def examine(
    circuit: Circuit,
    *,
    path: Path,
    checkpoint: Checkpoint | None = None,
    only: Sequence[str] = (),
    more: Sequence[str] | None = None,
    all_triples: bool = False,
    progress: Callable[[str], None] = lambda name: None,
) -> Answer:
    """What there is to say about a circuit; ``path`` is what to call it, ``checkpoint`` the file that it comes from, if any.

    ``only``: the measurements wanted beside the verdict, whether or not they suit the task; ``more``: those wanted where they
    suit it, where nothing is asked all that are not slow. ``all_triples``: gradient symmetry over p³. ``progress`` hears the
    name of each before it is made. Raises InterpError on a name that no measurement has.
    """
    if unknown := [name for name in only if name not in MEASUREMENTS]:
        raise InterpError(f"expected measurements among {', '.join(in_order())}, got {', '.join(unknown)}")
    options = {"triples": None} if all_triples else {}
    keys = found = names = form = None
    lacking = ""
    try:
        if circuit.is_of_group and not circuit.is_addition:
            names, form = key_representations(circuit), trace_or_coset(circuit)
        else:
            keys = key_frequencies(circuit)
            found = clock_or_pizza(circuit, **options)
    except Unavailable as missing:
        lacking = str(missing)
    assumed = () if checkpoint is None or circuit.is_of_group is False else checkpoint.assumed
    if more is None:
        more = () if only else in_order(slow=False)
    wanted = list(dict.fromkeys([*only, *(name for name in more if suits(circuit, name))]))
    return Answer(
        path=path,
        circuit=circuit if checkpoint is None else circuit.anew(),
        checkpoint=checkpoint,
        performance=performance(circuit),
        key_frequencies=keys,
        clock_or_pizza=found,
        key_representations=names,
        disguise=disguise(circuit) if circuit.task.disguise() is not None else None,
        trace_or_coset=form,
        lacking=lacking,
        findings=_findings(circuit, wanted, options, progress),
        otherwise=tuple(otherwise(circuit, each) for each in assumed),
        depth=depth(circuit),
    )


def _findings(
    circuit: Circuit, wanted: Sequence[str], options: dict[str, Any], progress: Callable[[str], None]
) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    # What is shown first is made of what comes after it: from the last on, so that each is heard of when it is its turn.
    for name in reversed(wanted):
        progress(name)
        found[name] = _measure(name, circuit, options)
    return {name: found[name] for name in wanted}


def _measure(name: str, circuit: Circuit, options: dict[str, Any]) -> Finding:
    try:
        return MEASUREMENTS[name](circuit, **options)
    except Unavailable as lacking:
        return Lacking(name, str(lacking))
