"""A sweep that is interrupted, anywhere and in any way, has every network once at the end, the same as one that is not."""

import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from analyses.commands.sweep import main
from analyses.survey.row import columns, look
from interp.errors import InterpError
from interp.files import formats
from interp.sweep.dataset import Row, read_rows
from interp.sweep.engine import Pool
from interp.sweep.spec import Spec, read_spec
from interp.sweep.sweep import Sweep

NETWORK = "p = 7, train_fraction = 0.5, record_every = 10, network = {d_model = 16, n_heads = 2, d_head = 8, d_mlp = 32}"
TOML = f"""
findings = ["performance", "distance_irrelevance"]
keep = 0.5
[[networks]]
seeds = "0:COUNT"
set = {{steps = STEPS, stop_test_loss = 0.0, {NETWORK}}}
"""
NOT_COMPARED = ("training_seconds", "analysis_seconds")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write(tmp_path, 6, 30)


def write(directory: Path, count: int, steps: int) -> Path:
    path = directory / "small.toml"
    path.write_text(TOML.replace("COUNT", str(count)).replace("STEPS", str(steps)))
    return path


def rows_of(path: Path) -> dict[str, Row]:
    """The rows of a sweep by name, less the seconds; each must be there once."""
    rows = read_rows(path / "rows")
    assert len({row["name"] for row in rows}) == len(rows)
    return {row["name"]: {name: repr(x) for name, x in row.items() if name not in NOT_COMPARED} for row in rows}


def sweep(path: Path, spec: Spec) -> Sweep:
    return Sweep(path, spec, columns(spec.findings), look(spec.findings))


def test_a_sweep_makes_a_row_of_every_network_and_keeps_the_weights_that_were_asked_for(
    tmp_path: Path, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(spec), "--out", str(out), "--workers", "1"]) == 0
    shown = capsys.readouterr()
    assert "6 of 6 networks have a row, 6 of them new" in shown.out and "5 of 6  " in shown.err and "an hour" in shown.err
    first, *_, last = shown.err.splitlines()
    assert (first, last) == ("6 networks to train", f"what they do: interp-survey {out}")
    rows, points = read_rows(out / "rows"), read_spec(spec).points
    assert {row["name"] for row in rows} == points.keys()
    assert sorted(row["seed"] for row in rows) == list(range(6)) and all(row["error"] is None for row in rows)
    kept = {path.stem for path in (out / "networks").iterdir()}
    assert kept == {name for name, point in points.items() if point.is_kept(0.5)} and 0 < len(kept) < 6
    for row in rows:
        if row["name"] in kept:
            saved = formats.load(out / "networks" / f"{row['name']}.pt")
            assert (saved.step, saved.seed, saved.losses["test_loss"]) == (30, row["seed"], row["test_loss"])
            assert saved.recipe == points[row["name"]].config.recipe
    assert not list((out / "unfinished").iterdir())
    assert main([str(spec), "--out", str(out)]) == 0
    assert "6 of 6 networks have a row, 0 of them new" in capsys.readouterr().out


