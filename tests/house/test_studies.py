"""The study of every network: what is planned is what it says, and its rows and pictures come from the findings."""

import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from interp.files import checkpoint
from interp.sweep import dataset, spec

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "studies"))
from phase_diagram import phase_diagram
from plan import Study, every_network
from rows import row

STUDIES = Path(__file__).parent.parent.parent / "studies"


@pytest.mark.parametrize("study", ["fast", "published"])
def test_the_plan_has_the_networks_that_the_study_needs(study: Study) -> None:
    planned = list(every_network(study))
    assert len({each.name for each in planned}) == len(planned)
    kinds = Counter(each.kind for each in planned)
    assert all(kinds[kind] == 12 for kind in ("untrained", "memorising", "shuffled", "near miss"))
    assert kinds["trained"] == {"fast": 62, "published": 102}[study]
    trained = [each.recipe for each in planned if each.kind == "trained"]
    assert sum(recipe.p == 113 for recipe in trained) == {"fast": 10, "published": 0}[study]
    small = [recipe.network for recipe in trained if recipe.p == 59]
    assert {(network.d_model, network.activation) for network in small} == {
        (width, activation) for width in (64, 128, 256) for activation in ("relu", "gelu")
    }
    rates = [network.attention_rate for network in small]
    assert min(rates) < 0.1 and max(rates) > 0.9 and 0.4 < sum(rates) / len(rates) < 0.6


def test_no_network_is_in_both_studies() -> None:
    fast, published = ({(each.kind, each.seed) for each in every_network(study)} for study in ("fast", "published"))
    assert not fast & published


def test_a_shuffled_network_learns_other_answers_and_its_row_says_it_is_not_explained(tmp_path: Path) -> None:
    import dataclasses

    planned = next(each for each in every_network("fast") if each.kind == "shuffled")
    planned = dataclasses.replace(planned, recipe=dataclasses.replace(planned.recipe, steps=60))
    path = tmp_path / "shuffled.pt"
    torch.manual_seed(0)
    checkpoint.save(path, planned.network())
    values = row("fast", planned, path)
    assert values["accuracy"] < 0.1 and not values["explained"] and not values["named"]
    assert values["memory_found"] is None  # it was not saved which pairs have which answers


def test_the_picture_shows_every_frequency_of_what_generalises() -> None:
    def network(name: str, **values: object) -> dict[str, object]:
        usual = {"kind": "trained", "generalises": True, "p": 59, "width": 64, "activation": "relu", "rate": 0.5, "k": [3, 5],
                 "verdict": ["clock", "pizza"], "coordinate": [0.1, 9.0], "share": [0.4, 0.5]}  # fmt: skip
        return {"name": name, **usual, **values}

    picture = phase_diagram([network("<a>"), network("b", generalises=False), network("c", width=128)])
    assert picture.count("<circle") == 4 and "relu, width 64" in picture and "relu, width 128" in picture
    assert "&lt;a&gt;: k = 5, pizza, coordinate 9.00" in picture and "<a>" not in picture


@pytest.mark.parametrize("what", ["train", "explain", "show"])
def test_the_command_says_what_it_does(what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import every_network as command

    monkeypatch.setattr(sys, "argv", ["every_network.py", "--help"])
    with pytest.raises(SystemExit):
        command.main()
    assert f"every_network.py {what}" in capsys.readouterr().out


def test_the_tables_of_optimisers_are_those_of_the_rows() -> None:
    from optimisers import METHODS, rows, table, to_the_end

    tried, end = rows(STUDIES / "optimisers.jsonl"), dataset.read_rows(STUDIES / "quick.parquet")
    written = (STUDIES.parent / "docs" / "speed.md").read_text()
    assert table(tried) in written and to_the_end(end) in written
    tries = Counter(row["method"] for row in tried if row["seed"] == 0)
    assert tries == dict.fromkeys(METHODS, 8)  # the same number for each
    assert spec.read_spec(STUDIES / "quick.toml").points.keys() == {row["name"] for row in end}
