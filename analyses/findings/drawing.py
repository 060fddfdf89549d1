"""What all figures share: a light and a dark look, title and caption, one colour per key frequency."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from analyses.findings.palette import COLOURS, DARK, FREQUENCIES, LOOKS, QUIET, Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

WIDTH, AXIS = 900, 72
"""Width of a picture, and height of what lies below its axes, in pixels."""


@cache
def template(theme: Theme = "light") -> "go.layout.Template":
    """The look of every figure, of which each figure makes its own copy."""
    import plotly.graph_objects as go

    paper, ink, grid, axis = LOOKS[theme]
    colours = COLOURS if theme == "light" else [DARK[each] for each in COLOURS]
    along = {
        "gridcolor": grid, "linecolor": axis, "zerolinecolor": grid, "ticks": "outside", "tickcolor": axis,
        "title": {"font": {"size": 13}},
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "paper_bgcolor": paper, "plot_bgcolor": paper, "colorway": colours,
            "font": {"family": "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", "size": 13, "color": ink},
            "title": {"x": 0, "xref": "container", "pad": {"l": 16}, "y": 0.98, "yanchor": "top", "yref": "container",
                      "subtitle": {"font": {"size": 13, "color": axis}}},
            "xaxis": {**along, "automargin": "height"}, "yaxis": {**along, "automargin": "width"},
            "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.01, "x": 0},
            "margin": {"l": 60, "r": 20, "t": 90, "b": 55}, "hoverlabel": {"align": "left"},
            "shapedefaults": {"line": {"color": axis}}, "annotationdefaults": {"arrowcolor": axis},
        }
    )  # fmt: skip


def finish(figure: "go.Figure", title: str, caption: str, **layout: Any) -> "go.Figure":
    """Gives a figure its title, which says what it shows, its caption, which tells how to read it, and the common look.

    The caption is at ``figure.layout.meta["caption"]``: beside the figure on a page, in the picture where it is a file. One
    that consists of equal panels says how many at ``meta["panels"]``, so that a page can stack them on a narrow screen.
    """
    figure.update_annotations(font_size=13)  # subplots' titles
    said = {**(figure.layout.meta or {}), "caption": caption}
    return figure.update_layout(title_text=title, meta=said, template=template(), **layout)


def caption(figure: "go.Figure") -> str:
    """How to read a figure; empty where nobody said."""
    meta = figure.layout.meta
    return str(meta["caption"]) if isinstance(meta, dict) and "caption" in meta else ""


def say(figure: "go.Figure", text: str) -> None:
    """In place of data: why there is nothing to draw."""
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)


def frequency_colours(keys: Iterable[int], among: Iterable[int] = ()) -> dict[int, str]:
    """Which colour does each frequency have?

    A frequency k has the colour number k mod 9 in every figure of every network, unless one before it among those that are
    shown together has that already: then the next that is free. ``among``: frequencies that are shown beside these, first those
    that keep their colour. Where all nine are given away, k mod 9 it is.
    """
    wanted, count = list(keys), len(FREQUENCIES)
    given: dict[int, int] = {}
    for k in dict.fromkeys([*among, *sorted(wanted)]):
        turns = [(k + turn) % count for turn in range(count)]
        given[k] = next((place for place in turns if place not in given.values()), k % count)
    return {k: FREQUENCIES[given[k]] for k in wanted}


def bars(frequencies: Sequence[int], colours: Mapping[int, str], accompanying: Iterable[int] = ()) -> dict[str, Any]:
    """The marker of a spectrum's bars: each key frequency in its colour, accompanying ones hatched, all others faint."""
    beside = set(accompanying)
    return {
        "color": [colours.get(k, QUIET) for k in frequencies],
        "opacity": [1 if k in colours or k in beside else 0.45 for k in frequencies],
        "pattern": {
            "shape": ["/" if k in beside and k not in colours else "" for k in frequencies],
            "size": 4,
            "solidity": 0.6,
        },
    }
