"""What make check refuses: it must see the mistakes that it is there for."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BIN = Path(sys.executable).parent


def _ruff(code: str, file: str) -> str:
    """What the linter says of this code in that file of the project."""
    command: list[str | Path] = [BIN / "ruff", "check", "--output-format", "concise", "--stdin-filename", file, "-"]
    return subprocess.run(command, input=code, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    "file", ["interp/files/checkpoint.py", "interp/circuit.py", "interp/networks/config.py", "analyses/trials/causal.py"]
)
def test_printing_is_refused_away_from_the_edge(file: str) -> None:
    assert "T201" in _ruff("print(1)\n", file)


@pytest.mark.parametrize(
    "file", ["interp/commands/train.py", "interp/commands/command.py", "analyses/commands/analyze.py", "studies/summary.py"]
)
def test_commands_may_print(file: str) -> None:
    assert "T201" not in _ruff("print(1)\n", file)


def test_a_misspelt_annotation_is_refused_by_the_linter_and_by_the_type_checker(tmp_path: Path) -> None:
    code = "def double(x: Tensro) -> int:\n    return 2\n"
    assert "F821" in _ruff(code, "interp/fourier.py")
    (tmp_path / "misspelt.py").write_text(code)
    command: list[str | Path] = [
        BIN / "mypy",
        "--config-file",
        ROOT / "pyproject.toml",
        "--no-incremental",
        tmp_path / "misspelt.py",
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 1 and 'Name "Tensro" is not defined' in checked.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of both packages, with the contracts."""
    folder = tmp_path_factory.mktemp("tree")
    for package in ("interp", "analyses"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _lint(tree: Path) -> tuple[int, str]:
    command: list[str | Path] = [BIN / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("file", "importing", "target"),
    [
        ("", "", ""),
        ("interp/circuit.py", "import analyses", "analyses"),
        ("interp/circuit.py", "def late() -> None:\n    from analyses import names", "analyses"),
        ("interp/tasks/task.py", "from interp.circuit import Circuit", "interp.circuit"),
        ("interp/files/plain.py", "from interp.training import run", "interp.training.run"),
        ("interp/training/run.py", "from interp.sweep import pool", "interp.sweep.pool"),
        ("analyses/tools/pairs.py", "from analyses.basics import performance", "analyses.basics.performance"),
        ("analyses/evidence/known.py", "from analyses.trials import causal", "analyses.trials.causal"),
        ("analyses/trials/causal.py", "from analyses.reports import text", "analyses.reports.text"),
        ("interp/training/loop.py", "import rich", "rich"),
    ],
)  # fmt: skip
def test_an_import_against_the_flow_is_refused(tree: Path, file: str, importing: str, target: str) -> None:
    before = (tree / file).read_text() if file else ""
    if file:
        (tree / file).write_text(f"{before}\n{importing}\n")
    try:
        code, said = _lint(tree)
        arrow = f"{file.removesuffix('.py').replace('/', '.')} -> {target}" if file else "0 broken"
        assert (code, arrow in said) == (1 if file else 0, True), said
    finally:
        if file:
            (tree / file).write_text(before)


def test_there_is_one_palette() -> None:
    """Everything that is drawn takes its colours from one file."""
    files = [path for folder in ("interp", "analyses", "studies") for path in (ROOT / folder).rglob("*") if path.is_file()]
    drawn = [path for path in files if path.suffix in (".py", ".css", ".js", ".html")]
    coloured = [path for path in drawn if re.search(r"#[0-9a-fA-F]{6}\b", path.read_text())]
    assert coloured == [ROOT / "analyses" / "findings" / "palette.py"]


def test_files_are_short_and_folders_can_be_surveyed() -> None:
    """What a reader can hold: at most 300 lines in a file, at most about a dozen files of code in a folder."""
    command = ["git", "ls-files", "*.py", "*.js"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    long = {name: lines for name in listed if (lines := len((ROOT / name).read_text().splitlines())) > 300}
    assert not long
    folders = Counter(str(Path(name).parent) for name in listed)
    assert max(folders.values()) <= 15, folders.most_common(3)
