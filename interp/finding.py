"""Finding: what a measurement returns, and how it shows itself: as a dict, a table, a figure."""

import base64
import html
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from interp.circuit import Circuit
from interp.drawing import WIDTH, caption

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import rich.console

Cell = str | int | float | bool | None

ONLY_DRAWN = {"only_drawn": True}
"""``field(metadata=ONLY_DRAWN)``: what a figure needs, and a report would be too long with."""


@dataclass(frozen=True)
class Table:
    """A title, column names, rows of cells, and what a reader needs to know to read them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    sparklines: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """Label and values: spectra and curves, each a line of blocks under the rows."""
    axis: str = ""
    """What the values of the sparklines run over."""

    def text_rows(self) -> list[list[str]]:
        """The cells as text."""
        return [[_text(cell) for cell in row] for row in self.rows]

    def __rich_console__(
        self, console: "rich.console.Console", options: "rich.console.ConsoleOptions"
    ) -> "rich.console.RenderResult":
        """How rich prints it: see ``interp.terminal``."""
        from interp.terminal import renderables

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


@dataclass(frozen=True)
class Finding:
    """The result of one measurement: plain floats, ints, strings and tuples of them; NaN where undefined."""

    def table(self) -> Table:
        """The finding as a table."""
        raise NotImplementedError(f"{type(self).__name__} has to say how it is shown as a table")

    def figure(self) -> "go.Figure":
        """The finding as a plotly figure."""
        raise NotImplementedError(f"{type(self).__name__} has to say how it is drawn")

    def is_drawn(self) -> bool:
        """Has it a figure? One that is still being written may have none yet."""
        return type(self).figure is not Finding.figure

    def to_dict(self) -> dict[str, Any]:
        """The finding as values that JSON knows, less what is only drawn; None where a number is undefined."""
        plain: dict[str, Any] = _plain(self)
        return plain

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


M = TypeVar("M", bound=Callable[..., Finding])


@overload
def measurement(measure: M, /) -> M: ...
@overload
def measurement(*, on_request: bool) -> Callable[[M], M]: ...
def measurement(measure: M | None = None, /, *, on_request: bool = False) -> M | Callable[[M], M]:
    """Makes a function from a circuit to a finding remember its result with the circuit: ask twice, compute once.

    ``on_request``: it takes long, so ``interp-analyze`` leaves it out unless it is asked for.
    """
    if measure is None:
        return partial(_remembering, on_request=on_request)
    return _remembering(measure, on_request=on_request)


def is_on_request(measure: Callable[..., Finding]) -> bool:
    """Is this measurement left out of a report that names none?"""
    return getattr(measure, "on_request", False)


def _remembering(measure: M, *, on_request: bool) -> M:
    signature = inspect.signature(measure)

    @wraps(measure)
    def remembering(circuit: Circuit, *args: Any, **kwargs: Any) -> Finding:
        call = signature.bind(circuit, *args, **kwargs)
        call.apply_defaults()
        key = (measure.__qualname__, measure.__module__, tuple(list(call.arguments.items())[1:]))
        return circuit.remember(key, lambda: measure(*call.args, **call.kwargs))

    remembering.on_request = on_request  # type: ignore[attr-defined]
    return cast(M, remembering)


def _figure_html(figure: "go.Figure") -> str:
    """The figure as plotly's renderer of this notebook shows it (``plotly.io.renderers.default``), its caption below.

    Renderers that make pictures ("png", PLOTLY_RENDERER=png) give a small one; all others plotly's own HTML.
    """
    import plotly.io

    if plotly.io.renderers.default == "png":
        picture = base64.b64encode(figure.to_image("png", width=WIDTH)).decode()
        alt = html.escape(figure.layout.title.text or "")
        shown = f'<img style="max-width: 100%" alt="{alt}" src="data:image/png;base64,{picture}">'
    else:
        shown = figure._repr_html_()
    return f"<figure>{shown}<figcaption>{html.escape(caption(figure))}</figcaption></figure>"


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


def _plain(value: Any) -> Any:
    """Dicts, lists, strings and finite numbers only; frequencies as keys become strings, as JSON demands."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.metadata != ONLY_DRAWN}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
