"""interp-train: train networks from seeds, into run directories."""

import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from interp.arithmetic import Precision
from interp.commands.command import INTERRUPTED, MISTAKE, cores, interruptible, run_command
from interp.commands.display import Display
from interp.commands.options import Common, InCommon, parse
from interp.errors import InterpError
from interp.recipe import RECIPES, Recipe
from interp.sweep.pool import work_all
from interp.sweep.unit import Status, Training
from interp.tasks import examples, symbols_of
from interp.training import run
from interp.training.denormals import flush_denormals
from interp.training.run import Run
from interp.training.run_config import RunConfig
from interp.training.watching import Watching, WriterName, named

_DESCRIPTION = """\
Train networks on arithmetic mod p, full batch, from seeds.

Pick a recipe, change any of its numbers, and a run directory gets the configuration, a log line per record
(log.jsonl), the newest checkpoint (model.pt) and what a broken run goes on from (resume.pt). Ctrl-C stops after
the current step and keeps a usable checkpoint; --resume goes on from there, or from the last record after a
crash, bit for bit as if nothing had happened.

Then: interp-analyze RUN/model.pt for the last network, interp-analyze RUN for how it came to be (from the weights
kept on the way, in RUN/snapshots).

Examples:
  interp-train                                        a mod-113 network that generalises, in minutes
  interp-train --recipe zhong-2023 --network.attention-rate 0 --steps 2500
  interp-train --recipe nanda-2023 --seed 0 --out runs/nanda-0
  interp-train --resume runs/nanda-0
  interp-train --seeds 0:8 --workers 2                eight networks, two at a time, one thread each
  interp-train --resume runs/quick-p113-seed* --workers 2
  interp-train --p 59 --network.d-mlp 256
  interp-train --recipe steady --task subtraction --p 97 --steps 6000
  interp-train --recipe steady --task "a^2+b^2" --p 97  any polynomial of a and b, mod p
  interp-train --recipe steady --task S5 --train-fraction 0.5  a product in a group, which decides p
  interp-train --measure analyses.timeline.live:measures

Tasks (--task): TASKS.

Exit codes: 0 trained, 2 impossible options or a run that failed, 130 stopped with Ctrl-C (checkpoints kept).
"""

if TYPE_CHECKING:
    RecipeName = str
else:
    RecipeName = Literal[tuple(RECIPES)]


