"""Which measurements does a report of an addition show, and which can be made of one?"""

from planted import planted

from analyses.findings.measurement import MEASUREMENTS, in_order, suits
from interp.circuit import Circuit

ADDITION = Circuit(planted(7, clocks=(1,)))


def of_addition(*, slow: bool | None = None) -> list[str]:
    """Those that say something of an addition, in the order of a report; of one kind where that is asked."""
    return [name for name in in_order(slow=slow) if suits(ADDITION, name)]


def possible(*, slow: bool | None = None) -> list[str]:
    """Those that can be made of an addition, of whose group some are; not those of disguises, labels and single layers."""
    return [name for name in in_order(slow=slow) if not {"disguise", "labels", "plain layer"} & {*MEASUREMENTS[name].needs}]
