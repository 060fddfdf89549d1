"""Each committed network of another operation yields its known findings, through the interp-analyze command itself."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import analyses
import interp
from analyses.survey.row import values
from interp.files import formats
from interp.sweep.spec import read_spec

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "checkpoints" / "operations"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())
ANALYZE = str(Path(sys.executable).parent / "interp-analyze")
DOCS = " ".join((ROOT / "docs" / "groups.md").read_text().split())
TRAINING = (ROOT / "docs" / "training.md").read_text()


def test_every_checkpoint_has_expectations() -> None:
    assert {path.name for path in FOLDER.glob("*.pt")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_known_checkpoint_yields_its_findings(name: str) -> None:
    expected = EXPECTED[name]
    options = ["--expect-circuit", expected["circuit"]] if expected["circuit"] else []
    if "key_frequencies" in expected:
        options += ["--expect-frequencies", *map(str, expected["key_frequencies"])]
    else:
        options += ["--expect-representations", *expected["key_representations"]]
    command = [ANALYZE, str(FOLDER / name), "--json", "--only", "performance", *options]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    answer = json.loads(finished.stdout)
    assert answer["task"] == expected["task"] and answer["circuit"] == expected["circuit"]
    assert answer["accuracy"] == pytest.approx(expected["accuracy"], abs=1e-3)


def test_what_is_not_as_expected_is_exit_code_1() -> None:
    command = [ANALYZE, str(FOLDER / "d13.pt"), "--only", "performance", "--expect-representations", "sign"]
    command += ["--expect-circuit", "clock"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "expected key representations sign, got sign, freq_2, freq_5" in finished.stderr
    assert "expected circuit clock, got trace form (" in finished.stderr


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    return import_module("operations")


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_its_row_in_the_study_is_what_would_be_measured_today(name: str, study: ModuleType) -> None:
    saved = formats.load(FOLDER / name)
    found = values(("performance",), saved) | {"test_accuracy": analyses.performance(saved.circuit()).test_accuracy}
    assert found["rung"] == EXPECTED[name]["rung"] and saved.recipe is not None
    of_recipe = (saved.recipe.task, saved.recipe.train_fraction, "own")
    (kept,) = [row for row in study.rows() if (row["task"], row["train_fraction"], row["label"]) == of_recipe]
    assert kept["step"] == saved.step
    for column in ("circuit", "is_explained", "rung", "generalises", "key_frequencies", "key_representations"):
        assert found[column] == kept[column], column
    for column in ("accuracy", "test_accuracy", "performance_apart_pairs", "performance_apart_accuracy"):
        if kept[column] is not None:
            assert found[column] == pytest.approx(kept[column], abs=6e-5), column


def test_the_table_in_the_docs_is_that_of_the_rows(study: ModuleType) -> None:
    kept = study.rows()
    assert {row["name"] for row in kept} == read_spec(study.SPEC).points.keys()
    assert study.table(kept) in (ROOT / "docs" / "groups.md").read_text(), "python studies/operations.py"
    assert study.published_table(kept) in TRAINING, "python studies/operations.py"
    pairs = [(row["task"], row["performance_apart_pairs"], row["performance_apart_accuracy"]) for row in kept]
    apart = {each for each in pairs if each[1]}
    assert apart == {("multiplication", 193, 1.0), ("ab+b", 193, 1.0), ("division", 96, 1.0)}
    assert "all 193 of a·b and of ab + b, all 96 of 0 / b" in DOCS


def test_what_the_docs_say_of_published_recipes(study: ModuleType) -> None:
    rows = [row for row in study.rows() if row["label"] == "published"]
    late = [row for row in rows if row["steps_to_test_for_good"] is None]
    never = {row["task"]: f"{row['test_accuracy']:.2f}".removeprefix("0") for row in late}
    told = " ".join(TRAINING.split())
    assert len(rows) == 12 and "Eight of twelve generalise as published" in told
    assert set(never) == {"A5", "D29", "a^2+ab+b^2", "a^3+ab"}
    assert f"A5 and D29 ({never['A5']} and {never['D29']} of the held-out pairs right" in told


def test_what_the_docs_say_beside_the_table() -> None:
    spectrum = analyses.embedding_spectrum(interp.load(FOLDER / "multiplication-97.pt"))
    assert f"have a Gini coefficient of {spectrum.gini:.2f}".replace("0.", ".") in DOCS
    assert f"in the order of the residues {spectrum.plain_gini:.2f} ".replace("0.", ".") in DOCS
    squares = interp.load(FOLDER / "squares-97.pt")
    found = analyses.disguise(squares)
    assert f"{found.embedding_a:.3f} of its variance is a function of a²".replace("0.", ".") in DOCS
    nothing_else, all_of_it = found.accuracy_averaged, analyses.performance(squares).accuracy
    assert f"right on {nothing_else:.4f} of the pairs, more than before ({all_of_it:.4f})".replace("0.", ".") in DOCS


def test_the_network_of_power_et_al_generalises_long_after_it_knew_its_training_pairs() -> None:
    log = [json.loads(line) for line in (ROOT / "studies" / "power-2022.log.jsonl").read_text().splitlines()]
    known, generalises = (
        next(each["step"] for each in log if each[key] >= 0.99) for key in ("train_accuracy", "test_accuracy")
    )
    before = next(each["test_accuracy"] for each in log if each["step"] == 1500)
    told = " ".join(TRAINING.split())
    assert f"knows .99 of its training pairs at step {known}, and .99 of the others at step {generalises}" in told
    assert f"when it had known {before:.2f} of them at step 1500" in told
