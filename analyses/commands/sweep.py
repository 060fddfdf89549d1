"""interp-sweep: train and measure many networks, and keep a row of each."""

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from analyses.commands.sweep_display import SweepDisplay, duration, size
from analyses.findings.measurement import in_order
from analyses.survey.measuring import measured_sweep
from analyses.survey.through_time import one_moment
from interp.commands.command import INTERRUPTED, cores, interruptible, run_command
from interp.commands.options import Common, InCommon, parse
from interp.errors import InterpError
from interp.sweep.dataset import read_tables
from interp.sweep.engine import Engine, Pool
from interp.sweep.estimate import estimate
from interp.sweep.point import Point
from interp.sweep.ray_engine import Ray
from interp.sweep.spec import read_spec
from interp.sweep.sweep import Progress, Sweep

FAILED = 1
"""Exit code where some networks failed."""
_DESCRIPTION = f"""\
Train the networks that a file describes, measure each, and keep a row of each in a Parquet data set.

Started again it does what is missing; Ctrl-C, a crash or a full disk lose nothing that has a row, and what has none goes on
from its last record. Rows are in DIR/rows, which pandas, polars and duckdb open as it is; interp-survey DIR says what they say.

A SPEC.toml:

  findings = ["distance_irrelevance"]    # measurements whose numbers are kept beside the verdict and the explanation
  keep = 0.1                             # share of the networks whose weights are kept, in DIR/networks
  records = true                         # losses and accuracies of every record, and not of the last alone
  timeline = true                        # the phases of every run, and what its timeline says of every record
  [[networks]]                           # a block of networks; there can be several
  recipe = "zhong-2023"                  # all that is not said is as in this recipe
  seeds = "0:150"
  label = "narrow"                       # a word of your own
  set = {{steps = 4000, network = {{d_model = 64, d_head = 16, d_mlp = 256}}}}
  grid = {{weight_decay = [1, 2]}}                                # every combination of these
  each = [{{learning_rate = 1e-3}}, {{learning_rate = 3e-3}}]       # with each of these
  draw = {{network.attention_rate = {{uniform = [0, 1]}}}}          # by seed: uniform, log_uniform, choice
  in_turn = [{{p = 59}}, {{p = 97}}]                                # the seeds in turn have one of these each
  best = true                            # the record with the least test loss is measured, and not the last

Names are those of interp-train's options (weight_decay, network.d_model, task, corrupt, ...). Measurements:
{", ".join(in_order())}.

Examples:
  interp-sweep census.toml --dry-run                how many networks, how long, how much disk
  interp-sweep census.toml --out runs/census --workers 2
  RAY_ADDRESS=auto interp-sweep census.toml --out runs/census --engine ray

Exit codes: 0 every network has a row; 1 some of them failed (their rows say why); 2 an
impossible spec, or something cannot be written; 130 stopped with Ctrl-C.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-sweep can be told."""

    spec: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SPEC.toml")]
    """What to train, and what to keep."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Directory of the sweep, made where it is missing. Default: runs/ and the name of the spec."""
    workers: int = 0
    """How many networks are trained at once, one thread each. Default: all cores."""
    dry_run: bool = False
    """Say what would be done, how long it would take and how much disk, from a few steps of a few networks; train nothing."""
    again: bool = False
    """Do the networks that failed before once more."""
    engine: Literal["pool", "ray"] = "pool"
    """Where networks are trained: in processes of this machine, or on a Ray cluster (interp[ray]; RAY_ADDRESS names one)."""
    shared: bool = False
    """With --engine ray: all nodes see DIR, so that a network whose node is lost goes on from its last record."""
    common: InCommon = field(default_factory=Common)
    """What every command can be told."""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-sweep; returns its exit code."""
    return run_command("interp-sweep", lambda: _sweep(parse(Options, "interp-sweep", arguments, _DESCRIPTION)))


def _sweep(options: Options) -> int:
    if options.workers < 0:
        raise InterpError(f"expected --workers of at least 1, got {options.workers}")
    spec = read_spec(options.spec)
    out = options.out or Path("runs") / options.spec.stem
    sweep = measured_sweep(out, spec)
    workers = options.workers or cores()
    if options.shared and options.engine != "ray":
        raise InterpError("--shared is about the nodes of a cluster: give it with --engine ray")
    if options.workers and options.engine == "ray" and os.environ.get("RAY_ADDRESS"):
        raise InterpError("the cluster at RAY_ADDRESS says how many networks are trained at once: give no --workers")
    if options.dry_run:
        _say_plan(sweep, workers, again=options.again)
        return 0
    engine: Engine = Ray(workers=options.workers, shared=options.shared) if options.engine == "ray" else Pool(workers=workers)
    with interruptible() as interrupted, SweepDisplay(options.common.console()) as display:
        progress = sweep.run(
            engine, again_failed=options.again, on_progress=display.show, should_stop=lambda: bool(interrupted)
        )
    return _end(progress, out, stopped=bool(interrupted))


def _end(progress: Progress, out: Path, *, stopped: bool) -> int:
    have = progress.before + progress.done
    failed = f"; {progress.failed} failed, and their rows say why (--again tries them again)" if progress.failed else ""
    print(f"{out}: {have} of {progress.total} networks have a row, {progress.done} of them new{failed}")
    if progress.done:
        print(f"what they do: interp-survey {out}", file=sys.stderr)
    if have < progress.total:
        print("interp-sweep: stopped; the same command goes on", file=sys.stderr)
        return INTERRUPTED if stopped else FAILED
    return FAILED if progress.failed else 0


def _say_plan(sweep: Sweep, workers: int, *, again: bool) -> None:
    spec, out, points = sweep.spec, sweep.path, sweep.spec.points
    tables = read_tables(out / "rows") if (out / "rows").exists() else []
    errors = {row["name"]: row["error"] for part in tables for row in part.select(["name", "error"]).to_pylist()}
    have = {name for name, error in errors.items() if error is None or not again}
    failed = sum(errors.get(name) is not None for name in points)
    missing = [point for name, point in points.items() if name not in have]
    for (label, recipe, what), count in Counter(map(_kind, points.values())).items():
        print(f"{count:>8}  {label or recipe}: {what}")
    print(f"{len(points):>8}  networks, {sum(name in errors for name in points)} of which have a row in {out}")
    if failed:
        print(f"{failed:>8}  of them failed, and are {'tried again' if again else 'not tried again without --again'}")
    found = estimate(missing, sweep.look, spec.keep, of_record=one_moment if spec.timeline else None)
    parts = f"{duration(found.training_seconds)} of training, {duration(found.analysis_seconds)} of analysis"
    print(f"time      {duration(found.seconds / workers)} with {workers} at once; one after the other {parts}")
    kept = sum(point.is_kept(spec.keep) for point in missing)
    print(f"disk      {size(found.kept_bytes)} for the weights of {kept} networks; rows take a few kB each")


def _kind(point: Point) -> tuple[str, str, str]:
    """What the plan calls a network: its label, its recipe, its task."""
    return point.label, point.config.recipe_name, point.config.recipe.task_value.sentence


if __name__ == "__main__":
    sys.exit(main())
