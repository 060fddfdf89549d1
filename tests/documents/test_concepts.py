"""The concepts: every number that is said of a committed network, measured again."""

import json

import pyarrow.parquet
import pytest
from examples import DOCS, ROOT

import analyses
import interp
from analyses.adding.hands import angle_of, in_turns
from analyses.evidence.clock_or_pizza import NAMED
from interp.circuit import Circuit


def of(name: str) -> Circuit:
    return interp.load(ROOT / "checkpoints" / f"{name}.pt")


def said(page: str) -> str:
    """The words of a page of the concepts."""
    return " ".join((DOCS / "concepts" / f"{page}.md").read_text().split())


def test_grokking() -> None:
    lines = (ROOT / "checkpoints" / "nanda-113.log.jsonl").read_text().splitlines()
    log = {record["step"]: record for record in map(json.loads, lines)}
    known = {step: f"{record['test_accuracy']:.2f}".removeprefix("0") for step, record in log.items()}
    words = said("grokking")
    assert log[200]["train_accuracy"] == 1 and f"Of the others it has {known[200]} right" in words
    assert f"step 5,000 it is {known[5000]}" in words
    assert f"between steps 9,000 and 10,200, it goes from {known[9000]} to {known[10200]}" in words
    assert interp.RECIPES["nanda-2023"].train_fraction == 0.3 and "30% of the sums" in words
    assert f"{113 * 113:,} sums" in words and "once in 113 times" in words


def test_circles() -> None:
    words, nanda = said("circles"), of("nanda-113")
    clock = [str(c.k) for c in analyses.circles(of("zhong-59-rate-1")).circles]
    assert "go round {} times, on the second {} times, on the third {} times".format(*clock) in words
    keys, embedding = analyses.key_frequencies(nanda), analyses.embedding_spectrum(nanda)
    assert "the output, {}, {}, {}, {} and {}, the five".format(*keys.frequencies) in words
    assert "It uses six" in words and len(embedding.present) == 6
    assert set(embedding.present) - set(keys.frequencies) == {31} and 2 * 41 == 82 and 113 - 82 == 31


@pytest.mark.parametrize(("page", "name"), [("clock", "zhong-59-rate-1"), ("pizza", "zhong-59-rate-0")])
def test_the_first_dial_of_the_clock_and_of_the_pizza(page: str, name: str) -> None:
    words, hand = said(page), analyses.one_pair(of(name), a=11, b=19).hands[0]
    a, b, output = (in_turns(angle_of(point)) for point in (hand.a, hand.b, hand.output))

    def shown(turns: float) -> str:
        return f"{turns:.3f}".removeprefix("0")

    place = shown(21 * 30 / 59 % 1)
    assert hand.k == 21 and hand.verdict == page
    if page == "clock":
        assert f"hand of 11 stands at {shown(a)} turns, that of 19 at {shown(b)}. Added they are {a + b:.3f} turns" in words
        assert f"and {shown(hand.predicted / 6.283185307 % 1)}. That is where" in words
        assert f"which is {place} after" in words and f"stands at {shown(output)}." in words
    else:
        halfway = (a + b) / 2
        assert f"11 stands at {shown(a)} turns and 19 at {shown(b)}; halfway is {shown(halfway)}" in words
        assert f"that is {2 * halfway:.3f} turns, so {place} without" in words and shown(2 * halfway % 1) == place


def test_mixture() -> None:
    verdict = analyses.clock_or_pizza(of("nanda-113"))
    by_verdict = dict(verdict.frequencies)
    assert by_verdict == {14: "clock", 35: "mixture", 41: "pizza", 42: "clock", 52: "clock"}
    assert verdict.verdict == "hybrid" and verdict.published_criterion == "clock"
    words = said("mixture")
    assert "Frequency 41 is a pizza. Frequencies 42, 52 and 14 are clocks" in words and "And 35 falls only half" in words


def test_explained_and_nulls() -> None:
    quick = of("quick-113")
    ladder = analyses.ladder(quick)
    assert ladder.first is not None and f"a formula of {ladder.first.score.numbers} numbers is enough" in said("explained")
    found, words = analyses.causal(quick), said("nulls")
    removed = found.effect("embedding", "remove")
    assert removed is not None and f"leaves {_short(removed.value)} of the answers" in words
    assert (
        f"leaves at least {_short(removed.same.least)} of them, and others as large at least {_short(removed.as_large.least)}"
        in words
    )
    not_won = [
        (each.site, each.edit, kind)
        for each in found.effects
        for kind, null in (("same", each.same), ("as large", each.as_large))
        if not null.beaten
    ]
    knocked = [("pre-activations", "knock out", "same"), ("pre-activations", "knock out", "as large")]
    assert not_won == [("pre-activations", "remove", "as large"), *knocked] and "Two comparisons are not won" in words
    assert found.draws == 100 and "a hundred times" in words and len(found.effects) == 8 and "eight edits" in words


def test_no_control_is_explained_or_named() -> None:
    rows = pyarrow.parquet.read_table(ROOT / "studies" / "every_network.parquet").to_pylist()
    controls = [row for row in rows if row["kind"] != "trained"]
    assert f"None of {len(controls)} such networks" in said("nulls")
    assert not any(row["is_explained"] or row["explanation_is_explained"] or row["circuit"] in NAMED for row in controls)


def _short(share: float) -> str:
    """A share as the pages have it: .02."""
    return f"{share:.2f}".removeprefix("0")
