"""What docs/course.md says is so: its messages, its numbers, its table of exercises; and the two editions of a notebook."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from handed_in import SCRIPTS, edition, solutions
from nbclient import NotebookClient

from analyses.evidence.clock_or_pizza import clock_or_pizza
from interp import course, fourier
from interp.course import grokking, unseen_network
from interp.course.exercise import EXERCISES
from interp.course.grade import Options
from interp.files.examples import example

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "course.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_messages_shown_are_those_of_today() -> None:
    def stub(p: int) -> None:
        raise NotImplementedError

    def scaled(p: int) -> torch.Tensor:
        basis = fourier.basis(p)
        basis[1:] *= (p / 2) ** 0.5
        return basis

    shown = re.findall(r"^[○✗✓] .*$", PAGE, re.MULTILINE)
    assert shown == [repr(course.check_fourier_basis(each)) for each in (stub, scaled, solutions()["fourier_basis"])]


def test_the_numbers_are_those_of_the_program() -> None:
    default = {each.name: each.default for each in fields(Options)}
    assert f"`--seconds` ({default['seconds']:g})" in WORDS and f"`--memory` ({default['memory']:g} GiB)" in WORDS
    assert (grokking.LEAST_ACCURACY, grokking.LEAST_HELD_OUT) == (0.99, 0.2)
    assert "answer 99% of the held-out pairs, at least a fifth of all" in WORDS
    others = len(EXERCISES) - 1
    assert f"and {others} other checks" in (ROOT / "CHANGELOG.md").read_text()


def test_there_are_so_many_networks_with_answers_of_their_own() -> None:
    """A unit u and -u move every frequency to the same place; the others are told apart by frequencies and circuits."""
    answers = set()
    for name in unseen_network.KNOWN:
        found, p = dict(clock_or_pizza(example(name)).frequencies), example(name).p
        for u in range(2, p - 1):
            answers.add((p, frozenset((fourier.fold(k * u, p), circuit) for k, circuit in found.items())))
    assert f"There are {len(answers)} that differ" in WORDS


def test_every_exercise_is_set_in_its_notebook_and_nowhere_else() -> None:
    for number, script in enumerate(SCRIPTS, start=1):
        called = re.findall(r"course\.check_(\w+)\(", script.read_text())
        assert called == [name for name, each in EXERCISES.items() if each.notebook == number]
        assert script.with_suffix(".ipynb").name in PAGE


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_two_editions_are_one_notebook(script: Path) -> None:
    with_solutions, for_students = (edition(script, with_solutions=each) for each in (True, False))
    code = [cell.source for cell in for_students.cells if cell.cell_type == "code"]
    folded = [cell.source for cell in for_students.cells if "<summary>A solution" in cell.source]
    exercises = re.findall(r"course\.check_\w+\(", script.read_text())
    hints = [cell for cell in for_students.cells if "<summary>Hint</summary>" in cell.source]
    assert len(folded) == len(hints) == len(exercises) and 3 <= len(exercises) <= 5
    assert len(for_students.cells) == len(with_solutions.cells) + len(folded)
    for each in with_solutions.cells:
        assert "# solution" not in each.source and "# end of solution" not in each.source
        if each.source not in code and each.cell_type == "code":
            assert sum(each.source in cell for cell in folded) == 1  # the solved cell, and nothing else, is folded up
    assert not any("solution" in cell for cell in code)


@pytest.mark.slow
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "as it came"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_notebook_runs_and_says_how_far_it_is(
    script: Path, solved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of its own, without the repository around it and without a browser; every check passes, or says not done."""
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = edition(script, with_solutions=solved)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [each for cell in notebook.cells for each in cell.get("outputs", [])]
    assert "https://" not in str([each.get("data") for each in outputs]), "a figure that is fetched is not there offline"
    said = [text for each in outputs if (text := each.get("data", {}).get("text/plain", ""))[:1] in ("✓", "○", "✗")]
    number = SCRIPTS.index(script) + 1
    ending = ": passed" if solved else ": not done"
    names = [name for name, each in EXERCISES.items() if each.notebook == number]
    assert [text.partition(ending)[0][2:] for text in said if ending in text] == names
