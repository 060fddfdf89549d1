"""Is the circuit there before the wrong labels go? Two transformers that were told a tenth of their pairs wrong, step by step.

    for decay in 1 3; do
        interp-train --recipe zhong-2023 --corrupt .1 --loss mse --weight-decay $decay --steps 3000 --snapshots \\
            --record-every 50 --threads 1 --out runs/corrupt-$decay
    done
    python studies/corrupted_circuit.py runs/corrupt-1 runs/corrupt-3       rows of docs/corruption.md
    python studies/corrupted_circuit.py                                     print its table

No sweep: a row is of one step, and its parts of the logits are those of the last network's key frequencies.
The logits are taken apart at the key frequencies of the last network: what waves of a + b at these frequencies make of them,
and the rest, which says whether what was told is still remembered.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from timelines import markdown
from torch import Tensor

import analyses
from analyses.timeline.parts import on_key_frequencies
from analyses.timeline.snapshots import readers
from analyses.tools.wrong_labels import shares, sides_of
from interp.circuit import Circuit
from interp.training import run

ROWS = Path(__file__).with_suffix(".jsonl")
STEPS = (200, 400, 600, 700, 800, 900, 1000, 1250, 1500, 2000, 3000)
"""Steps that are looked at."""
Row = dict[str, Any]


def row(circuit: Circuit, keys: Sequence[int], step: int, decay: float) -> Row:
    """What the two parts of a network's logits answer, and what its card says."""
    logits = circuit.logits.double()
    wave = on_key_frequencies(logits, keys)
    sides, truth = sides_of(circuit), circuit.task.table().flatten()

    def share(part: Tensor, right: Tensor, of: Tensor) -> float:
        return (part.argmax(-1).flatten() == right)[of].double().mean().item()

    found, card = shares(circuit), analyses.explanation(circuit)
    return {
        "decay": decay,
        "step": step,
        **asdict(found),
        "phase": found.phase,
        "wave_held_out": share(wave, truth, sides.held_out),
        "wave_truth": share(wave, truth, sides.wrong),
        "rest_told": share(logits - wave, sides.labels, sides.wrong),
        "rest_held_out": share(logits - wave, truth, sides.held_out),
        "keys": list(analyses.key_frequencies(circuit).frequencies),
        "circuit": analyses.clock_or_pizza(circuit).verdict,
        "generalises": card.generalises,
        "what": card.what,
        "how": card.how,
        "why": card.why,
        "explained": card.carried_by.explained,
        "agreement": card.carried_by.agreement,
        "turned": card.turned,
        "reason": card.reason,
    }


def of_run(path: Path) -> list[Row]:
    """The rows of one run, at the steps that are looked at."""
    networks = {step: circuit for circuit, step in (read() for read in readers(path)) if step in STEPS}
    keys = analyses.key_frequencies(networks[max(networks)]).frequencies
    decay = run.load(path).config.recipe.weight_decay
    return [row(circuit, keys, step, decay) for step, circuit in sorted(networks.items())]


def rows() -> list[Row]:
    """The rows that are kept."""
    return [json.loads(line) for line in ROWS.read_text().splitlines()]


def table(found: Sequence[Row]) -> str:
    """What the parts answer, step by step, in Markdown."""
    columns = ("decay", "step", "phase", "told", "truth", "held out", "rest: told", "key frequencies", "what, how, why")
    lines: list[tuple[str, ...]] = []
    for each in found:
        shown = [f"{each[name]:.2f}" for name in ("told", "truth", "held_out", "rest_told")]
        card = ", ".join({True: "yes", False: "no", None: "–"}[each[part]] for part in ("what", "how", "why"))
        lines.append((f"{each['decay']:g}", str(each["step"]), each["phase"], *shown, str(len(each["keys"])), card))
    return markdown(columns, lines)


def main() -> int:
    torch.set_num_threads(1)
    paths = [Path(each) for each in sys.argv[1:]]
    if paths:
        found = [each for path in paths for each in of_run(path)]
        ROWS.write_text("".join(json.dumps(each) + "\n" for each in found))
    print(table(rows()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
