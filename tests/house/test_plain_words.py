"""What users see is said in whole sentences and plain words: of real networks of different kinds, in text, tables and page."""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path

import pytest

import analyses
import interp
from analyses.findings.drawing import caption
from analyses.findings.finding import Finding
from analyses.findings.measurement import in_order
from analyses.findings.table import Table
from analyses.findings.wording import sentences, times_likelier
from analyses.reports import text
from analyses.reports.answer import examine
from analyses.reports.page.assemble import FOLDER
from interp.networks.model import Unavailable

KINDS = ("zhong-59-rate-0", "memorising-59", "operations/d13", "operations/division-97")
"""A pizza, a network that only remembers, one of a group, and one of an addition in other numbers."""
REFUSED = {
    r"nats ahead": "440,000 times likelier than the next answer",
    r"how sure\W*none": "no circuit is named",
    r"\b2k removed": "helper circle off",
    r"nearest (?:profile )?cut-off": "would be judged otherwise if it changed by .02",
    r"% of the logits' variance explained": "clocks and pizzas account for 97% of its output",
    r"no circuit to name": "so no circuit is named",
    r"other frequencies by \w": "judged by the embedding they would be others",
    r"no rung carries it;|loss recovered –|agrees \d|agrees:|R ≥|R –": "99.2% of its answers; R at least .998",
    r"\bnull (?:median|most)\b|\bresultant\b": "at random",
    r"\bwritten: their|\b(?:share|fitted|recovered|deviation|pure): ": "a sentence",
    r"[a-z] ≥ [\d.]|[≥≤] [\d.]+ to be judged": "at least .95 is asked for",
    r"\(legacy": "a published measure",
    r"of a network that does not compute its task": "although it does not compute its task",
}
"""Words that were once shown, as patterns, and what is said now."""
HEADINGS = {"left", "k", "DI", "±", "2k removed", "share", "variance", "agrees", "cut-off", "null median", "resultant", "pure"}
"""Names of columns that say too little alone."""


def refused(shown: str) -> list[str]:
    """The refused words in a text, wherever its lines are broken."""
    flat = " ".join(shown.split())
    return [found[0] for pattern in REFUSED for found in re.finditer(pattern, flat)]


def is_sentence(note: str) -> bool:
    """Does a remark begin and end as sentences do?"""
    return bool(re.match(r"[A-Z'“0-9t]", note)) and note.endswith(".")


circuit = cache(interp.example)
"""One of the networks, with what was measured of it before."""


@cache
def findings(name: str) -> dict[str, Finding]:
    """All findings about one of the networks; of the slow ones the card with its evidence."""
    return examine(circuit(name), path=Path(f"{name}.pt"), more=in_order()).findings


def tables(name: str) -> Iterator[Table]:
    for finding in findings(name).values():
        try:
            yield finding.table()
        except Unavailable:
            continue


@pytest.mark.parametrize("name", KINDS)
def test_what_is_printed_is_in_plain_words(name: str) -> None:
    answer = examine(circuit(name), path=Path(f"{name}.pt"), more=["explanation", "group_explanation"])
    lines = text.headline(answer)
    assert not refused("\n".join([*lines, str(text.overview([answer]))]))
    for table in tables(name):
        assert not refused(str(table)), table.title
        assert not HEADINGS & {*table.columns}, table.title
        assert not table.note or is_sentence(table.note), (table.title, table.note)


@pytest.mark.parametrize("name", KINDS)
def test_captions_and_titles_are_in_plain_words(name: str) -> None:
    for measured, finding in findings(name).items():
        if finding.is_drawn():
            figure = finding.figure()
            assert not refused(f"{figure.layout.title.text} {caption(figure)}"), measured
            assert is_sentence(caption(figure)), measured


def test_the_page_is_in_plain_words() -> None:
    page = analyses.report(circuit("memorising-59")).page()
    visible = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    seen = unescape(re.sub(r"<[^>]+>", " ", visible))
    assert "how sure" in seen and not refused(seen)
    scripts = "\n".join(path.read_text() for path in FOLDER.glob("*.js"))
    said = " ".join(re.findall(r'"[^"\n]*"|`[^`]*`', scripts))
    assert "network answers" in said and not refused(said)


def test_a_comparison_is_in_plain_words() -> None:
    found = analyses.compare(circuit("nanda-113-step-9400"), circuit("zhong-59-rate-0"))
    assert not refused(f"{found}{found.frequency_table()}") and is_sentence(found.frequency_table().note)


@pytest.mark.parametrize(
    "old",
    [
        "how sure\nnone",
        "11 + 19: the network answers 30, 13.0 nats ahead of the next.",
        "Circuit: clock (a clock at 21; clear, 0.13 from the nearest cut-off); 99.0% of the logits' variance explained",
        "k  verdict  coordinate  range  fitted  share  2k removed",
        "Key frequencies: 21 24 29 (by the logits; other frequencies by embedding)",
        "Explained: no (it does not generalise; what: no rung carries it; formula explains 0.0000, loss recovered –)",
        "how  neurons, order 2  –  agrees 1.0000, R ≥ 0.9984",
        "written: their share of what all neurons write at k; resultant: of φ_a - φ_b",
        "pairs answered right  1  ≥ .99 to be judged",
    ],
)
def test_the_words_of_before_are_refused(old: str) -> None:
    assert refused(old)


def test_remarks_become_sentences_and_margins_likelihoods() -> None:
    assert sentences("the law holds", "", "R is 1.") == "The law holds. R is 1." and is_sentence(sentences("a"))
    assert not is_sentence("minor none, of these second harmonics none")
    said = {0.0: "1.0", 1.0: "2.7", 2.25: "9.5", 2.3: "10", 13.0: "440,000", 13.8: "980,000"}
    for margin, times in said.items():
        assert times_likelier(margin) == f"{times} times likelier"
    assert times_likelier(13.9) == times_likelier(1e6) == "over a million times likelier"
