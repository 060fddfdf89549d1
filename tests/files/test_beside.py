"""Configurations beside a checkpoint, in JSON and in YAML, say what they say in either; and no file can ask for much memory."""

import json
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from foreign import hooked, random_network

import interp
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.formats.beside import MAX_YAML, facts_beside
from interp.files.formats.facts import facts_within
from interp.networks.transformer import Network

CONFIG: dict[str, Any] = {"model": {"act_fn": "gelu", "n_heads": 2}, "data": {"p": 6, "frac_train": 0.3}, "name": "${now:%Y}"}
NAMES = ["config_abc.json", "config_abc.yaml", "cfg.yml", "config.yaml", "config.yml", ".hydra/config.yaml", "config.json"]


def _write(folder: Path, name: str, config: Any) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(config) if name.endswith("json") else yaml.safe_dump(config))


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_says_the_same_under_every_name_and_in_either_language(name: str, tmp_path: Path) -> None:
    network = random_network(activation="gelu")
    torch.save(hooked(network), tmp_path / "model_abc.pt")
    _write(tmp_path, name, CONFIG)
    saved = formats.load(tmp_path / "model_abc.pt")
    assert isinstance(saved.network, Network) and saved.network.config.activation == "gelu" and not saved.assumed
    assert torch.allclose(saved.circuit().logits, Circuit(network).logits, atol=1e-5)
    assert any(f"from {Path(name).name} beside it: modulus 6, activation gelu" in note for note in saved.notes)


def test_the_configuration_of_its_own_name_outranks_that_of_the_folder(tmp_path: Path) -> None:
    for name, p in (("config.json", 5), ("config_abc.yaml", 6), (".hydra/config.yaml", 7)):
        _write(tmp_path, name, {"p": p})
    facts, where = facts_beside(tmp_path / "model_abc.pt")
    assert facts.modulus == 6 and where == "config_abc.yaml beside it"
    assert facts_beside(tmp_path / "model_other.pt")[0].modulus == 5


def test_facts_are_found_at_any_depth_and_the_shallower_outranks() -> None:
    deep: dict[str, Any] = {"p": 11}
    for _ in range(6):
        deep = {"config": deep}
    assert facts_within(deep).modulus == 11
    assert facts_within({"config": {"p": 7}, "model_cfg": {"config": {"p": 11}}}).modulus == 7
    assert facts_within({"optimizer": {"p": 11}, "dropout": {"p": 0.1}}).modulus is None  # says nothing of the task
    around: dict[str, Any] = {"config": {}}
    around["config"]["config"] = around
    assert facts_within(around).known() == {}
    # What stands for a value elsewhere is no value.
    assert facts_within({"config": {"p": "${data.p}", "data": {"p": 13}}}).modulus == 13


SHARED = "betas: &b {p: 7}\nconfig: *b\n"
MERGED = "a0: &a0 {p: 7}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40))
DOUBLED = (
    "a0: &a0 {p: 7}\n"
    + "".join(f"a{i}: &a{i} {{config: *a{i - 1}, cfg: *a{i - 1}}}\n" for i in range(1, 40))
    + "config: *a39\n"
)


def test_a_value_that_is_shared_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(SHARED)
    assert facts_beside(tmp_path / "x.pt")[0].modulus == 7
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tmp_path / "config.yaml").write_text(DOUBLED)  # 2^39 mappings, if each were gone through as often as it is named
    assert facts_beside(tmp_path / "x.pt")[0].modulus == 7
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 16  # KiB: 64 MiB


@pytest.mark.parametrize(
    "text",
    [
        MERGED,
        "a: [1, 2",
        "!!python/object/apply:os.system ['touch canary']",
        "a: !!int ''",
        "? [1]\n: 2",
        "[" * 5000,
        "a: *b",
        "\x00",
    ],
    ids=range(8),
)
def test_a_configuration_that_is_no_plain_yaml_is_one_line(text: str, tmp_path: Path) -> None:
    torch.save(hooked(random_network()), tmp_path / "theirs.pt")
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(
        InterpError, match=r"theirs\.pt: config\.yaml beside it cannot be read as YAML: mend it or move it away$"
    ):
        interp.load(tmp_path / "theirs.pt")
    assert not Path("canary").exists()


def test_what_is_too_large_for_a_configuration_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("p: 7\n" + "#" * MAX_YAML)
    assert facts_beside(tmp_path / "x.pt")[1] == ""
    (tmp_path / "config.yaml").write_text("p: 7\n" + "#" * (MAX_YAML - 5))
    assert facts_beside(tmp_path / "x.pt")[0].modulus == 7
