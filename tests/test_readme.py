"""What the README says to type in Python works as written."""

from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent


def test_the_python_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    section = (ROOT / "README.md").read_text().split("## In Python")[1].split("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    ") or not line)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    logits = names["logits"]
    assert isinstance(logits, torch.Tensor) and logits.shape == (113 * 113, 3, 114)