def test_every_record_is_kept_where_that_is_asked(tmp_path: Path, spec: Path) -> None:
    spec.write_text(
        "records = true\n" + spec.read_text().replace("0:6", "0:1").replace("stop_test_loss", "corrupt = 0.3, stop_test_loss")
    )
    assert main([str(spec), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    (row,) = read_rows(tmp_path / "out" / "rows")
    assert row["records_step"] == [0, 10, 20, 30]
    for name in ("train_loss", "test_accuracy", "told_accuracy"):
        assert len(row[f"records_{name}"]) == 4 and row[f"records_{name}"][-1] == row[name]


def test_two_workers_find_what_one_does(tmp_path: Path, spec: Path) -> None:
    for workers in (1, 2):
        assert main([str(spec), "--out", str(tmp_path / str(workers)), "--workers", str(workers)]) == 0
    assert rows_of(tmp_path / "1") == rows_of(tmp_path / "2")


@pytest.mark.parametrize(
    ("kills", "number"),
    [
        (1, signal.SIGKILL),
        pytest.param(20, signal.SIGKILL, marks=pytest.mark.faults),
        pytest.param(1, signal.SIGTERM, marks=pytest.mark.faults),
    ],
)
def test_workers_that_are_killed_lose_and_repeat_nothing(tmp_path: Path, kills: int, number: signal.Signals) -> None:
    spec = read_spec(write(tmp_path, count := 4 + kills // 3, 300 if kills < 20 else 1500))
    done, killed = threading.Event(), list[int]()

    def kill() -> None:
        chance = random.Random(kills)
        while len(killed) < kills and not done.is_set():
            time.sleep(chance.uniform(1, 5))  # a process takes seconds to begin
            if children := multiprocessing.active_children():
                os.kill(pid := chance.choice(children).pid or 0, number)
                killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    progress = sweep(tmp_path / "killed", spec).run(Pool(workers=2))
    done.set()
    killer.join()
    sweep(tmp_path / "whole", spec).run(Pool(workers=2))
    assert len(killed) == kills and progress.failed == 0 and progress.done == count
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")


@pytest.mark.faults
def test_a_driver_that_is_killed_is_started_again_and_does_what_is_missing(tmp_path: Path) -> None:
    path, out = write(tmp_path, 6, 400), tmp_path / "out"
    command = [sys.executable, "-m", "analyses.commands.sweep", str(path), "--out", str(out), "--workers", "2"]
    for enough in (1, 3):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for _ in itertools.count():
            assert running.poll() is None
            if (out / "rows").exists() and len(read_rows(out / "rows")) >= enough:
                break
            time.sleep(0.01)
        running.kill()
        running.wait()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    whole = tmp_path / "whole"
    assert main([str(path), "--out", str(whole), "--workers", "1"]) == 0
    assert rows_of(out) == rows_of(whole) and not list((out / "unfinished").iterdir())


@pytest.mark.faults
def test_ctrl_c_stops_it_and_the_same_command_goes_on(tmp_path: Path) -> None:
    path, out = write(tmp_path, 4, 1500), tmp_path / "out"
    command = [sys.executable, "-m", "analyses.commands.sweep", str(path), "--out", str(out), "--workers", "2"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(out.glob("unfinished/*/resume.pt")):
        assert running.poll() is None
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "stopped; the same command goes on" in said and "Traceback" not in said
    assert list(out.glob("unfinished/*/resume.pt"))
    assert main([str(path), "--out", str(out), "--workers", "1"]) == 0 and len(rows_of(out)) == 4


def test_a_network_that_fails_is_a_row_with_its_error_and_can_be_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "some.toml", tmp_path / "out"
    path.write_text(f"[[networks]]\nset = {{steps = 40, {NETWORK}}}\ngrid = {{learning_rate = [0.001, 1e30]}}")
    for options, new in ([], 2), ([], 0), (["--again"], 1):
        assert main([str(path), "--out", str(out), "--workers", "1", *options]) == 1
        shown = capsys.readouterr()
        assert f"2 of 2 networks have a row, {new} of them new; 1 failed" in shown.out
    good, bad = sorted(read_rows(out / "rows"), key=lambda row: row["learning_rate"])
    assert good["error"] is None and good["accuracy"] is not None
    assert "training diverged" in bad["error"] and bad["accuracy"] is None and bad["p"] == 7
    for options, planned in ([], "not tried again without --again"), (["--again"], "tried again"):
        assert main([str(path), "--out", str(out), "--dry-run", *options]) == 0
        plan = capsys.readouterr().out
        assert f"1  of them failed, and are {planned}\n" in plan and "2  networks, 2 of which have a row" in plan


def test_a_disk_that_is_full_stops_it_and_loses_nothing(tmp_path: Path) -> None:
    # The system refuses every file above a size, which the checkpoints are below and the rows above.
    path, out = write(tmp_path, 3, 20), tmp_path / "out"
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); "
    limited += "from analyses.commands.sweep import main; sys.exit(main(sys.argv[1:]))"
    for workers in ("1",):
        command = [sys.executable, "-c", limited, str(path), "--out", str(out), "--workers", workers]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 2 and "Traceback" not in ended.stderr
        assert ended.stderr.splitlines()[-1].startswith("interp-sweep: cannot write") and "File too large" in ended.stderr
        assert not read_rows(out / "rows") and not list((out / "rows").iterdir())
    assert main([str(path), "--out", str(out), "--workers", "1"]) == 0
    rows = read_rows(out / "rows")
    assert len(rows) == 3 and all(row["error"] is None for row in rows)


def test_a_directory_that_cannot_be_made_stops_it_and_is_no_fault_of_a_network(
    tmp_path: Path, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "networks").write_text("in the way")
    assert main([str(spec), "--out", str(out), "--workers", "1"]) == 2
    assert f"cannot make {out / 'networks'}" in capsys.readouterr().err
    before = len(read_rows(out / "rows"))
    (out / "networks").unlink()
    assert main([str(spec), "--out", str(out), "--workers", "1"]) == 0
    assert len(rows := read_rows(out / "rows")) == 6 > before and all(row["error"] is None for row in rows)


def test_a_row_that_does_not_fit_is_a_failed_network(tmp_path: Path, spec: Path) -> None:
    progress = Sweep(tmp_path / "out", read_spec(spec), {"seen": int}, words).run(Pool(workers=1))
    assert (progress.done, progress.failed) == (6, 6)
    assert "does not fit the columns" in read_rows(tmp_path / "out" / "rows")[0]["error"]


def words(saved: Any) -> Row:
    return {"seen": "text"}


def test_a_second_driver_is_refused(tmp_path: Path, spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with FileLock(out / ".lock"):
        assert main([str(spec), "--out", str(out)]) == 2
    assert f"another process works in {out}" in capsys.readouterr().err and not (out / "rows").exists()


def test_more_networks_can_be_asked_for_and_other_findings_not(tmp_path: Path, spec: Path) -> None:
    out = tmp_path / "out"
    assert main([str(write(tmp_path, 1, 20)), "--out", str(out), "--workers", "1"]) == 0
    first = rows_of(out)
    assert main([str(write(tmp_path, 2, 20)), "--out", str(out), "--workers", "1"]) == 0
    assert first.items() <= rows_of(out).items() and len(rows_of(out)) == 2
    spec.write_text(spec.read_text().replace('"performance", ', ""))
    assert main([str(spec), "--out", str(out), "--workers", "1"]) == 2


def test_a_plan_says_how_much_it_is_and_trains_nothing(tmp_path: Path, spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main([str(spec), "--out", str(out), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "6  quick: a + b mod 7" in shown and "6  networks, 0 of which have a row" in shown
    assert "time " in shown and "disk " in shown and not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.toml"], "cannot read nothing.toml"),
        (["SPEC", "--workers", "-1"], "--workers of at least 1"),
        (["SPEC", "--engine", "ray"], 'needs Ray, which is not installed: pip install "interp[ray]"'),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    tmp_path: Path,
    spec: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([str(spec) if each == "SPEC" else each for each in arguments] + ["--out", str(tmp_path / "out")]) == 2
    assert message in (said := capsys.readouterr().err) and len(said.splitlines()) == 1


def test_an_unknown_finding_is_refused(tmp_path: Path, spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text(spec.read_text().replace("performance", "performances"))
    assert main([str(spec), "--out", str(tmp_path / "out")]) == 2
    assert "expected findings among" in capsys.readouterr().err


def test_a_defect_in_a_measurement_is_a_row_and_the_others_go_on(tmp_path: Path, spec: Path) -> None:
    given = read_spec(spec)
    progress = Sweep(tmp_path / "out", given, {"seen": int}, broken_for_some).run(Pool(workers=2))
    assert progress.done == 6 and progress.failed == 2
    errors = {row["seed"]: row["error"] for row in read_rows(tmp_path / "out" / "rows")}
    assert errors[2] == errors[4] == "a defect of this project: ZeroDivisionError: integer division or modulo by zero"
    assert [errors[seed] for seed in (0, 1, 3, 5)] == [None] * 4


def broken_for_some(saved: Any) -> Row:
    return {"seen": 1 // (0 if saved.seed in (2, 4) else 1)}


def test_a_sweep_that_is_no_sweep_raises_what_the_command_prints(tmp_path: Path) -> None:
    with pytest.raises(InterpError, match="at least one"):
        Spec(networks=())
