"""Pages that several tests open, each made once."""

from pathlib import Path

import pytest
from pages import CLOCK, FAST, PIZZA

from analyses.commands.analyze import main
from analyses.reports.answer import answer
from analyses.reports.files import write_page
from analyses.reports.page import Subject


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
