"""Prints published or independently computed values beside ours, as a Markdown table: make truth.

The networks are others' and are not in this repository: see FOLDER.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import analyses
import interp
from interp.circuit import Circuit

FOLDER = Path(__file__).parent.parent.parent / "shared" / "peers"

Row = tuple[str, str, Any, Any]


def rows() -> Iterator[Row]:
    """(network, measure, their value, ours)."""
    truth = json.loads((FOLDER / "truth.json").read_text())
    for name, values in truth["clock-and-pizza"].items():
        yield from _rows(name, interp.load(FOLDER / "clock-and-pizza" / f"model_{name}.pt"), values)
    for name, values in truth["rep-theory"].items():
        yield from _rows(name, interp.load(FOLDER / "rep-theory" / name / "model.pt"), values)
    for name, values in truth["progress-measures"].items():
        yield from _rows(name, interp.load(FOLDER / "progress-measures" / f"{name}.pth"), values)


def _rows(name: str, circuit: Circuit, values: dict[str, Any]) -> Iterator[Row]:
    yield name, "accuracy", values["accuracy"], analyses.performance(circuit).accuracy
    keys = values.get("keys") or values.get("output_freqs") or []
    yield name, "key frequencies", sorted(keys), list(analyses.key_frequencies(circuit).frequencies)
    if "gs_paper" in values:
        irrelevance = analyses.distance_irrelevance(circuit)
        yield name, "gradient symmetry (100)", values["gs_paper"], analyses.gradient_symmetry(circuit).paper_sample
        yield name, "DI, right answer", values["di_correct"], irrelevance.correct
        yield name, "DI, largest wrong", values["di_top_wrong"], irrelevance.largest_wrong
        yield name, "circularity", values["circularity"], analyses.circularity(circuit).circularity
        yield name, "circuit", values["call"] or "none", analyses.clock_or_pizza(circuit).verdict
    if "clusters" in values:
        yield name, "neurons ≥ .85", values["neurons_ge_085"], sum(analyses.neuron_clusters(circuit).clusters.values())
        yield name, "loss, all pairs", values["losses"]["full"]["all"], analyses.performance(circuit).loss


def main() -> int:
    """Print the table; 2 where the networks are not here."""
    if not (FOLDER / "truth.json").is_file():
        print("truth_table: needs the networks of others in ../shared/peers", file=sys.stderr)
        return 2
    print("| network | measure | theirs | ours | difference |\n|---|---|---|---|---|")
    for name, measure, theirs, ours in rows():
        if isinstance(theirs, int | float):
            print(f"| {name} | {measure} | {theirs:.6g} | {ours:.6g} | {abs(ours - theirs):.1g} |")
        else:
            shown = [" ".join(map(str, value)) or "none" if isinstance(value, list) else value for value in (theirs, ours)]
            print(f"| {name} | {measure} | {shown[0]} | {shown[1]} | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
