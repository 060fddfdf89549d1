"""The networks whose pages tests look at."""

from pathlib import Path

from suited import of_addition

FOLDER = Path(__file__).parent.parent / "checkpoints"
PIZZA, CLOCK = FOLDER / "zhong-59-rate-0.pt", FOLDER / "zhong-59-rate-1.pt"
FAST = [*of_addition(slow=False), "one_pair", "residual"]
"""Measurements that a page of them shows in tests, in which it must not take long."""
