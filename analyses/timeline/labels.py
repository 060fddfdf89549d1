"""What became of the wrong labels in the course of a run?"""

from collections.abc import Callable, Sequence

from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.timeline.moment import Moment

NOTHING_YET = "nothing known yet"
"""What is said instead of forgetting before anything was known."""


def phases_of_labels(moments: Sequence[Moment]) -> tuple[tuple[str, int], ...]:
    """The phases that the wrong labels of a run went through, each with the step of its first moment; empty without any."""
    found: list[tuple[str, int]] = []
    for m in moments:
        if m.labels is None or not m.labels.phase:
            continue
        knew = any(each != NOTHING_YET for each, _ in found)
        phase = NOTHING_YET if m.labels.phase == "forgetting" and not knew else m.labels.phase
        if not found or found[-1][0] != phase:
            found.append((phase, m.step))
    return tuple(found)


def labels_in_words(moments: Sequence[Moment]) -> str:
    """What became of the wrong labels, in one line; empty where none was wrong."""
    found = phases_of_labels(moments)
    if not found:
        return ""
    last = moments[-1].labels
    assert last is not None
    way = ", then ".join(f"{phase} from step {step}" for phase, step in found)
    return f"{way}; at the end {last.told:.1%} of them are kept and {last.truth:.1%} answered truly"


def labels_table(moments: Sequence[Moment], shown: Callable[[], Sequence[Moment]]) -> Table:
    """The table of what was told and what is answered, through time."""
    rows = tuple(
        (m.step, each.phase, each.published_phase, each.told, each.truth, each.clean, each.train, each.held_out)
        for m in shown()
        if (each := m.labels) is not None
    )
    columns = ("step", "phase", "as published", "told", "truth", "clean", "train", "held out")
    note = (
        "Shares of pairs. Told, truth: training pairs with a wrong label that are answered as the network was told, and truly; "
        "clean: those with the right label that are answered truly; train: both kinds, answered as told; held out: pairs never "
        "trained on, answered truly. As published: the phase judged by train and held out alone"
    )
    curves = tuple(
        (name, tuple(getattr(m.labels, field) for m in moments if m.labels is not None))
        for name, field in (("told", "told"), ("truth", "truth"), ("held out", "held_out"))
    )
    return Table("What it was told, what it answers", columns, rows, sentences(note), curves, f"{len(moments)} snapshots")
