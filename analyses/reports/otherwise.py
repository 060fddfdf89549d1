"""What would the answer be under another reading of a file that fits as well?"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from analyses.basics.performance import performance
from analyses.evidence.clock_or_pizza import clock_or_pizza
from analyses.evidence.key_frequencies import key_frequencies
from analyses.groups.key_representations import key_representations
from analyses.groups.trace_or_coset import trace_or_coset
from interp.circuit import Circuit
from interp.files.checkpoint import Assumption

Decisive = Literal["activation", "heads", "normalization", "causal"]
"""What can be assumed of a file that an option of the same name decides."""


@dataclass(frozen=True)
class Otherwise:
    """What the answer would be under the reading of the file that was not taken."""

    taken: str
    """What was assumed."""
    other: str
    """What was not."""
    accuracy: float
    """Share of all pairs answered right under the other."""
    key_frequencies: tuple[int, ...]
    """The key frequencies under the other; empty where the task is no addition."""
    circuit: str
    """The verdict under the other."""
    changes: tuple[str, ...]
    """What it would change of the answer, in words; empty where it would change nothing of it."""

    def says(self) -> str:
        """The other reading and what it would change."""
        return f"{self.other} would change {', '.join(self.changes) or 'nothing of this'}"

    def decided_by(self) -> str:
        """The option that would decide; empty where there is none."""
        option = self.taken.split()[0]
        return f"--{option}" if option in get_args(Decisive) else ""

    def to_dict(self) -> dict[str, Any]:
        """The assumption and its consequences as JSON values."""
        return {**asdict(self), "key_frequencies": list(self.key_frequencies), "changes": list(self.changes)}


def otherwise(circuit: Circuit, assumed: Assumption) -> Otherwise:
    """What the answer about a circuit would be under the reading of its file that was not taken."""
    other = Circuit(assumed.network, task=circuit.task)
    ours, theirs = performance(circuit), performance(other)
    (keys, name), (other_keys, other_name) = _in_short(circuit), _in_short(other)
    changes = []
    if ours.wrong != theirs.wrong:
        changes.append(f"pairs right {ours.pairs - ours.wrong} to {theirs.pairs - theirs.wrong}")
    if keys != other_keys:
        changes.append(f"{'frequencies' if circuit.is_addition else 'representations'} {keys} to {other_keys}")
    if name != other_name:
        changes.append(f"circuit {name} to {other_name}")
    return Otherwise(
        taken=assumed.taken,
        other=assumed.other,
        accuracy=theirs.accuracy,
        key_frequencies=key_frequencies(other).frequencies if other.is_addition else (),
        circuit=other_name,
        changes=tuple(changes),
    )


def _in_short(circuit: Circuit) -> tuple[str, str]:
    """Key frequencies, or key representations, and the verdict, each in a few words."""
    if circuit.is_addition:
        return key_frequencies(circuit).listed, clock_or_pizza(circuit).verdict
    return key_representations(circuit).listed, trace_or_coset(circuit).verdict
