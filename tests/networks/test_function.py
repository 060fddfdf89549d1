"""Networks known only by their logits, or by the functions that compute them."""

from typing import Any

import pytest
import torch

import analyses
import interp
from interp.errors import InterpError


def test_from_logits_and_from_function_measure_what_they_can() -> None:
    known = interp.load("checkpoints/zhong-59-rate-1.pt")
    network, E = known.network, known.embedding
    called = interp.from_function(
        lambda a, b: network.run(E[a], E[b])[0], 59, embedding=E, from_embeddings=lambda x, y: network.run(x, y)[0]
    )
    verdict = analyses.clock_or_pizza(called)
    assert verdict.verdict == "clock" and dict(verdict.frequencies) == {21: "clock", 24: "clock", 29: "clock"}
    assert analyses.gradient_symmetry(called).mean == pytest.approx(analyses.gradient_symmetry(known).mean, abs=1e-4)
    assert analyses.amplitude_profile(called).explained == pytest.approx(analyses.amplitude_profile(known).explained)

    given = interp.from_logits(known.logits, E)
    assert analyses.key_frequencies(given).frequencies == (21, 24, 29)
    assert analyses.circularity(given) == analyses.circularity(known)
    assert analyses.distance_irrelevance(given) == analyses.distance_irrelevance(known)
    for name in ("neuron_clusters", "attention_pattern", "gradient_symmetry", "amplitude_profile"):
        with pytest.raises(InterpError, match=r"needs .* which a network given by its logits does not"):
            analyses.MEASUREMENTS[name](given)
    bare = analyses.clock_or_pizza(interp.from_logits(known.logits))
    assert bare.verdict == "undecided" and bare.reason.startswith("needs embeddings") and bare.accuracy == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: interp.from_logits(torch.zeros(3, 3)), r"shape \[p, p, p\], got \[3, 3\]"),
        (lambda: interp.from_logits(torch.full((3, 3, 3), torch.nan)), "NaN or infinite"),
        (lambda: interp.from_logits(torch.zeros(1, 1, 1)), r"shape \[p, p, p\]"),
        (lambda: interp.from_logits("logits"), "as a tensor or an array, got str"),
        (lambda: interp.from_logits(torch.zeros(3, 3, 3, dtype=torch.complex64)), "real numbers"),
        (lambda: interp.from_logits(torch.zeros(3, 3, 3), torch.zeros(3, 0)), r"embedding of shape \[3, d\]"),
        (lambda: interp.from_logits(torch.zeros(3, 3, 3), torch.zeros(4, 2)), r"embedding of shape \[3, d\]"),
        (lambda: interp.from_function(lambda a, b: torch.zeros(len(a), 2), 5), r"logits of shape \[25, 5\], got \[25, 2\]"),
        (lambda: interp.from_function(lambda a, b: torch.zeros(len(a), 5), 1), "modulus p of at least 2"),
        (
            lambda: interp.from_function(
                lambda a, b: torch.zeros(len(a), 5), 5, embedding=torch.ones(5, 5), from_embeddings=lambda x, y: x + y
            ),
            "disagree by up to 2",
        ),
        (
            lambda: interp.from_function(lambda a, b: torch.zeros(len(a), 5), 5, from_embeddings=lambda x, y: x + y),
            "give embedding too",
        ),
    ],
)
def test_functions_that_do_not_fit_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InterpError, match=message):
        make()


def test_one_embedding_for_both_or_one_for_each() -> None:
    logits = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(0))
    E, F = torch.randn(3, 4), torch.randn(3, 4)
    for pair in ((E, F), [E, F]):
        assert all(torch.equal(x, y) for x, y in zip(interp.from_logits(logits, pair).tables, (E, F), strict=True))
    for one in (E, E.tolist(), tuple(E.tolist())):
        tables = interp.from_logits(logits, one).tables
        assert torch.equal(tables[0], E) and torch.equal(tables[1], E)
    # Two rows are the numbers 0 and 1, not an embedding for a and one for b.
    two = [[1.0, 2.0], [3.0, 4.0]]
    assert torch.equal(interp.from_logits(torch.zeros(2, 2, 2), two).tables[1], torch.tensor(two))


def test_the_largest_modulus_is_allowed_and_no_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interp.function.MAX_P", 5)
    for p in (2, 5):
        assert interp.from_function(lambda a, b, p=p: torch.zeros(len(a), p), p).p == p  # type: ignore[misc]
    for p in (1, 6):
        with pytest.raises(InterpError, match="at least 2 and at most 5"):
            interp.from_function(lambda a, b, p=p: torch.zeros(len(a), p), p)  # type: ignore[misc]


def test_functions_may_return_arrays_and_must_let_gradients_through() -> None:
    known = interp.load("checkpoints/zhong-59-rate-1.pt")
    network, E = known.network, known.embedding
    assert analyses.performance(interp.from_logits(known.logits.numpy())).accuracy == 1
    L = known.logits.clone()
    kept = interp.from_logits(L)
    L.zero_()
    assert torch.equal(kept.logits, known.logits)

    def detached(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return network.run(x, y)[0].detach()

    circuit = interp.from_function(lambda a, b: network.run(E[a], E[b])[0], 59, embedding=E, from_embeddings=detached)
    with pytest.raises(InterpError, match="needs gradients"):
        analyses.gradient_symmetry(circuit)
    verdict = analyses.clock_or_pizza(circuit)
    assert verdict.verdict == "clock" and verdict.published_criterion == "not applied"
