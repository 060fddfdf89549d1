"""What a survey draws: every network a point."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analyses.findings.drawing import finish, say
from analyses.findings.palette import CIRCUIT_COLOURS, COLOURS, QUIET, SYMBOLS, VERDICT_COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go

Row = Mapping[str, Any]
LOW, HIGH = -0.5, 1.5
"""Coordinates that are drawn; what is beyond them is drawn there."""
BIN = 0.05
"""Width of a bin of coordinates."""


def pictures(rows: Sequence[Row], over: str) -> dict[str, "go.Figure"]:
    """The figures of a survey by name. ``over``: the column of numbers that the phase diagram runs over."""
    sound = [row for row in rows if row["generalises"]]
    return {
        "phase_diagram": phase_diagram(sound, over),
        "frequencies": frequencies(sound),
        "steps": steps_to_accuracy(rows),
        "coordinates": coordinates(sound),
    }


def phase_diagram(rows: Sequence[Row], over: str) -> "go.Figure":
    """Where between clock and pizza lies every key frequency of every network, over a column of numbers?"""
    import plotly.graph_objects as go

    figure, drawn = go.Figure(), False
    for verdict, colour in VERDICT_COLOURS.items():
        points = [
            (row[over], coordinate, row["name"], k, share)
            for row in rows
            if row["coordinates"] and isinstance(row[over], int | float)
            for k, kind, coordinate, share in zip(
                row["key_frequencies"], row["verdicts"], row["coordinates"], row["shares"], strict=True
            )
            if kind == verdict
        ]
        if points:
            x, y, names, ks, shares = zip(*points, strict=True)
            drawn = True
            figure.add_scatter(
                x=x, y=list(map(_drawn, y)), mode="markers", name=verdict, customdata=names,
                text=[f"k = {k}, {share:.0%} of the output" for k, share in zip(ks, shares, strict=True)],
                hovertemplate="%{text}, coordinate %{y:.2f}<extra>%{customdata}</extra>",
                marker={"color": colour, "symbol": SYMBOLS[verdict], "size": [4 + 14 * share**0.5 for share in shares],
                        "opacity": 0.7},
            )  # fmt: skip
    if not drawn:
        say(figure, f"no key frequency to place over {over}")
    words = over.replace("_", " ")
    at = [y for trace in figure.data for y in trace.y or ()]
    lowest, highest = min(at, default=0), max(at, default=1)
    return finish(
        figure,
        f"Clock or pizza, frequency by frequency, over the {words}",
        "Every mark is a key frequency of a network that generalises: at 0 it is a clock, at 1 a pizza; the larger the mark, "
        "the more of the output it carries. What lies beyond -.5 or 1.5 is drawn there. A click opens the network's card.",
        xaxis_title=words,
        yaxis={"title": "coordinate (0 clock, 1 pizza)", "range": [min(0, lowest) - 0.05, max(1, highest) + 0.05]},
        height=480,
    )


def frequencies(rows: Sequence[Row]) -> "go.Figure":
    """How many key frequencies do networks have?"""
    import plotly.graph_objects as go

    found = Counter(len(row["key_frequencies"]) for row in rows if row["key_frequencies"])
    figure = go.Figure(go.Bar(x=list(found), y=list(found.values()), marker_color=COLOURS[0]))
    return finish(
        figure,
        "How many key frequencies",
        "Networks that generalise, by the number of frequencies that carry their output.",
        xaxis={"title": "key frequencies", "dtick": 1},
        yaxis=_counts(max(found.values(), default=0)),
        height=340,
    )


def steps_to_accuracy(rows: Sequence[Row]) -> "go.Figure":
    """After how many steps do networks answer the pairs that they never saw?"""
    import plotly.graph_objects as go

    figure = go.Figure()
    asked = [row for row in rows if row["error"] is None]
    for number, (column, name) in enumerate((("steps_to_train", "training pairs"), ("steps_to_test", "held-out pairs"))):
        reached = sorted((row[column], row["name"]) for row in asked if row[column] is not None)
        share = [(place + 1) / len(asked) for place in range(len(reached))]
        figure.add_scatter(
            x=[max(step, 1) for step, _ in reached], y=share, customdata=[name for _, name in reached], name=name,
            mode="lines+markers", line={"shape": "hv", "color": COLOURS[number]}, marker={"size": 4},
            hovertemplate="step %{x}<extra>%{customdata}</extra>",
        )  # fmt: skip
    return finish(
        figure,
        "When networks reach an accuracy of .99",
        "Share of the networks that have reached it by a step, at a record of their run: first on the pairs that they are "
        "trained on, then on those that they never saw.",
        xaxis={"title": "step", "type": "log"},
        yaxis={"title": "share of the networks", "range": [0, 1.02]},
        height=400,
    )


def coordinates(rows: Sequence[Row]) -> "go.Figure":
    """Where between clock and pizza do whole networks lie?"""
    import plotly.graph_objects as go

    figure = go.Figure()
    placed = [row for row in rows if row["coordinate"] is not None]
    for name in sorted({row["circuit"] for row in placed}):
        found = [_drawn(row["coordinate"]) for row in placed if row["circuit"] == name]
        bins = {"start": LOW, "end": HIGH + BIN, "size": BIN}
        figure.add_histogram(x=found, name=name, marker_color=CIRCUIT_COLOURS.get(name, QUIET), xbins=bins)
    return finish(
        figure,
        "Clock or pizza, network by network",
        "The coordinate of a network, 0 for a clock and 1 for a pizza, is the mean of those of its frequencies, weighted by "
        "what each carries of the output. What lies beyond -.5 or 1.5 is drawn there.",
        xaxis={"title": "coordinate (0 clock, 1 pizza)", "range": [LOW - BIN, HIGH + 2 * BIN]},
        yaxis=_counts(max(Counter(round(_drawn(row["coordinate"]) // BIN) for row in placed).values(), default=0)),
        barmode="stack",
        height=380,
    )


def _drawn(coordinate: float) -> float:
    """Where a coordinate is drawn."""
    return min(max(coordinate, LOW), HIGH)


def _counts(most: int) -> dict[str, Any]:
    """The axis of numbers of networks, of which this is the largest: no tick lies between two numbers."""
    return {"title": "networks", **({"dtick": 1} if most < 8 else {})}
