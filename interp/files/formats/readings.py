"""Choice of a reading: what nobody says is tried, and the reading under which the network computes its task is taken."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from interp.errors import InterpError
from interp.files.checkpoint import Assumption
from interp.files.formats.candidates import Reading, readings
from interp.files.formats.facts import Facts
from interp.files.formats.layouts import Layout
from interp.networks.attention_free import AttentionFree
from interp.networks.model import check_analysable
from interp.networks.transformer import Network
from interp.tasks import task_named
from interp.tasks.task import Task

COMPUTES = 0.99
"""Accuracy, from 0 to 1, from which a reading counts as computing the task."""
CLEARLY = 0.05
"""How much more, from 0 to 1, a reading has to get right to be taken instead of a more usual one."""
SAMPLE = 2000
"""Number of pairs that a reading is tried on, drawn with a fixed seed."""


@dataclass(frozen=True, eq=False)
class Choice:
    """The network under the reading that was taken, with what was assumed for it."""

    network: Network | AttentionFree
    notes: tuple[str, ...] = ()
    """Notes on what was assumed in reading the network, and why."""
    assumed: tuple[Assumption, ...] = ()
    """Assumptions that could be wrong, each with the network under the other reading."""
    task: str = "addition"
    """Name of the task that it computes, or has to."""
    computes: bool = False
    """Was it found to compute this task, or another operation, under this reading?"""
    instead: str = ""
    """The operation that it computes instead of its task, in words; "" where none is known."""
    answers: Mapping[str, Any] | None = None
    """Answers to a stranger's open questions, under which it was read; None for a known layout."""


def choose(layout: Layout, facts: Facts) -> Choice:
    """Which network does a layout hold?

    Raises InterpError where no reading fits the shapes, or several of those that fit compute the task; then the options that
    decide are named. Where none does, the network is read as literally as can be, and that is noted. Two things are assumed,
    and noted: ordinary attention (rate 1), where published networks have no other; and ReLU, unless GELU alone computes the
    task. Where both do, the lower loss does not tell which one the network was trained with (for published networks it is
    right about as often as a coin).
    """
    candidates, task = readings(layout, facts), facts.task or "addition"
    notes: tuple[str, ...] = ()
    if layout.rate_is_assumed(facts):
        notes = ("attention rate 1, ordinary attention, assumed (not stored; --attention-rate decides)",)
    if len(candidates) == 1:
        check_analysable(candidates[0].network)
        return Choice(candidates[0].network, notes)
    tried = [_try(reading, task_named(task, reading.network.p)) for reading in candidates]
    taken = _pick(tried)
    other = next((each for each in tried if _differ_in_activation(each.reading, taken.reading)), None)
    if taken.accuracy < COMPUTES and (other is None or len(taken.reading.assumed) > 1):
        assumed = () if other is None else (_assumption(taken, other),)
        return Choice(taken.reading.network, (*notes, _literal(taken, len(tried))), assumed)
    if other is None:
        how = f"of {len(candidates)} readings it computes {taken.task.sentence}, loss {taken.loss:.2g}"
        return Choice(taken.reading.network, (*notes, f"read as {taken.reading.says()} (not stored; {how})"))
    return Choice(taken.reading.network, (*notes, _assumes(taken, other)), (_assumption(taken, other),))


@dataclass(frozen=True, eq=False)
class _Tried:
    """A reading, and how well the network does its task under it."""

    reading: Reading
    task: Task
    loss: float
    """Mean cross-entropy over the pairs tried, in nats."""
    accuracy: float
    """Share of the pairs tried that the network answers right, from 0 to 1."""


