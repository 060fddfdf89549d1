"""Shape and type annotations are checked at run time in every test."""

import os

import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook(["interp", "analyses"], "beartype.beartype")
pytest_plugins = ["pages"]  # which has fixtures that several folders of tests share
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the commands that tests run


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Two threads beside another busy process lose more than they gain; a test that trains sets its own number."""
    torch.set_num_threads(1)
