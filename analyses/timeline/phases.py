"""When did a network memorise, when did its circuit form, when was the rest cleaned up? A stated rule, not the eye."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from analyses.basics.performance import GENERALISES
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.timeline.moment import Moment

MEMORISED_FIRST = 0.5
"""Test accuracy that a run which groks is still below when its training accuracy reaches .99: generalisation is delayed."""
TURNED = 2.0
"""Multiple of its minimum up to which the excluded loss counts as at its minimum."""
LOST, LOST_RANGE = 0.2, (0.4, 0.1)
"""Share of log p, the loss of guessing, below which the test loss says that the circuit has formed (.95 nats at p = 113); and
the range of shares that a boundary's earliest and latest step come from."""
SLOW, SLOW_RANGE = 0.02, (0.04, 0.01)
"""Share of their fastest fall in clean-up below which the squared weights' fall says that clean-up is over; and its range.
Chosen after seeing seed 0 of nanda-2023, whose clean-up is published as 9.4k to 14k: ``studies/grokking.py`` shows
the rule on runs it was not chosen on."""
MOVES, MOVES_RANGE = 0.1, (0.05, 0.2)
"""Share of its way from the end of memorisation to the end of the run after which a measure has moved; and its range."""

Verdict = Literal["grokking", "no grokking here", "cannot be said"]


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """The end of one phase of a run, and how surely it is known."""

    phase: str
    """Phase that ends: memorisation, circuit formation or clean-up."""
    step: int | None
    """Step of the first snapshot of the next phase; None where the run ends before."""
    earliest: int
    """Earliest step at which the phase may end, for all thresholds in the range and all places between two snapshots."""
    latest: int | None
    """Latest step at which the phase may end, for all thresholds in the range and all places between two snapshots; None:
    beyond the end of the run."""
    rule: str
    """Rule by which the end was found, in words."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """How long before test accuracy a progress measure moves: goes a tenth of its way."""

    measure: str
    """Name of the progress measure."""
    step: int
    """Step of the first snapshot at which the measure has moved."""
    lead: int
    """Lead, in steps: from ``step`` to where test accuracy has moved; positive: the measure moves first."""
    least_lead: int
    """Least of the leads at 5%, 10% and 20% of the way, in steps, with the snapshot spacing taken off."""
    most_lead: int
    """Greatest of the leads at 5%, 10% and 20% of the way, in steps, with the snapshot spacing added."""


@dataclass(frozen=True, kw_only=True)
class Phases:
    """The phases of a run, where it has them."""

    verdict: Verdict
    """Verdict on the run: was there memorisation first and generalisation later? It cannot be said without training pairs."""
    reason: str
    """Reason for the verdict, in words."""
    boundaries: tuple[Boundary, ...]
    """The ends of memorisation, circuit formation and clean-up; empty without grokking."""
    moves: tuple[Move, ...]
    """Progress measures and how long before test accuracy they move; empty without grokking."""

    def at(self, step: int) -> str:
        """The phase that a step belongs to; empty without grokking."""
        if not self.boundaries:
            return ""
        return next((each.phase for each in self.boundaries if each.step is None or step < each.step), "after")

    def table(self) -> Table:
        """The table of the phases' ends, one row each."""
        rows = tuple((each.phase, each.step, each.earliest, each.latest, each.rule) for each in self.boundaries)
        columns = ("phase", "ends at", "earliest", "latest", "rule")
        return Table(f"Phases: {self.verdict}", columns, rows, sentences(self.reason))

    def moves_table(self) -> Table:
        """The table of the progress measures' lead times, one row each."""
        rows = tuple((each.measure, each.step, each.lead, each.least_lead, each.most_lead) for each in self.moves)
        columns = ("measure", "moves at step", "steps before test accuracy", "least", "most")
        note = (
            "A measure moves when it has gone a tenth of its way from the end of memorisation to the last snapshot (least, "
            "most: a twentieth to a fifth). Steps before: how long before the test accuracy it does."
        )
        return Table("Lead time of the progress measures", columns, rows, note)


def phases(moments: Sequence[Moment], p: int) -> Phases:
    """When did this run memorise, form its circuit and clean up, if it did?

    - Grokking: training accuracy reaches .99 while test accuracy is below .5, and test accuracy reaches .99 later.
    - Memorisation ends where the excluded loss is least: from there on the training pairs rest on the circuit more and more.
    - Circuit formation ends where the test loss is first below a fifth of log p.
    - Clean-up ends where the sum of squared weights, whose fall is what cleans up, falls for the first time slower than 2% of
      its fastest since circuit formation ended.

    Source of the three phases: Nanda et al. 2023, arXiv 2301.05217, §5; of the rule: this project.
    """
    if not all(m.knows_training_pairs for m in moments):
        whole = _first([m.accuracy >= GENERALISES for m in moments])
        so_far = f"is {max(m.accuracy for m in moments):.3f} at best"
        so_far = so_far if whole is None else f"reaches .99 at step {moments[whole].step}"
        return _none(
            f"memorisation would show on the training pairs, which are not known; accuracy on all pairs {so_far}",
            "cannot be said",
        )
    reached = _first([m.test_accuracy >= GENERALISES for m in moments])
    fitted = _first([m.fit >= GENERALISES for m in moments])
    if fitted is None:
        best = max(m.fit for m in moments)
        return _none(f"training accuracy never reaches .99: {best:.3f} at best")
    if reached is None:
        best = max(m.test_accuracy for m in moments)
        return _none(f"memorised at step {moments[fitted].step}, and test accuracy never reaches .99: {best:.3f} at best")
    at_fit = moments[fitted].test_accuracy
    if at_fit >= MEMORISED_FIRST:
        return _none(f"generalised as it learned: test accuracy {at_fit:.3f} when training accuracy reached .99")
    formed = _first([m.test_loss < LOST * math.log(p) for m in moments])
    if formed is None or not moments[0].clock_terms:
        return _none("generalises, but without a key frequency, or with a test loss no better than guessing")
    boundaries = (_memorisation(moments, formed), _formation(moments, p), _clean_up(moments, formed))
    steps = f"training accuracy .99 at step {moments[fitted].step}, test accuracy .99 at step {moments[reached].step}"
    return Phases(verdict="grokking", reason=steps, boundaries=boundaries, moves=_moves(moments, boundaries[0]))


