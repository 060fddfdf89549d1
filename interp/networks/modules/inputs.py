"""What does a module read for the pair (a, b)? The usual inputs, tried by running the module on them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.functional import one_hot

from interp.errors import InterpError, one_line
from interp.networks.config import MAX_P
from interp.networks.modules.parts import ROOT, Parts, tensor_in

Tokens = Callable[[Int[Tensor, " pair"], Int[Tensor, " pair"]], Any]
"""Function from a and b, vectors of symbols, to what the module reads: a tensor, a tuple of arguments, a dict of named ones."""

ASKED = 2000
"""Largest number of pairs on which it is tried under which reading a module computes its task."""
Answers = Callable[[int], Tensor]
"""Function from p to the right answers of the task [a, b], negative where there is none; InterpError where p is impossible."""
COMPUTES = 0.9
"""Share of these pairs answered right from which a reading of a module counts as the one under which it computes its task."""


class NotLogits(InterpError):  # noqa: N818 (of all that was tried it came closest)
    """The module runs, and what it gives cannot be the logits."""


@dataclass(frozen=True, eq=False)
class Reading:
    """A way to ask a module for c: what it reads for a pair, and where its logits are."""

    p: int
    """Number of symbols."""
    tokens: Tokens
    """What the module reads for pairs."""
    words: str
    """The input in words: (a, b, =)."""
    vocabulary: int | None = None
    """Number of different tokens that are read; None where the input is no tokens."""
    length: int | None = None
    """Number of tokens that are read; None where they are no sequence."""
    logits: str = ROOT
    """Name of the activation that is the logits."""

    def answer(self, parts: Parts, a: Tensor, b: Tensor) -> Tensor:
        """The logits [pair, p or more]. Raises InterpError where the module does not run, or gives nothing like logits."""
        found: list[Tensor] = []
        if self.logits == ROOT:
            output = tensor_in(parts.run(self.tokens(a, b)))
            found = [] if output is None else [output]
        else:
            wanted = self.logits

            def see(name: str, value: Tensor) -> Tensor:
                if name == wanted:
                    found.append(value)
                return value

            parts.run(self.tokens(a, b), see, [parts.part_of(wanted)])
        where = f"of {self.logits}" if self.logits else "of the module"
        if not found:
            raise NotLogits(f"the output {where} holds no tensor: unembedding='NAME' says which part writes the logits")
        return at_last_position(found[0], len(a), where).cpu()


def at_last_position(logits: Tensor, pairs: int, where: str = "") -> Tensor:
    """Logits [pair, c] from [pair, c], [pair, position, c] or [position, pair, c]. Raises InterpError on any other shape."""
    match list(logits.shape):
        case [first, _] if first == pairs:
            return logits
        case [first, _, _] if first == pairs:
            return logits[:, -1]
        case [_, second, _] if second == pairs:
            return logits[-1]
    raise NotLogits(f"expected logits [pair, c] or [pair, position, c] for {pairs} pairs, got {list(logits.shape)} {where}")


def find_reading(
    parts: Parts,
    answers: Answers,
    *,
    p: int | None = None,
    tokens: Tokens | None = None,
    unembedding: str | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
) -> tuple[Reading, str]:
    """How does this module read pairs, and why is that taken, in words? What is given is kept, all else is tried by running it.

    ``vocabulary``, ``length``: number of tokens that there are and that it reads, where known. Raises InterpError, which names
    the options that decide, where no reading runs, or several do and not exactly one computes the task.
    """
    if p is not None and (type(p) is not int or not 2 <= p <= MAX_P):
        raise InterpError(f"expected a modulus p of at least 2 and at most {MAX_P}, a whole number, got {p!r:.40}")
    rows = vocabulary or max((x.num_embeddings for x in parts.module.modules() if isinstance(x, nn.Embedding)), default=None)
    running: list[Reading] = []
    failure: InterpError | None = None
    for reading in _candidates(parts, rows, p, tokens):
        if length is not None and length != reading.length and tokens is None:
            continue
        try:
            running.append(_with_logits(parts, reading, unembedding, rows))
        except InterpError as error:
            if failure is None or (isinstance(error, NotLogits) and not isinstance(failure, NotLogits)):
                failure = error
    if not running:
        raise InterpError(_nothing_runs(p, rows, tokens, failure)) from failure
    if len(running) == 1:
        return running[0], "" if tokens else "the one usual input that runs"
    right = [_accuracy(parts, reading, answers) for reading in running]
    best = max(range(len(running)), key=right.__getitem__)
    if right[best] >= COMPUTES > max(right[:best] + right[best + 1 :]):
        return running[best], "" if tokens else f"the one of {len(running)} usual inputs that run with which it computes"
    listed = ", ".join(f"{each.words} with p = {each.p}" for each in running)
    decide = "p=" if tokens else "p= and tokens=lambda a, b: ..."
    raise InterpError(
        f"the module runs on {one_line(listed, 200)}, and not on one alone does it compute its task: say {decide}"
    )


def _nothing_runs(p: int | None, rows: int | None, tokens: Tokens | None, failure: InterpError | None) -> str:
    """Why no reading runs, and what to say."""
    if failure is None and rows is not None:
        return f"expected an nn.Embedding of at least {p} rows, got one of {rows}: is p another?"
    if failure is None:
        return "p cannot be found, there being neither an nn.Embedding nor an nn.Linear whose sizes tell: give p="
    if tokens is not None:
        return f"the tokens as given do not fit: {failure}" + ("" if p else "; p= says the number of symbols")
    return f"no usual input will do ({failure}): tokens=lambda a, b: ... says what it reads" + ("" if p else ", p= the modulus")


def _candidates(parts: Parts, rows: int | None, p: int | None, tokens: Tokens | None) -> Iterator[Reading]:
    """The readings to try; with a known vocabulary those that use all of it or, where none does, those that fit into it."""
    linear = [x for x in parts.module.modules() if isinstance(x, nn.Linear)]
    sizes = [linear[0].in_features // 2, linear[-1].out_features, linear[-1].out_features - 1] if linear else []
    if rows:
        sizes = [rows, rows - 1, rows - 2, rows // 2]
    ps = [p] if p is not None else [each for each in dict.fromkeys(sizes) if 2 <= each <= MAX_P]
    if tokens is not None:
        yield from (Reading(each, tokens, "as given") for each in ps)
        return
    every = [reading for each in ps for reading in _usual(each)]
    if rows is None:
        yield from every
        return
    fitting = [each for each in every if each.vocabulary == rows]
    yield from fitting or [each for each in every if each.vocabulary is not None and each.vocabulary <= rows]


def _usual(p: int) -> Iterator[Reading]:
    """The usual inputs for two of p symbols; beyond these, '=' is the last token and an operator the last but one."""

    def sequence(words: str, vocabulary: int, *entries: int | str) -> Reading:
        def tokens(a: Tensor, b: Tensor) -> Tensor:
            known = {"a": a, "b": b, "own b": b + p}
            return torch.stack([known[x] if isinstance(x, str) else torch.full_like(a, x) for x in entries], dim=1)

        return Reading(p, tokens, words, vocabulary, len(entries))

    yield sequence("(a, b)", p, "a", "b")
    yield sequence("(a, b, =)", p + 1, "a", "b", p)
    yield sequence("(a, operator, b)", p + 1, "a", p, "b")
    yield sequence("(a, operator, b, =)", p + 2, "a", p, "b", p + 1)
    yield sequence("(a, operator, b, =), '=' before the operator in the vocabulary", p + 2, "a", p + 1, "b", p)
    yield sequence("(a, b + p)", 2 * p, "a", "own b")
    yield sequence("(a, b + p, =)", 2 * p + 1, "a", "own b", 2 * p)
    yield Reading(p, lambda a, b: (a, b), "two arguments, a and b", p)
    yield Reading(p, lambda a, b: torch.cat([one_hot(a, p), one_hot(b, p)], 1).float(), "one-hots of a and b side by side")
    yield Reading(p, lambda a, b: torch.stack([one_hot(a, p), one_hot(b, p)], 1).float(), "a sequence of two one-hots")


def _with_logits(parts: Parts, reading: Reading, unembedding: str | None, rows: int | None) -> Reading:
    """The reading with a place for its logits, if it runs: the one that is named, the module's output, its last linear."""
    p, pairs = reading.p, _extremes(reading.p)
    counts = {p, rows if rows is not None else reading.vocabulary or p}

    def at(name: str) -> Reading:
        found = Reading(p, reading.tokens, reading.words, reading.vocabulary, reading.length, name)
        with torch.no_grad():
            logits = found.answer(parts, *pairs)
        where = name or "the module's output"
        if logits.shape[1] < p or (unembedding is None and logits.shape[1] not in counts):
            raise NotLogits(f"expected logits of {p} answers, got {logits.shape[1]} at {where}")
        if not bool(torch.isfinite(logits).all()):
            raise NotLogits(f"{where} holds NaN or infinite values: did the run that made it diverge?")
        if bool((logits >= 0).all()) and torch.allclose(logits.sum(1), torch.ones(len(logits), dtype=logits.dtype), atol=1e-4):
            raise NotLogits(f"{where} sums to 1: probabilities; unembedding='NAME' says which part writes the logits")
        return found

    if unembedding is not None:
        return at(unembedding)
    try:
        return at(ROOT)
    except InterpError:
        seen = parts.everything(reading.tokens(*pairs))  # raises where the module does not run at all
        writes = [name for name in seen if isinstance(parts.by_name.get(name), nn.Linear) and seen[name].shape[-1] in counts]
        if not writes:
            raise
        return at(writes[-1])


def _extremes(p: int) -> tuple[Tensor, Tensor]:
    """Seven pairs, more than a sequence has positions, with the least and the largest symbols among them."""
    a = torch.tensor([0, p - 1, p - 1, 0, 1, p // 2, 1])
    return a, torch.tensor([0, p - 1, 0, p - 1, 0, 1, p // 2])


@torch.no_grad()
def _accuracy(parts: Parts, reading: Reading, answers: Answers) -> float:
    """The share of pairs with an answer, some spread evenly over all, that are answered right under a reading, [0, 1]."""
    p = reading.p
    try:
        right = answers(p).flatten()
    except InterpError:  # there is no such task with this p
        return 0.0
    asked = (right >= 0).nonzero()[:, 0]
    asked = asked[torch.linspace(0, len(asked) - 1, min(len(asked), ASKED)).long()]
    return (reading.answer(parts, asked // p, asked % p)[:, :p].argmax(1) == right[asked]).double().mean().item()
