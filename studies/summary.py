"""What came of the study of every network, as Markdown: every number that docs/every_network.md says of it."""

import statistics
from collections.abc import Callable, Iterator, Sequence

from rows import Row
from timelines import markdown

PARTS = ("what", "how", "why", "explained")
MARK = "<!-- All below is written by python studies/every_network.py show -->\n"


def summary(rows: Sequence[Row]) -> str:
    """The tables of the document, from the rows of the Parquet file."""
    trained = [each for each in rows if each["kind"] == "trained" and each["generalises"]]
    return "\n\n".join([*_counts(rows), *_parts(trained), *_memorised(trained), *_not_explained(trained)]) + "\n"


def _counts(rows: Sequence[Row]) -> Iterator[str]:
    groups: dict[str, list[Row]] = {}
    for each in rows:
        name = f"trained, p = {each['p']}" if each["kind"] == "trained" else each["kind"]
        groups.setdefault(name, []).append(each)
    keys = ("generalises", "explained", "named")
    lines = [
        (name, len(those), *(sum(bool(each[key]) for each in those) for key in keys), _spread([r["accuracy"] for r in those]))
        for name, those in groups.items()
    ]
    yield markdown(("networks", "trained", "generalise", "explained", "called clock, pizza or hybrid", "accuracy"), lines)
    controls = [each for each in rows if each["kind"] != "trained"]
    passing = ", ".join(f"{part} in {sum(bool(each[part]) for each in controls)}" for part in PARTS[:3])
    yield f"Of the {len(controls)} negative controls, what the criterion asks for holds: {passing}."


def _parts(trained: Sequence[Row]) -> Iterator[str]:
    groups: list[tuple[str, Callable[[Row], bool]]] = [("all that generalise", lambda each: True)]
    for key in ("width", "activation"):
        for value in sorted({each[key] for each in trained if each["p"] == 59}):
            groups.append((f"p = 59, {key} {value}", lambda each, key=key, value=value: each["p"] == 59 and each[key] == value))  # type: ignore[misc]
    lines = []
    for name, belongs in groups:
        those = [each for each in trained if belongs(each)]
        lines.append((name, len(those), *(sum(bool(each[part]) for each in those) for part in PARTS)))
    yield markdown(("networks", "how many", *PARTS), lines)
    short = [each for each in trained if not each["what"]]
    yield (
        f"Where *what* falls short, in {len(short)} networks, the measured profiles explain "
        f"{_spread([each['measured_explained'] for each in short])} of the variance and give "
        f"{_spread([each['measured_agreement'] for each in short])} of the network's answers (median, least to most)."
    )


def _memorised(trained: Sequence[Row]) -> Iterator[str]:
    lines = []
    for name, explained in (("explained", True), ("not explained", False)):
        those = [each for each in trained if each["explained"] is explained]
        lines.append((name, len(those), *(_spread([each[key] for each in those]) for key in ("memorised", "unexplained"))))
    yield markdown(("networks", "how many", "memorised: median (least to most)", "unexplained variance"), lines)
    both = [[float(each[key]) for each in trained] for key in ("memorised", "unexplained")]
    yield f"Correlation of the two over all {len(trained)}: {statistics.correlation(*both):.2f}."


def _not_explained(trained: Sequence[Row]) -> Iterator[str]:
    lines = [
        (
            each["name"],
            f"{each['measured_explained']:.4f}",
            f"{each['measured_agreement']:.4f}",
            each["reason"].replace("|", "\\|"),
            ", ".join(f"{part} {share:.3f}" for part, share in zip(each["lives"][:2], each["lives_share"][:2], strict=True)),
            f"{each['memorised']:.3f}",
        )
        for each in trained
        if not each["explained"]
    ]
    yield "Every network that generalises and is not explained:"
    yield markdown(("network", "profiles explain", "agreement", "missing", "largest parts of the rest", "memorised"), lines)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
