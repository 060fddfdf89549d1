"""What does a sweep cost beside its networks, and what do two workers gain? As ratios of one run, on a machine else idle.

Four networks of zhong-2023 (p = 59, 1,200 steps), with one worker and with two; their analysis is the verdict and the card.
"""

import sys
import tempfile
import time
from pathlib import Path

from analyses.survey.row import columns, look
from interp.sweep.dataset import read_rows
from interp.sweep.engine import Pool
from interp.sweep.spec import spec_of
from interp.sweep.sweep import Sweep

SPEC = {"networks": [{"recipe": "zhong-2023", "seeds": "0:4", "set": {"steps": 1200}}]}


def main() -> int:
    spec, walls = spec_of(SPEC), {}
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            path, started = Path(folder) / str(workers), time.monotonic()
            Sweep(path, spec, columns(()), look(())).run(Pool(workers=workers))
            walls[workers] = time.monotonic() - started
            rows = read_rows(path / "rows")
            training = sum(row["training_seconds"] for row in rows)
            analysis = sum(row["analysis_seconds"] for row in rows)
            beside = walls[workers] - (training + analysis) / workers
            print(
                f"{workers} at once: {walls[workers]:.1f} s for {len(rows)} networks, {60 * len(rows) / walls[workers]:.1f} a "
                f"minute; a network {training / len(rows):.1f} s of training, {analysis / len(rows):.1f} s of analysis; "
                f"beside them {beside:.2f} s in all, {beside / walls[workers]:.1%}"
            )
    print(f"two workers do {walls[1] / walls[2]:.2f} times as much as one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
