"""Memory that a step frees stays with the process: the next step fetches no page of it anew."""

import subprocess
import sys

import pytest

PAGES = 3 * (8 << 20) // 4096
"""Pages that one step writes."""

FETCHED = """
import resource, sys, torch
from interp.training.freed_memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def step():
    kept = torch.ones(1)  # above it lies what is given back
    [torch.ones(2 << 20) for _ in range(3)]
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries are left as they are")
def test_freed_memory_is_not_fetched_anew() -> None:
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", FETCHED, how], check=True, capture_output=True, text=True).stdout)
        for how in ("keep", "give back")
    )
    assert kept < PAGES < given_back
