"""The glossary has the words that the program uses, each once; and the project can be cited."""

import re
import sys
import tomllib
from importlib.metadata import version
from typing import Any, get_args

import pytest
import yaml
from examples import DOCS, ROOT

import analyses
import interp
from analyses.chapters import EXPLAINING
from analyses.evidence.clock_or_pizza import ClockOrPizza, Verdict
from analyses.findings.measurement import in_order
from analyses.groups.trace_or_coset import Form
from analyses.trials.causal import Edit
from analyses.trials.ladder import RUNGS
from interp.networks.model import Unavailable

sys.path.insert(0, str(DOCS))
from hooks import GENERATED, GLOSSARIES

WORDS: list[dict[str, dict[str, Any]]] = [tomllib.loads(file.read_text())["terms"] for file in GLOSSARIES]
SPELLINGS = {spelling.lower() for words in WORDS for word, each in words.items() for spelling in (word, *each.get("also", ()))}


def known(text: str) -> bool:
    """Is a heading or a name of a table made of words that the glossary has?"""
    return any(re.search(rf"(?<!\w){re.escape(spelling)}(?!\w)", text.lower()) for spelling in SPELLINGS)


def test_every_word_is_explained_once_in_one_sentence() -> None:
    spelled = [s.lower() for words in WORDS for word, each in words.items() for s in (word, *each.get("also", ()))]
    assert not {spelling for spelling in spelled if spelled.count(spelling) > 1}, "in one file or the other, not in both"
    for words in WORDS:
        for word, each in words.items():
            assert re.fullmatch(r"[A-Z].*[.?]", each["says"]) and ". " not in each["says"].removesuffix("."), word
            assert f"## {word}\n\n{each['says']}" in GENERATED["glossary.md"]()


@pytest.mark.parametrize("names", [Verdict, Form, Edit, ClockOrPizza.__annotations__["sureness"]])
def test_every_verdict_and_edit_is_in_it(names: Any) -> None:
    assert {name for name in get_args(names) if name.lower() not in SPELLINGS} <= {"none"}


def test_the_words_of_the_card_are_in_it() -> None:
    """What stands in the first column of its tables, and the names of the rungs; headings of columns that name no number."""
    assert all(name in SPELLINGS for name in RUNGS.values())
    circuit, unknown = interp.load(ROOT / "checkpoints" / "zhong-59-rate-0.pt"), set[str]()
    for name in in_order(chapter=EXPLAINING):
        try:
            table = getattr(analyses, name)(circuit).table()
        except Unavailable:
            continue
        if name in ("explanation", "ladder", "causal"):
            unknown |= {str(row[0]) for row in table.rows if isinstance(row[0], str) and not known(str(row[0]))}
            unknown |= {column for column in table.columns if column and not known(column)}
    assert unknown <= {"k = 21", "k = 24", "k = 29", "holds", "in the network's place", "numbers"}, "plain English"


def test_the_citation_has_what_its_format_demands() -> None:
    """Citation File Format 1.2.0: four fields of the file, three of each reference, authors that have a name."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation.keys() >= {"cff-version", "message", "title", "authors"} and citation["cff-version"] == "1.2.0"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (citation["version"], citation["license"]) == (version("interp"), project["license"])
    for reference in citation["references"]:
        assert reference.keys() >= {"type", "title", "authors"}
        assert reference["identifiers"][0]["value"].replace(":", " ") in (DOCS / "cite.md").read_text()
    people = [author for each in (citation, *citation["references"]) for author in each["authors"]]
    assert all("name" in author or author.keys() >= {"family-names", "given-names"} for author in people)
    cite = (DOCS / "cite.md").read_text()
    assert f"{{{citation['version']}}}" in cite and f"{{{citation['title']}}}" in cite
