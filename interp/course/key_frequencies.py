"""Checks of notebook 3, find the key frequencies: in the embedding, in the output, and what happens without one."""

import torch
from jaxtyping import Float
from torch import Tensor

from interp import fourier
from interp.course.clock import clock
from interp.course.exercise import Mine, WrongError, differ, exercise, mistake

CASES = (
    (11, {2: 3.0, 5: 2.0}),
    (23, {4: 6.0, 7: 3.0, 10: 1.5}),
    (13, {1: 0.5}),
)
"""Planted networks that a student's functions are tried on: p, and the strength of the wave of each key frequency."""
LEAST = 0.05
"""Least strength of a key frequency's wave, as a share of the size of the whole output (root of its mean square)."""


@exercise(notebook=3)
def check_embedding_shares(embedding_shares: Mine) -> str:
    """Does ``embedding_shares(W_E)`` say at which frequencies an embedding, a row per number, has its circles?

    Expected are (p-1)/2 shares that sum to 1: the energies of each k over all columns, over their sum; without the constant.
    """
    for p, keys in CASES:
        W_E = planted_embedding(p, keys)
        energies = fourier.energies(W_E)
        truth, call = energies / energies.sum(), embedding_shares.shown(W_E)
        mine = embedding_shares.numbers(W_E, shape=truth.shape)
        if not differ(mine, truth):
            continue
        each = torch.stack([fourier.energy_shares(column[:, None]) for column in W_E.T])
        known = [
            (energies, "gave energies: divide them by their sum, so that they are shares"),
            (each[0], f"looked at the first column only: add up the energies of all {len(each)} columns"),
            (each.mean(0), "took the mean of each column's shares: add up energies first, then divide once"),
        ]
        if why := mistake(mine, known):
            raise WrongError(f"{call} {why}")
        k = int((mine - truth).abs().argmax()) + 1
        raise WrongError(f"{call} gave {mine[k - 1]:.3f} for k = {k}, and it is {truth[k - 1]:.3f}: the squares of "
                         "basis @ W_E, cosine and sine of k, added up over all columns, over the sum for all k")  # fmt: skip
    return "You see the circles that were planted in the embeddings, and no others."


@exercise(notebook=3)
def check_wave_strength(wave_strength: Mine) -> str:
    """Does ``wave_strength(logits, k)`` say how strong the wave cos(2πk(a+b-c)/p) is in logits [a, b, c]?

    Expected is its amplitude: 2 / p³ times the sum over a, b, c of the logits times the wave.
    """
    for p, keys in CASES:
        logits = planted_logits(p, keys)
        for k in (*keys, 3):
            mine, call = wave_strength.number(logits, k), wave_strength.shown(logits, k)
            truth, off = _strength(logits, k), 1e-4 * logits.abs().max().item()
            if abs(mine - truth) < off:
                continue
            known = [
                (truth / 2, "a factor 2 is missing: the square of a cosine is one half on average"),
                (truth * p**3, "divide the sum by p³, the number of its terms, and multiply by 2"),
                (truth * p**3 / 2, "divide the sum by p³, the number of its terms, and multiply by 2"),
                (_strength(logits[:, -torch.arange(p) % p], k), "this is the wave of a - b - c"),
            ]
            telling = [(other, why) for other, why in known if abs(other) > off]  # next to 0 all of them are alike
            why = mistake(mine, telling, within=off) or "the wave is cos(2πk(a + b - c)/p)"
            raise WrongError(f"{call} gave {mine:.3f}, and it is {truth:.3f}: {why}")
    return "You measure the strength of every wave that was planted, and next to nothing where there was none."


