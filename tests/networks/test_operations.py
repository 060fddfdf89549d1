"""Polynomials, products and tables as tasks: what they compute, and which numbers make them an addition or a group."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import analyses
import interp
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files.formats.facts import facts_within
from interp.networks.model import Unavailable
from interp.tasks import stored_task, task_named
from interp.tasks.addition import Addition


@pytest.mark.parametrize(
    ("formula", "written", "of_sum"),
    [
        ("ab+b", "ab + b mod 11", "log(a + 1) + log b"), ("3ab-2a+5b+1", "3ab - 2a + 5b + 1 mod 11", "log(a - 2) + log(b + 3)"),
        ("ab-b", "ab - b mod 11", "log(a - 1) + log b"), ("2a+3b", "2a + 3b mod 11", "2a + 3b"),
        ("(a+b)^3", "(a + b)³ mod 11", "a + b"), ("b-a", "b - a mod 11", "-a + b"), ("a^3+2b", "a³ + 2b mod 11", "a³ + 2b"),
    ],
)  # fmt: skip
def test_polynomials_that_are_additions_in_other_numbers(formula: str, written: str, of_sum: str) -> None:
    """ab + b = (a + 1)b, and cubing mod 11 leaves no two numbers equal."""
    task = task_named(formula, 11)
    numbers = task.relabelling()
    assert numbers is not None and (task.sentence, task.words.sum) == (written, of_sum)
    assert numbers.is_addition and numbers.modulus == (10 if "ab" in formula else 11)
    own = task.table()[numbers.a][:, numbers.b]
    assert torch.equal(own, numbers.c[numbers.group.table])


@pytest.mark.parametrize("formula", ["a^2+ab+b^2", "a^3+ab", "a^3+ab^2+b", "a^2+ab+b^2+a", "a^2+b^2", "(a+b)^2"])
def test_polynomials_that_are_none(formula: str) -> None:
    assert task_named(formula, 11).relabelling() is None


@pytest.mark.parametrize(("formula", "of_sum"), [("a^2+b^2", "a² + b²"), ("a^2-b^2", "a² - b²"), ("(a+b)^2", "a + b")])
def test_a_disguise_is_the_task(formula: str, of_sum: str) -> None:
    task = task_named(formula, 11)
    found = task.disguise()
    assert found is not None and found.sum == of_sum
    assert torch.equal(found.c[(found.a[:, None] + found.b) % 11], task.table())
    assert task_named("a^2+ab", 11).disguise() is None and Addition(11).disguise() is None


@pytest.mark.parametrize(
    "formula", ["", "a", "a+", "+b", "a^2+c", "a^100+b", "(a+b", "a++b", "2^a+b", "a+b)^2", "import os", "a"]
)
def test_what_is_no_polynomial_of_both_is_no_task(formula: str) -> None:
    with pytest.raises(InterpError, match="expected a task such as"):
        task_named(formula, 7)


def test_the_published_spellings_of_a_formula_are_one_task() -> None:
    assert task_named("a² + a*b + b²", 7) == task_named("a^2+ab+b^2", 7) == task_named("a**2 + a·b + b**2", 7)
    assert task_named("a + b", 7) == Addition(7) and task_named("Z12") == Addition(12)


def test_products_of_units_of_a_composite_modulus_are_a_group_and_zero_divisors_apart() -> None:
    numbers = task_named("multiplication", 15).relabelling()
    assert numbers is not None and not numbers.is_addition and numbers.modulus == 8
    assert numbers.apart == "a number that has no inverse"
    own = task_named("multiplication", 15).table()[numbers.a][:, numbers.b]
    assert torch.equal(own, numbers.c[numbers.group.table])


def test_odd_division() -> None:
    table = task_named("odd-division", 7).table()
    assert [int(table[5, b]) for b in (1, 2, 3, 4)] == [5, 3, 5 * 5 % 7, 1]  # 1/3 = 5 mod 7


def scrambled(group_name: str, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A group's table with other symbols for a, for b and for the answer, and these symbols."""
    table = task_named(group_name).table()
    generator = torch.Generator().manual_seed(seed)
    a, b, c = (torch.randperm(len(table), generator=generator) for _ in range(3))
    own = torch.empty_like(table)
    own[a[:, None], b] = c[table]
    return own, a, b, c


