"""Answer: everything there is to say about one checkpoint file."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analyses import MEASUREMENTS
from analyses.clock_or_pizza import ClockOrPizza, clock_or_pizza
from analyses.explanation import Explanation
from analyses.gradient_symmetry import SAMPLE
from analyses.key_frequencies import KeyFrequencies, key_frequencies
from analyses.performance import Performance, performance
from interp import formats
from interp.checkpoint import Assumption, Checkpoint
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.finding import Finding, Table, is_on_request
from interp.formats.facts import Facts
from interp.model import Unavailable

SCHEMA = 1
"""Version of the JSON that ``to_dict`` makes; the README documents it."""


@dataclass(frozen=True)
class Lacking(Finding):
    """In the place of a finding that this network does not allow."""

    measurement: str
    """Its name."""
    unavailable: str
    """What it needs."""

    def table(self) -> Table:
        return Table(f"{self.measurement}: not for this network", (), (), self.unavailable)

    def to_dict(self) -> dict[str, Any]:
        return {"unavailable": self.unavailable}


@dataclass(frozen=True)
class Otherwise:
    """What the answer would be under the reading of the file that was not taken."""

    taken: str
    """What was assumed."""
    other: str
    """What was not."""
    accuracy: float
    """Share of the p² pairs answered right under the other."""
    key_frequencies: tuple[int, ...]
    circuit: str
    changes: tuple[str, ...]
    """What it would change of the answer, in words; empty where it would change nothing of it."""

    def says(self) -> str:
        """In one line."""
        return f"{self.taken} ({self.other} would change {', '.join(self.changes) or 'nothing of this'})"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "key_frequencies": list(self.key_frequencies), "changes": list(self.changes)}


@dataclass(frozen=True, eq=False)
class Answer:
    """One file's verdict, and the findings that were asked for."""

    path: Path
    checkpoint: Checkpoint
    performance: Performance
    key_frequencies: KeyFrequencies
    clock_or_pizza: ClockOrPizza
    findings: dict[str, Finding]
    """By measurement name, in the order to show them."""
    otherwise: Otherwise | None = None
    """Where the file was read with an assumption that could be wrong."""

    @property
    def circuit(self) -> Circuit:
        """The network on all pairs, run anew: its activations are too large to keep for every file of a directory."""
        return Circuit(self.checkpoint.network, self.checkpoint.train)

    @property
    def explained(self) -> bool | None:
        """Is the network explained? None where that was not asked, and where it cannot be said."""
        card = self.findings.get("explanation")
        return card.explained if isinstance(card, Explanation) else None

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values, the headline first."""
        return {
            "schema": SCHEMA,
            "file": str(self.path),
            "error": None,
            "network": self.checkpoint.network.describe(),
            "modulus": self.checkpoint.network.p,
            "step": self.checkpoint.step,
            "accuracy": self.performance.accuracy,
            "generalises": self.performance.generalises,
            "key_frequencies": list(self.key_frequencies.frequencies),
            "circuit": self.clock_or_pizza.circuit,
            "sureness": self.clock_or_pizza.sureness,
            "margin": self.clock_or_pizza.margin,
            "unexplained": None if math.isnan(self.clock_or_pizza.unexplained) else self.clock_or_pizza.unexplained,
            "explained": self.explained,
            "notes": list(self.checkpoint.notes),
            "assumed": None if self.otherwise is None else self.otherwise.to_dict(),
            "findings": {name: finding.to_dict() for name, finding in self.findings.items()},
        }


def answer(
    path: Path,
    *,
    only: Sequence[str] = (),
    all_triples: bool = False,
    facts: Facts | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> Answer:
    """Which frequencies and which circuit does the network in this file use, how sure is that, what is the evidence?

    ``only``: the measurements wanted beside the verdict; empty for all but those on request. ``all_triples``: gradient
    symmetry over p³. ``facts``: what the file does not say. ``progress`` hears the name of each before it is made.
    Raises InterpError on a file that cannot be read.
    """
    saved = formats.load(path, facts)
    return examine(path, saved, only=only, all_triples=all_triples, progress=progress)


def examine(
    path: Path,
    saved: Checkpoint,
    *,
    only: Sequence[str] = (),
    all_triples: bool = False,
    progress: Callable[[str], None] = lambda name: None,
) -> Answer:
    """The same for a checkpoint that is in memory; ``path`` is what to call it."""
    try:
        circuit = Circuit(saved.network, saved.train)
    except InterpError as error:
        raise InterpError(f"{path}: {error}") from error
    triples = {"triples": None if all_triples else SAMPLE}
    options: dict[str, dict[str, Any]] = {"clock_or_pizza": triples, "gradient_symmetry": triples}
    wanted = only or [name for name, measure in MEASUREMENTS.items() if not is_on_request(measure)]
    return Answer(
        path=path,
        checkpoint=saved,
        performance=performance(circuit),
        key_frequencies=key_frequencies(circuit),
        clock_or_pizza=clock_or_pizza(circuit, **triples),
        findings=_findings(circuit, wanted, options, progress),
        otherwise=None if saved.assumed is None else _otherwise(circuit, saved.assumed),
    )


def _otherwise(circuit: Circuit, assumed: Assumption) -> Otherwise:
    other = Circuit(assumed.network)
    ours, theirs = performance(circuit), performance(other)
    keys, other_keys = key_frequencies(circuit), key_frequencies(other)
    name, other_name = (clock_or_pizza(each).circuit for each in (circuit, other))
    changes = []
    if ours.wrong != theirs.wrong:
        changes.append(f"pairs right {ours.pairs - ours.wrong} to {theirs.pairs - theirs.wrong}")
    if keys.frequencies != other_keys.frequencies:
        changes.append(f"frequencies {keys.listed} to {other_keys.listed}")
    if name != other_name:
        changes.append(f"circuit {name} to {other_name}")
    return Otherwise(
        taken=assumed.taken,
        other=assumed.other,
        accuracy=theirs.accuracy,
        key_frequencies=other_keys.frequencies,
        circuit=other_name,
        changes=tuple(changes),
    )


def _findings(
    circuit: Circuit, wanted: Sequence[str], options: dict[str, dict[str, Any]], progress: Callable[[str], None]
) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    # The card is made from the other slow ones: last, so that each is heard of when it is its turn.
    for name in sorted(wanted, key=lambda name: name == "explanation"):
        progress(name)
        found[name] = _measure(name, circuit, options.get(name, {}))
    return {name: found[name] for name in wanted}


def _measure(name: str, circuit: Circuit, options: dict[str, Any]) -> Finding:
    try:
        return MEASUREMENTS[name](circuit, **options)
    except Unavailable as lacking:
        return Lacking(name, str(lacking))
