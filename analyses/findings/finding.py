"""Finding: what a measurement returns, and how it shows itself: as a dict, a row of numbers, a table, a figure."""

import base64
import html
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

from analyses.findings.drawing import WIDTH, caption, frequency_colours
from analyses.findings.table import Table
from interp.errors import InterpError
from interp.tasks.task import Words

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

ONLY_DRAWN = {"only_drawn": True}
"""``field(metadata=ONLY_DRAWN)``: what a figure needs, and a report would be too long with."""


@dataclass(frozen=True)
class Finding:
    """The result of one measurement: plain floats, ints, strings and tuples of them; NaN where undefined."""

    words: Words = field(default=Words(), kw_only=True, repr=False, compare=False, metadata=ONLY_DRAWN)
    """How to write of the network's task; the measurement's decorator fills it in."""
    among: tuple[int, ...] = field(default=(), kw_only=True, repr=False, compare=False, metadata=ONLY_DRAWN)
    """Frequencies that are shown beside this finding's, on a page of several networks: no two of them have one colour."""

    def table(self) -> Table:
        """The finding as a table."""
        raise NotImplementedError(f"{type(self).__name__} has to say how it is shown as a table")

    def figure(self) -> "go.Figure":
        """The finding as a plotly figure."""
        raise NotImplementedError(f"{type(self).__name__} has to say how it is drawn")

    def colours(self, keys: Iterable[int]) -> dict[int, str]:
        """The colour of each of these frequencies (``frequency_colours``)."""
        return frequency_colours(keys, self.among)

    def title(self) -> str:
        """What it found, in a line: the title of the figure, or of the table where there is no figure."""
        return str(self.figure().layout.title.text) if self.is_drawn() else self.table().title

    def is_drawn(self) -> bool:
        """Has it a figure worth looking at? One that is still being written may have none yet."""
        return type(self).figure is not Finding.figure

    def to_dict(self) -> dict[str, Any]:
        """The finding as values that JSON knows, less what is only drawn; None where a number is undefined."""
        plain: dict[str, Any] = _plain(self)
        return plain

    def scalars(self) -> dict[str, int | float]:
        """The finding as one flat row for a data frame: its numbers and truth values by name, NaN where one is undefined.

        Numbers of a finding inside this one are called ``outer.inner``. Words are left out, and so are tuples, of which every
        network has its own number.
        """
        return dict(_scalars(self))

    def to_dataframe(self) -> "pandas.DataFrame":
        """The finding as a pandas data frame: a row per frequency, neuron, rung or whatever it lists, a column per field.

        A finding that lists nothing is one row of its numbers and words, so that those of many networks can be put below each
        other with ``pandas.concat``. Numbers are not rounded, and NaN where undefined; names are those of the fields,
        ``outer.inner`` for a field of a field. What a finding says besides its list is in ``scalars()``.
        Raises InterpError where pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise InterpError('to_dataframe needs pandas, which is not installed: pip install "interp[pandas]"') from error
        return pandas.DataFrame(list(self.records()), columns=self._columns_where_empty())

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The rows of ``to_dataframe``, each with its columns by name."""
        lists = _lists(self)
        for name in lists:
            for entry in getattr(self, name):
                yield {**({"list": name} if len(lists) > 1 else {}), **dict(cells(entry))}
        if not lists:
            yield {name: value for name, value in cells(self) if not isinstance(value, tuple)}

    def _columns_where_empty(self) -> list[str] | None:
        """The names of the columns where there is no row to take them from."""
        lists = _lists(self)
        if len(lists) != 1 or getattr(self, lists[0]):
            return None
        return [each.name for each in fields(get_args(_types(self)[lists[0]])[0])]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # IPython takes the first of _repr_pretty_ and __repr__ that a class or its bases have: a dataclass has the second.
        cls._repr_pretty_ = Finding._repr_pretty_  # type: ignore[method-assign]

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_() + (_figure_html(self.figure()) if self.is_drawn() else "")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # What IPython shows in a terminal, and keeps in a notebook beside the HTML: some findings hold p² numbers.
        printer.text(str(self))


def _figure_html(figure: "go.Figure") -> str:
    """The figure as plotly's renderer of this notebook shows it (``plotly.io.renderers.default``), its caption below.

    Renderers that make pictures ("png", PLOTLY_RENDERER=png) give a small one; all others plotly's own HTML.
    """
    import plotly.io

    if plotly.io.renderers.default == "png":
        try:
            picture = base64.b64encode(figure.to_image("png", width=WIDTH)).decode()
        except (ImportError, ValueError) as error:  # plotly's word for a missing kaleido
            raise InterpError('pictures in a notebook need kaleido: pip install "interp[figures]"') from error
        alt = html.escape(figure.layout.title.text or "")
        shown = f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{picture}">'
    else:
        shown = figure._repr_html_()
    return f"<figure>{shown}<figcaption>{html.escape(caption(figure))}</figcaption></figure>"


def _plain(value: Any) -> Any:
    """A value as dicts, lists, strings and finite numbers only; frequencies as keys become strings, as JSON demands."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.metadata != ONLY_DRAWN}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _scalars(value: Any, prefix: str = "") -> Iterator[tuple[str, int | float]]:
    for each in fields(value):
        item = getattr(value, each.name)
        if is_dataclass(item):
            yield from _scalars(item, f"{prefix}{each.name}.")
        elif isinstance(item, bool | int | float):
            yield f"{prefix}{each.name}", item
        elif item is None and "bool" in str(each.type):
            yield f"{prefix}{each.name}", math.nan


def side_by_side(**columns: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Rows of columns that are equally long, for ``records``."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _types(value: Any) -> dict[str, Any]:
    return {each.name: each.type for each in fields(value) if each.metadata != ONLY_DRAWN}


def _lists(finding: Finding) -> list[str]:
    """The fields of a finding that are lists of entries with fields of their own."""
    types = _types(finding)
    return [name for name, of in types.items() if get_origin(of) is tuple and all(map(is_dataclass, get_args(of)[:1]))]


def cells(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The columns of a row, by name; entries that are lists of lists are left out."""
    for each in fields(value):
        item = getattr(value, each.name)
        if each.metadata == ONLY_DRAWN:
            continue
        if is_dataclass(item):
            yield from cells(item, f"{prefix}{each.name}.")
        elif not (isinstance(item, tuple) and item and isinstance(item[0], tuple)):
            yield f"{prefix}{each.name}", item
