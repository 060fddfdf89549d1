"""The networks whose pages tests look at, and pages that several tests open, each made once."""

from pathlib import Path

import pytest
from suited import of_addition

from analyses.commands.analyze import main
from analyses.reports.answer import answer
from analyses.reports.files import write_page
from analyses.reports.page import Subject

FOLDER = Path(__file__).parent.parent / "checkpoints"
PIZZA, CLOCK = FOLDER / "zhong-59-rate-0.pt", FOLDER / "zhong-59-rate-1.pt"
FAST = [*of_addition(slow=False), "one_pair", "residual"]
"""Measurements that a page of them shows in tests, in which it must not take long."""


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a pizza beside a clock."""
    file = tmp_path_factory.mktemp("page") / "both.html"
    write_page(file, [Subject(answer(each, only=FAST)) for each in (PIZZA, CLOCK)])
    return file


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from interp.commands.train import main as train

    directory = tmp_path_factory.mktemp("runs") / "small"
    network = ["--p", "13", "--network.d-model", "16", "--network.n-heads", "2", "--network.d-head", "8"]
    assert train(["--steps", "120", "--record-every", "20", *network, "--network.d-mlp", "32", "--out", str(directory)]) == 0
    return directory


@pytest.fixture(scope="session")
def page_of_run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "run.html"
    assert main([str(trained), "--html", str(file)]) == 0
    return file
