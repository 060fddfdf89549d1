"""An explanation for every network: trains the study's networks, explains each, makes the table and the picture.

python studies/every_network.py train       networks into runs/every-network (most of an hour on one core, see --workers);
                                            goes on where it stopped
python studies/every_network.py explain     a row per network into studies/every_network.parquet (seconds each); the same
python studies/every_network.py show        the README's numbers, every network that is not explained, and the picture
                                            studies/phase_diagram.svg; needs the Parquet file only

Needs pyarrow: pip install -e '.[studies]'.
"""

import argparse
import json
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from phase_diagram import phase_diagram
from plan import Planned, every_network
from rows import Row, memorised, row, unexplained

from interp.files import checkpoint

WEIGHTS, HERE = Path("runs/every-network"), Path(__file__).parent
TABLE, PICTURE = HERE / "every_network.parquet", HERE / "phase_diagram.svg"


def train(planned: list[Planned], folder: Path, workers: int) -> None:
    """Train what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [each for each in planned if not (folder / f"{each.name}.pt").exists()]
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        for number, line in enumerate(pool.map(_train, missing, [folder] * len(missing)), start=1):
            print(f"{number} of {len(missing)} {line}", file=sys.stderr, flush=True)


def _train(each: Planned, folder: Path) -> str:
    started = time.monotonic()
    saved = each.network()
    checkpoint.save(folder / f"{each.name}.pt", saved)
    losses = ", ".join(f"{name} {value:.3g}" for name, value in saved.losses.items())
    return f"{each.name}: step {saved.step}, {losses}, {time.monotonic() - started:.0f} s"


def explain(planned: list[Planned], folder: Path) -> list[Row]:
    """The row of every network that has been trained; computed once, and kept beside its weights."""
    rows = []
    there = [each for each in planned if (folder / f"{each.name}.pt").exists()]
    for number, each in enumerate(there, start=1):
        path = folder / f"{each.name}.json"
        if not path.exists():
            path.write_text(json.dumps(row(each, folder / f"{each.name}.pt")))
            explained = json.loads(path.read_text())["explained"]
            print(f"{number} of {len(there)} {each.name}: explained {explained}", file=sys.stderr, flush=True)
        rows.append(json.loads(path.read_text()) | {"memorised": memorised(folder / f"{each.name}.pt")})
    return rows


def show(rows: list[Row]) -> None:
    """What the README says, from the table."""
    groups: dict[str, list[Row]] = {}
    for each in rows:
        name = f"trained, p = {each['p']}" if each["kind"] == "trained" else each["kind"]
        groups.setdefault(name, []).append(each)
    print("| networks | trained | generalise | explained | called clock, pizza or hybrid |\n|---|---|---|---|---|")
    for name, those in groups.items():
        counts = [sum(bool(each[key]) for each in those) for key in ("generalises", "explained", "named")]
        print(f"| {name} | {len(those)} | {' | '.join(map(str, counts))} |")
    trained = [each for each in rows if each["kind"] == "trained" and each["generalises"]]
    print(f"\nOf those trained that generalise: {_counts(trained)}")
    for key in ("width", "activation"):
        for value in sorted({each[key] for each in trained if each["p"] == 59}):
            print(f"- p = 59, {key} {value}: {_counts([each for each in trained if each['p'] == 59 and each[key] == value])}")
    for is_explained in (True, False):
        shares = [float(each["memorised"]) for each in trained if each["explained"] is is_explained]
        spread = f"{statistics.median(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})"
        print(f"- memorised, {'' if is_explained else 'not '}explained: {spread}")
    both = [[each[key] for each in trained] for key in ("memorised", "unexplained")]
    print(f"- correlation of memorised with the unexplained variance: {statistics.correlation(*both):.2f}")
    print("\nNot explained, of those trained that generalise:\n")
    for line in unexplained(rows):
        print(f"- {line}")


def _counts(rows: list[Row]) -> str:
    return f"{len(rows)} networks, " + ", ".join(
        f"{sum(bool(each[key]) for each in rows)} {key}" for key in ("what", "how", "why", "explained")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "explain", "show"))
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help=f"where the networks are; default {WEIGHTS}")
    parser.add_argument("--workers", type=int, default=1, help="networks that are trained at once; default 1")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "train":
        train(list(every_network()), options.weights, options.workers)
        return
    import pyarrow
    import pyarrow.parquet

    if options.what == "explain":
        rows = explain(list(every_network()), options.weights)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), TABLE, compression="zstd")
        print(f"{TABLE}: {len(rows)} networks")
    else:
        rows = pyarrow.parquet.read_table(TABLE).to_pylist()
        show(rows)
        PICTURE.write_text(phase_diagram(rows))


if __name__ == "__main__":
    main()
