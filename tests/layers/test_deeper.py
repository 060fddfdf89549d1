"""docs/deeper.md: its table is made of the rows that are kept, and those of a published network are measured again."""

import json
import math
import sys
from pathlib import Path

import pytest
import torch
from planted import planted, random_circuit, relayed

import analyses
import interp
from analyses.survey.measuring import measured_sweep
from interp import fourier
from interp.circuit import Circuit
from interp.sweep.engine import Pool
from interp.sweep.spec import read_spec, spec_of

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "studies"))
from deeper import KEPT, main, networks, rows, table

ROOT = Path(__file__).parent.parent.parent
PUBLISHED = ROOT.parent / "shared" / "peers" / "field" / "two-layers-rope-swiglu-p113" / "checkpoint.pt"
DOCUMENT = (ROOT / "docs" / "deeper.md").read_text()


def test_the_document_s_table_is_that_of_the_rows_that_are_kept() -> None:
    kept = json.loads(KEPT.read_text())
    assert table(kept) in DOCUMENT
    assert {row["layers"] for row in kept} == {2, 3, 4}


def test_what_the_document_says_of_them_is_so() -> None:
    kept = json.loads(KEPT.read_text())
    last = [row for row in kept if row["layer"] == row["layers"] - 1]
    first = [row for row in kept if row["layer"] == 0]
    assert f"at least {min(row['direct'] for row in last):.1%} of the answer" in DOCUMENT
    assert f"at most {max(row['direct'] for row in first):.1%} of it" in DOCUMENT
    assert f"loses {min(row['mlp_total'] for row in first):.1%} to {max(row['mlp_total'] for row in first):.1%}" in DOCUMENT
    assert all(row["accuracy_without_mlp"] < 0.5 for row in first)
    read_sums = [row for row in last if row["reads_sum"] > 0.9 and row["reads_inputs"] < 0.02]
    assert (len(read_sums), len(last), [row["verdict"] for row in read_sums].count("undecided")) == (3, 4, 2)
    (adds,) = [row for row in last if row not in read_sums]
    assert adds["network"] == "zhong-2023, 2 layers" and adds["reads_inputs"] > 0.9 and adds["reads_sum"] < 0.01
    before = [row for row in kept if row["layer"] == row["layers"] - 2 and row["network"] != adds["network"]]
    assert len(before) == 3 and all(row["reads_inputs"] > 0.9 for row in before)
    written = [row["writes_sum"] for row in before]
    assert f"{min(written):.1%} to {max(written):.1%} of what its MLP adds" in " ".join(DOCUMENT.split())


def test_a_relu_of_one_wave_has_84_hundredths_of_its_variance_there() -> None:
    p, k = 113, 5
    wave = (2 * math.pi * k * torch.arange(p).double() / p).cos().relu()
    share = fourier.energy_shares(wave[:, None])[k - 1].item()
    assert f"{share:.2f}" == "0.84" and "has .84 there" in DOCUMENT


def test_a_row_says_what_a_planted_network_does() -> None:
    first, second = rows("planted", Circuit(relayed(13, clocks=(1, 5))))
    assert (first["direct"], second["direct"]) == (0, 1) and first["verdict"] == "clock" and first["frequencies"] == [1, 5]
    assert first["accuracy_without_mlp"] < 0.5 and first["reads_inputs"] == pytest.approx(1, abs=0.01)
    assert second["reads_sum"] == pytest.approx(1, abs=0.01) and second["head_total"] == 0
    shown = table([first, second]).splitlines()
    assert (
        len(shown) == 4
        and shown[2].startswith("| planted: accuracy 1, clock, 1 5 | 0 | 0.000 |")
        and "|  | 1 | 1.000 |" in shown[3]
    )
    (one,) = rows("one layer", Circuit(planted(13, clocks=(1, 5))))
    assert one["direct"] == 1 and one["layers"] == 1


def test_a_network_without_neurons_has_a_row_too() -> None:
    found = rows("attention alone", random_circuit(n_layers=2, d_mlp=0))
    assert all(row["mlp_total"] is None and row["neurons"] == 0 for row in found) and "–" in table(found)


def test_the_networks_of_a_sweep_are_measured_by_their_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = {"d_model": 16, "n_heads": 2, "d_head": 8, "d_mlp": 16}
    small = spec_of({"keep": 1, "networks": [{"set": {"p": 7, "steps": 5, "network": network},
                                              "grid": {"network": {"n_layers": [2, 3]}}}]})  # fmt: skip
    measured_sweep(tmp_path / "runs", small).run(Pool())
    assert dict(networks("a=b.pt")) == {"a": "b.pt"}
    monkeypatch.setattr("deeper.KEPT", tmp_path / "deeper.json")
    assert main([str(tmp_path / "runs")]) == 0
    kept = [(row["network"], row["layer"]) for row in json.loads((tmp_path / "deeper.json").read_text())]
    assert sorted(kept) == [("quick, 2 layers", 0), ("quick, 2 layers", 1), *(("quick, 3 layers", n) for n in range(3))]


def test_the_spec_has_the_networks_of_the_document() -> None:
    trained = {
        f"zhong-2023, {p.config.recipe.network.n_layers} layers" for p in read_spec(KEPT.with_suffix(".toml")).points.values()
    }
    assert trained | {"published, 2 layers"} == {row["network"] for row in json.loads(KEPT.read_text())}


@pytest.mark.slow
def test_the_rows_of_a_published_network_are_measured_again() -> None:
    if not PUBLISHED.exists():
        pytest.skip("needs the networks of others at ../shared/peers, which are not here")
    kept = [row for row in json.loads(KEPT.read_text()) if row["network"] == "published, 2 layers"]
    circuit = interp.load(PUBLISHED)
    again = rows("published, 2 layers", circuit)
    for mine, theirs in zip(kept, again, strict=True):
        assert mine.keys() == theirs.keys()
        for name, value in mine.items():
            assert theirs[name] == (pytest.approx(value, abs=2e-3) if isinstance(value, float) else value), name
    last = analyses.layer_frequencies(circuit).of_layer(1)
    read, written = [
        [cell.k for cell in last if share(cell) > 0.005] for share in (lambda c: c.reads_sum, lambda c: c.mlp_writes)
    ]
    assert f"at four frequencies ({', '.join(map(str, read))})" in DOCUMENT
    assert len(written) == len(last) == 36 and "writes it at 36" in DOCUMENT
