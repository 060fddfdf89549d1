"""interp-train as a person and a script see it."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small import OPTIONS

import interp
from interp.commands.train import main
from interp.files import formats
from interp.recipe import RECIPES


def test_a_run_directory_holds_configuration_log_and_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    arguments = ["--out", str(out), *OPTIONS, "--steps", "25", "--record-every", "10", "--snapshots", "--seed", "3"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{out / 'model.pt'}: step 25, train loss ")
    assert "steps/s" in captured.err and "s left" in captured.err

    config = json.loads((out / "config.json").read_text())
    assert (
        config["seed"] == 3
        and config["recipe"]["p"] == 7
        and config["recipe"]["task"] == "addition"
        and config["recipe"]["steps"] == 25
    )
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in log] == [0, 10, 20, 25]
    assert log[0].keys() == {"step", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "seconds"}
    assert sorted(path.name for path in (out / "snapshots").iterdir()) == [f"step-{step:06d}.pt" for step in (0, 10, 20, 25)]
    saved = formats.load(out / "model.pt")
    assert (saved.step, saved.seed) == (25, 3) and saved.recipe is not None and saved.train_pairs is not None
    assert saved.losses["train_loss"] == log[-1]["train_loss"]

    # The analysis measures what the log says, but over the residues only: '=' is never the answer.
    measured = interp.load(out / "model.pt")
    assert measured.p == 7 and len(saved.train_pairs) == 24


def test_it_trains_where_the_system_does_not_say_which_cores_are_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Linux has sched_getaffinity; macOS has a number of cores."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert main(["--out", str(tmp_path / "run"), *OPTIONS, "--steps", "1"]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["threads"] == 1
    monkeypatch.setattr(os, "cpu_count", lambda: None)  # nor has every system that
    assert main(["--out", str(tmp_path / "other"), *OPTIONS, "--steps", "1"]) == 0


def test_a_recipe_brings_its_own_numbers_and_options_change_them(tmp_path: Path) -> None:
    arguments = ["--recipe", "zhong-2023", "--network.attention-rate", "0.5", "--steps", "1", "--precision", "float64"]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 0
    saved = formats.load(tmp_path / "run" / "model.pt")
    recipe = RECIPES["zhong-2023"]
    assert saved.recipe is not None and saved.recipe.weight_decay == recipe.weight_decay
    assert saved.recipe.p == 59 and saved.recipe.network.attention_rate == 0.5
    assert {str(tensor.dtype) for tensor in saved.network.parameters.values()} == {"torch.float64"}


def test_it_refuses_to_overwrite_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(tmp_path / "run"), *OPTIONS, "--steps", "1"]
    assert main(arguments) == 0
    before = (tmp_path / "run" / "model.pt").read_bytes()
    assert main([*arguments, "--seed", "1"]) == 2
    assert "is not an empty directory: name another with --out" in capsys.readouterr().err
    assert (tmp_path / "run" / "model.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--p", "1"], "modulus p of at least 2"),
        (["--train-fraction", "0"], "nothing is left to train on"),
        (["--train-fraction", "1"], "nothing is left to test"),
        (["--train-fraction", "0.00001"], "leaves 0 of 12769 pairs to train on"),
        (["--network.n-heads", "3"], "3 heads of width 32 make 96, d_model is 128"),
        (["--network.attention-rate", "2"], "between 0 and 1"),
        (["--record-every", "0"], "--record-every of at least 1"),
        (["--seed", "-1"], "seed of 0 or more"),
        (["--learning-rate", "nan"], "learning_rate of 0 or more"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_written(tmp_path: Path, options: list[str], message: str) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "interp.commands.train", "--out", str(out), *options]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 2 and not out.exists()
    assert finished.stderr.startswith("interp-train: ") and message in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_divergence_keeps_the_last_good_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    options = ["--learning-rate", "1e30", "--steps", "500", "--record-every", "1"]
    assert main(["--out", str(out), *OPTIONS, *options]) == 2
    assert "lower the learning rate" in capsys.readouterr().err
    assert formats.load(out / "model.pt").losses["train_loss"] < math.inf


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_usable_checkpoint(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "interp.commands.train", "--out", str(out), *OPTIONS]
    command += ["--steps", "1000000", "--stop-test-loss", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (out / "resume.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(number)
    shown, errors = running.communicate(timeout=60)
    assert running.returncode == 130 and "Traceback" not in errors
    saved = formats.load(out / "model.pt")
    assert saved.step and f"step {saved.step}," in shown
    name = "Ctrl-C" if number is signal.SIGINT else "SIGTERM"
    assert f"; ended early: stopped by {name}; interp-train --resume {out} goes on" in shown
    assert json.loads((out / "log.jsonl").read_text().splitlines()[-1])["step"] == saved.step


def test_help_is_worth_reading(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--recipe", "zhong-2023", "--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    for words in ("Ctrl-C", "interp-analyze", "Exit codes", "--network.attention-rate", "(default: 2.0)", "Examples"):
        assert words in shown


def test_a_training_says_why_it_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path / "steps"), *OPTIONS, "--steps", "2"]) == 0
    assert capsys.readouterr().out.endswith("; ended because all 2 steps are done\n")
    assert main(["--out", str(tmp_path / "loss"), *OPTIONS, "--steps", "9", "--stop-test-loss", "100"]) == 0
    assert capsys.readouterr().out.endswith("; ended because the test loss is below 100 (--stop-test-loss)\n")
    assert main(["--out", str(tmp_path / "accuracy"), *OPTIONS, "--steps", "9", "--stop-accuracy", ".01"]) == 0
    assert capsys.readouterr().out.endswith("; ended because the accuracy on all pairs has reached 0.01 (--stop-accuracy)\n")
    diverging = [*OPTIONS, "--seeds", "0,1", "--learning-rate", "1e30", "--steps", "50", "--record-every", "1"]
    assert main(["--out", str(tmp_path), *diverging]) == 2
    for line in capsys.readouterr().out.splitlines():
        assert "; ended early: training diverged: " in line
