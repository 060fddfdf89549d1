"""Which steps of a run are worth keeping: log-spaced ones, because training is fast at first and slow later, and those
where the losses have moved."""

import math
from collections.abc import Mapping
from typing import Any

FIRST = 10
"""Log-spaced steps begin here, after the warm-up of the recipes; step 0 is always kept."""
MOVED = 4.0
"""A loss that has changed by this factor since the last record that was kept makes a record worth keeping,"""
MOVED_ACCURACY = 0.1
"""and so does a test accuracy that has changed by this much,"""
APART = 1.02
"""unless that record is less than 2% of all steps ago: losses of large learning rates jump up and down."""


def is_spaced(step: int, per_decade: int) -> bool:
    """Is this step 0, or one of those nearest to 10^(i/per_decade), i = 0, 1, ..., from 10 on? 0 per decade: none."""
    if per_decade == 0:
        return False
    if step < FIRST:
        return step == 0
    return step == round(10 ** (round(per_decade * math.log10(step)) / per_decade))


def has_moved(kept: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
    """Have the losses of a record (of RUN/log.jsonl) moved since the last one that was kept?"""
    if kept is None:
        return True
    if record["step"] < APART * kept["step"]:
        return False
    ratios = [record[name] / kept[name] for name in ("train_loss", "test_loss") if kept[name] > 0 and record[name] > 0]
    moved = abs(record["test_accuracy"] - kept["test_accuracy"])
    return moved >= MOVED_ACCURACY or any(not 1 / MOVED < ratio < MOVED for ratio in ratios)
