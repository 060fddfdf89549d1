"""The criterion: does a network's explanation hold, part by part? docs/explained.md has the reasons."""

from collections.abc import Sequence

from analyses.tools.scoring import Score
from analyses.trials.causal import Causal
from analyses.trials.ladder import MOST_ANSWERS, Ladder
from analyses.trials.phase_law import FrequencyLaw
from analyses.trials.surrogate import Surrogate

LAWFUL, MOST_LAWFUL = 0.95, 0.95
"""Least R of the phase law at a key frequency; and the least share, of what all key frequencies carry, of those where it holds.
Fixed, with the reasons in docs/explained.md, before any network of the studies was trained."""


def all_hold(parts: Sequence[bool | None]) -> bool | None:
    """Do all parts hold? False where one does not; else None where one cannot be said."""
    return False if False in parts else None if None in parts else True


def is_lawful(law: FrequencyLaw) -> bool:
    """Does the phase law hold at this frequency?"""
    return law.R >= LAWFUL and law.null_most < law.R


def law_holds(shares: Sequence[tuple[float, bool | None]]) -> bool:
    """Does the law hold at key frequencies that carry enough? Not where there are none.

    ``shares``: of each key frequency, what it carries and whether the law holds there.
    """
    return sum(share for share, lawful in shares if lawful) >= MOST_LAWFUL * sum(share for share, _ in shares) > 0


def closed_form(rungs: Ladder) -> Score:
    """The formula of fewest numbers that carries the network, else the one that explains most."""
    forms = [rung for rung in rungs.rungs if rung.number == 1]
    carrying = next((rung for rung in forms if rung.carries), None)
    return (carrying or max(forms, key=lambda rung: (rung.score.explained, rung.score.agreement))).score


def best_neurons(surrogates: Surrogate | None, rungs: Ladder) -> Score | None:
    """The neurons of fewest numbers, with the network's own W_L, that give its answers, else the best; None without any."""
    own = [each for each in (surrogates.neurons if surrogates else ()) if each.name.startswith("neurons")]
    own += [rung.score for rung in rungs.rungs if rung.number > 2]
    enough = [each for each in own if each.agreement >= MOST_ANSWERS]
    return min(enough, key=lambda each: each.numbers) if enough else max(own, key=lambda s: s.agreement, default=None)


def why_holds(interventions: Causal | None) -> tuple[bool | None, str]:
    """Do the interventions do what they have to, by rank and by size? With those that do not, or why that cannot be said."""
    if interventions is None or not interventions.effects:
        lacking = "" if interventions is None else ", ".join(interventions.lacking)
        return None, lacking or "no intervention could be compared with random ones"
    failing = [
        f"'{each.edit}' at the {each.site} {what}"
        for each in interventions.effects
        if (nulls := each.asked())
        for what, holds in (
            ("does no more than some random draw", all(null.beaten for null in nulls)),
            ("makes less than half of the answers", interventions.takes_half(each)),
        )
        if not holds
    ]
    if failing:
        return False, ", ".join(sorted(set(failing)))
    at_embedding = [interventions.effect("embedding", edit) for edit in ("remove", "turn")]
    return (None, "the embedding could not be edited") if None in at_embedding else (True, "")
