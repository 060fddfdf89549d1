"""What a run keeps and measures on its way: the same set, byte for byte, however often it was interrupted."""

import json
import math
import sys
import types
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small
import torch
from small import SMALL

import interp
from analyses.timeline.live import measures
from analyses.timeline.moment import moment
from interp.commands.train import main
from interp.errors import InterpError
from interp.files import formats
from interp.files.checkpoint import Checkpoint
from interp.training import run, thinning
from interp.training.run import Run
from interp.training.run_config import RunConfig
from interp.training.watching import Watching

TINY = replace(SMALL, steps=125)
OPTIONS = [*small.OPTIONS, "--threads", "1"]


class Crash(Exception):  # noqa: N818 (not an error of anything here)
    """The machine goes down."""


def weight_sum(saved: Checkpoint) -> dict[str, float]:
    """Something to measure; its dependence on every weight shows any difference."""
    return {"sum": sum(x.double().sum().item() for x in saved.network.parameters.values()), "nothing": math.nan}


def test_log_spaced_steps() -> None:
    spaced = [step for step in range(1001) if thinning.is_spaced(step, 4)]
    assert spaced == [0, 10, 18, 32, 56, 100, 178, 316, 562, 1000]
    assert [step for step in range(100) if thinning.is_spaced(step, 0)] == []
    for per_decade in (1, 12, 40):
        kept = sum(thinning.is_spaced(step, per_decade) for step in range(1, 10_001))
        assert kept <= 3 * per_decade + 1


def test_a_record_is_kept_where_something_has_moved() -> None:
    kept = {"step": 1000, "train_loss": 1e-3, "test_loss": 10.0, "test_accuracy": 0.1}
    still = {**kept, "step": 1100}
    assert thinning.has_moved(None, kept) and not thinning.has_moved(kept, still)
    assert thinning.has_moved(kept, {**still, "test_loss": 2.4}) and not thinning.has_moved(kept, {**still, "test_loss": 2.6})
    assert thinning.has_moved(kept, {**still, "train_loss": 4.1e-3})
    assert thinning.has_moved(kept, {**still, "test_accuracy": 0.21})
    assert not thinning.has_moved(kept, {**still, "step": 1019, "test_accuracy": 0.21})


def _directory(path: Path) -> dict[str, Any]:
    """All that must not depend on interruptions."""
    made = run.load(path)
    log = [{**record, "seconds": 0} for record in made.log() if record["step"] % made.config.record_every == 0]
    return {
        "snapshots": {file.name: file.read_bytes() for file in made.snapshot_paths},
        "log": log,
        "measures": (path / "measures.jsonl").read_text(),
        "model": {name: x.tolist() for name, x in formats.load(made.model_path).network.parameters.items()},
    }


@pytest.mark.parametrize("every_record", [False, True])
def test_a_resumed_run_keeps_and_measures_the_same(tmp_path: Path, every_record: bool) -> None:
    config = RunConfig(recipe=TINY, seed=3, record_every=20, snapshots=every_record)
    beside = Watching(measure=weight_sum, every=7)
    whole = run.create(tmp_path / "whole", config)
    list(whole.train(watching=beside))

    broken = run.create(tmp_path / "broken", config)

    def crash_at(step: int) -> Any:
        def on_step(done: int) -> None:
            if done == step:
                raise Crash

        return on_step

    # Right after a log-spaced snapshot that no record covers, in the middle, and by Ctrl-C on and off the beat.
    for step in (18, 33, 70):
        with pytest.raises(Crash):
            list(run.load(broken.path).train(on_step=crash_at(step), watching=beside))
    for step in (80, 97) if not every_record else (80,):
        steps: list[int] = []
        stop = lambda steps=steps, step=step: bool(steps) and steps[-1] >= step  # noqa: E731
        list(run.load(broken.path).train(should_stop=stop, on_step=steps.append, watching=beside))
    list(run.load(broken.path).train(watching=beside))
    assert _directory(broken.path) == _directory(whole.path)

    names = [path.name for path in whole.snapshot_paths]
    if every_record:
        assert names == [f"step-{step:06d}.pt" for step in (0, 20, 40, 60, 80, 100, 120, 125)]
    else:
        spaced = {step for step in range(126) if thinning.is_spaced(step, 12)}
        assert {f"step-{step:06d}.pt" for step in spaced | {125}} <= set(names)
    measured = whole.measures()
    assert [record["step"] for record in measured] == list(range(0, 126, 7))
    assert all(record["nothing"] is None for record in measured)
    last = formats.load(whole.path / "snapshots" / "step-000000.pt")
    assert measured[0]["sum"] == weight_sum(last)["sum"]


def test_watching_changes_no_weight(tmp_path: Path) -> None:
    """The hook sees live weights; with and without it training ends at the same ones."""
    bare = run.create(tmp_path / "bare", RunConfig(recipe=TINY, seed=1, snapshots_per_decade=0))
    watched = run.create(tmp_path / "watched", RunConfig(recipe=TINY, seed=1, snapshots_per_decade=40))
    *_, without = bare.train()
    *_, with_it = watched.train(watching=Watching(measure=measures, every=10))
    assert not (bare.path / "snapshots").exists() and len(watched.snapshot_paths) > 20
    for name, tensor in without.network.parameters.items():
        assert torch.equal(tensor, with_it.network.parameters[name]), name


