"""Glossary: what the words of this project mean, from glossary.toml, for the page and for the documentation."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("glossary.toml")


@dataclass(frozen=True)
class Term:
    """One word with its meaning."""

    word: str
    """The word as it is listed."""
    says: str
    """The sentence that explains it."""
    also: tuple[str, ...]
    """Other spellings, such as the plural."""


@dataclass(frozen=True)
class Glossary:
    """All words, and what a newcomer should read first."""

    terms: tuple[Term, ...]
    """Every word, as the file has them: from the first one needs to the last."""
    newcomers: tuple[str, ...]
    """Five sentences for someone who has never heard of any of this."""
    first: tuple[Term, ...]
    """The ten words to know first."""

    def term(self, word: str) -> Term:
        """The term with this word, or with this spelling of it, in capitals or not. Raises KeyError where there is none."""
        return _by_spelling(self)[word.casefold()]


@cache
def glossary() -> Glossary:
    """The glossary of this project."""
    plain = tomllib.loads(FILE.read_text())
    terms = {word: Term(word, each["says"], tuple(each.get("also", ()))) for word, each in plain["terms"].items()}
    return Glossary(tuple(terms.values()), tuple(plain["newcomers"]), tuple(terms[word] for word in plain["first"]))


def parts(text: str) -> list[tuple[str, Term | None]]:
    """A text cut where its words are those of the glossary: (piece, its term or None); a word counts where it first occurs."""
    found: list[tuple[str, Term | None]] = []
    met, end = set[str](), 0
    for match in _pattern().finditer(text):
        term = glossary().term(match[0])
        if term.word not in met:
            met.add(term.word)
            found += [(text[end : match.start()], None), (match[0], term)]
            end = match.end()
    return [(piece, term) for piece, term in [*found, (text[end:], None)] if piece]


@cache
def _by_spelling(words: Glossary) -> dict[str, Term]:
    return {spelling.casefold(): term for term in words.terms for spelling in (term.word, *term.also)}


@cache
def _pattern() -> re.Pattern[str]:
    spellings = sorted(_by_spelling(glossary()), key=len, reverse=True)  # the longest first: key frequency before frequency
    return re.compile(rf"(?<![\w/.-])({'|'.join(map(re.escape, spellings))})(?![\w/]|[.-]\w)", re.IGNORECASE)
