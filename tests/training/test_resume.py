"""Never lose a run: killed at any moment, on a full disk, beside another process, it goes on bit for bit."""

import json
import multiprocessing
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import SMALL

from analyses.timeline.progress import progress
from interp.arithmetic import Precision
from interp.errors import InterpError
from interp.files import formats
from interp.recipe import Recipe
from interp.training import run
from interp.training import state as training_state
from interp.training.run import Run
from interp.training.run_config import RunConfig

RECIPE = replace(SMALL, steps=60)
CONFIG = RunConfig(recipe=RECIPE, seed=0, record_every=4)


def finish(each: Run) -> Run:
    for _ in each.train():
        pass
    return each


def files(each: Run) -> dict[str, bytes]:
    """All that a run leaves, but for the seconds it took."""
    names = [path.relative_to(each.path) for path in each.path.rglob("*") if path.is_file() and path.name != ".lock"]
    content = {str(name): (each.path / name).read_bytes() for name in names}
    content["log.jsonl"] = repr([{**record, "seconds": 0} for record in each.log()]).encode()
    return content


def _train_in_a_process(path: Path) -> None:
    torch.set_num_threads(1)
    finish(run.load(path))


@pytest.fixture(scope="module")
def start_process() -> Callable[[Path], multiprocessing.Process]:
    context = multiprocessing.get_context("forkserver")
    # What takes seconds to import, torch.optim's own late import included, is imported once.
    context.set_forkserver_preload(["interp.training.run", "torch._dynamo", "pytest"])

    def start(path: Path) -> multiprocessing.Process:
        process = context.Process(target=_train_in_a_process, args=(path,))
        process.start()
        return process  # type: ignore[return-value]

    return start


@pytest.mark.faults
def test_a_run_killed_twenty_times_at_random_moments_ends_with_the_same_bytes(
    tmp_path: Path, start_process: Callable[[Path], multiprocessing.Process]
) -> None:
    config = replace(CONFIG, recipe=replace(RECIPE, steps=800), record_every=4, snapshots=True)
    expected = files(finish(run.create(tmp_path / "whole", config)))
    killed = run.create(tmp_path / "killed", config)
    moments, kills, reached = random.Random(0), 0, set()
    while kills < 20:
        process = start_process(killed.path)
        before = killed.log()
        while process.is_alive() and killed.log() == before:  # it has begun to record
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.08))
        assert process.is_alive(), "the run ended before it could be killed often enough: make it longer"
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        kills += 1
        reached.add(training_state.load(killed.path / "resume.pt", RECIPE).step)
        formats.load(killed.model_path)  # usable all the time
    assert len(reached) > 10  # at different places of the run
    assert files(finish(killed)) == expected


def test_a_run_stopped_off_the_beat_goes_on_bit_for_bit(tmp_path: Path) -> None:
    expected = files(finish(run.create(tmp_path / "whole", CONFIG)))
    stopped = run.create(tmp_path / "stopped", CONFIG)
    steps: list[int] = []
    for _ in stopped.train(should_stop=lambda: len(steps) >= 17, on_step=steps.append):
        pass
    assert stopped.log()[-1]["step"] == 17
    finished = files(finish(stopped))
    assert finished["model.pt"] == expected["model.pt"] and finished["resume.pt"] == expected["resume.pt"]
    assert [record["step"] for record in stopped.log()] == [*range(0, 17, 4), 17, *range(20, 61, 4)]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_record_resumes_to_the_same_end(tmp_path: Path, precision: Precision) -> None:
    config = replace(CONFIG, precision=precision)
    expected = files(finish(run.create(tmp_path / "whole", config)))
    for records in (1, 2, 9):
        each = run.create(tmp_path / f"after {records}", config)
        snapshots = each.train()
        for _ in range(records):
            next(snapshots)
        snapshots.close()
        assert files(finish(each)) == expected