@pytest.mark.parametrize("name", ["S4", "D5", "Q8", "Z2xZ4", "C9", "A5"])
def test_a_table_in_any_symbols_is_known_as_the_group_it_is(name: str, tmp_path: Path) -> None:
    own, *_ = scrambled(name, 0)
    np.save(tmp_path / "table.npy", own.numpy())
    task = task_named(str(tmp_path / "table.npy"))
    assert torch.equal(task.table(), own) and task_named(task.name) == task
    numbers = task.relabelling()
    assert numbers is not None and torch.equal(own[numbers.a][:, numbers.b], numbers.c[numbers.group.table])
    assert numbers.group.name == ("" if name == "Z2xZ4" else name) and numbers.is_addition == (name == "C9")


def test_a_zero_in_a_table_is_set_apart(tmp_path: Path) -> None:
    residues = torch.arange(7)
    np.save(tmp_path / "table.npy", (residues[:, None] * residues % 7).numpy())
    numbers = task_named(str(tmp_path / "table.npy")).relabelling()
    assert numbers is not None and numbers.is_addition and numbers.modulus == 6 and numbers.apart == "0"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (np.maximum(np.arange(4)[:, None], np.arange(4)), "row 1 does not hold every element once"),
        (np.array([[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]), "not associative"),
    ],
)
def test_a_table_of_no_group_is_a_task_that_says_what_fails(table: np.ndarray, says: str, tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", table)
    task = task_named(str(tmp_path / "table.npy"))
    assert task.relabelling() is None and says in task.why_no_group()
    with pytest.raises(Unavailable, match=says):
        analyses.key_representations(Circuit(interp.from_logits(torch.zeros(task.p, task.p, task.p)).network, task=task))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (np.zeros((3, 4), dtype=int), r"expected a square table of whole numbers, got whole numbers \[3, 4\]"),
        (np.zeros((4, 4)), "expected a .npy file of whole numbers, got float64"),
        (np.full((3, 3), 3), r"the answer to \(0, 0\) is 3, which is none of 0..2"),
        (np.full((3, 3), -1), "no pair has an answer"),
        (np.array([[{}]], dtype=object), "is no .npy file of whole numbers"), (b"not an array", "is no .npy file"),
        (None, "cannot be read: No such file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_one_line(content: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "table.npy"
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(InterpError, match=says) as refused:
        task_named(str(path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["table:", "table:AAAA", "table:!!!", "table:eJwDAAAAAAE="])
def test_a_name_that_holds_no_table_is_refused(name: str) -> None:
    with pytest.raises(InterpError, match=r"table: holds no|expected a table"):
        task_named(name)


def test_tasks_in_a_folder_of_ones_own_are_known_to_every_command(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "one_more.py").write_text(
        "from interp.tasks.addition import Addition\n"
        "class OneMore(Addition):\n"
        "    word, formula = 'one more', 'one more than a+b'\n"
        "    def table(self):\n        return (super().table() + 1) % self.p\n"
        "    def relabelling(self):\n        return None\n"
    )
    command = [
        sys.executable,
        "-c",
        "from interp.tasks import task_named; print(task_named('one more', 7).table()[3, 4].item())",
    ]
    known = {"INTERP_TASKS": str(tmp_path / "tasks")}
    finished = subprocess.run(command, env={**os.environ, **known}, capture_output=True, text=True, check=False)
    assert finished.stdout.strip() == "1", finished.stderr
    nowhere = {"INTERP_TASKS": str(tmp_path / "nowhere")}
    finished = subprocess.run(command, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False)
    assert finished.returncode == 1 and "nowhere, which is no folder: no tasks from there" in finished.stderr


@pytest.mark.parametrize("name", ["S6xS6", "Z999xZ999", "x".join(["Z2"] * 20)])
def test_products_that_memory_could_not_hold_are_refused_before_they_are_made(name: str) -> None:
    with pytest.raises(InterpError, match="expected a group of 2 to 1000 elements"):
        task_named(name)


def test_a_formula_of_any_length_is_no_work() -> None:
    with pytest.raises(InterpError, match="expected a task such as"):
        task_named("a+b" * 100_000, 97)


def test_no_file_makes_us_read_another_file(tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", np.zeros((7, 7), dtype=int))
    with pytest.raises(InterpError, match="names a file for a task"):
        stored_task(str(tmp_path / "table.npy"), 7)
    assert facts_within({"task": str(tmp_path / "table.npy"), "p": 7}).task is None
