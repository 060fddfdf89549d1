"""Weight decay off, weak, on and strong, from the same seed: which of the two circuits wins, and when?

interp-sweep studies/regularisation.toml    trains it; its rows are studies/regularisation.parquet
python studies/regularisation.py            print the tables of docs/timeline.md
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from timelines import first, markdown

from interp.sweep.dataset import read_rows

ROWS = Path(__file__).with_suffix(".parquet")
SHOWN = (0, 50, 100, 200, 300, 400, 600, 800, 1000, 1500)
"""Steps of the second table."""
Row = dict[str, Any]


def by_decay(found: Sequence[Row]) -> list[Row]:
    """The rows in the order of their weight decay."""
    return sorted(found, key=lambda row: float(row["weight_decay"]))


def outcome(found: Sequence[Row]) -> str:
    """Where each run ends, and when it got there."""
    rows = []
    for row in by_decay(found):
        train, scores = row["timeline_train_accuracy"], row["timeline_memorising_score"]
        both = zip(row["timeline_step"], train, scores, strict=True)
        gone = next((step for step, accuracy, score in both if accuracy >= 0.99 and score <= 0), None)
        clock = sum(t * t for t in row["timeline_clock_terms"][-1])
        last = [row[f"timeline_{name}"][-1] for name in ("train_loss", "test_loss", "test_accuracy")]
        rows.append(
            (f"{row['weight_decay']:g}", row["phases"], first(row, "train_accuracy", 0.99), gone, row["circuit_formed"],
             first(row, "test_accuracy", 0.99), *last, clock, row["timeline_squared_weights"][-1])
        )  # fmt: skip
    columns = ("weight decay", "verdict", "train acc. .99", "memorising score ≤ 0", "circuit formed", "test acc. .99",
               "train loss", "test loss", "test acc.", "clock terms", "squared weights")  # fmt: skip
    return markdown(columns, rows)


def competition(found: Sequence[Row]) -> str:
    """The generalising and the memorising score through time: nats of the training loss that each circuit takes off."""
    runs, rows = by_decay(found), []
    for step in SHOWN:
        at = [(row, row["timeline_step"].index(step)) for row in runs]
        scores = [[row[f"timeline_{part}_score"][n] for part in ("generalising", "memorising")] for row, n in at]
        rows.append((step, *(" / ".join(f"{score:.1f}" for score in both) for both in scores)))
    return markdown(("step", *(f"weight decay {row['weight_decay']:g}" for row in runs)), rows)


def main() -> None:
    found = read_rows(ROWS)
    print(outcome(found), competition(found), sep="\n\n")


if __name__ == "__main__":
    main()
