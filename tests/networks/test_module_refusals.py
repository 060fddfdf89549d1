"""Any torch module: what cannot be found in it is said, and what cannot be is refused, in one line that names the option."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from modules import Encoder, OneHots, P, TwoTables, pairs
from planted import planted
from torch import Tensor, nn

import analyses
import interp
from interp.errors import InterpError
from interp.networks.model import Unavailable


class Parameters(nn.Module):
    """A network without parts that could be named: nothing but parameters."""

    def __init__(self) -> None:
        super().__init__()
        network = planted(P, pizzas=[2], equals_token=False)
        W_E = network.parameters["embed.W_E"]
        self.E, self.U = nn.Parameter(W_E), nn.Parameter(torch.ones(2 * W_E.shape[1], P, dtype=torch.float64))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.E[tokens].flatten(1) @ self.U


def test_what_is_missing_is_said_by_the_measurements() -> None:
    circuit = interp.from_module(Parameters(), p=P, tokens=pairs)
    with pytest.raises(Unavailable, match=r"needs embeddings: .*: embedding='NAME' says which part gives them"):
        analyses.gradient_symmetry(circuit)
    with pytest.raises(Unavailable, match=r"needs neurons: .*neurons='NAME'"):
        analyses.neuron_clusters(circuit)
    with pytest.raises(Unavailable, match="needs attention: attention='NAME'"):
        analyses.attention_pattern(circuit)
    assert analyses.performance(circuit).pairs == P * P and circuit.notes[1:] == ("embedding not found", "neurons not found")


class Pooled(nn.Module):
    """Neurons at both positions, and a mean over these."""

    def __init__(self) -> None:
        super().__init__()
        self.emb, self.act, self.head = nn.Embedding(P, 6), nn.ReLU(), nn.Linear(6, P)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.act(self.emb(tokens)).mean(1))


def test_neurons_that_write_from_other_positions_have_no_map() -> None:
    circuit = interp.from_module(Pooled(), p=P, tokens=pairs)
    with pytest.raises(Unavailable, match=r"\d\d% of what act writes is at others"):
        _ = circuit.neuron_logit_map


class Broken(Pooled):
    def forward(self, tokens: Tensor) -> Tensor:
        raise ValueError("two\nlines")


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "unknown task": (lambda: interp.from_module(Pooled(), "division by zero"), "expected a task such as"),
    "unknown part": (lambda: interp.from_module(Pooled(), neurons="atc"), "no part called 'atc': nearest are act"),
    "several inputs": (
        lambda: interp.from_module(Encoder()),
        r"runs on \(a, b, =\) with p = 7, \(a, operator, b\) with p = 7, and not on one alone .* say p= and tokens=",
    ),
    "no p": (lambda: interp.from_module(nn.Identity()), "p cannot be found.*give p="),
    "impossible p": (lambda: interp.from_module(Pooled(), p=1), "modulus p of at least 2"),
    "fails": (lambda: interp.from_module(Broken(), p=P), "fails when it is run: ValueError: two lines.*tokens="),
    "fails on the tokens given": (
        lambda: interp.from_module(TwoTables(), p=P, tokens=pairs),
        "as given do not fit: .*TypeError",
    ),
    "probabilities": (lambda: interp.from_module(OneHots(), unembedding=""), "output sums to 1: probabilities; unembedding="),
    "no embedding there": (
        lambda: interp.from_module(Pooled(), p=P, tokens=pairs, embedding="head"),
        "vectors of a and of b apart in head",
    ),
    "one of two tables": (
        lambda: interp.from_module(TwoTables(), embedding="one"),
        "vectors of a and of b apart in one",
    ),
    "too few symbols": (lambda: interp.from_module(Pooled(), p=P + 1), "an nn.Embedding of at least 8 rows, got one of 7"),
    "no lens": (
        lambda: interp.from_transformer_lens(Pooled()),
        "expected a TransformerLens model, with hook_dict and cfg, got Pooled",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_one_line(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(InterpError, match=message) as refused:
        make()
    assert "\n" not in str(refused.value)
