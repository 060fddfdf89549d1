"""Checks of notebook 1, the Fourier basis: points on a circle, waves, taking a list apart, and at which frequency it lives."""

import math

import torch
from torch import Tensor

from interp import fourier
from interp.course.exercise import Mine, WrongError, as_text, at, differ, exercise, mistake

MODULI = (7, 11, 23)
"""Numbers of residues that a student's functions are tried with: odd, as in the notebook, and mostly not those it shows."""


@exercise(notebook=1)
def check_point(point: Mine) -> str:
    """Does ``point(n, k, p)`` give the place of number n on the circle that the numbers 0..p-1 go round k times?

    Expected is the pair (cos 2πkn/p, sin 2πkn/p).
    """
    for n, k, p in [(3, 2, 7), (1, 1, 7), (9, 4, 11), (17, 5, 23), (0, 3, 7)]:
        mine, turn = point.numbers(n, k, p, shape=(2,)), k * n / p
        truth = at(turn)
        if not differ(mine, truth):
            continue
        known = [
            (truth.flip(0), "the sine comes first: the point is (cosine, sine)"),
            (at(n / p), "the frequency k is missing: with k = 1 this would be right"),
            (at(-turn), "it goes the other way round: the sine has the wrong sign"),
            (at(turn * 180 / math.pi), "the angle is in degrees: torch and math want radians, of which a full turn has 2π"),
            (at(turn / (2 * math.pi)), "the angle is in turns: multiply by 2π, since a full turn has 2π radians"),
        ]
        why = mistake(mine, known)
        where = f": {why}" if why else f", at {turn:.3f} turns"
        raise WrongError(f"{point.shown(n, k, p)} gave {as_text(mine)}, and it is {as_text(truth)}{where}")
    return "Your points lie where they belong, on every circle that was tried."


@exercise(notebook=1)
def check_fourier_basis(fourier_basis: Mine) -> str:
    """Does ``fourier_basis(p)`` give the orthonormal Fourier basis of p numbers, p odd?

    Expected are p rows of length 1: the constant, then for k = 1, 2, ... the cosine and the sine of 2πkn/p, n = 0..p-1.
    """
    for p in MODULI:
        mine, truth = fourier_basis.numbers(p, shape=(p, p)), fourier.basis(p)
        if not differ(mine, truth):
            continue
        if not differ(mine.T, truth):
            raise WrongError(f"{fourier_basis.shown(p)} has the waves as columns: each wave should be a row (.T turns it)")
        for number in range(p):
            _check_row(mine[number], truth, number, f"row {number} of {fourier_basis.shown(p)}")
    return f"For p = {', '.join(map(str, MODULI))} every row is the right wave, of length 1, and at right angles to all others."


@exercise(notebook=1)
def check_coefficients(coefficients: Mine) -> str:
    """Does ``coefficients(values)`` say how much of each wave of the Fourier basis is in a list of p numbers, p odd?

    Expected are p numbers: the products of the list with each row of the orthonormal basis, added up.
    """
    for p in MODULI:
        values = _random(p)
        basis = fourier.basis(p)
        truth, lengths = basis @ values, torch.tensor([math.sqrt(p), *[math.sqrt(p / 2)] * (p - 1)], dtype=torch.float64)
        mine = coefficients.numbers(values, shape=(p,))
        if not differ(mine, truth):
            continue
        call = coefficients.shown(values)
        known = [
            (basis.T @ values, " used the columns of the basis: multiply the list by each row (basis @ values)"),
            (truth * lengths, ": your waves go up to 1, and should have length 1: divide by √(p/2), the first by √p"),
            (truth / lengths, ": this is how high each wave goes; with the rows of the basis, of length 1, do not divide"),
        ]
        if why := mistake(mine, known):
            raise WrongError(f"{call}{why}")
        worst = int((mine - truth).abs().argmax())
        raise WrongError(
            f"{call} gave {mine[worst]:.3f} for row {worst} ({_wave(worst)}), and it is {truth[worst]:.3f}: multiply the list "
            "by this row of the basis, number by number, and add up"
        )
    return "Your coefficients are right: put together again, they give back every list."


@exercise(notebook=1)
def check_energy_shares(energy_shares: Mine) -> str:
    """Does ``energy_shares(values)`` say at which frequencies a list of p numbers lives, p odd?

    Expected are (p-1)/2 shares that sum to 1: for each k the squares of the coefficients of its cosine and its sine, over
    their sum over all k; the constant is left out.
    """
    for p in MODULI:
        values = _random(p) + 3
        energies = fourier.energies(values[:, None])
        truth = energies / energies.sum()
        mine, call = energy_shares(values), energy_shares.shown(values)
        if hasattr(mine, "__len__") and len(mine) == len(truth) + 1:
            raise WrongError(f"{call} gave {len(mine)} shares, one too many: the constant has no frequency, leave it out")
        mine = energy_shares.numbers(values, shape=(len(truth),))
        if not differ(mine, truth):
            continue
        with_constant, lengths = energies / values.square().sum(), energies.sqrt()
        known = [
            (energies, "gave the energies themselves: divide them by their sum, so that they sum to 1"),
            (with_constant, "divided by the energy of the constant too: divide by the sum over k = 1, 2, ... alone"),
            (lengths / lengths.sum(), "gave shares of the lengths: an energy is the sum of two squares, without a root"),
        ]
        if why := mistake(mine, known):
            raise WrongError(f"{call} {why}")
        k = int((mine - truth).abs().argmax()) + 1
        raise WrongError(
            f"{call} gave {mine[k - 1]:.3f} for k = {k}, and it is {truth[k - 1]:.3f}: cosine² + sine², over the sum"
        )
    return "Your shares sum to 1 and lie at the right frequencies, whatever is added to every number of the list."


def _random(p: int) -> Tensor:
    return torch.randn(p, generator=torch.Generator().manual_seed(p), dtype=torch.float64)


def _check_row(mine: Tensor, truth: Tensor, number: int, which: str) -> None:
    """Raises WrongError with what is wrong with one row of a basis."""
    length = mine.norm().item()
    if length < 1e-6:
        raise WrongError(f"{which} is 0 everywhere, and should be the {_wave(number)}")
    along = truth @ mine / length  # with each row of the basis
    if along[number] > 1 - 1e-6:
        if abs(length - 1) > 1e-4:
            raise WrongError(f"{which} is the {_wave(number)}, but its length should be 1, and is {length:.2f}: divide by that")
        return
    other = int(along.abs().argmax())
    if other == number and along[other] < -1 + 1e-6:
        raise WrongError(f"{which} is the {_wave(number)} with the wrong sign")
    if along[other].abs() > 1 - 1e-6:
        raise WrongError(f"{which} should be the {_wave(number)}, and is the {_wave(other)}: the order is constant, "
                         "cosine 1, sine 1, cosine 2, sine 2, ...")  # fmt: skip
    raise WrongError(f"{which} should be the {_wave(number)}, and is no wave of the basis at all")


def _wave(number: int) -> str:
    """What a row of the basis is called."""
    return "constant" if number == 0 else f"{'cosine' if number % 2 else 'sine'} of frequency {(number + 1) // 2}"
