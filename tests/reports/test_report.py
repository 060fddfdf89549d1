"""The whole answer from Python, about any circuit: of a file, of a network in memory, of a function, of logits."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch
from foreign import attention_free, random_network
from planted import planted
from suited import of_addition, possible

import analyses
import interp
from analyses.commands.analyze import main
from analyses.findings import Finding, Table
from analyses.findings.measurement import MEASUREMENTS, in_order
from interp.circuit import Circuit
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint

P = 13


def circuits(folder: Path) -> dict[str, Circuit]:
    """The same network, come by in every way."""
    network = planted(P, clocks=(1, 5))
    checkpoint.save(folder / "model.pt", Checkpoint(network=network))
    W_E = network.tables()[0]

    def from_embeddings(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return network.run(x, y)[0]

    def function(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return from_embeddings(W_E[a], W_E[b])

    return {
        "file": interp.load(folder / "model.pt"),
        "memory": Circuit(network),
        "function": interp.from_function(function, P, embedding=W_E, from_embeddings=from_embeddings),
        "logits": interp.from_logits(Circuit(network).logits, W_E),
    }


@pytest.mark.parametrize("source", ["file", "memory", "function", "logits"])
def test_any_circuit_gives_text_json_and_page(source: str, tmp_path: Path) -> None:
    report = analyses.report(circuits(tmp_path)[source], name=source)
    text, values = str(report), json.loads(report.json())
    assert text.startswith(f"a + b mod {P}, ") and "Key frequencies: 1 5" in text
    assert values["key_frequencies"] == [1, 5] and values["accuracy"] == 1.0 and values["file"] == source
    assert list(values["findings"]) == of_addition(slow=False) == list(report.findings)
    agree = "the three other" if source in ("file", "memory") else "the other"  # without neurons there are fewer
    assert f"(those that its output uses; {agree} published rules" in text
    # What is run from embeddings alone can be told to be a clock; of given logits that cannot be said.
    assert values["circuit"] == ("undecided" if source == "logits" else "clock")
    page = report.page()
    assert f"How does this network compute a + b mod {P}?" in page and page.count("<section") == 6
    shown = {name for name in of_addition() if f'<figure id="{name}-0">' in page}
    assert shown == {*of_addition()} - {"one_pair", "certificate"}  # the sliders show the one, the other is made on request


def test_a_report_prints_what_the_command_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    circuits(tmp_path)
    assert main([str(tmp_path / "model.pt"), "--only", "performance", "circles"]) == 0
    printed = capsys.readouterr().out
    assert str(analyses.report(interp.load(tmp_path / "model.pt"), only=["performance", "circles"])).split() == printed.split()


def test_what_was_asked_for_is_what_is_measured_and_heard_of() -> None:
    heard: list[str] = []
    report = analyses.report(Circuit(random_network()), only=["causal", "performance"], progress=heard.append)
    assert list(report.findings) == ["causal", "performance"] and sorted(heard) == ["causal", "performance"]


def test_a_measurement_that_there_is_not_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(interp.InterpError, match=r"expected measurements among clock_or_pizza, .*, got spectrum"):
        analyses.report(Circuit(random_network()), only=["performance", "spectrum"])


@pytest.mark.parametrize("network", [random_network(n_layers=2), attention_free("gamma"), attention_free("alpha")])
def test_a_network_of_any_kind_gives_the_whole_answer(network: interp.Network) -> None:
    findings = analyses.report(Circuit(network), only=possible()).to_dict()["findings"]
    lacking = [name for name, values in findings.items() if "unavailable" in values]
    of_transformers = [name for name in in_order() if {"attention", "layers"} & {*MEASUREMENTS[name].needs}]
    assert lacking == ([] if isinstance(network, interp.Network) else of_transformers)


def test_the_scalars_of_a_finding_are_a_flat_row_of_numbers() -> None:
    @dataclasses.dataclass(frozen=True)
    class Inner(Finding):
        share: float
        name: str

    @dataclasses.dataclass(frozen=True)
    class Outer(Finding):
        count: int
        holds: bool | None
        inner: Inner
        missing: float
        many: tuple[float, ...]

        def table(self) -> Table:
            return Table("", (), ())

    row = Outer(3, None, Inner(0.5, "x"), math.nan, (1.0, 2.0)).scalars()
    assert row.keys() == {"count", "holds", "inner.share", "missing"}
    assert (row["count"], row["inner.share"]) == (3, 0.5) and math.isnan(row["holds"]) and math.isnan(row["missing"])
    rows = [analyses.clock_or_pizza(Circuit(planted(P, clocks=(k,)))).scalars() for k in (1, 2)]
    assert rows[0].keys() == rows[1].keys() and {"accuracy", "explained", "margin"} <= rows[0].keys()
