"""Many networks at once: each as if it were alone, and none lost when a process is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from small import OPTIONS, SMALL

from interp.commands.train import main
from interp.files import formats
from interp.sweep import pool
from interp.sweep.pool import work_all
from interp.sweep.unit import Status, Training
from interp.training import run
from interp.training.run import Run
from interp.training.run_config import RunConfig

RECIPE = replace(SMALL, steps=40)
TINY = [*OPTIONS, "--stop-test-loss", "0"]


def test_seeds_trained_side_by_side_are_those_trained_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*TINY, "--steps", "30", "--record-every", "10"]
    assert main(["--seeds", "0:3", "--workers", "2", "--out", str(tmp_path / "together"), *options]) == 0
    shown = capsys.readouterr()
    assert shown.out.count("step 30, train loss") == 3
    assert all(f"quick-p7-seed{seed}  step" in shown.err for seed in range(3))  # a line per network and record
    for seed in range(3):
        alone = tmp_path / f"alone-{seed}"
        assert main(["--seed", str(seed), "--threads", "1", "--out", str(alone), *options]) == 0
        together = tmp_path / "together" / f"quick-p7-seed{seed}"
        assert (together / "model.pt").read_bytes() == (alone / "model.pt").read_bytes()


def test_a_killed_worker_goes_on_from_its_last_record(tmp_path: Path) -> None:
    config = RunConfig(recipe=replace(RECIPE, steps=400), seed=1, record_every=8)
    whole = run.create(tmp_path / "whole", config)
    for _ in whole.train():
        pass
    killed, other = run.create(tmp_path / "killed", config), run.create(tmp_path / "other", replace(config, seed=2))
    heard: list[Status] = []

    def kill_once() -> None:
        while not any(each.path == killed.path and each.step >= 100 for each in heard):
            time.sleep(0.01)
        os.kill(_trainer_of(killed), signal.SIGKILL)

    threading.Thread(target=kill_once, daemon=True).start()
    work_all([Training(killed.path), Training(other.path)], workers=2, report=heard.append)
    notes = [each.note for each in heard if each.note]
    assert notes == ["was killed (SIGKILL), restarted from its last record"]
    assert not any(each.failed for each in heard)
    assert killed.model_path.read_bytes() == whole.model_path.read_bytes()
    assert formats.load(other.model_path).step == 400


def _trainer_of(each: Run) -> int:
    """The process that holds the lock of a run."""
    lock = (each.path / ".lock").resolve()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(descriptor.resolve() == lock for descriptor in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(f"nobody holds {lock}")


def test_a_worker_that_dies_every_time_is_given_up_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process that is killed as soon as it holds this run.
    doomed = run.create(tmp_path / "doomed", RunConfig(recipe=RECIPE, seed=0))
    good = run.create(tmp_path / "good", RunConfig(recipe=RECIPE, seed=0))
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys, threading, time\n"
        f"lock = {str(doomed.path / '.lock')!r}\n"
        "def held():\n"
        "    try:\n"
        "        return any(os.path.realpath(f'/proc/self/fd/{d}') == lock for d in os.listdir('/proc/self/fd'))\n"
        "    except OSError:\n"
        "        return False\n"
        "def watch():\n"
        "    while not held():\n"
        "        time.sleep(.001)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "threading.Thread(target=watch, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(pool, "MAX_RESTARTS", 1)  # each takes seconds
    heard: list[Status] = []
    work_all([Training(doomed.path), Training(good.path)], workers=2, report=heard.append)
    of_doomed = [each for each in heard if each.path == doomed.path and each.note]
    assert len(of_doomed) == 2
    assert of_doomed[-1].failed and "given up: resume it with --resume" in of_doomed[-1].note
    assert formats.load(good.model_path).step == 40


def test_a_run_that_fails_does_not_keep_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path)
    assert main(["--seeds", "0:2", "--out", out, *TINY, "--steps", "20"]) == 0
    (tmp_path / "quick-p7-seed0" / "resume.pt").write_bytes(b"nothing")
    model = (tmp_path / "quick-p7-seed0" / "model.pt").read_bytes()
    both = [str(tmp_path / f"quick-p7-seed{seed}") for seed in range(2)]
    for workers in ("1", "2"):
        capsys.readouterr()
        assert main(["--resume", *both, "--workers", workers]) == 2
        shown = capsys.readouterr()
        assert "cannot resume" in shown.err and shown.out.count("step 20") == 2
    assert (tmp_path / "quick-p7-seed0" / "model.pt").read_bytes() == model


@pytest.mark.slow
def test_ctrl_c_stops_all_and_resume_goes_on(tmp_path: Path) -> None:
    out = str(tmp_path)
    command = [sys.executable, "-m", "interp.commands.train", "--seeds", "0:2", "--workers", "2", "--out", out, *TINY]
    command += ["--steps", "1000", "--record-every", "250"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    paths = [tmp_path / f"quick-p7-seed{seed}" for seed in range(2)]
    while not all((path / "resume.pt").exists() for path in paths):
        assert running.poll() is None
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130 and "Traceback" not in errors
    resumed = subprocess.run([*command[:3], "--resume", *map(str, paths)], capture_output=True, check=False)
    assert resumed.returncode == 0
    assert all(formats.load(path / "model.pt").step == 1000 for path in paths)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "3:3"], "expected --seeds like 0:8"),
        (["--seeds", "1,1"], "expected --seeds like 0:8"),
        (["--seeds", "two"], "expected --seeds like 0:8"),
        (["--seeds=-1:2"], "seed of 0 or more"),
        (["--workers", "0"], "--workers of at least 1"),
        (["--threads", "-1"], "--threads of at least 1"),
        (["--device", "tpu"], "expected device cpu or cuda"),
        (["--resume", "nowhere"], "nowhere is not a run directory"),
        (["--resume", "nowhere", "--seed", "3"], "a resumed run keeps its options"),
    ],
)
def test_impossible_options_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    arguments = options if "--resume" in options else ["--out", str(tmp_path / "run"), *TINY, *options]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_a_taken_directory_among_many_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run.create(tmp_path / "quick-p7-seed1", RunConfig(recipe=RECIPE, seed=0))
    assert main(["--seeds", "0:3", "--out", str(tmp_path), *TINY]) == 2
    assert "quick-p7-seed1 exists" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quick-p7-seed1"]


def test_one_worker_that_is_asked_to_stop_begins_no_other_unit(tmp_path: Path) -> None:
    first, second = (run.create(tmp_path / name, RunConfig(recipe=RECIPE, seed=0)) for name in ("first", "second"))
    heard: list[Status] = []
    units = [Training(first.path), Training(second.path)]
    work_all(units, workers=1, report=heard.append, should_stop=lambda: len(heard) > 3)
    assert {each.path for each in heard} == {first.path} and first.log() and not second.log()
