"""What differs between two networks, or two steps of a run: planted differences are found, and nothing else is."""

import json
import math
from pathlib import Path

import pytest
import torch
from foreign import papers
from planted import planted
from small import SMALL

import analyses
import interp
from analyses.commands.analyze import main
from interp.circuit import Circuit
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"


def test_a_planted_difference_is_found_and_nothing_else() -> None:
    a, b = Circuit(planted(13, clocks=(1, 5)), step=1), Circuit(planted(13, clocks=(1,), pizzas=(4,)), step=3)
    found = analyses.compare(a, b, names=("one", "other"))
    assert [(each.k, each.verdict_a, each.verdict_b) for each in found.frequencies] == [
        (1, "clock", "clock"),
        (4, "", "pizza"),
        (5, "clock", ""),
    ]
    assert (found.a.circuit, found.b.circuit) == ("clock", "hybrid")
    assert found.frequencies[0].coordinate_a == analyses.amplitude_profile(a).profiles[0].coordinate
    assert found.frequencies[1].share_b == analyses.amplitude_profile(b).profiles[1].share
    assert math.isnan(found.frequencies[1].share_a)
    differing = found.differing()
    assert {"training step", "circuit", "key frequencies", "coordinate (0 clock, 1 pizza)"} <= set(differing)
    assert not {"task", "network", "accuracy", "held-out loss (nats)"} & set(differing)
    rows = {row[0]: row[1:] for row in found.table().rows}
    assert rows["training step"] == (1, 3, 2) and rows["key frequencies"] == ("1 5", "1 4", "differs")
    assert rows["accuracy"] == (1.0, 1.0, None)


def test_a_network_does_not_differ_from_itself() -> None:
    same = analyses.compare(*(interp.example("zhong-59-rate-1") for _ in range(2)))
    assert same.differing() == () and "Nothing that is compared differs" in str(same)
    assert all(each.coordinate_a == each.coordinate_b for each in same.frequencies)


def test_before_it_generalises_its_frequencies_are_compared_all_the_same() -> None:
    found = analyses.compare(interp.example("nanda-113-step-5000"), interp.example("nanda-113"))
    assert found.a.circuit == "not generalising" and math.isnan(found.a.coordinate)
    assert [each.k for each in found.frequencies if each.verdict_a] == [14, 42, 52]
    assert dict((row[0], row[3]) for row in found.table().rows)["coordinate (0 clock, 1 pizza)"] == "differs"
    assert list(found.to_dataframe().k) == [14, 35, 41, 42, 52]


def test_networks_of_different_tasks_have_no_frequencies_in_common() -> None:
    found = analyses.compare(interp.example("operations/s5"), interp.example("zhong-59-rate-0"))
    assert found.frequencies == () and {"task", "circuit", "key frequencies"} <= set(found.differing())
    assert found.a.keys == ("sign", "standard") and "no key frequencies to compare" in str(found.figure())


def test_the_figure_joins_what_is_key_in_both_and_marks_the_rest_alone() -> None:
    a, b = Circuit(planted(13, clocks=(1, 5))), Circuit(planted(13, clocks=(1,), pizzas=(4,)))
    found = analyses.compare(a, b, names=("one", "other"))
    traces = {trace.name: trace for trace in found.figure().data}
    assert {name: list(trace.marker.symbol) for name, trace in traces.items()} == {
        "k = 1": ["circle-open", "circle"],
        "k = 4": ["triangle-up"],
        "k = 5": ["circle-open"],
    }
    assert tuple(traces["k = 1"].x) == (found.frequencies[0].coordinate_a, found.frequencies[0].coordinate_b)


def test_the_command_compares_files_runs_and_steps(small_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock, pizza = (str(CHECKPOINTS / f"zhong-59-rate-{rate}.pt") for rate in (1, 0))
    assert main([clock, "--compare", pizza]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "circuit clock pizza differs" in shown and "key frequencies 21 24 29 21 24 29 –" in shown
    assert "zhong-59-rate-1 zhong-59-rate-0" in shown and "The key frequencies of both" in shown
    first = min((small_run / "snapshots").iterdir())
    assert main([str(first), "--compare", str(small_run), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["files"] == [str(first), str(small_run)] and (answer["a"]["step"], answer["b"]["step"]) == (0, 40)
    assert "training step" in answer["differing"] and "task" not in answer["differing"]


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, k in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        checkpoint.save(tmp_path / folder / "model.pt", Checkpoint(network=planted(7, clocks=(k,))))
    assert main([str(tmp_path / "one" / "model.pt"), "--compare", str(tmp_path / "two" / "model.pt")]) == 0
    assert "one/model" in capsys.readouterr().out


def test_how_to_read_is_said_of_the_file_of_another_project_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = planted(SMALL.p, clocks=(1,))
    checkpoint.save(tmp_path / "own.pt", Checkpoint(network=network))
    torch.save(papers(network), tmp_path / "theirs.pt")
    assert main([str(tmp_path / "own.pt"), "--compare", str(tmp_path / "theirs.pt"), "--activation", "relu", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["a"]["circuit"] == answer["b"]["circuit"] and "key frequencies" not in answer["differing"]