def _pick(tried: Sequence[_Tried]) -> _Tried:
    """The reading under which a network computes its task, ReLU before GELU; the most literal one where none does.

    Raises InterpError as ``choose`` does.
    """
    fits = [each for each in tried if each.accuracy >= COMPUTES]
    # Of one that fits with ReLU nothing else is asked; what fits with GELU alone is GELU.
    fits = [each for each in fits if each.reading.assumed.get("activation") == "relu"] or fits
    if len(fits) > 1:
        best, *others = sorted(fits, key=lambda each: each.loss)
        open_ = {name for each in others for name, value in each.reading.assumed.items() if best.reading.assumed[name] != value}
        shown = "; ".join(f"{each.reading.says()}: loss {each.loss:.2g}" for each in (best, others[0]))
        raise InterpError(
            f"it computes {best.task.sentence} under {len(fits)} of {len(tried)} readings ({shown}): decide with "
            + " ".join(f"--{name}" for name in sorted(open_))
        )
    return fits[0] if fits else _most_literal(tried)


def _most_literal(tried: Sequence[_Tried]) -> _Tried:
    """The most usual of the readings under which a network computes its task about as badly as under the best one.

    Raises InterpError where these differ in the modulus: there is no usual one.
    """

    def beyond_chance(each: _Tried) -> float:
        return each.accuracy - 1 / each.task.p

    best = max(tried, key=beyond_chance)
    near = [each for each in tried if beyond_chance(each) > beyond_chance(best) - CLEARLY]
    if len({each.reading.network.p for each in near}) > 1:
        raise InterpError(
            f"under none of the {len(tried)} readings that fit does it compute {best.task.sentence}, and they differ in their "
            f"modulus ({', '.join(sorted({str(each.reading.network.p) for each in near}))}): decide with --modulus"
        )
    usual = {"attention-rate": "1", "heads": "4", "activation": "relu", "causal": ""}
    return max(near, key=lambda each: sum(usual.get(name) == value for name, value in each.reading.assumed.items()))


def _literal(taken: _Tried, count: int) -> str:
    """The note on a network that computes its task under no reading."""
    options = " ".join(f"--{name}" for name in taken.reading.assumed)
    return (
        f"does not compute {taken.task.sentence} under any of {count} readings; read as {taken.reading.says()}, under which "
        f"{taken.accuracy:.4f} of the pairs tried are right ({options} decide)"
    )


def _differ_in_activation(one: Reading, two: Reading) -> bool:
    """Do two readings differ in their activation and in nothing else?"""
    if "activation" not in one.assumed:
        return False
    return one.assumed != two.assumed and {**one.assumed, "activation": ""} == {**two.assumed, "activation": ""}


def _assumes(taken: _Tried, other: _Tried) -> str:
    """The note on an activation that was assumed because nobody says it."""

    def how_well(each: _Tried) -> str:
        return f"it answers {each.accuracy:.4f} of the pairs tried right, loss {each.loss:.2g}"

    name = other.reading.assumed["activation"]
    beside = f"{how_well(taken)}; as {name} {how_well(other)}"
    note = f"read as {taken.reading.says()}, assumed (not stored; {beside}; --activation decides)"
    if taken.accuracy >= COMPUTES:
        return note
    return (
        f"{note}. Under neither does it compute {taken.task.sentence}: it has not learned that, or does something that "
        "its weights do not say (another operation, a normalisation)"
    )


def _assumption(taken: _Tried, other: _Tried) -> Assumption:
    assert isinstance(other.reading.network, Network)
    ours, theirs = (f"activation {each.reading.assumed['activation']}" for each in (taken, other))
    return Assumption(taken=ours, other=theirs, network=other.reading.network)


def _try(reading: Reading, task: Task) -> _Tried:
    """A reading with its loss and accuracy on a sample of pairs, the worst possible where the network overflows."""
    check_analysable(reading.network)
    pairs = task.pairs()
    sample = pairs[torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:SAMPLE]]
    E_a, E_b = reading.network.tables()
    with torch.no_grad():
        logits, _ = reading.network.run(E_a[sample // task.p], E_b[sample % task.p])
    answers = task.answers(sample)
    loss = functional.cross_entropy(logits.double(), answers).item()
    accuracy = (logits.argmax(-1) == answers).double().mean().item()
    return _Tried(reading, task, loss, accuracy) if math.isfinite(loss) else _Tried(reading, task, math.inf, 0.0)
