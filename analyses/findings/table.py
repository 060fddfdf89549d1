"""Table: rows of cells with what a reader needs to know to read them; how it shows itself in a terminal and in a notebook."""

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rich.console

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Table:
    """A title, column names, rows of cells, and what a reader needs to know to read them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    sparklines: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """Spectra and curves as label and values, each a line of blocks under the rows."""
    axis: str = ""
    """What the values of the sparklines run over."""

    def text_rows(self) -> list[list[str]]:
        """The cells as text."""
        return [[_text(cell) for cell in row] for row in self.rows]

    def __rich_console__(
        self, console: "rich.console.Console", options: "rich.console.ConsoleOptions"
    ) -> "rich.console.RenderResult":
        """How rich prints it: see ``analyses.findings.terminal``."""
        from analyses.findings.terminal import renderables

        yield from renderables(self, options.max_width)

    def __str__(self) -> str:
        from rich.console import Console

        # No styles at all: the string may go anywhere. And in Jupyter a console would display what it prints.
        console = Console(width=80, color_system=None, force_jupyter=False)
        with console.capture() as capture:
            console.print(self)
        return capture.get()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self.text_rows())
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return (
            f'<table><caption style="text-align: left; white-space: nowrap">{html.escape(self.title)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"
        )


def rounded(*numbers: float) -> tuple[float, ...]:
    """Shares as a table shows them, to four digits after the point; none is -0."""
    return tuple(round(number, 4) + 0.0 for number in numbers)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return "–"
        case bool():
            return "yes" if cell else "no"
        case float():
            return "–" if math.isnan(cell) else f"{cell:.4g}"
        case _:
            return str(cell)
