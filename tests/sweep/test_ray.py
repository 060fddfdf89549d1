"""Sweeps on a Ray cluster of two nodes of this machine, one of which is lost (make faults, in a network of its own)."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from test_sweep import rows_of, sweep, write

from interp.sweep.engine import Pool
from interp.sweep.ray_engine import TEMPORARY, Ray
from interp.sweep.spec import read_spec

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("ray", reason="needs interp[ray]: make faults")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()


def doing_units() -> list[int]:
    """The processes that do units."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::_do" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("shared", [False, True])
def test_a_lost_process_and_a_lost_node_lose_and_repeat_nothing(tmp_path: Path, cluster: Any, shared: bool) -> None:
    spec = read_spec(write(tmp_path, 8, 1500))
    lost: list[str] = []

    def lose() -> None:
        for what in ("process", "node"):
            while not (working := doing_units()):
                time.sleep(0.2)
            time.sleep(2)
            if what == "process":
                os.kill((doing_units() or working)[0], signal.SIGKILL)
            else:
                cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)  # the head does the rest
            lost.append(what)

    loser = threading.Thread(target=lose)
    loser.start()
    progress = sweep(tmp_path / "ray", spec).run(Ray(shared=shared))
    loser.join()
    sweep(tmp_path / "pool", spec).run(Pool(workers=2))
    assert lost == ["process", "node"] and (progress.done, progress.failed) == (8, 0)
    assert rows_of(tmp_path / "ray") == rows_of(tmp_path / "pool")


def test_what_is_stopped_leaves_nothing_on_the_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="needs interp[ray]: make faults")
    monkeypatch.setenv("TMPDIR", str(there := tmp_path / "node"))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # a socket has no room for a long path
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    there.mkdir()
    seen: list[Path] = []

    def should_stop() -> bool:
        seen.extend(there.glob(f"{TEMPORARY}*/*/resume.pt"))
        return bool(seen)

    progress = sweep(tmp_path / "ray", read_spec(write(tmp_path, 1, 100_000))).run(Ray(workers=1), should_stop=should_stop)
    assert seen and progress.done == 0 and not list(there.glob(f"{TEMPORARY}*"))


def test_a_network_that_fails_on_a_node_is_a_row_with_its_error(tmp_path: Path, cluster: Any) -> None:
    path = write(tmp_path, 2, 40)
    path.write_text(
        path.read_text() + f"\n[[networks]]\nset = {{steps = 40, learning_rate = 1e30, {path.read_text().split('0.0, ')[1]}"
    )
    progress = sweep(tmp_path / "ray", read_spec(path)).run(Ray())
    assert (progress.done, progress.failed) == (3, 1)
