"""The study of wrong labels: docs/corruption.md says what its rows, and the committed networks, say."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import analyses
import interp
from interp.sweep.dataset import read_rows
from interp.sweep.spec import read_spec

ROOT = Path(__file__).parent.parent.parent
DOCS = (ROOT / "docs" / "corruption.md").read_text()
TOLD = " ".join(DOCS.split())


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    return import_module("corruption")


def test_tables_and_picture_are_those_of_the_rows(study: ModuleType) -> None:
    found = read_rows(ROOT / "studies" / "corruption.parquet")
    assert {row["name"] for row in found} == read_spec(ROOT / "studies" / "corruption.toml").points.keys()
    for table in (study.phase_table(found), study.known_values(found), study.transformer_table(found)):
        assert table in DOCS, "python studies/corruption.py"
    assert study.picture(found) == (ROOT / "studies" / "corruption.svg").read_text()


def test_the_seeds_of_every_cell_agree(study: ModuleType) -> None:
    found = study.cells(read_rows(ROOT / "studies" / "corruption.parquet"))
    assert len(found) == 36 and all(len(each) == 3 for each in found.values())
    assert all(len({each.phase for each in those}) == 1 for those in found.values())
    for decay in (0.0, 2.0, 5.0, 10.0, 15.0):
        assert all(each.phase == "memorisation" for each in found[0.6, decay])
    assert all(0.85 < each.told < 0.9 for share in (0.15, 0.25) for each in found[share, 0.0])


def test_known_values_are_reproduced(study: ModuleType) -> None:
    """Known values: an independent program's, tolerance .03; at decay 15 and step 200 .06 of the labels are still kept here."""
    rows = read_rows(ROOT / "studies" / "corruption.parquet")
    of_the_paper = {(row["corrupt"], row["weight_decay"], row["seed"]): row for row in rows if row["label"] == "doshi"}
    row = of_the_paper[0.35, 0.0, 0]
    found = study.at(row, 1_000)
    assert (found.told, found.truth, found.held_out) == pytest.approx((0.94, 0.06, 0.978), abs=0.03)
    inverted = of_the_paper[0.35, 15.0, 0]
    assert (study.at(inverted, 400).told, study.at(inverted, 400).truth) == pytest.approx((0, 1), abs=0.03)
    assert study.at(inverted, 200).told > 0.03


def test_what_is_said_of_the_transformer_is_so(study: ModuleType) -> None:
    rows = [row for row in read_rows(ROOT / "studies" / "corruption.parquet") if row["label"] == "transformer"]
    ends = {(row["loss"], row["weight_decay"], row["seed"]): study.at(row, 4_000) for row in rows}
    by_entropy = [end for (loss, _, _), end in ends.items() if loss == "cross-entropy"]
    assert len(by_entropy) == 4 and all(end.told > 0.99 and end.held_out < 0.9 for end in by_entropy)
    assert all(ends["mse", 3.0, seed].truth > 0.85 and ends["mse", 3.0, seed].held_out > 0.99 for seed in (0, 1))
    assert sorted(ends["mse", 10.0, seed].held_out < 0.2 for seed in (0, 1)) == [False, True]
    assert all(ends["mse", 50.0, seed].train < 0.2 for seed in (0, 1))


def test_what_is_said_of_neurons_is_so() -> None:
    found = analyses.memorisation(interp.load(ROOT / "checkpoints" / "corruption" / "coexistence-97.pt"))
    assert f"{found.periodic:.0%} of the neurons have a ratio of at least .5" in TOLD
    assert found.only_periodic.told == 0
    assert f"none of the wrong labels is kept and {found.only_periodic.held_out:.4f} of the held".replace("0.", ".") in TOLD
    others = f"{found.only_others.told:.3f} of the wrong labels are kept, and {found.only_others.held_out:.3f} of the held-out"
    assert others.replace("0.", ".") in TOLD
    assert f"told falls from {found.shares.told:.3f} to 0".replace("0.", ".") in TOLD and found.least_first[6].told == 0
    assert f"the held-out accuracy falls to {found.most_first[2].held_out:.3f}".replace("0.", ".") in TOLD
    verdict = analyses.clock_or_pizza(interp.load(ROOT / "checkpoints" / "corruption" / "inverted-97.pt"))
    for name in ("coexistence-97.pt", "inverted-97.pt"):
        assert len(analyses.key_frequencies(interp.load(ROOT / "checkpoints" / "corruption" / name)).frequencies) == 48
    assert verdict.verdict == "undecided"
    assert "its neurons mix frequencies: only 60% of their variance" in verdict.reason


def test_the_circuit_is_there_before_the_wrong_labels_go(study: ModuleType) -> None:
    circuits = import_module("corrupted_circuit")
    found = circuits.rows()
    assert circuits.table(found) in DOCS, "python studies/corrupted_circuit.py"
    at = {(row["decay"], row["step"]): row for row in found}
    assert all(at[1.0, step]["told"] > 0.995 < at[1.0, step]["held_out"] for step in (2000, 3000))
    assert at[3.0, 3000]["truth"] > 0.88 and at[3.0, 3000]["rest_told"] > 0.995
    assert (at[1.0, 200]["held_out"], at[1.0, 200]["wave_truth"], at[3.0, 200]["wave_truth"]) == (0, 1, 1)
    assert all(row["circuit"] in ("not generalising", "undecided") and not row["generalises"] for row in found[:-1])
