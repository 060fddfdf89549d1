"""Measurements in folders of one's own: found as the package's are, and said so where they cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jedi
import pytest
from planted import planted

import analyses
from analyses import names
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint

ROOT = Path(__file__).parent.parent.parent

MEASUREMENT = '''
"""How many numbers are there?"""

from dataclasses import dataclass

from analyses.findings import Finding, Table, measurement


@dataclass(frozen=True)
class Count(Finding):
    """How many."""

    numbers: int
    """The modulus."""

    def table(self):
        return Table("Numbers", ("numbers",), ((self.numbers,),))


@measurement
def count(circuit):
    """How many numbers are there?"""
    return Count(circuit.p)
'''


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network's checkpoint."""
    path = tmp_path_factory.mktemp("small") / "model.pt"
    checkpoint.save(path, Checkpoint(network=planted(13, clocks=(1, 5))))
    return path


def _analyze(file: Path, folders: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analyses.commands.analyze", str(file), *arguments]
    environment = {**os.environ, "INTERP_ANALYSES": folders}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_file_in_a_folder_of_ones_own_is_part_of_report_page_json_and_only(small: Path, tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(MEASUREMENT)
    done = _analyze(small, str(tmp_path), "--json", "--only", "count", "performance")
    assert done.returncode == 0 and done.stderr == ""
    findings = json.loads(done.stdout)["findings"]
    assert findings["count"] == {"numbers": 13} and findings["performance"]["accuracy"] == 1.0
    usual = _analyze(small, str(tmp_path))
    tables = [
        line for line in usual.stdout.splitlines() if line in ("Performance", "Circularity, a published measure", "Numbers")
    ]
    assert tables == ["Performance", "Circularity, a published measure", "Numbers"]  # after all that name a place
    assert "count" in _analyze(small, str(tmp_path), "--help").stdout
    done = _analyze(small, str(tmp_path), "--html", str(tmp_path / "page.html"))
    assert done.returncode == 0
    rest = (tmp_path / "page.html").read_text().split('<section id="rest">')[1].split("<script")[0]
    assert '<figure id="count-0">' in rest and "<td>13</td>" in rest


def test_what_editors_and_type_checkers_are_told_is_what_there_is() -> None:
    """Jedi reads the same file as a type checker, and needs no import of the package either."""
    assert names.FILE.read_text() == names.stub(), "python -m analyses.names"
    assert (names.FILE.parent / "py.typed").exists() and {*analyses.MEASUREMENTS, "report"} <= set(dir(analyses))
    editor = jedi.Script("import analyses\nanalyses.key_frequencies", project=jedi.Project(ROOT))
    assert [found.full_name for found in editor.goto(2, 12, follow_imports=True)] == [
        "analyses.evidence.key_frequencies.key_frequencies"
    ]
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        analyses.nonsense  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    ("name", "message"), [("performance.py", "a file performance.py, and that name is taken"), ("", "which is no folder")]
)
def test_what_cannot_be_found_is_said(small: Path, tmp_path: Path, name: str, message: str) -> None:
    folder = tmp_path / "own"
    if name:
        folder.mkdir()
        (folder / name).write_text("raise RuntimeError")
    done = _analyze(small, os.pathsep.join([str(folder), ""]), "--json", "--only", "performance")
    assert done.returncode == 0 and message in done.stderr and "Traceback" not in done.stderr
    assert json.loads(done.stdout)["findings"]["performance"]["accuracy"] == 1.0
