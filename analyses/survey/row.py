"""The row of a network in a sweep: its verdict, its card, and every number of the findings that were asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import GenericAlias, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from analyses.findings.finding import Finding
from analyses.findings.measurement import MEASUREMENTS, in_order
from analyses.reports.answer import Answer, examine
from analyses.trials.explanation import Explanation
from interp.errors import InterpError
from interp.files.checkpoint import Checkpoint

Kind = type | GenericAlias
VERDICT: Mapping[str, Kind] = {
    "accuracy": float,
    "generalises": bool,
    "circuit": str,
    "coordinate": float,
    "sureness": str,
    "margin": float,
    "unexplained": float,
    "published_criterion": str,
    "is_explained": bool,
    "rung": int,
    "why_not": str,
    "key_frequencies": list[int],
    "key_representations": list[str],
    "verdicts": list[str],
    "coordinates": list[float],
    "shares": list[float],
    "fits": list[float],
}
"""Columns of every network, as the fields of ``interp-analyze --json``; ``why_not``: what an explanation lacks; of every key
frequency the verdict, the coordinate, the share of the logits' variance, and how much of its profile's squares a mixture of
clock and pizza fits."""


def columns(findings: Sequence[str]) -> Mapping[str, Kind]:
    """The columns of the verdict and of findings: measurement_number, with the names of ``Finding.scalars``.

    Raises InterpError on a name that no measurement has.
    """
    return _columns(tuple(findings))


@cache
def _columns(findings: tuple[str, ...]) -> Mapping[str, Kind]:
    if unknown := [name for name in findings if name not in MEASUREMENTS]:
        raise InterpError(f"expected findings among {', '.join(in_order())}, got {', '.join(unknown)}")
    own = {f"{name}_{number}": kind for name in findings for number, kind in _scalars_of(_finding_of(name))}
    return {**VERDICT, **own}


def look(findings: Sequence[str]) -> "partial[dict[str, Any]]":
    """The function from a trained network to the values of these columns; it can be sent to another process."""
    return partial(values, tuple(findings))


def values(findings: Sequence[str], saved: Checkpoint) -> dict[str, Any]:
    """The values of ``columns`` for one network; what does not apply to it has none."""
    more = ("explanation", "group_explanation", *findings)
    found = examine(saved.circuit(), path=Path("network"), checkpoint=saved, more=more)
    return {**_verdict(found), **dict(_numbers(found, findings))}


def _verdict(found: Answer) -> dict[str, Any]:
    said = found.to_dict()
    verdict = {name: said[name] for name in VERDICT if name in said}
    verdict["why_not"] = found.card.reason if found.card and not found.card.is_explained else None
    if isinstance(found.card, Explanation):
        verdict["fits"] = [each.mixture_fit for each in found.card.frequencies]
    if found.clock_or_pizza is not None:
        of_frequencies = found.clock_or_pizza
        verdict["published_criterion"] = of_frequencies.published_criterion
        verdict["verdicts"] = [verdict for _, verdict in of_frequencies.frequencies]
        verdict["coordinates"] = [coordinate for _, coordinate, *_ in of_frequencies.coordinates]
        verdict["shares"] = [share for *_, share in of_frequencies.coordinates]
    return verdict


def _numbers(found: Answer, findings: Sequence[str]) -> Iterator[tuple[str, Any]]:
    kinds = columns(findings)
    for name in findings:
        for number, value in found.findings[name].scalars().items() if name in found.findings else ():
            column = f"{name}_{number.replace('.', '_')}"
            # What cannot be said is NaN among numbers; a column of truth values has none for it.
            yield column, None if kinds[column] is bool and value != value else value


def _finding_of(name: str) -> type[Finding]:
    """The class of what a measurement finds."""
    found: type[Finding] = get_type_hints(MEASUREMENTS[name].measure)["return"]
    return found


def _scalars_of(finding: type, prefix: str = "") -> Iterator[tuple[str, Kind]]:
    """Names and kinds of the numbers that ``Finding.scalars`` gives for a finding of this class."""
    hints = get_type_hints(finding)
    for each in fields(finding):
        hint = hints[each.name]
        kinds = set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}
        for kind in kinds:
            if isinstance(kind, type) and is_dataclass(kind):
                yield from _scalars_of(kind, f"{prefix}{each.name}_")
        if float in kinds:
            yield f"{prefix}{each.name}", float
        elif bool in kinds:
            yield f"{prefix}{each.name}", bool
        elif int in kinds:
            yield f"{prefix}{each.name}", int