def test_snapshots_are_weights_only_and_load_like_any_checkpoint(tmp_path: Path) -> None:
    made = run.create(tmp_path / "run", RunConfig(recipe=TINY, seed=1))
    list(made.train())
    for path in made.snapshot_paths:
        circuit = interp.load(path)
        assert circuit.p == 7 and circuit.train_pairs is not None
        numbers = sum(x.numel() for x in circuit.network.weights().values())
        assert path.stat().st_size < 4 * numbers + 12_000  # names, shapes and the split
        assert path.stat().st_size * 2 < (made.path / "resume.pt").stat().st_size


def test_a_run_of_before_there_were_thinned_snapshots_goes_on_without(tmp_path: Path) -> None:
    made = run.create(tmp_path / "run", RunConfig(recipe=TINY, seed=1))
    values = json.loads((made.path / "config.json").read_text())
    del values["snapshots_per_decade"]
    (made.path / "config.json").write_text(json.dumps(values))
    list(run.load(made.path).train())
    assert run.load(made.path).snapshot_paths == []


def test_a_run_of_before_there_were_tasks_goes_on_as_an_addition(tmp_path: Path) -> None:
    made = run.create(tmp_path / "run", RunConfig(recipe=TINY, seed=1))
    values = json.loads((made.path / "config.json").read_text())
    recipe = values["recipe"]
    del recipe["task"]
    recipe["network"]["p"] = recipe.pop("p")
    (made.path / "config.json").write_text(json.dumps(values))
    assert run.load(made.path).config == made.config


def test_the_live_measures_are_those_of_the_timeline_at_the_end(tmp_path: Path) -> None:
    """Where the network's key frequencies now are the final ones, both must say the same."""
    saved = formats.load("checkpoints/zhong-59-rate-0.pt")
    now = measures(saved)
    end = moment(saved.circuit(), now["key_frequencies_now"], saved.step)  # type: ignore[arg-type]
    assert now["key_frequencies_now"] == [21, 24, 29]
    for name, value in {
        "train_loss": end.train_loss,
        "test_loss": end.test_loss,
        "restricted_loss_now": end.restricted_loss,
        "excluded_loss_now": end.excluded_loss,
        "generalising_score_now": end.generalising_score,
        "memorising_score_now": end.memorising_score,
        "squared_weights": end.squared_weights_sum,
        "gini_embedding": end.gini_embedding,
        "gini_neuron_logit_map": end.gini_neuron_logit_map,
        "clock_share_now": sum(t * t for t in end.clock_terms),
    }.items():
        assert now[name] == pytest.approx(value, rel=1e-3), name


def test_interp_train_measures_and_refuses_what_is_no_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    asked = ["--measure", "analyses.timeline.live:measures", "--measure-every", "10"]
    assert main(["--out", str(out), *OPTIONS, "--steps", "25", *asked]) == 0
    measured = Run(out, run.load(out).config).measures()
    assert [record["step"] for record in measured] == [0, 10, 20]
    assert measured[-1]["train_loss"] < measured[0]["train_loss"]
    assert main(["--resume", str(out), *asked]) == 0 and main(["--resume", str(out), "--steps", "30"]) == 2
    for name in ("nonsense", "no.such.module:f", "json:nothing", "json:__name__"):
        assert main(["--out", str(tmp_path / "other"), *OPTIONS, "--measure", name]) == 2
        assert "expected --measure package.module:function" in capsys.readouterr().err
    assert main(["--out", str(tmp_path / "other"), *OPTIONS, "--measure-every", "0"]) == 2
    assert not (tmp_path / "other").exists()
    capsys.readouterr()


def test_several_workers_measure_too(tmp_path: Path) -> None:
    asked = ["--measure", "analyses.timeline.live:measures", "--measure-every", "10"]
    arguments = ["--seeds", "0:2", "--workers", "2", "--out", str(tmp_path), *OPTIONS, "--steps", "20", *asked]
    assert main(arguments) == 0
    for seed in (0, 1):
        assert len(run.load(tmp_path / f"quick-p7-seed{seed}").measures()) == 3


def test_the_weights_and_biases_writer_is_imported_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a module that records what it is told: the real one needs a service of its own."""
    told: list[Any] = []

    class Theirs:
        def __enter__(self) -> "Theirs":
            return self

        def __exit__(self, *_: object) -> None:
            told.append("finished")

        def log(self, numbers: Mapping[str, Any]) -> None:
            told.append(dict(numbers))

    def init(**options: Any) -> Theirs:
        told.append(options)
        return Theirs()

    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setitem(sys.modules, "wandb", None)  # what an import of it would meet where it is not installed
    first = run.create(tmp_path / "plain", RunConfig(recipe=TINY, seed=1, record_every=100))
    list(first.train(watching=Watching(measure=weight_sum, every=50)))
    second = run.create(tmp_path / "run", RunConfig(recipe=TINY, seed=1, record_every=100))
    asked = Watching(measure=weight_sum, every=50, writer="wandb")
    with pytest.raises(InterpError, match="pip install wandb, or leave --writer out"):
        list(second.train(watching=asked))

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    list(second.train(watching=asked))
    options, *records, finished = told
    assert options["mode"] == "offline" and options["dir"] == second.path and options["config"]["seed"] == 1
    assert finished == "finished"
    assert [record["step"] for record in records] == [0, 0, 50, 100, 100, 125]
    assert ["sum" in record for record in records] == [True, False, True, True, False, False]
    assert {**first.log()[-1], "seconds": 0} == {**records[-1], "seconds": 0}


def test_the_studies_count_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent.parent / "studies"))
    from timelines import thinned

    made = run.create(tmp_path / "run", RunConfig(recipe=TINY, seed=2))
    list(made.train())
    assert thinned(made.log()) == {int(path.stem.removeprefix("step-")) for path in made.snapshot_paths}
