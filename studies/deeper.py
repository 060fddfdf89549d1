"""What do the layers of networks of several layers do? One row per layer, from the findings.

    interp-sweep studies/deeper.toml --out runs/deeper    trains them
    python studies/deeper.py runs/deeper                  measure them, keep their rows in studies/deeper.json, print the table
    python studies/deeper.py NAME=FILE ...                measure other networks likewise
    python studies/deeper.py                              print the table of docs/deeper.md from the rows that are kept

The rows are no sweep's, which has one for every network: these are of layers.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from timelines import markdown

import analyses
import interp
from interp.circuit import Circuit
from interp.sweep.dataset import read_rows

Row = dict[str, Any]
KEPT = Path(__file__).parent / "deeper.json"
COLUMNS = (
    "network", "layer", "direct", "MLP: total", "accuracy without", "largest head: total", "reads a, b", "reads a + b",
    "MLP writes a + b", "neurons", "attention ±",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Measure the networks that are named, if any, and print the table."""
    kept: list[Row] = json.loads(KEPT.read_text()) if KEPT.exists() else []
    for name, path in (network for argument in arguments for network in networks(argument)):
        kept = [row for row in kept if row["network"] != name] + rows(name, interp.load(path))
    if arguments:
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    print(table(kept))
    return 0


def networks(argument: str) -> Iterator[tuple[str, str]]:
    """Names and files of the networks that an argument means: NAME=FILE, or the directory of a sweep."""
    name, equals, path = argument.partition("=")
    if equals:
        yield name, path
        return
    for row in read_rows(Path(argument) / "rows"):
        yield f"{row['recipe_name']}, {row['n_layers']} layers", f"{argument}/networks/{row['name']}.pt"


def rows(name: str, circuit: Circuit) -> list[Row]:
    """What each layer of a network does, as plain values rounded to four digits; None where something cannot be said."""
    attribution, frequencies = analyses.logit_attribution(circuit), analyses.layer_frequencies(circuit)
    attention, verdict = analyses.layer_attention(circuit), analyses.clock_or_pizza(circuit)
    found = []
    for layer in range(attribution.layers):
        parts = [part for part in attribution.parts if part.layer == layer]
        mlp = next((part for part in parts if part.name.endswith("MLP")), None)
        a, b, plus, minus = frequencies.reads(layer)
        values = {
            "direct": attribution.by_layer[layer],
            "mlp_total": mlp.lost if mlp else None,
            "accuracy_without_mlp": mlp.accuracy if mlp else None,
            "head_total": max(part.lost for part in parts if part is not mlp),
            "reads_inputs": a + b,
            "reads_sum": plus,
            "reads_difference": minus,
            "writes_sum": frequencies.writes(layer)[1],
            "attention_deviation": max(head.deviation for head in attention.heads if head.layer == layer),
        }
        found.append(
            {
                "network": name,
                "layers": attribution.layers,
                "accuracy": round(attribution.accuracy, 4),
                "frequencies": list(frequencies.frequencies),
                "verdict": verdict.verdict,
                "layer": layer,
                "neurons": sum(each.neurons for each in frequencies.of_layer(layer)),
                **{key: None if value is None or value != value else round(value, 4) for key, value in values.items()},
            }
        )
    return found


def table(kept: Sequence[Row]) -> str:
    """The rows as a table in Markdown, the name of a network, its accuracy and its verdict beside its first layer."""
    return markdown(COLUMNS, [_shown(row).split("|") for row in kept])


def _shown(row: Row) -> str:
    keys = " ".join(map(str, row["frequencies"])) if len(row["frequencies"]) <= 8 else f"{len(row['frequencies'])} frequencies"
    name = f"{row['network']}: accuracy {row['accuracy']:g}, {row['verdict']}, {keys}" if row["layer"] == 0 else ""
    shares = ("direct", "mlp_total", "accuracy_without_mlp", "head_total", "reads_inputs", "reads_sum", "writes_sum")
    cells = ["–" if row[key] is None else f"{row[key] + 0.0:.3f}" for key in shares]
    return "|".join([name, str(row["layer"]), *cells, str(row["neurons"]), f"{row['attention_deviation']:.3f}"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