@pytest.mark.parametrize("recipe", [replace(RECIPE, stop_test_loss=100.0), replace(RECIPE, stop_accuracy=0.001)])
def test_a_finished_run_is_left_as_it_is(tmp_path: Path, recipe: Recipe) -> None:
    each = finish(run.create(tmp_path / "run", replace(CONFIG, recipe=recipe)))
    before = files(each)
    assert each.is_finished and each.log()[-1]["step"] == 0  # what ends it was reached at once
    assert list(each.train()) == [] and files(each) == before


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk, no file can grow beyond this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_takes_no_more_stops_the_run_and_keeps_what_it_had(tmp_path: Path) -> None:
    expected = files(finish(run.create(tmp_path / "whole", CONFIG)))
    each = run.create(tmp_path / "run", CONFIG)
    snapshots = each.train()
    next(snapshots), next(snapshots)
    before = files(each)
    with largest_file(len(before["model.pt"]) // 2), pytest.raises(InterpError, match=r"cannot write .*model\.pt"):
        next(snapshots)
    assert files(each) == before
    # The checkpoint fits, what comes after it does not.
    snapshots = each.train()
    with largest_file(len(before["model.pt"]) + 100), pytest.raises(InterpError, match=r"cannot write .*resume\.pt"):
        next(snapshots)
    assert training_state.load(each.path / "resume.pt", RECIPE).step == 4
    assert files(finish(each)) == expected


def test_a_directory_that_is_gone_stops_the_run_with_one_clear_line(tmp_path: Path) -> None:
    each = run.create(tmp_path / "run", replace(CONFIG, snapshots=True))
    snapshots = each.train()
    next(snapshots)
    (each.path / "snapshots").rename(each.path / "elsewhere")
    with pytest.raises(InterpError, match=r"cannot write .*step-000004\.pt: No such file"):
        next(snapshots)
    assert formats.load(each.model_path).step == 0


def test_a_second_process_on_a_run_is_refused(tmp_path: Path) -> None:
    each = run.create(tmp_path / "run", CONFIG)
    first = each.train()
    next(first)
    refusals = []

    def second() -> None:
        try:
            finish(run.load(each.path))
        except InterpError as error:
            refusals.append(str(error))

    thread = threading.Thread(target=second)
    thread.start()
    thread.join()
    assert len(refusals) == 1 and "is being trained by another process" in refusals[0]
    assert len(list(first)) == 15  # the first goes on undisturbed


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda each: (each.path / "resume.pt").write_bytes(b"PK"), r"cannot resume: .*resume\.pt"),
        (lambda each: (each.path / "resume.pt").write_bytes(each.model_path.read_bytes()), "is not a training state"),
        (lambda each: (each.path / "log.jsonl").write_text("{}\n"), "line 1 is no record"),
        (lambda each: (each.path / "log.jsonl").write_text("[" * 100_000 + "\n"), "line 1 is no record"),
        (lambda each: _edit(each, "exp_avg_sq", lambda x: -x), "negative means of squares"),
        (lambda each: _edit(each, "exp_avg", lambda x: x * torch.nan), "NaN"),
        (lambda each: _edit(each, "parameters", lambda x: x[:1]), r"expected embed\.W_E of shape \[8, 16\], got \[1, 16\]"),
    ],
)
def test_a_damaged_run_is_refused_and_left_alone(tmp_path: Path, damage: Callable[[Run], object], message: str) -> None:
    each = run.create(tmp_path / "run", CONFIG)
    snapshots = each.train()
    next(snapshots), next(snapshots)
    snapshots.close()
    damage(each)
    model = each.model_path.read_bytes()
    with pytest.raises(InterpError, match=message):
        finish(each)
    assert each.model_path.read_bytes() == model


def _edit(each: Run, part: str, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    content = torch.load(each.path / "resume.pt", weights_only=True)
    tensors = content[part] if part == "parameters" else content["memory"][part]
    tensors["embed.W_E"] = change(tensors["embed.W_E"])
    torch.save(content, each.path / "resume.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "config.json"),
        ("[]", "expected a mapping with a recipe"),
        ('{"recipe": {}}', "recipe is incomplete"),
        ("[" * 100_000, "config.json"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InterpError, match="is not a run directory"):
        run.load(tmp_path)
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(InterpError, match=message):
        run.load(tmp_path)


def test_a_run_is_recorded_every_hundred_steps_where_nobody_says() -> None:
    config = RunConfig(recipe=RECIPE, seed=0)
    assert (config.record_every, config.snapshots_per_decade, config.snapshots) == (100, 12, False)
    assert (config.precision, config.device, config.threads) == ("float32", "cpu", 1)


def test_a_run_knows_its_configuration_again(tmp_path: Path) -> None:
    config = replace(CONFIG, snapshots=True, precision="float64", recipe_name="quick")
    assert run.load(run.create(tmp_path / "run", config).path).config == config
    values = json.loads((tmp_path / "run" / "config.json").read_text())
    (tmp_path / "run" / "config.json").write_text(json.dumps({**values, "precision": "float16"}))
    with pytest.raises(InterpError, match="float32 or float64, got 'float16'"):
        run.load(tmp_path / "run")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_run_trained_on_cuda_is_read_anywhere_and_trained_on_where_there_is_one(tmp_path: Path) -> None:
    each = run.create(tmp_path / "run", CONFIG)
    snapshots = each.train()
    next(snapshots), next(snapshots)
    snapshots.close()
    values = json.loads((each.path / "config.json").read_text())
    (each.path / "config.json").write_text(json.dumps({**values, "device": "cuda:1"}))
    before = files(each)
    opened = run.load(each.path)
    assert opened.config.device == "cuda:1" and [record["step"] for record in opened.log()] == [0, 4]
    assert len(progress(each.path).moments) == 1  # thinning kept one
    with pytest.raises(InterpError, match="no CUDA device here"):
        finish(opened)
    assert files(each) == before
    with pytest.raises(InterpError, match="no CUDA device here"):
        run.create(tmp_path / "new", replace(CONFIG, device="cuda"))
    assert not (tmp_path / "new").exists()


def test_seconds_go_on_where_a_run_was_broken_off(tmp_path: Path) -> None:
    """The log's clock counts the seconds of training, over all its pieces."""
    each = run.create(tmp_path / "run", CONFIG)
    snapshots = each.train()
    next(snapshots), next(snapshots)
    snapshots.close()
    lines = each.log()
    lines[-1]["seconds"] = 1000.0  # a piece that took long
    (each.path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    seconds = [record["seconds"] for record in finish(each).log()]
    assert seconds == sorted(seconds) and 1000 <= seconds[2] <= seconds[-1] < 1100


def test_snapshots_come_in_the_order_of_their_steps(tmp_path: Path) -> None:
    """As text the millionth comes before the one before it."""
    each = run.create(tmp_path / "run", CONFIG)
    for step in (1_000_000, 999_999, 4):
        (each.path / "snapshots" / f"step-{step:06d}.pt").touch()
    assert [path.stem for path in each.snapshot_paths] == ["step-000004", "step-999999", "step-1000000"]
