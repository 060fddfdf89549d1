"""What the tests of the commands share: a small run, which only learns its pairs by heart."""

from dataclasses import replace
from pathlib import Path

import pytest
from small import MEMORISES

from interp.training import run
from interp.training.run_config import RunConfig


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with snapshots at several steps, in a folder of its own."""
    recipe = replace(MEMORISES, steps=40)
    made = run.create(tmp_path_factory.mktemp("runs") / "by.heart", RunConfig(recipe=recipe, seed=0, record_every=20))
    list(made.train())
    return made.path
