"""Checks of notebook 6, explain a network you have never seen: one for every seed, and what is true of it."""

import random
from functools import lru_cache
from typing import Any

import torch

from analyses.basics.performance import performance
from analyses.evidence.clock_or_pizza import ClockOrPizza
from analyses.evidence.clock_or_pizza import clock_or_pizza as measured_circuit
from interp import fourier
from interp.circuit import Circuit
from interp.course.exercise import NotDoneError, WrongError, as_numbers, exercise
from interp.files.examples import example
from interp.networks.transformer import Network

KNOWN = ("quick-113", "nanda-113", "zhong-59-rate-0", "zhong-59-rate-1")
"""Networks that those of the course are made of."""
NEAR = 0.01
"""Largest error of a share of the output explained."""


def unseen(seed: int | str) -> Circuit:
    """A network that adds and that nobody has seen, decided by a seed: any number or word.

    It is a network that comes with this project, with all numbers multiplied by a unit u mod p, which the seed draws. That is
    exact, since u·a + u·b = u·(a+b): the rows of the embedding and the columns of the unembedding change places, the network
    adds as well as it did, and what happened at frequency k now happens at u·k.
    """
    drawn = random.Random(f"unseen {seed}")
    known = example(drawn.choice(KNOWN))
    return renumbered(known, drawn.randrange(2, known.p - 1))


def renumbered(circuit: Circuit, u: int) -> Circuit:
    """The circuit in which number n is treated as this one treats u·n mod p, for a unit u of an addition mod p."""
    network, p = circuit.network, circuit.p
    assert isinstance(network, Network)
    place = torch.arange(p) * u % p
    parameters = {name: values.clone() for name, values in network.parameters.items()}
    parameters["embed.W_E"][:p] = network.parameters["embed.W_E"][place]
    parameters["unembed.W_U"][:, :p] = network.parameters["unembed.W_U"][:, place]
    return Circuit(Network(network.config, parameters))


@lru_cache(maxsize=64)
def truth(seed: int | str) -> ClockOrPizza:
    """What is measured of the network of this seed: key frequencies, the circuit at each, the share of the output explained."""
    return measured_circuit(unseen(seed))


@lru_cache(maxsize=64)
def most_needed(seed: int | str) -> tuple[dict[int, float], int]:
    """Accuracy of the network of this seed without the circle of each key frequency, and the one without which it is least."""
    circuit = unseen(seed)
    keys = [k for k, _ in truth(seed).frequencies]
    accuracy = {k: performance(circuit.with_embedding(fourier.without(circuit.embedding, k))).accuracy for k in keys}
    return accuracy, min(accuracy, key=accuracy.__getitem__)


@exercise(notebook=6)
def check_my_frequencies(my_frequencies: Any, my_seed: Any) -> str:
    """Are these the key frequencies of the network of this seed? Expected is a list, in any order."""
    seed, mine = _seed(my_seed), _frequencies(my_frequencies)
    keys = {k for k, _ in truth(seed).frequencies}
    p = unseen(seed).p
    if strange := [k for k in mine if not 1 <= k <= p // 2]:
        raise WrongError(f"{strange[0]} is no frequency of {p} numbers: they go from 1 to {p // 2}")
    if extra := [k for k in mine if k not in keys]:
        doubled = {fourier.fold(2 * k, p) for k in keys}
        hint = ": it is in the embedding, and the output does not use it" if extra[0] in doubled else ""
        raise WrongError(f"{extra[0]} is no key frequency of this network{hint}: measure its wave of a + b - c in the logits")
    if len(mine) < len(keys):
        number = len(keys) - len(mine)
        raise WrongError(f"{'one more is' if number == 1 else f'{number} more are'} to be found; those you have are right")
    return f"Network {seed}, mod {p}: its key frequencies are {', '.join(map(str, sorted(keys)))}."


@exercise(notebook=6)
def check_my_circuits(my_circuits: Any, my_seed: Any) -> str:
    """Is this what the network of this seed does at each key frequency? Expected is a dict: k to clock, pizza or mixture."""
    seed, found = _seed(my_seed), dict(truth(_seed(my_seed)).frequencies)
    if not isinstance(my_circuits, dict):
        raise WrongError(f'my_circuits should be a dict such as {{3: "clock"}}, and is a {type(my_circuits).__name__}')
    mine = {int(k): name for k, name in my_circuits.items()}
    if strange := [name for name in mine.values() if name not in ("clock", "pizza", "mixture")]:
        raise WrongError(f'each of them is "clock", "pizza" or "mixture", not {strange[0]!r:.30}')
    if set(mine) != set(found):
        raise WrongError("my_circuits needs an entry for every key frequency, and for no other: the exercise before finds them")
    at = {k: coordinate for k, coordinate, *_ in truth(seed).coordinates}
    wrong = [k for k in sorted(found) if mine[k] != found[k]]
    if wrong:
        k = wrong[0]
        hint = "was the circle at 2k taken away first? " if mine[k] == "clock" else ""
        raise WrongError(f"at {k} it is not a {mine[k]}: {hint}the pizza's share of its profile is {at[k]:.2f}")
    return f"Network {seed}: {', '.join(f'{k} {name}' for k, name in sorted(found.items()))}: {truth(seed).verdict}."


@exercise(notebook=6)
def check_my_share(my_share: Any, my_seed: Any) -> str:
    """Is this the share of the output, to .01, that clocks and pizzas at the key frequencies explain?"""
    seed, explained = _seed(my_seed), truth(_seed(my_seed)).explained
    mine = float(as_numbers(my_share, "my_share", ()))
    if abs(mine - 100 * explained) < 100 * NEAR:
        raise WrongError(f"{mine:g} is in percent: a share lies between 0 and 1")
    if abs(mine - (1 - explained)) < NEAR:
        raise WrongError(f"{mine:.3f} is the share that is not explained")
    if abs(mine - explained) > NEAR:
        side = "less" if mine > explained else "more"
        raise WrongError(f"{mine:.3f} is not right: {side} is explained, by all key frequencies, of the network as it is")
    return f"Network {seed}: {explained:.1%} of its output is explained, {1 - explained:.1%} is not."


@exercise(notebook=6)
def check_my_most_needed(my_most_needed: Any, my_seed: Any) -> str:
    """Is this the key frequency that the network of this seed needs most?

    It is the one whose circle, taken away from the embedding, leaves the fewest pairs right.
    """
    seed = _seed(my_seed)
    accuracy, least = most_needed(seed)
    mine = int(as_numbers(my_most_needed, "my_most_needed", ()))
    if mine not in accuracy:
        raise WrongError(f"{mine} is no key frequency of this network")
    if mine != least and accuracy[mine] > accuracy[least]:
        raise WrongError(f"without {mine} it still has {accuracy[mine]:.1%} of all pairs right: there is one it needs more")
    return f"Network {seed}: without {least} it has {accuracy[least]:.1%} of all pairs right."


def _seed(value: Any) -> int | str:
    if value is None or value is ...:
        raise NotDoneError
    if not isinstance(value, int | str) or len(str(value)) > 100:
        raise WrongError("my_seed should be a number or a word")
    return value


def _frequencies(value: Any) -> list[int]:
    try:
        return sorted({int(k) for k in value})
    except (TypeError, ValueError, OverflowError) as error:
        raise WrongError("my_frequencies should be a list of frequencies, such as [3, 8]") from error
