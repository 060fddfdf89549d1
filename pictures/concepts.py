"""The pictures of docs/concepts/: what this project's own measurements draw of the networks in checkpoints/ (make pictures)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import analyses
import interp
from analyses.adding.circles import circle_grid, circle_of, circle_trace, panel
from analyses.findings.drawing import finish
from analyses.findings.palette import INPUT_A, INPUT_B
from interp.circuit import Circuit
from interp.fourier import basis, frequencies

if TYPE_CHECKING:
    import plotly.graph_objects as go

HERE = Path(__file__).parent / "concepts"
CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
WIDTH = 560
"""Width of every picture, in pixels: narrow, so that its letters can still be read on a phone."""
STEPS = (0, 1400, 5000, 9400, 14000)
"""Steps of the network of Nanda et al. 2023 of which checkpoints are kept; the last is the trained one."""


def main() -> None:
    """Draw them all."""
    HERE.mkdir(exist_ok=True)
    for name, figure in pictures():
        figure.update_layout(width=WIDTH, margin_r=30)
        (HERE / f"{name}.svg").write_bytes(figure.to_image("svg"))


def pictures() -> "Iterator[tuple[str, go.Figure]]":
    """(name, figure) of every picture."""
    clock, pizza, both, quick = (of(name) for name in ("zhong-59-rate-1", "zhong-59-rate-0", "nanda-113", "quick-113"))
    yield "grokking", learning()
    yield "forming", in_rows(forming(), 2)
    yield "basis-7", in_rows(circles_of_seven(), 1)
    yield "circles", in_rows(analyses.circles(clock).figure(), 1)
    yield "spectrum", analyses.embedding_spectrum(both).figure()
    for name, network in (("clock", clock), ("pizza", pizza)):
        yield name, analyses.one_pair(network, a=11, b=19).figure().update_layout(margin_t=210, height=600, legend_y=1.08)
    # The titles of these are longer than the pictures are wide.
    yield "profiles", analyses.amplitude_profile(both).figure().update_layout(title_text="Amplitude by distance", margin_t=120)
    yield "verdict", analyses.clock_or_pizza(both).figure().update_layout(title_text="Where its key frequencies lie")
    yield "ladder", analyses.ladder(quick).figure().update_layout(title_text="The ladder of one network", margin_t=120)
    yield "causal", analyses.causal(quick).figure().update_layout(title_text="Eight edits beside their nulls", margin_t=120)


def in_rows(figure: "go.Figure", rows: int) -> "go.Figure":
    """A figure of circles, three in a row: as high as they need, and without the scale of colours, whose place they take."""
    return figure.update_layout(height=100 + 250 * rows, coloraxis_showscale=False)


def of(name: str) -> Circuit:
    """The circuit in a committed checkpoint."""
    return interp.load(CHECKPOINTS / f"{name}.pt")


def learning() -> "go.Figure":
    """Accuracy on the pairs that were trained on and on all others, at every record of the log."""
    import plotly.graph_objects as go

    records = [json.loads(line) for line in (CHECKPOINTS / "nanda-113.log.jsonl").read_text().splitlines()]
    figure = go.Figure()
    for name, key, colour in (("sums it was shown", "train_accuracy", INPUT_A), ("all other sums", "test_accuracy", INPUT_B)):
        figure.add_scatter(x=[r["step"] for r in records], y=[r[key] for r in records], name=name, line_color=colour)
    return finish(
        figure, "First it knows what it was shown, then it can add", "",
        xaxis_title="training step", yaxis={"title": "share answered right", "tickformat": ".0%"},
    )  # fmt: skip


def forming(k: int = 14) -> "go.Figure":
    """The circle of one frequency as it forms: the numbers in its plane at every step of which there is a checkpoint."""
    names = [f"nanda-113-step-{step}" for step in STEPS[:-1]] + ["nanda-113"]
    figure = circle_grid([k] * len(STEPS))
    for index, (name, step) in enumerate(zip(names, STEPS, strict=True)):
        circle = circle_of(of(name).embedding, k)
        figure.add_trace({**circle_trace(circle.points, k), **panel(index)})
        figure.layout.annotations[index].text = f"step {step}"
    return finish(figure, f"A circle forms: the numbers at frequency {k}", "")


def circles_of_seven() -> "go.Figure":
    """The numbers 0 to 6 on the circle of each frequency, as waves alone place them."""
    ks = list(frequencies(7))
    figure = circle_grid(ks)
    for index, k in enumerate(ks):
        circle = circle_of(basis(7).T, k)
        labels = {"mode": "markers+lines+text", "text": [str(n) for n in range(7)], "textposition": "top center"}
        figure.add_trace({**circle_trace(circle.points, k), **labels, **panel(index)})
    return finish(figure, "Seven numbers go round once, twice, three times", "")


if __name__ == "__main__":
    main()
