"""What is asked about a network can be asked about a run, whose last network it then is, and about every file of a folder."""

import json
import shutil
from pathlib import Path

import pytest

from analyses.commands.analyze import main
from analyses.reports.page import Subject
from analyses.reports.timeline import THROUGH_TIME

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--expect-circuit", "not generalising"], 0, ""),
        (["--expect-circuit", "clock"], 1, "expected circuit clock, got not generalising"),
        (["--expect-frequencies"], 0, ""),
        (["--expect-frequencies", "3"], 1, "expected key frequencies [3], got []"),
    ],
)
def test_what_is_expected_of_a_run_is_expected_of_its_last_network(
    small_run: Path, options: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(small_run), *options]) == code
    shown = capsys.readouterr()
    assert f"{small_run / 'model.pt'}: {message}" in shown.err if message else "expected" not in shown.err
    assert shown.out.index("Verdict: no grokking here") < shown.out.index("Circuit: not generalising")
    assert "Distance irrelevance" not in shown.out


def test_only_on_a_run_is_about_its_last_network_and_measures_no_timeline(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(small_run, copy)
    for snapshot in (copy / "snapshots").iterdir():
        snapshot.write_bytes(b"damaged")  # nobody looks at them
    assert main([str(copy), "--only", "performance"]) == 0
    shown = capsys.readouterr()
    assert "Performance" in shown.out and "Circuit: not generalising" in shown.out and "Timeline" not in shown.out
    assert main([str(copy), "--only", "performance", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["file"] == str(copy) and list(answer["findings"]) == ["performance"] and answer["step"] == 40
    assert main([str(copy), "--only", "progress"]) == 2
    assert "snapshots/step-" in capsys.readouterr().err


def test_timeline_and_last_network_are_one_json_object(small_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(small_run), "--json", "--only", "progress", "performance", "--expect-circuit", "pizza"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert answer["moments"][-1]["step"] == 40
    assert answer["last"]["circuit"] == "not generalising" and list(answer["last"]["findings"]) == ["performance"]
    assert main([str(small_run), "--json"]) == 0
    assert "last" not in json.loads(capsys.readouterr().out)


def test_what_is_expected_of_a_series_is_expected_of_its_last(small_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = [str(small_run / "snapshots"), "--series"]
    assert main([*series, "--expect-circuit", "not generalising", "--json", "--only", "progress", "performance"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["last"]["step"] == answer["moments"][-1]["step"] == 40
    assert main([*series, "--expect-circuit", "clock", "--only", "performance"]) == 1
    shown = capsys.readouterr()
    assert "expected circuit clock" in shown.err and "Performance" in shown.out and "Timeline" not in shown.out


def test_the_snapshots_of_a_run_are_analysed_where_they_are_named(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small_run, tmp_path / "run")
    assert main([str(tmp_path / "run" / "snapshots"), "--json", "--only", "performance"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kept = sorted((small_run / "snapshots").iterdir())
    assert [Path(each["file"]).name for each in answers] == [path.name for path in kept] and len(kept) > 2
    assert [each["step"] for each in answers] == [int(path.stem.removeprefix("step-")) for path in kept]
    assert main([str(tmp_path), "--json", "--only", "performance"]) == 0  # of a folder of runs their last networks
    assert [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()] == [str(tmp_path / "run" / "model.pt")]


def test_only_and_expectations_on_a_folder_are_about_each_file(
    small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(CHECKPOINTS / "zhong-59-rate-1.pt", tmp_path / "clock.pt")
    shutil.copy(small_run / "model.pt", tmp_path / "by_heart.pt")
    assert main([str(tmp_path), "--only", "performance", "--expect-circuit", "clock"]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("expected circuit clock") == 1 and "by_heart.pt: expected circuit clock" in shown.err
    first, second, third = shown.out.split(str(tmp_path))[1:]
    assert "2 files" in first and "Performance" not in first
    assert second.startswith("/by_heart.pt") and second.count("Performance") == 1
    assert third.startswith("/clock.pt") and third.count("Performance") == 1
    assert main([str(tmp_path), "--expect-circuit", "clock"]) == 1
    assert "Performance" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["FILE", "--only", "progress"], "are about a run: name its directory, or --series"),
        (["RUN", "--module", "code.py:build"], "says all about its networks: give no --module and no option for reading"),
        (["RUN", "--task", "subtraction"], "says all about its networks"),
        (["FILE", "--figure-format", "pdf"], "name a directory for them with --figures DIR"),
        (["FILE", "--figures", "out", "--figure-width", "0"], "expected --figure-width of 1 to 40 inches, got 0"),
        (["FILE", "--figures", "out", "--figure-font-size", "nan"], "expected --figure-font-size of 4 to 40 points, got nan"),
        (["FILE", "FILE", "--compare", "FILE"], "--compare takes one file beside its own"),
        (["FILE", "--compare", "FILE", "--explain"], "--compare takes one file beside its own"),
        (["FILE", "--compare", "NONE"], "cannot be read: No such file"),
        ([], "expected checkpoint files, run directories or others"),
    ],
)
def test_what_does_not_go_together_is_one_line_and_writes_nothing(
    small_run: Path,
    tmp_path: Path,
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = {"FILE": str(small_run / "model.pt"), "RUN": str(small_run), "NONE": str(tmp_path / "none.pt")}
    assert main([paths.get(option, option) for option in options]) == 2
    shown = capsys.readouterr()
    assert message in shown.err and shown.err.count("\n") == 1 and shown.out == ""
    assert not list(tmp_path.iterdir())


def test_the_names_of_what_is_through_time_are_those_of_a_page(small_run: Path) -> None:
    from analyses.reports.answer import answer

    assert tuple(Subject(answer(small_run / "model.pt", only=["performance"])).through_time) == THROUGH_TIME
