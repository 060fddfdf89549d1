"""Which steps of a run are worth keeping: log-spaced ones, because training is fast at first and slow later, and those
where the losses have moved."""

import math
from collections.abc import Mapping
from typing import Any

FIRST = 10
"""Step at which log-spaced steps begin, after the warm-up of the recipes; step 0 is always kept."""
MOVED = 4.0
"""Factor by which a loss has to change since the last record that was kept to make a record worth keeping."""
MOVED_ACCURACY = 0.1
"""Difference by which the test accuracy has to change since the last record that was kept to make a record worth keeping."""
APART = 1.02
"""Smallest ratio of a record's step to that of the last record that was kept, for its losses to count.

Losses of large learning rates jump up and down within 2% of all steps.
"""


def is_spaced(step: int, per_decade: int) -> bool:
    """Is a step log-spaced: 0, or from 10 on nearest to 10^(i/per_decade), i = 0, 1, ...? With 0 per decade none is."""
    if per_decade == 0:
        return False
    if step < FIRST:
        return step == 0
    return step == round(10 ** (round(per_decade * math.log10(step)) / per_decade))


def has_moved(kept: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
    """Have losses or test accuracy moved since the last record of RUN/log.jsonl that was kept? True where none was kept."""
    if kept is None:
        return True
    if record["step"] < APART * kept["step"]:
        return False
    ratios = [record[name] / kept[name] for name in ("train_loss", "test_loss") if kept[name] > 0 and record[name] > 0]
    moved = abs(record["test_accuracy"] - kept["test_accuracy"])
    return moved >= MOVED_ACCURACY or any(not 1 / MOVED < ratio < MOVED for ratio in ratios)
