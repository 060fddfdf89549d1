"""Shape and type annotations are checked at run time in every test; and a small run that several tests look at."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from inspect import isclass, isgeneratorfunction
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import torch
from hypothesis import settings

jaxtyped = jaxtyping.jaxtyped


def checked(*, typechecker: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """jaxtyping's decorator where annotations name shapes, the type checker alone for most others: jaxtyping binds the
    arguments of every call, which takes a third of all tests' time, and has nothing to compare where there are no shapes."""

    def decorate(each: Any) -> Any:
        if isclass(each) or isgeneratorfunction(each):
            return jaxtyped(each, typechecker=typechecker)
        # Shapes are in quotes, and so are names that the type checker would look up before there is such a thing.
        has_quotes = "'" in re.sub(r"<class '[\w.]+'>", "", repr([*each.__annotations__.values()]))
        return jaxtyped(each, typechecker=typechecker) if has_quotes else typechecker(each)

    return decorate


jaxtyping.jaxtyped = checked  # type: ignore[assignment]
jaxtyping.install_import_hook(["interp", "analyses"], "beartype.beartype")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the commands that tests run
settings.register_profile("no seconds", deadline=None)  # what a busy machine takes says nothing of the code
settings.load_profile("no seconds")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Two threads beside another busy process lose more than they gain; a test that trains sets its own number."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a pizza beside a clock."""
    from browser import CLOCK, FAST, PIZZA

    from analyses.reports.answer import answer
    from analyses.reports.files import write_page
    from analyses.reports.page import Subject

    file = tmp_path_factory.mktemp("page") / "both.html"
    write_page(file, [Subject(answer(each, only=FAST)) for each in (PIZZA, CLOCK)])
    return file


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run: 120 steps mod 13."""
    from interp.commands.train import main as train

    directory = tmp_path_factory.mktemp("runs") / "small"
    network = ["--p", "13", "--network.d-model", "16", "--network.n-heads", "2", "--network.d-head", "8"]
    assert train(["--steps", "120", "--record-every", "20", *network, "--network.d-mlp", "32", "--out", str(directory)]) == 0
    return directory


@pytest.fixture(scope="session")
def page_of_run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of that run."""
    from analyses.commands.analyze import main

    file = tmp_path_factory.mktemp("page") / "run.html"
    assert main([str(trained), "--html", str(file)]) == 0
    return file


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of a network that only learns its pairs by heart, with snapshots at several steps."""
    # Imported here: what is imported before the hook above is not checked.
    from small import MEMORISES

    from interp.training import run
    from interp.training.run_config import RunConfig

    config = RunConfig(recipe=replace(MEMORISES, steps=40), seed=0, record_every=20)
    made = run.create(tmp_path_factory.mktemp("runs") / "by.heart", config)
    list(made.train())
    return made.path
