"""The engine of many machines: Ray starts units where there is room, and again where a machine or a process is lost."""

import os
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from interp.errors import InterpError
from interp.sweep.engine import Engine
from interp.sweep.network import SweptNetwork
from interp.sweep.pool import MAX_RESTARTS, attempt
from interp.sweep.unit import Status

TEMPORARY = "interp-sweep-"
"""How the temporary directories of nodes begin that do not see the sweep's."""
WAIT = 0.5
"""Seconds after which the driver asks whether it should stop."""
GRACE = 10.0
"""Seconds that a unit has to end when it is asked to."""
AHEAD = 2
"""Number of units that are handed to Ray for each of its processors: one to do, and the next."""


@dataclass(frozen=True, kw_only=True)
class Ray(Engine):
    """The engine of a Ray cluster, at RAY_ADDRESS or one of its own on this machine. This project must be on every node."""

    workers: int = 0
    """Number of processors of a cluster of its own; 0 for all."""
    shared: bool = False
    """Do all nodes see the sweep's directory? Then a unit whose node is lost goes on from its last record on another; else it
    begins anew there, and run directories are in each node's temporary directory."""

    def work(
        self, units: Sequence[SweptNetwork], report: Callable[[Status], None], should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        if not units:
            return
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            own = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": self.workers or None, "include_dashboard": False}
            ray.init(log_to_driver=False, **own)
        try:
            _do_all(ray, units, self.shared, report, should_stop)
        finally:
            if ours:
                ray.shutdown()


def _do_all(
    ray: Any,
    units: Sequence[SweptNetwork],
    shared: bool,
    report: Callable[[Status], None],
    should_stop: Callable[[], bool],
) -> None:
    do = ray.remote(num_cpus=1, max_retries=MAX_RESTARTS)(_do)
    waiting, running = deque(units), dict[Any, SweptNetwork]()
    while (waiting or running) and not should_stop():
        room = AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        while waiting and len(running) < room:
            unit = waiting.popleft()
            running[do.remote(unit, shared)] = unit
            report(Status(path=unit.path, step=0))
        ready, _ = ray.wait(list(running), timeout=WAIT)
        for each in ready:
            unit = running.pop(each)
            try:
                report(ray.get(each))
            except ray.exceptions.RayError as error:  # lost as often as it was tried
                lines = str(error).splitlines() or [type(error).__name__]
                report(Status(path=unit.path, step=0, note=f"given up by Ray: {lines[0]}", failed=True))
    if running:
        for each in running:
            ray.cancel(each)  # as Ctrl-C would: it clears its directory away
        ray.wait(list(running), num_returns=len(running), timeout=GRACE)
        for each in running:
            ray.cancel(each, force=True)


def _do(unit: SweptNetwork, shared: bool) -> Status:
    """On a node: do a unit; what comes back is its result, or how it failed."""
    if not shared:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, ignore_cleanup_errors=True) as directory:
            return _do(replace(unit, runs=Path(directory)), shared=True)
    last = Status(path=unit.path, step=0)

    def hear(status: Status) -> None:
        nonlocal last
        last = status

    attempt(unit, hear, lambda: False)
    return last


def _ray() -> Any:
    """The module, which plain installation does without."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise InterpError('the engine ray needs Ray, which is not installed: pip install "interp[ray]"') from error
    return ray
