"""The .ipynb are the scripts beside them, run, and small. That they run without an error is tested by nbmake."""

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "notebooks"))
from build import HERE as FOLDER
from build import image, scripts

SCRIPTS = scripts()
LARGEST = 200_000
"""Bytes of an output."""


def _outputs(script: Path) -> list[dict[str, object]]:
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_every_script_has_its_notebook_and_no_notebook_is_without_a_script() -> None:
    assert len(SCRIPTS) == 7 + 6
    assert {path.with_suffix(".py") for path in FOLDER.rglob("*.ipynb")} == set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_notebook_is_the_script(script: Path) -> None:
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    theirs, ours = ([(cell.id, cell.cell_type, cell.source) for cell in each.cells] for each in (notebook, image(script)))
    assert theirs == ours, f"make notebooks: {script.stem}.ipynb is not what its script says"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_it_was_run_from_top_to_bottom(script: Path) -> None:
    cells = nbformat.read(script.with_suffix(".ipynb"), as_version=4).cells
    counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert all("execution" not in cell.metadata for cell in cells), "when a cell was run changes with every build"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_outputs_are_small_and_tell_no_errors(script: Path) -> None:
    outputs = _outputs(script)
    assert any("image/png" in json.dumps(output) for output in outputs), "without pictures: was there no browser?"
    for output in outputs:
        text = json.dumps(output)
        assert len(text) < LARGEST, f"{len(text)} bytes: {text[:80]}"
        assert output["output_type"] != "error" and output.get("name") != "stderr", text[:500]
        assert "application/vnd" not in text, "live figures and widgets are megabytes"
        pictures = re.sub(r"[A-Za-z0-9+/=\\n]{200,}", "", text)
        assert not re.search(r"(?<![\w.<])/(work|tmp|home|root|usr|Users)/", pictures), "a path of the machine that built it"
