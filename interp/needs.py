"""What a measurement can need of a circuit."""

from typing import Literal

from interp.circuit import A_GROUP, Circuit
from interp.networks.model import Unavailable

Need = Literal["addition", "group", "disguise", "embedding", "neurons", "attention", "layers", "labels", "plain layer"]
"""What a measurement can need of a circuit, and not every circuit has."""


def check_has(circuit: Circuit, need: Need) -> None:
    """Raises Unavailable, which says why, where a circuit lacks what a measurement needs."""
    match need:
        case "addition":
            if not circuit.is_addition:
                raise Unavailable(circuit.lacking("addition in other numbers"))
        case "group":
            if not circuit.is_of_group:
                raise Unavailable(circuit.lacking(A_GROUP))
        case "disguise":
            if circuit.task.disguise() is None:
                raise Unavailable(circuit.lacking("an addition of numbers that it does not tell apart"))
        case "embedding":
            _ = circuit.tables
        case "neurons":
            circuit.network.neurons_name()
        case "attention":
            circuit.network.pattern_name()
        case "layers":
            circuit.network.layers()
        case "plain layer":
            if not circuit.network.is_plain_layer():
                raise Unavailable(
                    "needs a transformer of one layer without gates and normalisation, or a network without attention of one "
                    "hidden layer"
                )
        case "labels":
            if circuit.train_pairs is None:
                raise Unavailable("needs the pairs that it was trained on, which are not known (--train-pairs FILE)")
