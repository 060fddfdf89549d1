"""The network in a state dict of unknown make: roles from names and shapes, a reading that is proved by running it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files.checkpoint import Assumption
from interp.files.formats.facts import Facts
from interp.files.formats.readings import COMPUTES, Choice
from interp.files.formats.strangers.decision import Decision, Weighed, decide
from interp.files.formats.strangers.perceptron import perceptron
from interp.files.formats.strangers.proposal import Misfit, Proposal
from interp.files.formats.strangers.questions import transformer
from interp.files.formats.strangers.roles import roles
from interp.files.formats.strangers.search import Search
from interp.networks.attention_free import AttentionFree
from interp.networks.model import check_analysable
from interp.networks.transformer import Network
from interp.tasks import task_named, usual_answers
from interp.tasks.task import UNDEFINED, Task

PROOF = 40_000
"""Largest number of pairs on which a reading is proved, all of them for p up to 200; others are drawn, with a standard error of
at most .0025."""
LIKELY = 0.5
"""Share of its pairs, on which everyone trains who trains on it, from which a task is taken for the one that was learned."""
SHOWN = 6
"""Largest number of other readings that are named, and whose answers are compared."""


def read(state: Mapping[str, Tensor], facts: Facts, stated: Mapping[str, float], layout: str = "names of its own") -> Choice:
    """The network in a state dict under the reading that what it computes proves, or the most literal one.

    ``stated``: losses and accuracies that its file gives, by name; ``layout``: whose names its tensors have.

    Raises InterpError where no architecture fits the names and shapes.
    """
    state = _one_precision(state)
    found = roles(state, facts.names)
    proposal = transformer(found, facts) or perceptron(state, facts)
    if proposal is None:
        raise InterpError("its tensors make no transformer, and no chain of matrices from two numbers to their answer")
    if facts.answers:
        return _as_decided(proposal, facts.answers, facts.task or "addition")
    search = Search(proposal, facts.task)
    decision = decide(search, stated)
    network = decision.taken.reading.network
    check_analysable(network)
    left = one_line(", ".join(proposal.left(decision.taken.reading.answers)), 160)
    if left and not decision.computes:
        raise InterpError(f"has tensors that no reading uses: {left}; leaving them out could change the answer")
    task, others = facts.task or likely_task(network), _others(decision)
    notes = (
        f"{layout}, as {network.describe()}{_says(decision.taken, search)}",
        _proof(decision, task),
        *([f"not used, and not needed for its answers: {left}"] if left else []),
        *_fit_too(others),
    )
    instead = other_operation(network, task) if facts.task else ""
    answers = decision.taken.reading.answers
    return Choice(network, notes, _assumptions(others), task, decision.computes, instead, answers)


def _as_decided(proposal: Proposal, answers: Mapping[str, Any], task: str) -> Choice:
    """The network under answers that were decided on another checkpoint. Raises InterpError where they do not fit it."""
    try:
        network = proposal.network(answers)
    except (Misfit, KeyError) as error:
        raise InterpError("does not fit the reading of the other checkpoints: is it one of the same run?") from error
    check_analysable(network)
    return Choice(network, task=task, answers=answers)


def _one_precision(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with all floating-point ones in one precision, float32 or float64."""
    floating = [x for x in state.values() if x.is_floating_point()]
    if not floating:
        raise InterpError("holds no floating-point numbers")
    widest = torch.float64 if any(x.dtype == torch.float64 for x in floating) else torch.float32
    return {name: x.detach().to(widest) if x.is_floating_point() else x for name, x in state.items()}


def _says(taken: Weighed, search: Search) -> str:
    """The answers of a reading in words."""
    said = []
    for name, answer in taken.reading.answers.items():
        if name in ("tokens", "activation"):
            said.append(str(answer))
        elif name == "heads":
            said.append(f"{answer} head{'s' if answer > 1 else ''}")
        elif name == "normalization" and str(answer) != "none":
            said.append(str(answer))
        elif len(search.proposal.questions[name]) > 1 and answer != search.proposal.questions[name][0]:
            said.append(f"{name} {answer}")
    return f": {'; '.join(said)}" if said else ""


def _proof(decision: Decision, task: str) -> str:
    """Does the network compute its task under this reading, and how many were tried?"""
    network = decision.taken.reading.network
    right, of_all = right_on_all(network, task), _of_pairs(task_named(task, network.p))
    sentence = task_named(task, network.p).sentence
    readings = f"of {decision.tried} readings tried" if decision.tried > 1 else "the only reading"
    if right >= COMPUTES:
        return f"this reading, {readings}, computes {sentence}: right on {right:.4f} of {of_all}"
    which = f"any of {decision.tried} readings" if decision.tried > 1 else "the only reading"
    best = ", the most that any gets" if decision.because and decision.tried > 1 and right > 2 / network.p else ""
    return f"does not compute {sentence} under {which}: under this one right on {right:.4f} of {of_all}{best}"


