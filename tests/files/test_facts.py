"""Facts about a file, and the readings that they leave open."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from foreign import ALL_SAID, FORMATS, papers, random_network

import interp
from interp.errors import InterpError
from interp.files.formats.candidates import _transformers, _vocabularies
from interp.files.formats.facts import Facts, facts_within
from interp.files.formats.layouts import recognise
from interp.networks.transformer import Network


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"modulus": "113"}, "modulus between 2"),
        ({"modulus": 1}, "modulus between 2"),
        ({"attention_rate": "1"}, "attention rate between 0 and 1"),
        ({"activation": "tanh"}, "activation relu or gelu or gelu_tanh or silu or square"),
        ({"kind": "zeta"}, "kind alpha or beta"),
        ({"n_heads": 0}, "n heads between 1"),
        ({"normalization": "batch"}, "normalization none or layer or rms"),
    ],
)
def test_impossible_facts_are_refused(facts: dict[str, Any], message: str) -> None:
    with pytest.raises(InterpError, match=message):
        _unchecked(facts).__post_init__()


def _unchecked(facts: dict[str, Any]) -> Facts:
    """Facts as somebody gets them who does not check annotations."""
    made = object.__new__(Facts)
    for field in fields(Facts):
        object.__setattr__(made, field.name, facts.get(field.name))
    return made


def _open_questions(state: dict[str, torch.Tensor], **said: Any) -> list[dict[str, str]]:
    """What each reading of a state dict assumes beyond what is said."""
    layout = recognise(state)
    assert layout is not None
    return [reading.assumed for reading in _transformers(layout, Facts(**said))]


def test_the_readings_of_a_state_dict_are_those_that_its_shapes_leave_open() -> None:
    """One per activation, attention rate and mask that nobody says; a mask matters from two layers on."""
    one, two = random_network(p=7, equals_token=False), random_network(p=7, n_layers=2)
    rates = [f"{i / 10:g}" for i in range(11)]
    assert _open_questions(papers(one)) == [
        {"activation": activation, "attention-rate": rate} for activation in ("relu", "gelu") for rate in rates
    ]
    assert _open_questions(papers(two), activation="relu") == [{"no-causal": ""}, {"causal": ""}]
    assert _open_questions(papers(two), activation="relu", causal=True) == [{}]
    heads = _open_questions(FORMATS["bridge"](random_network(p=7)), activation="relu")
    assert heads == [{"heads": "1"}, {"heads": "2"}, {"heads": "4"}, {"heads": "8"}]
    # 8 tokens at two positions: p = 8, or p = 4 with vocabularies of their own.
    even = papers(random_network(p=8, equals_token=False))
    assert _open_questions(even, activation="relu", attention_rate=1.0) == [{"modulus": "8"}, {"modulus": "4"}]
    even["unembed.W_U"] = even["unembed.W_U"][:, :4]
    assert _open_questions(even, activation="relu", attention_rate=1.0) == [{}]


def test_the_vocabularies_that_fit_are_those_that_can_be_answered() -> None:
    def fit(vocabulary: int, positions: int, outputs: int, **said: Any) -> list[tuple[int, bool, bool]]:
        W = {
            "embed.W_E": torch.zeros(vocabulary, 3),
            "pos_embed.W_pos": torch.zeros(positions, 3),
            "unembed.W_U": torch.zeros(3, outputs),
        }
        return list(_vocabularies(W, Facts(**said)))

    assert fit(2, 2, 2) == [(2, False, False)]  # p = 1 with vocabularies of their own is nothing to add
    assert fit(8, 2, 8) == [(8, False, False), (4, False, True)]
    assert fit(8, 2, 4) == [(4, False, True)] and fit(8, 3, 8) == [(7, True, False)]
    assert fit(8, 3, 7) == [(7, True, False)] and fit(8, 3, 6) == []
    assert fit(9, 3, 5) == [(4, True, True)] and fit(9, 3, 9) == [(8, True, False), (4, True, True)]
    assert fit(8, 5, 8) == [(8, False, False), (4, False, True), (7, True, False)]
    assert fit(8, 5, 8, modulus=7) == [(7, True, False)] and fit(8, 5, 8, separate_vocabularies=True) == [(4, False, True)]
    assert fit(10_001, 3, 10_001) == [(10_000, True, False), (5_000, True, True)] and fit(10_001, 2, 10_001) == []


def test_an_output_for_equals_is_part_of_the_network(tmp_path: Path) -> None:
    network = random_network(answers_equals=True)
    torch.save(papers(network), tmp_path / "theirs.pt")
    read = interp.load(tmp_path / "theirs.pt", **ALL_SAID, modulus=6).network
    assert isinstance(read, Network) and read.config.answers_equals
    assert torch.equal(read.parameters["unembed.W_U"], network.parameters["unembed.W_U"])


@pytest.mark.parametrize("values", [{"n_heads": 0}, {"n_heads": 1025}, {"p": 1}, {"p": 1e7}, {"attn_coeff": 1.1}, {"p": 7.5}])
def test_facts_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InterpError, match="out of range"):
        facts_within({"config": values})
    edges = facts_within({"config": {"n_heads": 1024, "p": 2, "attn_coeff": 1}})
    assert (edges.n_heads, edges.modulus, edges.attention_rate) == (1024, 2, 1.0)


def test_a_vocabulary_of_words_is_refused_before_memory_runs_out(tmp_path: Path) -> None:
    state = papers(random_network())
    state["embed.W_E"], state["unembed.W_U"] = torch.zeros(8, 50_257), torch.zeros(8, 50_257)
    torch.save(state, tmp_path / "language_model.pt")
    with pytest.raises(InterpError, match="vocabulary 50257, 3 positions and 50257 outputs fit no way to read"):
        interp.load(tmp_path / "language_model.pt")
