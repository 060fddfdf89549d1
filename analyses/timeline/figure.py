"""The timeline as a picture: four panels over the same steps, the phases behind them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyses.timeline.moment import Moment
from analyses.timeline.phases import Phases

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito's colours, told apart by colour-blind people; lines differ in their dashes too.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
_DASHES = ("solid", "dash", "dot", "dashdot")
_SHADES = ("#f0e442", "#56b4e9", "#009e73")


def draw(p: int, keys: Sequence[int], moments: Sequence[Moment], phases: Phases) -> "go.Figure":
    """Losses; accuracy and what each circuit takes off the training loss; weights and sparsity; the key frequencies."""
    from plotly.subplots import make_subplots

    curves: list[tuple[str, dict[str, list[float]]]] = [
        (
            "loss (nats)",
            {
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
                "squared weights / largest": _of_largest([m.squared_weights_sum for m in moments]),
                "Gini of W_E": [m.gini_embedding for m in moments],
                "Gini of W_L": [m.gini_neuron_logit_map for m in moments],
                "specialised neurons": [m.specialised for m in moments],
            },
        ),
        (
            "t_k² of the logits",
            {f"k = {k}": [max(m.clock_terms[i], 0.0) ** 2 for m in moments] for i, k in enumerate(keys)},
        ),
    ]
    figure = make_subplots(rows=len(curves), cols=1, shared_xaxes=True, vertical_spacing=0.03)
    steps, colour = [m.step for m in moments], 0
    for row, (axis, lines) in enumerate(curves, start=1):
        for index, (name, values) in enumerate(lines.items()):
            line = {"color": _COLOURS[colour % len(_COLOURS)], "dash": _DASHES[index % len(_DASHES)]}
            figure.add_scatter(x=steps, y=values, name=name, mode="lines", line=line, row=row, col=1, legend=f"legend{row}")
            colour += 1
        figure.update_yaxes(title_text=axis, row=row, col=1)
        top = 1 - (row - 1) / len(curves)
        figure.update_layout({f"legend{row}": {"y": top, "yanchor": "top"}})
    start = steps[0]
    for each, shade in zip(phases.boundaries, _SHADES, strict=False):
        end = steps[-1] if each.step is None else each.step
        figure.add_vrect(x0=start, x1=end, fillcolor=shade, opacity=0.12, line_width=0)
        figure.add_annotation(x=(start + end) / 2, y=1.03, xref="x", yref="paper", text=each.phase, showarrow=False)
        start = end
    figure.update_yaxes(type="log", exponentformat="power", row=1, col=1)
    figure.update_xaxes(title_text="step", row=len(curves), col=1)
    title = f"Timeline, a + b mod {p}: {phases.verdict}<br><sup>{phases.reason}</sup>"
    return figure.update_layout(title=title, height=1000, margin_t=110)


def _of_largest(values: list[float]) -> list[float]:
    largest = max(values)
    return [value / largest for value in values]
