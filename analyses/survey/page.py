"""A page about many networks: their shares, figures in which each is a point, and the card of the one that is clicked."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import interp
from analyses.findings.drawing import caption
from analyses.findings.palette import DARK
from analyses.findings.table import Table
from analyses.reports.page.assemble import packed_plotly, page_style, templates, unpacking_script
from analyses.reports.page.pack import packed_json
from analyses.survey.pictures import pictures
from analyses.survey.row import VERDICT
from interp.sweep.network import OUTCOME, own_columns

Row = Mapping[str, Any]
FOLDER = Path(__file__).parent


def survey_page(rows: Sequence[Row], table: Table, *, title: str, over: str) -> str:
    """One HTML file about the networks in these rows; it needs no other file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    figures = pictures(rows, over)
    plain = {name: json.loads(figure.to_json()) for name, figure in figures.items()}
    for each in plain.values():
        each["layout"].pop("template", None)
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("survey.html").render(
        title=title,
        words=in_words(rows),
        table={"title": table.title, "columns": table.columns, "rows": table.text_rows(), "note": table.note},
        figures=[(name, caption(figure), figure.layout.title.text) for name, figure in figures.items()],
        style=page_style(),
        script=unpacking_script() + (FOLDER / "survey.js").read_text(),
        plotly=packed_plotly(),
        data=packed_json({"figures": plain, "templates": templates(), "dark": DARK, "cards": cards(rows)}),
        version=interp.__version__,
    )


def in_words(rows: Sequence[Row]) -> str:
    """What the networks do, in a sentence or two."""
    sound = [row for row in rows if row["generalises"]]
    explained = sum(row["is_explained"] is True for row in sound)
    failed = sum(row["error"] is not None for row in rows)
    more = f" {failed} failed, and their cards say why." if failed else ""
    return f"{len(rows)} networks: {len(sound)} generalise, of which {explained} are explained.{more}"


def cards(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The card of every network: its name and title, the verdict in words, and all that is known of it."""
    same, known = _same_for_all(rows), own_columns().keys() | VERDICT.keys()
    return [
        {
            "name": row["name"],
            "title": _title(row, same),
            "words": _words(row),
            "values": list(_values(row, [name for name in row if name in known - same - {"error"}])),
            "numbers": list(_values(row, [name for name in row if name not in known])),
        }
        for row in rows
    ]


def _same_for_all(rows: Sequence[Row]) -> set[str]:
    """Options that all networks have alike, and versions: a card leaves them out."""
    options = own_columns().keys() - OUTCOME.keys()
    return {name for name in options if len({str(row[name]) for row in rows}) == 1}


SURE = {"clear": "clear at every frequency", "narrow": "borderline at a frequency", "unchecked": "not checked by its neurons"}
"""How sure a verdict is, by the name that a row has for it."""


def _title(row: Row, same: set[str]) -> str:
    """What tells a network from the others: its label, and the options in which they differ."""
    options = own_columns().keys() - OUTCOME.keys() - same - {"name", "label"}
    differing = ", ".join(f"{name.replace('_', ' ')} {_shown(row[name])}" for name in own_columns() if name in options)
    return " ".join(filter(None, [row["label"], differing])) or row["name"]


def _words(row: Row) -> str:
    if row["error"] is not None:
        return f"It failed: {row['error']}"
    if row["generalises"] is None:
        return "It was not looked at: there is no verdict on it."
    if not row["generalises"]:
        return f"It does not generalise: {row['accuracy']:.1%} of all pairs are answered right."
    circuit = f"Circuit: {row['circuit']}" if row["circuit"] else "No circuit is named"
    sure = f", {SURE[row['sureness']]}" if row["sureness"] in SURE else ""
    explained = {
        True: f"explained, on rung {row['rung']}",
        False: "not explained",
        None: "whether it is explained is not known",
    }
    return f"{circuit}{sure}; {explained[row['is_explained']]}."


def _values(row: Row, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if row[name] not in (None, [], ""):
            yield name.replace("_", " "), _shown(row[name])


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}"
    return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)
