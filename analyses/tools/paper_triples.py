"""The 100 triples on which Zhong et al. 2023 measure gradient symmetricity."""

import random

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Int
from torch import Tensor

SAMPLE, SEED = 100, 42
"""Number of triples in the paper's sample, and the seed of the shuffle that picks them."""

LARGEST_SHUFFLED = 400
"""Largest p whose sample is the paper's."""


def paper_sample(p: int) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, " n"]]:
    """Which triples (a, b, c) does the paper sample? The first 100 of ``shuffled(p³)``, read as a·p² + b·p + c.

    For p > 400, of which no values have been published, 100 of the project's own: the shuffle's p³ exchanges would take longer
    than all other basic measurements.

    Source: Zhong et al. 2023, arXiv 2306.17844 (released code).
    """
    if p > LARGEST_SHUFFLED:
        index = torch.randint(p**3, (SAMPLE,), generator=torch.Generator().manual_seed(SEED))
    else:
        index = torch.from_numpy(shuffled(p**3, SAMPLE, SEED))
    return index // p**2, index // p % p, index % p


def shuffled(length: int, count: int, seed: int) -> npt.NDArray[np.int64]:
    """The first ``count`` of ``range(length)`` after ``random.Random(seed).shuffle``, without shuffling ``length`` numbers.

    The shuffle exchanges the entries at i and at a random j_i ≤ i, for i = length - 1 down to 1. What comes to lie at a place
    is found by going back through the exchanges, few of which move one of the ``count`` places.
    """
    partner = _partners(length, seed)
    places = np.arange(min(count, length))
    first = min(max(count, 1000), length)
    for i in range(1, first):
        _exchange(places, i, int(partner[i]))
    watched = np.zeros(length, dtype=bool)
    watched[places] = True
    while first < length:
        block = partner[first : first + max(1000, first // 64)]
        waiting = list(np.flatnonzero(watched[block]))
        while waiting:
            at = waiting.pop(0)
            i, j = first + int(at), int(block[at])
            if watched[j]:  # not moved away by an exchange before this one
                _exchange(places, i, j)
                watched[i], watched[j] = True, False
                again = np.flatnonzero(block[at + 1 :] == i) + at + 1
                waiting = sorted({*waiting, *again})
        first += len(block)
    return places


def _exchange(places: npt.NDArray[np.int64], i: int, j: int) -> None:
    at_i, at_j = places == i, places == j
    places[at_i], places[at_j] = j, i


def _partners(length: int, seed: int) -> npt.NDArray[np.uint32]:
    """With which entry j_i ≤ i does ``random.Random(seed).shuffle`` exchange entry i? Python's own numbers, many at a time.

    j_i is the next word of the generator, cut to as many bits as i + 1 has; words of i + 1 and more are thrown away.
    """
    _, state, _ = random.Random(seed).getstate()
    words = np.random.MT19937()
    words.state = {"bit_generator": "MT19937", "state": {"key": np.array(state[:-1], dtype=np.uint32), "pos": state[-1]}}
    partner = np.zeros(length, dtype=np.uint32)
    unused, bound = np.zeros(0, dtype=np.uint32), length  # bound = i + 1
    while bound > 1:
        size = min(max(64, bound // 8), 1 << 20)
        if len(unused) < size:
            unused = np.concatenate([unused, words.random_raw(size).astype(np.uint32)])
        drawn = (unused[:size] >> np.uint32(32 - bound.bit_length())).astype(np.int64)
        # Whether a word is taken depends on how many before it were: guessed, and corrected until nothing changes.
        taken = drawn < bound
        while True:
            bounds = bound - (np.cumsum(taken) - taken)
            corrected = drawn < bounds
            if np.array_equal(corrected, taken):
                break
            taken = corrected
        # The next bound has fewer bits from here on, or there is none.
        used = int(np.searchsorted(-bounds, -max(1 << (bound.bit_length() - 1), 2), side="right"))
        partners = drawn[:used][taken[:used]]
        partner[bound - len(partners) : bound] = partners[::-1]
        unused, bound = unused[used:], bound - len(partners)
    return partner
