"""Pictures that a slider moves through the steps of a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyses.timeline.snapshots import Reader

if TYPE_CHECKING:
    import plotly.graph_objects as go


def evenly(networks: Sequence[Reader], most: int) -> list[Reader]:
    """At most so many networks of a run, spread evenly over those that it kept, the first and the last among them, in order."""
    return [networks[index] for index in sorted({round(i * (len(networks) - 1) / (most - 1)) for i in range(most)})]


def add_slider(figure: "go.Figure", steps: Sequence[int], frames: Sequence[list[dict[str, Any]]]) -> None:
    """Gives a figure, drawn as at its last step, a slider that shows the traces of every step's frame in place of its own."""
    figure.frames = [{"name": str(step), "data": traces} for step, traces in zip(steps, frames, strict=True)]
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    stops = [{"label": str(step), "method": "animate", "args": [[str(step)], still]} for step in steps]
    figure.update_layout(sliders=[{"steps": stops, "active": len(stops) - 1, "currentvalue": {"prefix": "step "}}])
