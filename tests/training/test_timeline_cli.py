"""interp-analyze on run directories: the timeline, lists, and one line where a run is damaged."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small import MEMORISES

from analyses.commands.analyze import main
from interp.training import run
from interp.training.run_config import RunConfig


@pytest.fixture(scope="module")
def memorised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = run.create(tmp_path_factory.mktemp("runs") / "memorised", RunConfig(recipe=replace(MEMORISES, steps=60), seed=0))
    list(made.train())
    return made.path


def test_interp_analyze_shows_the_timeline_of_a_run(memorised: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = memorised.parent / "timeline.html"
    assert main([str(memorised), "--html", str(drawn)]) == 0
    captured = capsys.readouterr()
    assert "Verdict: no grokking here (" in captured.out and "Timeline, a + b mod 11" in captured.out
    assert "snapshot" in captured.err and "circuit" not in captured.err
    page = drawn.read_text()
    assert (
        "Timeline, a + b mod 11: no grokking here" in page and "The numbers come to their circles" not in page
    )  # it has no key

    assert main([str(memorised), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["schema"], values["file"], values["error"]) == (4, str(memorised), None)
    assert values["phases"]["verdict"] == "no grokking here" and values["moments"][-1]["step"] == 60


def test_a_directory_of_runs_is_listed_by_their_last_networks(memorised: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(memorised.parent), "--json"]) == 0
    files = [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()]
    assert files == [str(memorised / "model.pt")]


def test_a_damaged_run_is_one_line_and_exit_code_2(memorised: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(memorised, torn)
    last = max((torn / "snapshots").iterdir())
    last.write_bytes(last.read_bytes()[:1000])
    emptied = tmp_path / "emptied"
    shutil.copytree(memorised, emptied, ignore=shutil.ignore_patterns("*.pt"))
    unreadable = tmp_path / "unreadable"
    shutil.copytree(memorised, unreadable)
    (unreadable / "config.json").write_text("{")
    for path, message in ((torn, "is truncated or damaged"), (emptied, "has no snapshots"), (unreadable, "config.json: ")):
        assert main([str(path)]) == 2
        errors = [line for line in capsys.readouterr().err.splitlines() if ": snapshot " not in line]
        assert len(errors) == 1 and errors[0].startswith("interp-analyze: ") and message in errors[0]
    assert main([str(torn), str(memorised), "--json"]) == 2
    assert [json.loads(line)["error"] is None for line in capsys.readouterr().out.splitlines()] == [False, True]
