"""Proven accuracy: never above the true one, nothing without a circuit, and no rounding error above its bound."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import mpmath
import pytest
import torch
from _pytest.mark.structures import ParameterSet
from planted import deepened, planted
from torch import Tensor

import analyses
import interp
from analyses.evidence.certificate import Certificate
from analyses.tools.proofs.rounding import Bounded, exact
from analyses.tools.proofs.rung import Rung, Step, strongest
from analyses.tools.proofs.token_forward import token_forward
from interp.circuit import Circuit
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig, parameter_shapes
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "benchmarks"))
import certificates as study
import weights_alone

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"
KINDS = {
    "equals": Architecture(d_model=8, n_heads=2, d_head=4, d_mlp=16),
    "no equals, gelu, half attention": Architecture(
        d_model=8,
        n_heads=2,
        d_head=4,
        d_mlp=16,
        equals_token=False,
        answers_equals=False,
        activation="gelu",
        attention_rate=0.5,
    ),
    "every bias, two vocabularies": Architecture(
        d_model=8, n_heads=2, d_head=4, d_mlp=16, attention_biases=True, unembed_bias=True, separate_vocabularies=True
    ),
}


QUICK = ("zhong-59-rate-0", "zhong-59-rate-1", "memorising-59")
"""The networks mod 59, whose proofs take a second each; those mod 113 take up to fourteen."""


def slowly(*names: str) -> list[ParameterSet]:
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


def random_network(kind: str, p: int = 5, seed: int = 0) -> Network:
    config = KINDS[kind].with_symbols(p)
    network = initialise(config, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    moved = {name: x + 0.3 * torch.randn(x.shape, generator=generator) for name, x in network.parameters.items()}
    return Network(config, moved)


def by_hand(config: NetworkConfig, parameters: dict[str, Tensor], a: int, b: int) -> list[mpmath.mpf]:
    """The answers' logits of one pair with 60 digits, as the papers write them down, position by position."""
    mpmath.mp.dps = 60

    def matrix(x: Tensor) -> mpmath.matrix:
        return mpmath.matrix(x.double().reshape(-1, x.shape[-1]).tolist())

    def bias(name: str, width: int) -> mpmath.matrix:
        return matrix(parameters[name].flatten()[None]) if name in parameters else mpmath.zeros(1, width)

    tokens = [a, b + config.p * config.separate_vocabularies] + [config.d_vocab - 1] * config.equals_token
    W_E, W_pos, block = parameters["embed.W_E"], parameters["pos_embed.W_pos"], "blocks.0"
    streams = [matrix(W_E[token][None]) + matrix(W_pos[place][None]) for place, token in enumerate(tokens)]
    middle = streams[-1] + bias(f"{block}.attn.b_O", config.d_model)
    for head in range(config.n_heads):
        q, k, v = (
            [
                x * matrix(parameters[f"{block}.attn.W_{letter}"][head])
                + (
                    matrix(parameters[f"{block}.attn.b_{letter}"][head][None])
                    if config.attention_biases
                    else mpmath.zeros(1, config.d_head)
                )
                for x in streams
            ]
            for letter in "QKV"
        )
        scores = [mpmath.exp((q[-1] * key.T)[0] / mpmath.sqrt(config.d_head)) for key in k]
        for score, value in zip(scores, v, strict=True):
            weight = config.attention_rate * score / mpmath.fsum(scores) + 1 - mpmath.mpf(config.attention_rate)
            middle += weight * value * matrix(parameters[f"{block}.attn.W_O"][head])
    pre = middle * matrix(parameters[f"{block}.mlp.W_in"]) + bias(f"{block}.mlp.b_in", config.d_mlp)
    post = pre.apply(lambda x: max(x, 0) if config.activation == "relu" else x * (1 + mpmath.erf(x / mpmath.sqrt(2))) / 2)
    end = middle + post * matrix(parameters[f"{block}.mlp.W_out"]) + bias(f"{block}.mlp.b_out", config.d_model)
    logits = end * matrix(parameters["unembed.W_U"]) + bias("unembed.b_U", config.d_vocab_out)
    return [logits[c] for c in range(config.p)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_rounding_error_is_above_its_bound_nor_far_below(kind: str) -> None:
    network = random_network(kind)
    tables = token_forward(network)
    for a, (post, direct) in enumerate(tables.rows()):
        found: Bounded = post.times_bounded(tables.V) + direct
        assert found.error < 1e-10  # a bound that says something
        for b in range(network.config.p):
            truth = by_hand(network.config, dict(network.parameters), a, b)
            assert all(abs(mpmath.mpf(x) - y) <= found.error for x, y in zip(found.value[b].tolist(), truth, strict=True))


def test_the_bound_of_a_product_holds_where_it_is_nearly_reached() -> None:
    # 1 + tiny + ... - 1: terms that cancel lose all that the bound says they may.
    x = torch.tensor([[1.0, 2.0**-54, 2.0**-54, 2.0**-54, -1.0]], dtype=torch.float64)
    found = exact(x).times(torch.ones(5, 1, dtype=torch.float64))
    assert abs(found.value.item() - 3 * 2.0**-54) <= found.error < 1e-14


FREE = {
    "alpha": AttentionFreeConfig(p=5, kind="alpha", d_embedding=6, d_hidden=9, unembed_bias=True),
    "delta": AttentionFreeConfig(p=5, kind="delta", d_embedding=4, d_hidden=9, separate_vocabularies=True, activation="gelu"),
    "direct": AttentionFreeConfig(p=5, kind="direct", d_embedding=9, d_hidden=9, biases=False, activation="square"),
}


def by_hand_without_attention(network: AttentionFree, a: int, b: int) -> list[mpmath.mpf]:
    """The logits of one pair with 60 digits, as Zhong et al. 2023 write these networks down."""
    mpmath.mp.dps = 60
    W = {name: mpmath.matrix(x.double().reshape(-1, x.shape[-1]).tolist()) for name, x in network.parameters.items()}
    x_a, x_b = W["embed_a.W_E"][a, :], W.get("embed_b.W_E", W["embed_a.W_E"])[b, :]
    read = mpmath.matrix([[*x_a, *x_b]]) if network.config.kind == "delta" else x_a + x_b
    pre = read * W["l1.W"] if "l1.W" in W else read
    pre = pre + W["l1.b"] if "l1.b" in W else pre
    functions = {
        "relu": lambda x: max(x, 0), "gelu": lambda x: x * (1 + mpmath.erf(x / mpmath.sqrt(2))) / 2, "square": lambda x: x * x
    }  # fmt: skip
    logits = pre.apply(functions[network.config.activation]) * W["unembed.W_U"]
    return list(logits + W["unembed.b_U"] if "unembed.b_U" in W else logits)


@pytest.mark.parametrize("kind", FREE)
def test_nor_is_one_of_networks_without_attention(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = parameter_shapes(FREE[kind])
    network = AttentionFree(FREE[kind], {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()})
    tables = token_forward(network)
    for a, (post, direct) in enumerate(tables.rows()):
        found = post.times_bounded(tables.V) + direct
        assert found.error < 1e-10
        for b in range(5):
            truth = by_hand_without_attention(network, a, b)
            assert all(abs(mpmath.mpf(x) - y) <= found.error for x, y in zip(found.value[b].tolist(), truth, strict=True))


@pytest.mark.parametrize("kind", ["relu", "every bias, two vocabularies"])
def test_half_of_the_pre_activations_goes_past_the_neurons(kind: str) -> None:
    """ReLU(x) = ½x + ½|x|: with ½x past the neurons, what is left for them is ½|x|."""
    network = random_network("equals" if kind == "relu" else kind)
    whole, halved = token_forward(network), token_forward(network, half_past_neurons=True)
    for a in range(network.config.p):
        expected = whole.pre(a).value.relu() @ whole.V.value + whole.direct(a).value
        found = halved.pre(a).value.abs() / 2 @ halved.V.value + halved.direct(a).value
        assert torch.allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "rank", "waves"),
    [
        ("zhong-59-rate-0", 6, 2),
        ("zhong-59-rate-1", 6, 3),
        pytest.param("nanda-113", 10, None, marks=pytest.mark.slow),
        pytest.param("quick-113", 8, None, marks=pytest.mark.slow),
    ],
)
def test_accurate_networks_are_proven_with_a_fifth_of_the_work(name: str, rank: int, waves: int | None) -> None:
    """Ranks and shares as an independent program found them, without a bound on rounding."""
    found = study.certificate(name)
    assert found is not None
    assert (found.rank, found.certified, found.accuracy, found.proven) == (rank, 1.0, 1.0, 1.0)
    assert found.share_of_brute_force < 0.1 and found.rounding < 1e-6
    # No neuron of any pair is computed, of a pizza as of a clock.
    assert found.certified_by_cells > 0.99 and found.cells_of_brute_force < 0.2
    assert waves is None or (found.waves, found.certified_by_waves) == (waves, 1.0)


