"""What a sweep says of whole runs: their best record, their timeline, the steps from which on they know; also after breaks."""

import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from test_sweep import NETWORK, rows_of

import analyses
from analyses.survey.measuring import measured_sweep
from analyses.survey.through_time import moments
from analyses.timeline.phases import phases
from interp.files import formats
from interp.sweep.dataset import read_rows
from interp.sweep.engine import Pool
from interp.sweep.network import _outcome
from interp.sweep.spec import spec_of


def stop_after(count: int) -> Callable[[], bool]:
    """A wish to stop that comes when it is asked for the nth time."""
    asked = itertools.count()
    return lambda: next(asked) > count


BEST = f"""
keep = 1
timeline = true
[[networks]]
best = true
seeds = [3]
set = {{steps = 80, learning_rate = 0.05, schedule = "constant", {NETWORK}}}
"""


def test_the_best_record_is_measured_and_the_run_looked_back_at_also_where_it_was_interrupted(tmp_path: Path) -> None:
    spec = spec_of(tomllib.loads("records = true" + BEST))
    for name, stops in (("whole", ()), ("broken", (3, 25, 20, 12))):
        for wish in (*map(stop_after, stops), lambda: False):
            measured_sweep(tmp_path / name, spec).run(Pool(workers=1), should_stop=wish)
    assert rows_of(tmp_path / "whole") == rows_of(tmp_path / "broken")
    (row,) = read_rows(tmp_path / "broken" / "rows")
    losses = dict(zip(row["records_step"], row["records_test_loss"], strict=True))
    assert row["step"] == min(losses, key=losses.__getitem__) != 80 and row["test_loss"] == losses[row["step"]] < losses[80]
    saved = formats.load(tmp_path / "broken" / "networks" / f"{row['name']}.pt")
    assert saved.step == row["step"] and analyses.performance(saved.circuit()).accuracy == row["accuracy"]
    assert row["timeline_step"] == row["records_step"] == list(range(0, 90, 10))
    assert row["timeline_test_accuracy"] == pytest.approx(row["records_test_accuracy"])
    assert all(len(each) == len(row["timeline_key_frequencies"]) for each in row["timeline_clock_terms"])
    assert (row["phases"], row["phases_reason"]) == ((found := phases(moments(row), 7)).verdict, found.reason)


def test_a_run_whose_task_has_no_frequencies_has_no_timeline(tmp_path: Path) -> None:
    spec = spec_of(tomllib.loads(BEST.replace("p = 7", 'task = "S3"').replace("best = true", "").replace("80", "20")))
    measured_sweep(tmp_path, spec).run(Pool(workers=1))
    (row,) = read_rows(tmp_path / "rows")
    assert row["error"] is None and row["step"] == 20 and row["phases"] is None and row["timeline_step"] is None


def test_steps_for_good_are_those_from_which_on_every_record_is_accurate() -> None:
    def found(*accuracies: float) -> tuple[int | None, int | None]:
        records = [{"step": 10 * n, "train_accuracy": 0.5, "test_accuracy": x} for n, x in enumerate(accuracies)]
        values = _outcome(records, 0)
        assert values["steps_to_train"] is None and values["steps_to_train_for_good"] is None and values["step"] == 0
        return values["steps_to_test"], values["steps_to_test_for_good"]

    assert found(0.1, 1.0, 0.9, 0.99, 1.0) == (10, 30)
    assert found(0.1, 1.0, 0.9) == (10, None)
    assert found(0.99) == (0, 0)
