"""What the README and the documents say is so: their examples run, their tables are those of today."""

import re
import sys
from pathlib import Path

import pytest
import torch

import analyses
import interp
from analyses.commands.analyze import main
from analyses.tools.closed_form import closed_forms, logits

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
sys.path[:0] = [str(ROOT / "studies"), str(ROOT / "docs")]


def blocks(text: str) -> list[str]:
    """The indented blocks, each as its words, so that a line may be broken anywhere."""
    lines = [line if line.startswith("    ") else "\n\n" if line.strip() else "" for line in text.splitlines()]
    return [" ".join(block.split()) for block in "\n".join(lines).split("\n\n\n") if block.strip()]


def test_the_python_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    section = README.split("## In Python")[1].split("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    ") or not line)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    logits = names["logits"]
    assert isinstance(logits, torch.Tensor) and logits.shape == (113 * 113, 3, 114)


@pytest.mark.parametrize("arguments", [["checkpoints/quick-113.pt", "--only", "clock_or_pizza"], ["checkpoints"]])
def test_the_answers_shown_are_those_of_today(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    shown = [block for block in blocks(README) if block.split()[0] in ("a", "Circuit:", "checkpoints:")]
    mine = [block for block in shown if block[:40] in printed]
    assert len(mine) == (1 if arguments == ["checkpoints"] else 2)
    for block in mine:
        assert block in printed


def test_the_readme_is_short_and_what_it_links_to_is_there() -> None:
    assert len(README.encode()) < 10_000
    for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            assert target.startswith("http") or (document.parent / target).exists(), (document.name, target)


def test_the_map_and_the_study_are_what_would_be_written_today() -> None:
    import make_map
    import pyarrow.parquet
    from summary import MARK, summary

    assert make_map.FILE.read_text() == make_map.text(), "make map"
    rows = pyarrow.parquet.read_table(ROOT / "studies" / "every_network.parquet").to_pylist()
    written = (ROOT / "docs" / "every_network.md").read_text().partition(MARK)[2]
    assert written == f"\n{summary(rows)}", "python studies/every_network.py show"


def test_what_profiles_leave_is_not_on_the_training_pairs() -> None:
    """A memorised table would put its energy there."""
    ratios = {}
    for name in ("quick-113", "nanda-113", "zhong-59-rate-0", "zhong-59-rate-1"):
        circuit = interp.load(ROOT / "checkpoints" / f"{name}.pt")
        profiles, _ = closed_forms(circuit, analyses.key_frequencies(circuit).frequencies)["measured profiles"]
        rest = (circuit.centred_logits - logits(profiles, circuit.p)).square().sum(-1).flatten()
        assert circuit.train_pairs is not None
        trained = torch.zeros(len(rest), dtype=torch.bool).index_fill(0, circuit.train_pairs, True)
        ratios[name] = (rest[trained].mean() / rest[~trained].mean()).item()
    written = " ".join((ROOT / "docs" / "every_network.md").read_text().split())
    assert (
        f"the rest has {min(ratios.values()):.2f} to {max(ratios.values()):.2f} times as much energy per training pair"
        in written
    )