@exercise(notebook=3)
def check_find_keys(find_keys: Mine) -> str:
    """Does ``find_keys(logits)`` find the key frequencies of logits [a, b, c]?

    Expected are the k from 1 to (p-1)/2 whose wave is at least .05 of the size of the output: sorted, each once.
    """
    for p, keys in CASES:
        logits = planted_logits(p, keys)
        call, given = find_keys.shown(logits), find_keys(logits)
        try:
            mine = [int(k) for k in given]
        except (TypeError, ValueError, OverflowError) as error:
            raise WrongError(f"{call} should give a list of frequencies, such as [2, 5]") from error
        if mine == sorted(keys):
            continue
        if 0 in mine:
            raise WrongError(f"{call} has the frequency 0 among its keys, which is the constant: begin with 1")
        if mirrored := [k for k in mine if k > p // 2]:
            raise WrongError(f"{call} has {mirrored[0]}, which is {p - mirrored[0]} in a mirror: stop at (p-1)/2 = {p // 2}")
        if sorted({k - 1 for k in keys}) == sorted(mine):
            raise WrongError(f"{call} is one too low throughout: lists begin at 0, frequencies at 1")
        for k in sorted(set(keys) - set(mine)):
            raise WrongError(f"{call} lacks {k}, whose wave has a strength of {keys[k]:.2f}")
        for k in sorted(set(mine) - set(keys)):
            raise WrongError(f"{call} has {k}, whose wave has a strength of {_strength(logits, k):.4f}: that is noise")
        raise WrongError(f"{call} gave {mine}: each frequency once, in ascending order")
    return "You find the key frequencies of every network that was planted, and no others."


@exercise(notebook=3)
def check_taken_away(taken_away: Mine) -> str:
    """Does ``taken_away(W_E, k)`` give an embedding without the circle of frequency k, all else as it was?

    Expected is W_E less what its columns have of the cosine and of the sine of k.
    """
    for p, keys in CASES:
        W_E = planted_embedding(p, keys)
        for k in keys:
            truth, call = fourier.without(W_E, k), taken_away.shown(W_E, k)
            mine = taken_away.numbers(W_E, k, shape=W_E.shape)
            if not differ(mine, truth):
                continue
            without_cosine, without_sine = (W_E - torch.outer(row, row @ W_E) for row in fourier.rows(k, p))
            known = [
                (W_E - truth, "kept the circle and took away all else: subtract it from W_E"),
                (W_E, "changed nothing"),
                (without_cosine, "still has the sine of k: a circle has a cosine and a sine"),
                (without_sine, "still has the cosine of k: a circle has a cosine and a sine"),
            ]
            if why := mistake(mine, known):
                raise WrongError(f"{call} {why}")
            others = fourier.energies(mine)
            if others[k - 1] > 1e-4 * fourier.energies(W_E)[k - 1]:
                share = others[k - 1] / fourier.energies(W_E)[k - 1]
                raise WrongError(f"{call} still has {share:.0%} of the energy at k (the rows of the basis must have length 1)")
            raise WrongError(f"{call} took away the circle, and something else with it: only cosine and sine of k may change")
    return "The circle is gone, and nothing else."


def planted_embedding(p: int, keys: dict[int, float]) -> Float[Tensor, "p d"]:
    """An embedding with a circle of each key frequency in a plane of its own, turned at random, a mean, and a little noise."""
    generator = torch.Generator().manual_seed(p)
    width = 2 * len(keys) + 3
    turned, _ = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))
    circles = torch.cat([strength * fourier.waves(k, p).T for k, strength in keys.items()], dim=1)
    noise = 0.05 * torch.randn(p, width, generator=generator, dtype=torch.float64)
    return circles @ turned[: circles.shape[1]] + turned[-1] + noise


def planted_logits(p: int, keys: dict[int, float]) -> Float[Tensor, "a b c"]:
    """Logits with a wave of a+b-c of each key frequency, waves that are none of a+b-c, and a little noise."""
    generator = torch.Generator().manual_seed(p)
    total = 0.01 * torch.randn(p, p, p, generator=generator, dtype=torch.float64)
    for k, strength in keys.items():
        total += strength * clock(p, (k,))
    decoy = min(set(fourier.frequencies(p)) - set(keys))
    cosine = fourier.waves(decoy, p)[0]
    return total + max(keys.values()) * (cosine[:, None, None] + cosine[None, :, None])


def _strength(logits: Float[Tensor, "a b c"], k: int) -> float:
    return 2 * (logits * clock(len(logits), (k,))).mean().item()
