"""Measurements in folders of one's own: found as the package's are, and said so where they cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKPOINT = Path(__file__).parent.parent / "checkpoints" / "zhong-59-rate-0.pt"

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


def _analyze(folders: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analyses.commands.analyze", str(CHECKPOINT), *arguments]
    environment = {**os.environ, "INTERP_ANALYSES": folders}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_file_in_a_folder_of_ones_own_is_part_of_the_report(tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(MEASUREMENT)
    done = _analyze(str(tmp_path), "--json", "--only", "count", "performance")
    assert done.returncode == 0 and done.stderr == ""
    findings = json.loads(done.stdout)["findings"]
    assert findings["count"] == {"numbers": 59} and findings["performance"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("name", "message"), [("performance.py", "a file performance.py, and that name is taken"), ("", "which is no folder")]
)
def test_what_cannot_be_found_is_said(tmp_path: Path, name: str, message: str) -> None:
    folder = tmp_path / "own"
    if name:
        folder.mkdir()
        (folder / name).write_text("raise RuntimeError")
    done = _analyze(os.pathsep.join([str(folder), ""]), "--json", "--only", "performance")
    assert done.returncode == 0 and message in done.stderr and "Traceback" not in done.stderr
    assert json.loads(done.stdout)["findings"]["performance"]["accuracy"] == 1.0
