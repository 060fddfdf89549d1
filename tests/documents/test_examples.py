"""What the documents tell people to type works: their Python runs, their commands have these options."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from examples import DOCS, PAGES, ROOT, commands, python_blocks, run_python


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page.read_text())], ids=lambda page: page.stem)
def test_the_python_runs_and_gives_what_is_said(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names = run_python(page.read_text(), page.name)
    if page.stem == "python":
        logits = names["logits"]
        assert isinstance(logits, torch.Tensor) and logits.shape == (113 * 113, 3, 114)


def test_a_wrong_value_in_an_example_is_noticed() -> None:
    with pytest.raises(AssertionError, match="1 \\+ 1"):
        run_python("```python\n1 + 1  # → 3\n```", "a page")


def test_the_measurement_of_ones_own_is_found_and_measures(tmp_path: Path) -> None:
    text = (DOCS / "howto" / "measurement.md").read_text()
    ((name, code),) = re.findall(r'^```python title="(.*?)"\n(.*?)^```', text, re.MULTILINE | re.DOTALL)
    (tmp_path / name).write_text(code)
    command = [str(Path(sys.executable).parent / "interp-analyze"), "checkpoints/zhong-59-rate-1.pt", "--only", "lead"]
    environment = {**os.environ, "INTERP_ANALYSES": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    least, mean = (float(re.findall(rf"^{word} +(\S+)", done.stdout, re.MULTILINE)[0]) for word in ("least", "mean"))
    assert 0 < least < mean, "every pair is answered right"


def test_every_option_in_an_example_exists(capsys: pytest.CaptureFixture[str]) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    known = {name: _options(entry, capsys) for name, entry in scripts.items()}
    seen = 0
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        for name, *words in commands(page.read_text()):
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert used <= known[name], (page.name, name, used - known[name])
            seen += len(used)
    assert seen > 50


def _options(entry: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The options that a command's own help names."""
    module, _, function = entry.partition(":")
    with pytest.raises(SystemExit):
        getattr(importlib.import_module(module), function)(["--help"])
    return set(re.findall(r"--[a-z][\w.-]*", capsys.readouterr().out))
