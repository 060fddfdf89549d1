"""Proven accuracy: never above the true one, nothing without a circuit, and no rounding error above its bound."""

from pathlib import Path

import mpmath
import pytest
import torch
from torch import Tensor

import analyses
import interp
from analyses.tools.proofs.rounding import Bounded, exact
from analyses.tools.proofs.token_forward import token_forward
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

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
    tables = token_forward(network.config, network.parameters)
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


@pytest.mark.parametrize(
    ("name", "rank", "least"),
    [("zhong-59-rate-0", 6, 1.0), ("zhong-59-rate-1", 6, 1.0), ("nanda-113", 10, 1.0), ("quick-113", 8, 1.0)],
)
def test_accurate_networks_are_proven_with_a_fifth_of_the_work(name: str, rank: int, least: float) -> None:
    """Ranks and shares as an independent program found them, without a bound on rounding."""
    found = analyses.certificate(interp.load(CHECKPOINTS / f"{name}.pt"))
    assert (found.rank, found.certified, found.accuracy) == (rank, least, 1.0)
    assert found.share_of_brute_force < 0.2 and found.rounding < 1e-6


@pytest.mark.parametrize("name", ["untrained-113", "memorising-59", "nanda-113-step-1400", "nanda-113-step-9400"])
def test_what_has_no_circuit_yet_is_not_proven_at_all(name: str) -> None:
    found = analyses.certificate(interp.load(CHECKPOINTS / f"{name}.pt"))
    assert found.certified == 0 and found.accuracy < 0.72


def test_other_networks_are_refused_with_the_reason() -> None:
    circuit = interp.load(CHECKPOINTS / "zhong-59-rate-0.pt")
    with pytest.raises(Unavailable, match="without edits"):
        analyses.certificate(circuit.with_activation("blocks.0.mlp.hook_post", lambda post: post * 0.5))
    with pytest.raises(Unavailable, match="a transformer of one layer"):
        analyses.certificate(interp.load(CHECKPOINTS / "corruption" / "inverted-97.pt"))


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.rglob("*.pt")), ids=lambda path: path.stem)
def test_the_table_of_the_document_is_what_is_found_today(path: Path) -> None:
    written = (CHECKPOINTS.parent / "docs" / "certificates.md").read_text()
    name = path.relative_to(CHECKPOINTS).with_suffix("")
    try:
        found = analyses.certificate(interp.load(path))
    except Unavailable:
        assert f"| {name} |" not in written
        return
    rank = found.rank if found.certified else "–"
    costs = f"{found.share_of_brute_force:.3f} | {found.share_of_shared:.2f}"
    assert f"| {name} | {found.accuracy:.4f} | {found.certified:.4f} | {rank} | {costs} |" in written
