"""A figure as a file: in which format, how wide, with how large letters, with or without its title."""

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from analyses.findings.drawing import AXIS, WIDTH, caption
from interp.errors import InterpError

if TYPE_CHECKING:
    import plotly.graph_objects as go

Format = Literal["png", "svg", "pdf"]

PIXELS, LETTERS = 96, 13
"""Pixels in an inch, of which a point is a 72nd; and the usual size of a figure's letters, in pixels."""
TITLE, CAPTION = 18, 12
"""Sizes of a title's and of a caption's letters, in pixels, beside such letters."""
LINE = 19
"""Height of a row of the legend, in pixels, beside such letters."""
DEFAULT_HEIGHT, TOP, UNTITLED, LEAST = 450, 90, 45, 140
"""Height of a figure that names none, the room above its axes with and without a title, and the least height between its axes,
in pixels."""


@dataclass(frozen=True, kw_only=True)
class PictureStyle:
    """How --figures draws. For a paper, say: --figure-format pdf --figure-width 5.5 --figure-font-size 9 --figure-untitled."""

    figure_format: Format | None = None
    """Format of every figure. Default: png, for looking, and svg."""
    figure_width: float | None = None
    """Width of every figure, in inches; the height goes with it. Default: 9.4, which are 900 pixels."""
    figure_font_size: float | None = None
    """Size of the letters, in points. Default: 9.75."""
    figure_untitled: bool = False
    """Leave out title and caption, for a paper that has its own."""

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("--figure-width of 1 to 40 inches", self.figure_width, 1, 40),
            ("--figure-font-size of 4 to 40 points", self.figure_font_size, 4, 40),
        ):
            if value is not None and not least <= value <= most:
                raise InterpError(f"expected {name}, got {value:g}")

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats in which every figure is written."""
        return ("png", "svg") if self.figure_format is None else (self.figure_format,)

    @property
    def width(self) -> int:
        """Width of a picture, in pixels."""
        return WIDTH if self.figure_width is None else round(self.figure_width * PIXELS)

    @property
    def scale(self) -> float:
        """How much larger than on a page the letters are."""
        return 1.0 if self.figure_font_size is None else self.figure_font_size * PIXELS / 72 / LETTERS

    def drawn(self, figure: "go.Figure") -> "go.Figure":
        """A copy as it is written: its width, its letters, and either no title or, below everything else, its caption.

        What lies between the axes keeps its ratio, and letters keep their size, so that a narrow figure is the higher for it.
        """
        import plotly.graph_objects as go

        copy = go.Figure(_scaled(figure.to_plotly_json(), self.scale))
        stated = figure.layout.margin.t
        above, below = TOP if stated is None else stated, round(AXIS * self.scale)
        within = max(((figure.layout.height or DEFAULT_HEIGHT) - above - AXIS) * self.width / WIDTH, LEAST)
        title = self._wrapped(figure.layout.title.text or "", TITLE)
        said = self._wrapped(caption(figure), CAPTION)
        legend = LINE * (self._rows_of_legend(figure) - 1)
        if self.figure_untitled:
            top, room = round((UNTITLED + legend) * self.scale), 0
            copy.update_layout(title=None)
        else:
            more = 1.3 * TITLE * (len(title) - 1)
            top, room = round((above + more + legend) * self.scale), round(self.scale * (17 * len(said) + 10))
            # Plotly puts the first of several lines where the foot of a single one would be.
            down = round(0.75 * TITLE * self.scale) if len(title) > 1 else 0
            copy.update_layout(title={"text": "<br>".join(title), "pad": {"t": down}})
            copy.add_annotation(
                text="<br>".join(said), showarrow=False, align="left", xref="paper", yref="paper", x=1, y=0, xanchor="right",
                yanchor="top", yshift=-below, font={"size": CAPTION * self.scale},
            )  # fmt: skip
        return copy.update_layout(
            width=self.width, height=round(within) + top + below + room, margin_t=top, margin_b=below + room
        )

    def _rows_of_legend(self, figure: "go.Figure") -> int:
        """About how many rows the legend above the axes has; 1 where there is none."""
        names = [str(trace.name) for trace in figure.data if trace.showlegend is not False and trace.legend in (None, "legend")]
        if figure.layout.showlegend is False or not names:
            return 1
        entry = 0.58 * LETTERS * self.scale * max(map(len, names)) + 35
        return math.ceil(len(names) / max(int((self.width - 60) / entry), 1))

    def _wrapped(self, text: str, size: int) -> list[str]:
        """Text in lines that fit the width. ``size``: of its letters, in pixels, where nobody asks for another."""
        return textwrap.wrap(text, max(int((self.width - 60) / (0.58 * size * self.scale)), 10))


AS_ON_A_PAGE = PictureStyle()
"""Style of pictures where nobody asks for another."""


def _scaled(values: Any, scale: float) -> Any:
    """A figure's plain values with the size of every font in them multiplied."""
    if isinstance(values, dict):
        found = {key: _scaled(value, scale) for key, value in values.items()}
        for key in found.keys() & {"font", "textfont", "tickfont", "title_font"}:
            if isinstance(found[key], dict) and isinstance(found[key].get("size"), int | float):
                found[key] = {**found[key], "size": found[key]["size"] * scale}
        return found
    return [_scaled(each, scale) for each in values] if isinstance(values, list | tuple) else values