@pytest.mark.parametrize("name", ["memorising-59", *slowly("untrained-113", "nanda-113-step-1400", "nanda-113-step-9400")])
def test_what_has_no_circuit_yet_is_not_proven_at_all(name: str) -> None:
    found = study.certificate(name)
    assert found is not None
    assert found.certified == found.proven == 0 and found.accuracy < 0.72
    assert found.proven_by == "nothing" and "Nothing is proven" in str(found)


def test_every_rung_of_a_pizza() -> None:
    """One wave per neuron proves a quarter of the pairs, two prove all; smaller cells prove more than larger ones."""
    found = study.certificate("zhong-59-rate-0")
    assert found is not None
    trying, low_rank, waves, cells = found.rungs
    assert [rung.name for rung in found.rungs] == ["trying all", "low rank", "waves", "cells"]
    assert [(step.setting, round(step.certified, 4)) for step in waves.steps[:2]] == [(1, 0.2657), (2, 1.0)]
    assert trying.steps[0].products == found.brute_force > found.shared
    shares, costs = zip(*((step.certified, step.products) for step in cells.steps), strict=True)
    assert list(shares) == sorted(shares) and list(costs) == sorted(costs) and shares[-1] > 0.999
    front = found.pareto()
    assert front == sorted(front) and [share for _, share in front] == sorted(share for _, share in front)
    for rung in (low_rank, cells):
        assert all(any(cost <= x and share >= y for cost, share in front) for x, y in points(rung, found) if y)