def other_operation(network: Network | AttentionFree, task: str) -> str:
    """What is said of a network that does another operation than its task; "" where none of those known fits much better."""
    best = likely_task(network)
    right = right_on_all(network, best)
    if best == task or right < max(LIKELY, right_on_all(network, task)):
        return ""
    other = task_named(best, network.p)
    return f"as {other.sentence} it is right on {right:.4f} of {_of_pairs(other)}"


def likely_task(network: Network | AttentionFree) -> str:
    """Name of the known task that it does best, if it is right on at least half of its pairs; else addition."""
    pairs, said = _said(network)
    best, right = best_task(said, pairs, network.p)
    return best.name if right >= LIKELY else "addition"


def best_task(said: Int[Tensor, " pair"], pairs: Int[Tensor, " pair"], p: int) -> tuple[Task, float]:
    """The known task that most of these answers are right for, and which share of its usual pairs that is, from 0 to 1."""
    known = {name: table[pairs] for name, table in usual_answers(p).items()}
    right = {name: (said == answers)[answers != UNDEFINED].double().mean().item() for name, answers in known.items()}
    best = max(right, key=lambda name: right[name])  # the first of equals: addition
    return task_named(best, p), right[best]


def right_on_all(network: Network | AttentionFree, task: str) -> float:
    """Share of the task's usual pairs that a network answers right, from 0 to 1; of those drawn where there are many."""
    pairs, said = _said(network)
    answers = task_named(task, network.p).usual_table().flatten()[pairs]
    return (said == answers)[answers != UNDEFINED].double().mean().item()


def _of_pairs(task: Task) -> str:
    """Which pairs a proof is about, in words."""
    return f"{'all pairs' if task.p**2 <= PROOF else f'{PROOF} pairs drawn'}{task.usual_apart}"


def _said(network: Network | AttentionFree) -> tuple[Int[Tensor, " pair"], Int[Tensor, " pair"]]:
    """Pairs a·p + b, all of them or many drawn by a seed, and the network's answer to each."""
    p, (E_a, E_b) = network.p, network.tables()
    with torch.no_grad():
        if p * p <= PROOF:
            said = [network.run(rows[:, None], E_b[None])[0].argmax(-1).flatten() for rows in E_a.split(16)]
            return torch.arange(p * p), torch.cat(said)
        pairs = torch.randperm(p * p, generator=torch.Generator().manual_seed(2))[:PROOF]
        return pairs, torch.cat([network.run(E_a[some // p], E_b[some % p])[0].argmax(-1) for some in pairs.split(2048)])


@dataclass(frozen=True, eq=False)
class _Other:
    """A reading that fits as well as the one taken."""

    weighed: Weighed
    same: float
    """Share of the pairs weighed to which it gives the same answer."""
    taken: str
    """The answers in which the reading taken differs from it."""
    says: str
    """The answers in which it differs from the reading taken."""


def _others(decision: Decision) -> list[_Other]:
    """The readings that nothing decides against, those first that answer most differently."""
    taken, found = decision.taken, []
    for other in decision.others:
        same = (other.said == taken.said).double().mean().item()
        found.append(_Other(other, same, _difference(taken, other), _difference(other, taken)))
    return sorted(_without_twins(found), key=lambda each: each.same)


def _without_twins(others: list[_Other]) -> list[_Other]:
    """The readings, less those with the tanh form of a GELU where the same reading with the exact one is there too."""

    def answers(other: _Other, **changed: str) -> dict[str, str]:
        return {**{name: str(answer) for name, answer in other.weighed.reading.answers.items()}, **changed}

    exact = [answers(each) for each in others]
    return [
        each
        for each in others
        if answers(each).get("activation") != "gelu_tanh" or answers(each, activation="gelu") not in exact
    ]


def _fit_too(others: list[_Other]) -> list[str]:
    """What else fits, how often it answers the same, and with which loss."""
    if not others:
        return []
    shown = [
        f"{each.says} (same answers on {each.same:.4f} of the pairs, loss {each.weighed.loss:.3g})" for each in others[:SHOWN]
    ]
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return [f"fits as well: {'; '.join(shown)}{more}"]


def _difference(one: Weighed, two: Weighed) -> str:
    changed = [(name, answer) for name, answer in one.reading.answers.items() if two.reading.answers[name] != answer]
    return ", ".join(f"{name} {answer}" for name, answer in changed)


def _assumptions(others: list[_Other]) -> tuple[Assumption, ...]:
    """One for every other reading, less the tanh form of a GELU: the two never differ by much."""
    return tuple(
        Assumption(taken=each.taken, other=each.says, network=each.weighed.reading.network)
        for each in others[:SHOWN]
        if not each.says.startswith("activation gelu_tanh")
    )