def _none(reason: str, verdict: Verdict = "no grokking here") -> Phases:
    return Phases(verdict=verdict, reason=reason, boundaries=(), moves=())


def _memorisation(moments: Sequence[Moment], formed: int) -> Boundary:
    excluded = [m.excluded_loss for m in moments[: formed + 1]]
    least = min(range(len(excluded)), key=excluded.__getitem__)
    first = last = least
    while first > 0 and excluded[first - 1] <= TURNED * excluded[least]:
        first -= 1
    while last < formed and excluded[last + 1] <= TURNED * excluded[least]:
        last += 1
    return Boundary(
        phase="memorisation",
        step=moments[least].step,
        # Between two snapshots the excluded loss may have been lower still.
        earliest=moments[min(first, max(least - 1, 0))].step,
        latest=moments[max(last, min(least + 1, formed))].step,
        rule=f"excluded loss least ({excluded[least]:.2g}); range: up to twice that",
    )


def _formation(moments: Sequence[Moment], p: int) -> Boundary:
    def below(share: float) -> int | None:
        return _first([m.test_loss < share * math.log(p) for m in moments])

    rule = f"test loss first below log p / 5 = {LOST * math.log(p):.2f}; range: log p times .4 to .1"
    return _boundary("circuit formation", moments, below, LOST, LOST_RANGE, rule)


def _clean_up(moments: Sequence[Moment], formed: int) -> Boundary:
    weights = [(m.step, m.squared_weights_sum) for m in moments]
    # The speed over the interval that ends at each snapshot, from the one where the circuit had formed on.
    speeds = [(w_0 - w_1) / (s_1 - s_0) for (s_0, w_0), (s_1, w_1) in pairwise(weights)][max(formed - 1, 0) :]
    offset = len(moments) - len(speeds)
    fastest = max(range(len(speeds)), key=speeds.__getitem__)

    def slower(share: float) -> int | None:
        found = _first([speed < share * speeds[fastest] for speed in speeds[fastest + 1 :]])
        return None if found is None or speeds[fastest] <= 0 else offset + fastest + 1 + found

    rule = f"squared weights first fall slower than 2% of their fastest ({speeds[fastest]:.2g} per step); range: 4% to 1%"
    return _boundary("clean-up", moments, slower, SLOW, SLOW_RANGE, rule)


def _boundary(
    phase: str,
    moments: Sequence[Moment],
    find: Callable[[float], int | None],
    threshold: float,
    thresholds: tuple[float, float],
    rule: str,
) -> Boundary:
    """The end of a phase, where a threshold is crossed: in the interval before the snapshot whose index ``find`` gives."""
    first, middle, last = (find(each) for each in (thresholds[0], threshold, thresholds[1]))
    return Boundary(
        phase=phase,
        step=None if middle is None else moments[middle].step,
        earliest=moments[-1].step if first is None else moments[max(first - 1, 0)].step,
        latest=None if last is None else moments[last].step,
        rule=rule,
    )


MEASURES: dict[str, Callable[[Moment], float]] = {
    "restricted loss": lambda m: m.restricted_loss,
    "excluded loss": lambda m: m.excluded_loss,
    "generalising score": lambda m: m.generalising_score,
    "Gini of W_E": lambda m: m.gini_embedding,
    "Gini of W_L": lambda m: m.gini_neuron_logit_map,
    "clock terms Σ t_k²": lambda m: sum(t * t for t in m.clock_terms),
    "specialised neurons": lambda m: m.specialised,
    "test loss": lambda m: m.test_loss,
}
"""Progress measures by name, functions of a moment, whose lead over test accuracy is told."""


def _moves(moments: Sequence[Moment], memorised: Boundary) -> tuple[Move, ...]:
    start = next(index for index, m in enumerate(moments) if m.step == memorised.step)
    after = moments[start:]

    def moved(measure: Callable[[Moment], float], share: float) -> int:
        values = [measure(m) for m in after]
        way = values[-1] - values[0]
        # A measure may go up or down; at the last snapshot it has gone all of its way.
        return next(i for i, value in enumerate(values) if (value - values[0]) * math.copysign(1, way) >= share * abs(way))

    def spacing(index: int) -> int:
        return after[index].step - after[max(index - 1, 0)].step

    moves = []
    for name, measure in MEASURES.items():
        if any(math.isnan(measure(m)) for m in after):
            continue
        leads, least, most = [], [], []
        for share in (MOVES, *MOVES_RANGE):
            theirs, accuracy = moved(measure, share), moved(lambda m: m.test_accuracy, share)
            leads.append(after[accuracy].step - after[theirs].step)
            least.append(leads[-1] - spacing(accuracy))
            most.append(leads[-1] + spacing(theirs))
        step = after[moved(measure, MOVES)].step
        moves.append(Move(measure=name, step=step, lead=leads[0], least_lead=min(least), most_lead=max(most)))
    return tuple(moves)


def _first(found: Sequence[bool]) -> int | None:
    return next((index for index, each in enumerate(found) if each), None)
