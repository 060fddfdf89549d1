"""Every finding shows itself: as a table, a figure, HTML and JSON."""

import ast
import dataclasses
import inspect
import json

import plotly.graph_objects as go
import plotly.io
import pytest
from browser import require_chromium

import analyses
from analyses.findings.drawing import caption
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import MEASUREMENTS
from analyses.findings.table import Table
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.tasks import task_named

CIRCUIT = Circuit(initialise(NetworkConfig(p=8, d_model=16, n_heads=2, d_head=8, d_mlp=16), seed=0))
GENERALISING = "checkpoints/zhong-59-rate-1.pt"


@pytest.fixture(scope="module")
def trained() -> Circuit:
    import interp

    return interp.load(GENERALISING)


def asked(circuit: Circuit, name: str) -> Circuit:
    """The same network as what a measurement is about: asked for a² + b², or told something wrong about half of its pairs."""
    needs = MEASUREMENTS[name].needs
    if "disguise" in needs:
        return Circuit(circuit.network, task=task_named("a^2+b^2", circuit.network.p))
    if "labels" in needs:
        pairs = circuit.task.pairs()[::2]
        told = (circuit.task.answers(pairs) + (pairs % 4 == 0)) % circuit.network.p
        return Circuit(circuit.network, pairs, told)
    return circuit


@pytest.mark.parametrize("name", analyses.MEASUREMENTS)
@pytest.mark.parametrize("which", ["untrained", "trained"])
def test_a_finding_shows_itself(name: str, which: str, trained: Circuit) -> None:
    circuit = CIRCUIT if which == "untrained" else trained
    finding = analyses.MEASUREMENTS[name](asked(circuit, name))
    table = finding.table()
    assert isinstance(finding, Finding) and isinstance(table, Table)
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.title and table.title in str(finding)
    assert finding._repr_html_().startswith("<table>")
    figure = finding.figure()
    assert isinstance(figure, go.Figure)
    layout = figure.layout
    assert layout.title.text and len(caption(figure)) > 60
    assert any(axis.title.text for axis in figure.select_xaxes())
    assert json.loads(json.dumps(finding.to_dict(), allow_nan=False))
    for field in dataclasses.fields(finding):
        assert field.name in finding.to_dict() or field.metadata == ONLY_DRAWN


@pytest.mark.parametrize("name", analyses.MEASUREMENTS)
def test_every_measurement_says_what_it_answers(name: str) -> None:
    documentation = inspect.getdoc(analyses.MEASUREMENTS[name].measure) or ""
    assert documentation.splitlines()[0].endswith("?")


@pytest.mark.parametrize("name", analyses.MEASUREMENTS)
def test_every_field_of_a_finding_is_documented(name: str) -> None:
    finding = type(analyses.MEASUREMENTS[name](asked(CIRCUIT, name)))
    body = ast.parse(inspect.getsource(finding)).body[0].body  # type: ignore[attr-defined]
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign):
            documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            assert documented, ast.unparse(statement)


def test_html_is_escaped_and_numbers_are_short() -> None:
    table = Table("<b>", ("x & y",), ((0.123456789,), (float("nan"),), (None,), (True,), ("<i>",)))
    assert table.text_rows() == [["0.1235"], ["–"], ["–"], ["yes"], ["<i>"]]

    @dataclasses.dataclass(frozen=True)
    class Fake(Finding):
        def table(self) -> Table:
            return table

    shown = Fake()._repr_html_()
    assert "&lt;b&gt;" in shown and "x &amp; y" in shown and "<i>" not in shown


@pytest.mark.parametrize("renderer", ["", "png"])
def test_a_finding_shows_its_figure_below_its_table(renderer: str, trained: Circuit, monkeypatch: pytest.MonkeyPatch) -> None:
    if renderer == "png":
        require_chromium()
    monkeypatch.setattr(plotly.io.renderers, "default", renderer)
    shown = analyses.MEASUREMENTS["clock_or_pizza"](trained)._repr_html_()
    table, figure = shown.split("<figure>")
    assert ">Circuit: clock</caption>" in table and "<figcaption>Every mark is a key frequency" in figure
    assert ("data:image/png;base64,iVBOR" in figure and "\n" not in figure) if renderer else "Plotly.newPlot" in figure


def test_a_finding_shows_its_table_and_not_its_numbers_in_ipython(trained: Circuit, monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.lib.pretty import pretty

    monkeypatch.setenv("FORCE_COLOR", "1")  # as Jupyter does
    finding = analyses.MEASUREMENTS["attention_pattern"](trained)
    assert pretty(finding) == pretty(finding.table()) == str(finding) == str(finding.table())
    assert "share at k" in str(finding) and "\x1b" not in str(finding) and "to_a" not in pretty(finding)
