"""Tables in a terminal: how wide is each column, what has a colour, and what where the terminal is too narrow?

A table that is too wide first wraps its words, down to a width that can still be read. Where that is not enough it is shown
in parts, one below the other, each beginning with the first column. Numbers are never broken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from analyses.findings.palette import FAILS, TERMINAL
from analyses.findings.sparkline import WIDTH, pooled, sparkline

if TYPE_CHECKING:
    from analyses.findings.table import Cell, Table

GAP = 2
"""Number of spaces between two columns."""
SHORT, READABLE, LONGEST = 24, 20, 26
"""A column up to SHORT is wrapped only where that saves the table from being shown in parts; a wider one never below
READABLE; words longer than LONGEST, such as paths, are broken."""


def renderables(table: "Table", width: int) -> Iterator[RenderableType]:
    """A table's title, rows, sparklines and note, to be printed one below the other, none wider than ``width``."""
    if table.title:
        yield Text(table.title, style="bold")
    yield from _grids(table, width)
    if table.sparklines:
        yield ""
        yield from _sparklines(table, width)
    if table.note:
        yield ""
        yield Text(table.note, style="dim")


def marked(line: str) -> Text:
    """A line of an answer, its verdict coloured."""
    text = Text(line)
    if line.startswith("Circuit: "):
        # The sentences after the first say what was measured, not what the network is.
        verdict, _, _ = line.partition(". ")
        for word, style in TERMINAL.items():
            for found in re.finditer(rf"\b{word}\b", verdict):
                text.stylize(style, *found.span())
        text.highlight_words(["borderline"], TERMINAL["borderline"])
    if line.startswith("Explained: no"):
        text.stylize(FAILS, len("Explained: "), len("Explained: no"))
    return text


def print_line(out: Console, line: Text) -> None:
    """Print one line of an answer: between its words it goes on in the next line of a terminal, elsewhere it stays one."""
    out.print(line, soft_wrap=not out.is_terminal)


@dataclass(frozen=True)
class _Column:
    """One column, and how narrow it may be."""

    name: str
    cells: tuple[Text, ...]
    numeric: bool

    @property
    def width(self) -> int:
        """Width of the column in characters where no cell is broken."""
        return max(text.cell_len for text in (Text(self.name), *self.cells))

    @property
    def longest_word(self) -> int:
        words = (word for text in (self.name, *(cell.plain for cell in self.cells)) for word in text.split())
        return max((cell_len(word) for word in words), default=0)

    @property
    def of_words(self) -> bool:
        """Is there a word in the column? Several numbers in a cell belong together."""
        return any(character.isalpha() for cell in self.cells for character in cell.plain)

    def least(self, *, wrap_short: bool) -> int:
        """How narrow the column may be, in characters; ``wrap_short``: may words be wrapped in a short column too?"""
        if self.numeric:  # its numbers are words that are never broken; a heading of several words may be
            return self.longest_word
        if self.width <= SHORT and not (wrap_short and self.of_words):
            return self.width
        word = min(self.longest_word, LONGEST)
        return word if self.width <= SHORT else min(max(word, READABLE), self.width)


def _columns(table: "Table") -> list[_Column]:
    columns = []
    for index, name in enumerate(table.columns):
        numeric = all(isinstance(row[index], int | float | None) for row in table.rows)
        cells = zip(table.rows, table.text_rows(), strict=True)
        columns.append(_Column(name, tuple(_cell(row[index], text[index]) for row, text in cells), numeric))
    return columns


def _cell(cell: "Cell", text: str) -> Text:
    """A cell as text: coloured where it is a verdict, alone or before or after a comma."""
    shown = Text(text, overflow="fold")
    if cell is False:
        shown.stylize(FAILS)
    if isinstance(cell, str):
        for piece in re.finditer(r"[^,]+", text):
            if style := TERMINAL.get(piece.group().strip()):
                shown.stylize(style, *piece.span())
    return shown


def _grids(table: "Table", width: int) -> Iterator[RenderableType]:
    columns = _columns(table)
    if not columns:
        return
    if _total([column.least(wrap_short=True) for column in columns]) <= width:
        yield _grid(columns, _widths(columns, width, wrap_short=True))
        return
    # As few parts as there can be, and of these as narrow ones: none is left with one column.
    count = len(_parts(columns, width))
    evenly = next(limit for limit in range(1, width + 1) if len(_parts(columns, limit)) == count)
    for number, part in enumerate(_parts(columns, evenly)):
        if number:
            yield ""
        yield _grid(part, _widths(part, width, wrap_short=False))


def _parts(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    """The parts that a wide table is shown in: as many columns in each as fit, the first column in all of them."""
    first, *others = columns
    parts = [[first]]
    for column in others:
        if len(parts[-1]) > 1 and _total([each.least(wrap_short=False) for each in (*parts[-1], column)]) > width:
            parts.append([first])
        parts[-1].append(column)
    return parts


def _widths(columns: Sequence[_Column], width: int, *, wrap_short: bool) -> list[int]:
    """Widths of the columns in characters: as wide as each likes to be, until all of them fit narrowed, the widest first.

    Headings of numbers are broken into lines before words are.
    """
    widths = [column.width for column in columns]
    least = [column.least(wrap_short=wrap_short) for column in columns]
    while _total(widths) > width:
        spare = [index for index in range(len(widths)) if widths[index] > least[index]]
        spare = [index for index in spare if columns[index].numeric] or spare
        if not spare:
            break
        widths[max(spare, key=lambda index: widths[index])] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _grid(columns: Sequence[_Column], widths: Sequence[int]) -> Grid:
    grid = Grid(box=SIMPLE_HEAD, show_edge=False, padding=(0, GAP - 1, 0, 0), pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        grid.add_column(Text(column.name), justify="right" if column.numeric else "left", width=width, overflow="fold")
    for cells in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*cells)
    return grid


def _sparklines(table: "Table", width: int) -> Iterator[Text]:
    """A line of blocks for each sparkline behind its label, then a line that says what they run over."""
    labels = max(cell_len(label) for label, _ in table.sparklines)
    room = max(min(WIDTH, width - labels - GAP), 1)
    for label, values in table.sparklines:
        yield Text(f"{label:<{labels}}{'':{GAP}}{sparkline(values, room)}")
    size = pooled(max(len(values) for _, values in table.sparklines), room)
    axis = table.axis + (f", the largest of {size} in a block" if size > 1 else "")
    yield Text(f"{'':{labels + GAP}}{axis}")
