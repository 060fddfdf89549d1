"""What make check refuses: it must see the mistakes that it is there for."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
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
    "file", ["interp/commands/train.py", "interp/commands/command.py", "analyses/commands/analyze.py", "studies/plan.py"]
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


@pytest.mark.parametrize("importing", ["import analyses", "def late() -> None:\n    from analyses import cli"])
def test_an_import_against_the_flow_is_refused(tmp_path: Path, importing: str) -> None:
    """The contract itself, on two packages of the same names."""
    config = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(config[config.index("[tool.importlinter]") :])
    for package in ("interp", "analyses"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "analyses" / "cli.py").write_text("import interp\n")

    def lint() -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [BIN / "lint-imports", "--no-cache"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert lint().returncode == 0
    (tmp_path / "interp" / "circuit.py").write_text(importing + "\n")
    broken = lint()
    assert broken.returncode == 1 and "interp.circuit -> analyses" in broken.stdout
