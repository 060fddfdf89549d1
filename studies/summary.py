"""What came of the study of every network, as Markdown: every number that docs/every_network.md says of it."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from timelines import markdown

from analyses.evidence.clock_or_pizza import NAMED

Row = Mapping[str, Any]
PARTS = {
    "generalises": "generalises",
    "what": "explanation_what",
    "how": "explanation_how",
    "why": "explanation_why",
    "explained": "is_explained",
}
"""Part of an explanation → column of whether it holds."""
MARK = "<!-- All below is written by python studies/every_network.py -->\n"
STUDIES = {"published": "published recipe", "fast": "fast recipe"}
RUNGS = {1: "1 formula", 2: "2 quadrature", 3: "3 neurons of one key frequency", 4: "4 crosstalk"}
CIRCULAR = 0.995
"""Circularity from which Zhong et al. 2023 call a network circular, and look at it at all."""


def summary(rows: Sequence[Row]) -> str:
    """The tables of the document, from the rows of the Parquet file."""
    trained = [each for each in rows if kind_of(each) == "trained" and each["generalises"]]
    parts = [*_counts(rows), *_rungs(trained), *_named(trained), *_parts(trained), *_memory(trained), *_not_explained(trained)]
    return "\n\n".join(parts) + "\n"


def study_of(row: Row) -> str:
    """The study that a network belongs to."""
    return str(row["label"]).partition(": ")[0]


def kind_of(row: Row) -> str:
    """What a network is: trained, or which kind of control."""
    return str(row["label"]).partition(": ")[2]


def name_of(row: Row) -> str:
    """What tells a network from the others of its kind."""
    return f"{study_of(row)}, width {row['d_model']}, {row['activation']}, α {row['attention_rate']:.3f}, seed {row['seed']}"


def _of_studies(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for study, name in STUDIES.items():
        those = [each for each in rows if study_of(each) == study]
        if those:
            yield name, those


def _counts(rows: Sequence[Row]) -> Iterator[str]:
    lines = []
    for study, those in _of_studies(rows):
        for kind in dict.fromkeys(map(kind_of, those)):
            mine = [each for each in those if kind_of(each) == kind]
            sums = [sum(bool(each[column]) for each in mine) for column in PARTS.values()]
            named = sum(each["circuit"] in NAMED for each in mine)
            lines.append((f"{study}: {kind}", len(mine), *sums, named, _spread([each["accuracy"] for each in mine])))
    yield "### Networks and controls"
    yield markdown(("networks", "how many", *PARTS, "circuit named", "accuracy: median (least to most)"), lines)


def _rungs(trained: Sequence[Row]) -> Iterator[str]:
    lines: list[tuple[object, ...]] = []
    for study, those in _of_studies(trained):
        carried = Counter(each["rung"] for each in those)
        so_far = 0
        for number, name in RUNGS.items():
            mine = [each for each in those if each["rung"] == number]
            so_far += carried[number]
            numbers = statistics.median([each["explanation_carried_by_numbers"] for each in mine]) if mine else None
            lines.append((study, name, carried[number], f"{so_far / len(those):.1%}", numbers and f"{numbers:g}"))
        lines.append((study, "not explained", carried[None], "", None))
    yield "### The rung that explained networks stand on"
    yield markdown(("networks", "first rung that carries them", "how many", "explained so far", "numbers (median)"), lines)


def _named(trained: Sequence[Row]) -> Iterator[str]:
    """The table that answers the 40%."""
    lines = []
    rules: list[tuple[str, Callable[[Row], str]]] = [
        ("published criterion (gradient symmetry, distance irrelevance)", lambda each: str(each["published_criterion"])),
        (
            f"the same, of circular networks only (circularity ≥ {CIRCULAR})",
            lambda each: str(each["published_criterion"]) if each["circularity_circularity"] >= CIRCULAR else "not circular",
        ),
        ("this project", lambda each: str(each["circuit"])),
    ]
    for study, those in _of_studies(trained):
        for name, rule in rules:
            found = Counter(rule(each) for each in those)
            named = sum(found[circuit] for circuit in NAMED)
            said = ", ".join(f"{circuit} {count}" for circuit, count in sorted(found.items(), key=lambda item: -item[1]))
            lines.append((study, name, f"{named} of {len(those)} ({named / len(those):.0%})", said))
    yield "### How many are deciphered"
    yield markdown(("networks", "by", "named", "as what"), lines)
    fitted = [x for each in trained for x in each["fits"]]
    yield (
        f"Of all {len(fitted)} key frequencies, a mixture fits {_spread(fitted)} of the profile's squares (median, least to "
        f"most); {sum(x < 0.95 for x in fitted)} of them below .95."
    )


def _parts(trained: Sequence[Row]) -> Iterator[str]:
    def having(key: str, value: object) -> Callable[[Row], bool]:
        return lambda each: each["p"] == 59 and each[key] == value

    groups: list[tuple[str, Callable[[Row], bool]]] = []
    for name, key in (("width", "d_model"), ("activation", "activation")):
        values = sorted({each[key] for each in trained if each["p"] == 59})
        groups += [(f"p = 59, {name} {value}", having(key, value)) for value in values]
    groups.append(("p = 113", lambda each: each["p"] == 113))
    parts, lines = list(PARTS)[1:], list[tuple[object, ...]]()
    for study, rows in _of_studies(trained):
        for name, belongs in groups:
            if those := [each for each in rows if belongs(each)]:
                rungs = Counter(each["rung"] for each in those if each["rung"])
                sums = [sum(bool(each[PARTS[part]]) for each in those) for part in parts]
                on = ", ".join(f"{count} on {rung}" for rung, count in sorted(rungs.items()))
                lines.append((f"{study}, {name}", len(those), *sums, on))
    yield "### By width and activation"
    yield markdown(("networks that generalise", "how many", *parts, "rungs"), lines)


def _memory(trained: Sequence[Row]) -> Iterator[str]:
    lines = [
        (
            study,
            len(those),
            sum(bool(each["memory_found"]) for each in those),
            _spread([each["memory_energy_ratio"] for each in those]),
            _spread([each["memory_lift"] for each in those]),
            f"{max(each['explanation_memory_worth'] for each in those):.1g}",
        )
        for study, those in _of_studies(trained)
    ]
    yield "### Memory beside the formula"
    columns = ("networks that generalise", "how many", "memory found", "energy, trained / held out", "lift (deviations)",
               "worth at most (nats)")  # fmt: skip
    yield markdown(columns, lines)


def _not_explained(trained: Sequence[Row]) -> Iterator[str]:
    lines = [
        (
            name_of(each),
            each["circuit"],
            f"{each['explanation_carried_by_explained']:.4f}",
            f"{each['explanation_carried_by_agreement']:.4f}",
            each["why_not"].replace("|", "\\|"),
        )
        for each in trained
        if not each["is_explained"]
    ]
    yield "### Networks that generalise and are not explained"
    yield markdown(("network", "circuit", "best rung explains", "agreement", "missing"), lines)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