def points(rung: Rung, found: Certificate) -> list[tuple[float, float]]:
    return [(step.products / found.brute_force, step.certified) for step in rung.steps]


def test_the_strongest_rung_is_the_cheapest_of_those_that_prove_enough() -> None:
    def rung(name: str, *steps: tuple[float, int]) -> Rung:
        return Rung(name, tuple(Step(0.0, name, share, cost) for share, cost in steps))

    assert strongest([rung("none", (0.0, 1))], below=9) is None and strongest([], below=9) is None
    assert strongest([rung("as much work as trying all", (1.0, 9))], below=9) is None
    for rungs, best in (
        ([rung("a", (1.0, 9)), rung("b", (0.9992, 5))], "b"),
        ([rung("a", (0.9, 9)), rung("b", (0.8, 5))], "a"),
        ([rung("a", (0.2, 1), (1.0, 9)), rung("b", (0.5, 2))], "a"),
        ([rung("none"), rung("b", (0.5, 2))], "b"),
    ):
        found = strongest(rungs, below=10)
        assert found is not None and found[0].name == best
    # The first setting that proves enough, although a later one proves more.
    assert rung("a", (0.5, 1), (0.9995, 2), (1.0, 3)).best == Step(0.0, "a", 0.9995, 2)


def test_rungs_that_do_not_apply_say_why() -> None:
    found = study.certificate("operations/d13")
    assert found is not None
    waves, cells = found.rungs[2:]
    assert waves.best is None and "addition in other numbers" in waves.why_not and "addition in other numbers" in cells.why_not
    assert math.isnan(found.waves) and math.isnan(found.certified_by_cells) and found.proven == found.certified == 1
    assert "No waves: they need a task that is addition in other numbers" in " ".join(str(found).split())
    assert found.to_dict()["waves"] is None


def test_other_networks_are_refused_with_the_reason() -> None:
    circuit = interp.load(CHECKPOINTS / "zhong-59-rate-0.pt")
    with pytest.raises(Unavailable, match="without edits"):
        analyses.certificate(circuit.with_activation("blocks.0.mlp.hook_post", lambda post: post * 0.5))
    two_layers = Circuit(deepened(planted(5, pizzas=(1,))))
    with pytest.raises(Unavailable, match=r"a transformer of one layer .* one hidden layer"):
        analyses.certificate(two_layers)
    config = AttentionFreeConfig(p=5, kind="gamma", d_embedding=3, d_hidden=4)
    hidden = AttentionFree(config, {name: torch.ones(shape) for name, shape in parameter_shapes(config).items()})
    with pytest.raises(Unavailable, match="one hidden layer"):
        analyses.certificate(Circuit(hidden))
    with pytest.raises(Unavailable, match="relu or gelu or square"):
        analyses.certificate(Circuit(initialise(replace(KINDS["equals"], activation="silu").with_symbols(5), seed=0)))


@pytest.mark.parametrize("name", [*QUICK, *slowly(*(name for name in study.names() if name not in QUICK))])
def test_the_tables_of_the_document_are_what_is_found_today(name: str) -> None:
    written = (CHECKPOINTS.parent / "docs" / "certificates.md").read_text()
    found = study.certificate(name)
    if found is None:
        assert f"| {name} |" not in written
        return
    rows = [study.row(name, found), *(study.rows_of_cells(name, found) if name in study.OF_CELLS else [])]
    assert all(f"| {' | '.join(row)} |" in written for row in rows), "python benchmarks/certificates.py"


@pytest.mark.parametrize("name", weights_alone.NETWORKS)
def test_what_stops_a_proof_by_distances_is_as_the_document_has_it(name: str) -> None:
    written = (CHECKPOINTS.parent / "docs" / "certificates.md").read_text()
    row = weights_alone.row(name, weights_alone.budget(interp.example(name)))
    assert f"| {' | '.join(row)} |" in written, "python benchmarks/weights_alone.py"


def test_planted_pizzas_leave_nothing_beside_the_law() -> None:
    found = weights_alone.budget(Circuit(planted(23, pizzas=(1, 3, 4))))
    assert found.law == found.exact == found.bounded
    assert all(abs(found.sizes[name]) < 1e-3 for name in found.sizes if name != "sum over neurons")
