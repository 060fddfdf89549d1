"""The timeline as a picture: panels over the same steps, the phases behind them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analyses.findings.drawing import finish
from analyses.findings.palette import COLOURS, PHASES
from analyses.timeline.moment import Moment
from analyses.timeline.phases import Phases
from interp.tasks.task import Words

if TYPE_CHECKING:
    import plotly.graph_objects as go

LISTED = 20
"""Largest number of lines of a panel that its legend lists."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def draw(words: Words, colours: Mapping[int, str], moments: Sequence[Moment], phases: Phases) -> "go.Figure":
    """The figure of a timeline: losses; what each circuit takes off; accuracy, weights and sparsity; the key frequencies.

    ``colours``: those of the final key frequencies, in the order of the moments' terms. A panel or curve that needs the
    training pairs is left out where these are not known.
    """
    from plotly.subplots import make_subplots

    knows_pairs = all(m.knows_training_pairs for m in moments)
    labels = [m.labels for m in moments if m.labels is not None]
    panels: list[tuple[str, dict[str, list[float]]]] = [
        (
            "loss (nats)",
            {
                "loss on all pairs": [] if knows_pairs else [m.loss for m in moments],
                "train loss": [m.train_loss for m in moments],
                "test loss": [m.test_loss for m in moments],
                "restricted loss": [m.restricted_loss for m in moments],
                "excluded loss": [m.excluded_loss for m in moments],
            },
        ),
        (
            "taken off the<br>training loss (nats)",
            {
                "generalising score": [m.generalising_score for m in moments],
                "memorising score": [m.memorising_score for m in moments],
            },
        ),
        (
            "share",
            {
                "test accuracy": [m.test_accuracy for m in moments],
                "accuracy on all pairs": [] if knows_pairs else [m.accuracy for m in moments],
                "squared weights, of their largest": _of_largest([m.squared_weights_sum for m in moments]),
                "Gini of W_E": [m.gini_embedding for m in moments],
                "Gini of W_L": [m.gini_neuron_logit_map for m in moments],
                "specialised neurons": [m.specialised for m in moments],
            },
        ),
        (
            "share of pairs",
            {
                "wrong label, answered as told": [each.told for each in labels],
                "wrong label, answered truly": [each.truth for each in labels],
                "held out, answered truly": [each.held_out for each in labels],
            },
        ),
        (
            "share of the output",
            {f"k = {k}": [max(m.clock_terms[i], 0.0) ** 2 for m in moments] for i, k in enumerate(colours)},
        ),
    ]
    # What is nowhere known is no line, and a panel without lines is none.
    known = [(axis, {name: ys for name, ys in lines.items() if any(y == y for y in ys)}) for axis, lines in panels]
    curves = [(axis, lines) for axis, lines in known if lines]
    figure = make_subplots(rows=len(curves), cols=1, shared_xaxes=True, vertical_spacing=0.07)
    steps, own = [m.step for m in moments], {f"k = {k}": colour for k, colour in colours.items()}
    for row, (axis, lines) in enumerate(curves, start=1):
        for index, (name, values) in enumerate(lines.items()):
            listed = len(lines) <= LISTED  # more would lie over the panel above
            line = {"color": own.get(name, COLOURS[index % len(COLOURS)]), "dash": _DASHES[index % len(_DASHES)]}
            figure.add_scatter(
                x=steps, y=values, name=name, mode="lines", line=line, row=row, col=1, legend=f"legend{row}", showlegend=listed
            )
        figure.update_yaxes(title_text=axis, row=row, col=1)
        # Each legend lies above its own panel, in the space that is left between panels.
        domain = figure.layout[f"yaxis{row if row > 1 else ''}"].domain
        figure.update_layout({f"legend{row}": {"orientation": "h", "x": 0, "y": domain[1], "yanchor": "bottom"}})
    start = steps[0]
    for each, shade in zip(phases.boundaries, PHASES, strict=False):
        end = steps[-1] if each.step is None else each.step
        figure.add_vrect(x0=start, x1=end, fillcolor=shade, opacity=0.12, line_width=0)
        figure.add_annotation(
            x=(start + end) / 2, y=1.0, xref="x", yref="y domain", yanchor="top", text=each.phase, showarrow=False
        )
        start = end
    figure.update_yaxes(type="log", exponentformat="power", row=1, col=1)
    figure.update_xaxes(title_text="step", row=len(curves), col=1)
    return finish(
        figure,
        f"Timeline, {words.sentence}: {phases.verdict} ({phases.reason})",
        _caption(words, knows_pairs),
        height=1100,
    )


def _caption(words: Words, knows_pairs: bool) -> str:
    start = (
        f"From left to right the training goes on. Top: the network's loss, and that of the waves of {words.sum} at the final "
    )
    start += "key frequencies alone (restricted)"
    share = (
        "accuracy, weights, and how unequal the frequencies are (Gini); the share of each final key frequency in the output."
    )
    if not knows_pairs:
        return f"{start}. Then {share} Which pairs were trained on, and so what was memorised, is not known."
    return (
        f"{start}, and of all but them on the training pairs (excluded). Then what each of the two circuits, "
        f"the generalising and the memorising one, takes off the training loss; {share} The shaded bands are the phases."
    )


def _of_largest(values: list[float]) -> list[float]:
    largest = max(values)
    return [value / largest for value in values]
