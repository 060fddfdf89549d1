"""Which training step was a circuit taken at? What the file says, and nothing where no file says it."""

from pathlib import Path

import torch
from foreign import papers, random_network
from planted import planted

import interp
from analyses.reports.report import report
from interp.circuit import Circuit
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint
from interp.networks.transformer import Network


def test_of_a_run_it_is_the_step_of_the_file(small_run: Path) -> None:
    steps = {int(path.stem.removeprefix("step-")): interp.load(path).step for path in (small_run / "snapshots").iterdir()}
    assert len(steps) > 2 and all(named == said for named, said in steps.items())
    assert interp.load(small_run).step == 40


def test_of_a_foreign_file_it_is_what_its_container_says_or_unknown(tmp_path: Path) -> None:
    state = papers(random_network())
    torch.save(state, tmp_path / "bare.pt")
    torch.save({"model": state, "step": 700}, tmp_path / "said.pt")
    assert interp.load(tmp_path / "bare.pt", task="addition").step is None
    assert interp.load(tmp_path / "said.pt", task="addition").step == 700


def test_of_a_network_in_memory_nobody_knows_it_and_an_edit_keeps_it() -> None:
    network = planted(7, clocks=(1,))
    assert Circuit(network).step is None and report(Circuit(network)).to_dict()["step"] is None
    assert Circuit(network, step=3).with_embedding(Circuit(network).embedding * 2).step == 3


def test_what_is_not_known_stays_unknown_in_a_checkpoint(tmp_path: Path) -> None:
    network: Network = planted(7, clocks=(1,))
    for ending in ("pt", "safetensors"):
        for step in (None, 0, 12):
            path = tmp_path / f"{step}.{ending}"
            checkpoint.save(path, Checkpoint(network=network, step=step))
            assert interp.load(path).step == step