@dataclass(frozen=True, kw_only=True)
class Running:
    """How networks are trained, kept and watched, whatever their recipe."""

    threads: int = 0
    """Threads of the processor, per network. Default: all cores, or 1 with several workers."""
    record_every: int = 100
    """Steps between records: log line, newest checkpoint, progress."""
    snapshots: bool = False
    """Keep the weights at every record, instead of at log-spaced steps and where the losses move."""
    snapshots_per_decade: int = 12
    """Log-spaced weights kept per factor of ten in steps (900 KB each at p = 113). 0: none, also where losses move."""
    precision: Precision = "float32"
    """Precision of weights and arithmetic; the loss is always float64."""
    device: str = "cpu"
    """Where to train: cpu, cuda or cuda:1 and so on."""
    measure: str = ""
    """A function package.module:function to call on the network while it trains, its numbers logged in
    measures.jsonl: analyses.timeline.live:measures."""
    measure_every: int = 100
    """Steps between two measurements with --measure."""
    writer: WriterName = "none"
    """Where records and measurements go besides files: none, or wandb (Weights & Biases, offline)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-train can be told; the training options are the fields of Recipe and Architecture."""

    recipe: RecipeName = "quick"
    """Where all other defaults come from: quick (this project's), or a published one."""
    seed: int = 0
    """Determines the initial weights and the split."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Run directory to make; with --seeds the directory to make them in. Default: runs/RECIPE-p113-seed0, and so on."""
    resume: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="RUN ...", help_behavior_hint="")] = ()
    """Run directories to go on with, all options as they were."""
    seeds: str = ""
    """Instead of --seed, several: 0:8 is 0 to 7, 1,4,7 is these three."""
    workers: int = 1
    """How many networks are trained at once, each in a process of its own."""
    training: Annotated[Recipe, tyro.conf.arg(name="")] = field(default_factory=lambda: RECIPES["quick"])
    """The recipe's own numbers."""
    running: Annotated[Running, tyro.conf.arg(name="")] = field(default_factory=Running)
    """How networks are trained, kept and watched."""
    common: InCommon = field(default_factory=Common)
    """What every command can be told."""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-train; returns its exit code."""
    flush_denormals()
    return run_command("interp-train", lambda: _train(*_parse(sys.argv[1:] if arguments is None else arguments)))


def _parse(arguments: list[str]) -> tuple[Options, Options]:
    """The options, and their defaults: those of the recipe that they name."""
    # A first pass reads nothing but the names of recipe and task, which the defaults shown and used by the second depend on.
    recipe = RECIPES.get(_value("--recipe", arguments) or "quick", RECIPES["quick"])
    task = _value("--task", arguments)
    symbols = symbols_of(task) if task else None
    default = Options(training=replace(recipe, task=task, p=symbols) if task and symbols else recipe)
    description = _DESCRIPTION.replace("TASKS", ", ".join(examples()))
    return parse(Options, "interp-train", arguments, description, default=default, config=()), default


def _value(option: str, arguments: list[str]) -> str | None:
    """What the command line says for an option, the last time where it says it often; None where it does not."""
    said = [value for name, value in pairwise(arguments) if name == option]
    said += [argument.removeprefix(f"{option}=") for argument in arguments if argument.startswith(f"{option}=")]
    return said[-1] if said else None


def _train(options: Options, default: Options) -> int:
    if options.workers < 1:
        raise InterpError(f"expected --workers of at least 1, got {options.workers}")
    measure = named(options.running.measure) if options.running.measure else None
    watching = Watching(measure=measure, every=options.running.measure_every, writer=options.running.writer)
    runs = _resumed(options, default) if options.resume else _created(options)
    console = options.common.console()
    for each in runs:
        about = f"{each.config.recipe.task_value.sentence}, seed {each.config.seed} → {each.path}"
        line = f"interp-train: {'resuming ' if options.resume else ''}recipe {each.config.recipe_name}, {about}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    failed: list[Status] = []
    with interruptible() as interrupted, Display(console, runs) as display:

        def report(status: Status) -> None:
            if status.failed:
                failed.append(status)
            if not (status.failed and len(runs) == 1):  # which ends the command with its one line
                display.show(status)
                if status.failed and options.common.quiet:
                    print(f"interp-train: {status.path}: {status.note}", file=sys.stderr)

        units = [Training(each.path, watching) for each in runs]
        work_all(units, workers=options.workers, report=report, should_stop=lambda: bool(interrupted))
    if failed and len(runs) == 1:
        raise InterpError(failed[0].note)
    for each in runs:
        note = next((status.note for status in failed if status.path == each.path), "")
        print(_summary(each, note, interrupted))
    return INTERRUPTED if interrupted else MISTAKE if failed else 0


def _created(options: Options) -> list[Run]:
    """New run directories, one per seed."""
    seeds = _seeds(options.seeds) if options.seeds else [options.seed]
    at_once = options.workers > 1 and len(seeds) > 1
    config = RunConfig(
        recipe=options.training,
        seed=options.seed,
        recipe_name=options.recipe,
        record_every=options.running.record_every,
        snapshots=options.running.snapshots,
        snapshots_per_decade=options.running.snapshots_per_decade,
        precision=options.running.precision,
        device=options.running.device,
        threads=options.running.threads or (1 if at_once else cores()),
    )
    training = options.training
    task = "" if training.task == "addition" else f"{re.sub(r'[^0-9A-Za-z^+-]', '-', training.task)}-"
    parent, name = options.out or Path("runs"), f"{options.recipe}-{task}p{training.p}-seed"
    configs = {parent / f"{name}{seed}": replace(config, seed=seed) for seed in seeds}
    if options.out is not None and not options.seeds:
        configs = {options.out: config}
    for path in configs:  # all of them before any is made: one that is taken leaves nothing behind
        run.check_is_free(path)
    return [run.create(path, each) for path, each in configs.items()]


def _seeds(text: str) -> list[int]:
    try:
        first, colon, end = text.partition(":")
        seeds = list(range(int(first), int(end))) if colon else [int(seed) for seed in text.split(",")]
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) != len(seeds):
        raise InterpError(f"expected --seeds like 0:8 or 1,4,7, got {text!r:.40}")
    return seeds


def _resumed(options: Options, default: Options) -> list[Run]:
    # How many are trained at once and what is measured beside it changes no weight.
    watching = {name: getattr(default.running, name) for name in ("measure", "measure_every", "writer")}
    free = {name: getattr(default, name) for name in ("resume", "workers", "common")}
    if replace(options, **free, running=replace(options.running, **watching)) != default:
        raise InterpError("a resumed run keeps its options: give none but --workers, --measure and --writer with --resume")
    return [run.load(path) for path in options.resume]


def _summary(each: Run, note: str, interrupted: Sequence[int]) -> str:
    """Where a run stands, and why it is not trained further. ``note``: what went wrong with it, if something did."""
    records, recipe = each.log(), each.config.recipe
    last = records[-1] if records else None
    if note:
        stopped = note
    else:
        by = "because another run failed"
        if interrupted:
            by = "by Ctrl-C" if interrupted[0] == signal.SIGINT else f"by {signal.Signals(interrupted[0]).name}"
        stopped = f"stopped {by}; interp-train --resume {each.path} goes on"
    if last is None:
        return f"{each.path}: not trained yet: {stopped}"
    if note or not each.is_finished:  # what went wrong may be that its state cannot be read
        ended = f"early: {stopped}"
    elif last["step"] >= recipe.steps:
        ended = f"because all {recipe.steps} steps are done"
    elif last["test_loss"] < recipe.stop_test_loss:
        ended = f"because the test loss is below {recipe.stop_test_loss:g} (--stop-test-loss)"
    else:
        ended = f"because the accuracy on all pairs has reached {recipe.stop_accuracy:g} (--stop-accuracy)"
    return (
        f"{each.model_path}: step {last['step']}, train loss {last['train_loss']:.3g}, "
        f"test loss {last['test_loss']:.3g}, test accuracy {last['test_accuracy']:.4f}; ended {ended}"
    )


if __name__ == "__main__":
    sys.exit(main())
