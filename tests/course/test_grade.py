"""interp-grade on a folder with everything that people hand in: each file has its rows, and none ends the grading."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from handed_in import SCRIPTS, edition, needed_cells

from interp import course
from interp.course.exercise import EXERCISES
from interp.course.grade import main
from interp.course.grading.grades import Grade, as_csv, as_markdown
from interp.course.grading.submission import read
from interp.errors import InterpError

RIGHT = """
import math
import torch
def point(n, k, p):
    return math.cos(2 * math.pi * k * n / p), math.sin(2 * math.pi * k * n / p)
"""
SCALED = """
def fourier_basis(p):
    n = torch.arange(p)
    waves = [f(2 * math.pi * k * n / p) for k in range(1, p // 2 + 1) for f in (torch.cos, torch.sin)]
    return torch.stack([torch.ones(p), *waves])
"""
HOSTILE = """
from interp import course, fourier
from interp.course import exercise, fourier_basis as checks
for name in dir(course):
    if name.startswith("check_"):
        setattr(course, name, lambda *given: exercise.Outcome("point", "passed", "I said so."))
exercise.differ = checks.differ = lambda mine, truth: False
exercise.Outcome.__bool__ = lambda self: True
checks.fourier.basis = fourier.basis = lambda p: torch.zeros(p, p)
exercise.EXERCISES.clear()
def fourier_basis(p):
    return torch.zeros(p, p)
"""
EXITS = """
import os
def fourier_basis(p):
    os._exit(0)
def coefficients(values):
    exit()
def energy_shares(values):
    return torch.ones(1 << 33)
"""
RAISES = """
# %%
misspelt
def fourier_basis(p):
    return 1
# %%
def coefficients(values):
    return object()
"""
FILES = {
    "corrupt.ipynb": '{"cells": [{"cell_type": "code", "source": ["def point(',
    "exits/in_a_cell.py": f"{RIGHT}\nimport os\nos._exit(0)",
    "exits/in_a_function.py": RIGHT + EXITS,
    "hangs.py": f"{RIGHT}\ndef fourier_basis(p):\n    while True:\n        pass\n",
    "hostile.py": RIGHT.replace("return", "return 0,") + HOSTILE,
    "notes.txt": "I have done all of it.",
    "other.py": "print(1)",
    "raises.py": RIGHT + RAISES,
    "strange.pt": "no network",
    "wrong.py": RIGHT + SCALED + "\nfor _ in range(100_000):\n    print('talkative ' * 10)\ninput()\n",
    ".hidden.py": RIGHT,
}  # fmt: skip
"""Submissions that are wrong in some way."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[str, str]]:
    """(result, why) by file and exercise, as the command writes them."""
    folder = tmp_path_factory.mktemp("class")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for name, solved in (("good", True), ("as_it_came", False)):
        nbformat.write(edition(SCRIPTS[0], with_solutions=solved), folder / f"{name}.ipynb")
    out = folder / "grades.json"
    assert main([str(folder), "--seconds", "6", "--quiet", "--out", str(out)]) == 0
    rows = json.loads(out.read_text())
    return {(row["submission"], row["exercise"]): (row["result"], row["says"]) for row in rows}


BASIS = ("point", "fourier_basis", "coefficients", "energy_shares")


@pytest.mark.parametrize(
    ("name", "results"),
    [
        ("good.ipynb", ("passed", "passed", "passed", "passed")),
        ("as_it_came.ipynb", ("not done", "not done", "not done", "not done")),
        ("exits/in_a_cell.py", ("could not be run",) * 4),
        ("exits/in_a_function.py", ("passed", "could not be run", "failed", "failed")),
        ("hangs.py", ("passed", "could not be run", "not done", "not done")),
        ("hostile.py", ("failed", "failed", "not done", "not done")),
        ("raises.py", ("passed", "could not be run", "failed", "could not be run")),
        ("wrong.py", ("passed", "failed", "could not be run", "could not be run")),
    ],
)
def test_every_exercise_has_its_result(
    found: dict[tuple[str, str], tuple[str, str]], name: str, results: tuple[str, ...]
) -> None:
    assert tuple(found[name, exercise][0] for exercise in BASIS) == results


@pytest.mark.parametrize(
    ("name", "exercise", "why"),
    [
        ("corrupt.ipynb", "", "it is no notebook of Jupyter (format 4): is it damaged?"),
        ("notes.txt", "", "it is neither a notebook (.ipynb), nor a script (.py), nor a network (.pt, .safetensors)"),
        ("other.py", "", "it has no exercise of the course in it"),
        ("strange.pt", "trained", "the file cannot be read as a network"),
        ("exits/in_a_cell.py", "point", "its cells did not come to an end: the process ended"),
        ("exits/in_a_function.py", "coefficients", "raised SystemExit"),
        ("exits/in_a_function.py", "energy_shares", "raised RuntimeError"),  # more memory than it may have
        ("hangs.py", "fourier_basis", "fourier_basis: no answer within 6 seconds"),
        ("hostile.py", "fourier_basis", "row 0 of fourier_basis(7) is 0 everywhere, and should be the constant"),
        ("raises.py", "fourier_basis", "fourier_basis is not there, and code cell 2 raised NameError: name 'misspelt'"),
        ("raises.py", "coefficients", "raised TypeError: a value of type object is no answer to an exercise"),
        ("wrong.py", "fourier_basis", "is the constant, but its length should be 1, and is 2.65: divide by that"),
    ],
)
def test_the_reason_is_said(found: dict[tuple[str, str], tuple[str, str]], name: str, exercise: str, why: str) -> None:
    assert why in found[name, exercise][1]


def test_what_nobody_handed_in_is_no_row(found: dict[tuple[str, str], tuple[str, str]]) -> None:
    assert {name for name, _ in found} == {*(set(FILES) - {".hidden.py"}), "good.ipynb", "as_it_came.ipynb"}


def test_networks_are_graded_without_running_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course.trained(lambda: replace(course.START, weight_decay=2.0, train_fraction=0.6, steps=300), str(tmp_path / "good.pt"))
    course.trained(lambda: replace(course.START, steps=100), str(tmp_path / "by_heart.pt"))
    capsys.readouterr()
    assert main([str(tmp_path), "--out", str(tmp_path / "grades.csv")]) == 0
    shown = capsys.readouterr()
    assert "2 files: 1 of 2 exercises passed; 1 failed" in shown.out
    assert "interp-grade: 1 of 2  by_heart.pt: 0 of 1 passed" in shown.err
    by_heart, good = csv.DictReader((tmp_path / "grades.csv").read_text().splitlines())
    assert good["result"] == "passed" and "key frequencies" in good["says"]
    assert by_heart["result"] == "failed" and "it knows these by heart" in by_heart["says"]
    assert main([str(tmp_path), "--quiet", "--out", str(tmp_path / "grades.csv")]) == 0  # which is not graded itself
    assert "2 files" in capsys.readouterr().out


def test_bad_input_is_one_line_and_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{RIGHT}")
    bad: list[tuple[list[str | Path], str]] = [
        ([tmp_path / "nowhere"], "expected a folder of submissions"),
        ([tmp_path / "empty"], "nothing to grade"),
        ([tmp_path / "full", "--out", tmp_path / "grades.xls"], "expected --out to end in .csv, .md, .json"),
        ([tmp_path / "full", "--out", tmp_path / "no" / "grades.csv"], "there is no folder"),
        ([tmp_path / "full", "--seconds", "0"], "expected --seconds above 0"),
    ]
    for arguments, said in bad:
        assert main([str(each) for each in arguments]) == 2
        shown = capsys.readouterr()
        assert said in shown.err and shown.err.count("\n") == 1 and shown.out == ""
    assert not (tmp_path / "ran").exists()


def test_ctrl_c_ends_the_submission_too(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import time\ndef point(n, k, p): ...\nopen('here', 'w').close()\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "interp.course.grade", str(tmp_path), "--out", str(tmp_path / "grades.csv")]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    grader = subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background ignore it
    )
    while not list(temporary.glob("*/here")):  # the submission runs
        assert grader.poll() is None
        time.sleep(0.1)
    (worker,) = psutil.Process(grader.pid).children()
    grader.send_signal(signal.SIGINT)
    assert grader.wait() == 130
    assert not worker.is_running() and not list(temporary.iterdir()) and not (tmp_path / "grades.csv").exists()


def test_exercises_are_recognised_by_their_checks_or_their_functions(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    for code, notebooks in [
        ("%pip install interp\ndef margin(p, ks): ...", {4}),
        ("def margin(p, ks): ...\ndef profile(logits, k): ...", {4, 5}),
        ("course.check_margin(margin)\ndef profile(logits, k): ...", {4}),
        ("my_frequencies = [1]", {6}),
        ("def margin(p:\ncourse.check_margin(margin)", {4}),  # no Python, and yet an attempt
    ]:
        path.write_text(code)
        assert {each.notebook for each in read(path, tmp_path).exercises} == notebooks, code
    path.write_text("def other(): ...")
    with pytest.raises(InterpError, match="no exercise of the course"):
        read(path, tmp_path)


def test_tables_are_safe_to_open() -> None:
    grade = Grade("=HYPERLINK(1).py", 1, "point", "failed", 'raised "a|b", <b>')
    assert "'=HYPERLINK(1).py" in as_csv([grade])
    assert "\\|" in as_markdown([grade]) and "<b>" not in as_markdown([grade])


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 7))
def test_the_solved_notebooks_pass(number: int, tmp_path: Path) -> None:
    """All of a notebook's exercises, from a script of its solutions, trained network and unseen network included."""
    code = "\n\n# %%\n".join(needed_cells(SCRIPTS[number - 1]))
    (tmp_path / "class").mkdir()
    trains = '\nmy_network = course.trained(my_recipe, "my_network.pt")\n' if number == 2 else ""
    (tmp_path / "class" / "all.py").write_text(code + trains)
    assert main([str(tmp_path / "class"), "--quiet", "--out", str(tmp_path / "g.json")]) == 0
    rows = json.loads((tmp_path / "g.json").read_text())
    assert [row["exercise"] for row in rows] == [name for name, each in EXERCISES.items() if each.notebook == number]
    assert {row["result"] for row in rows} == {"passed"}, rows
    shutil.rmtree(tmp_path / "class")
