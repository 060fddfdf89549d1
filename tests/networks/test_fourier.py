"""The real Fourier basis against torch.fft, and its laws."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from interp import fourier

moduli = st.integers(2, 40)


@given(p=moduli)
def test_the_basis_is_orthonormal(p: int) -> None:
    B = fourier.basis(p)
    assert torch.allclose(B @ B.T, torch.eye(p, dtype=torch.float64), atol=1e-12)


@given(p=moduli, seed=st.integers(0, 1000))
def test_energies_are_those_of_torch_fft(p: int, seed: int) -> None:
    M = torch.randn(p, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    F = torch.fft.rfft(M, dim=0, norm="ortho").abs().square().sum(1)
    F[1:] *= 2
    if p % 2 == 0:
        F[-1] /= 2
    assert torch.allclose(fourier.energies(M), F[1:], rtol=1e-10)
    assert torch.allclose(fourier.energy_shares(M).sum(), torch.tensor(1.0, dtype=torch.float64))


@given(p=moduli, seed=st.integers(0, 1000))
def test_pair_energies_are_those_of_the_two_dimensional_fft(p: int, seed: int) -> None:
    x = torch.randn(p, p, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    F = torch.fft.fft2(x, dim=(0, 1), norm="ortho").abs().square()
    energies = fourier.pair_waves(x.split(2)).energies
    for k in fourier.frequencies(p):
        index = sorted({0, k, p - k})
        expected = sum(F[i, j] for i in index for j in index) - F[0, 0]
        assert torch.allclose(energies[k - 1], expected, rtol=1e-9)


@given(p=moduli, k=st.integers(-100, 100), seed=st.integers(0, 1000))
def test_without_removes_one_frequency_and_nothing_else(p: int, k: int, seed: int) -> None:
    M = torch.randn(p, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    before, after = fourier.energies(M), fourier.energies(fourier.without(M, k))
    folded = fourier.fold(k, p)
    for j in fourier.frequencies(p):
        expected = 0.0 if j == folded else before[j - 1]
        assert after[j - 1] == pytest.approx(float(expected), abs=1e-12)


def test_frequencies_include_the_last_one() -> None:
    """Released code that stops before p // 2 misses k = 56 at p = 113."""
    assert 56 in fourier.frequencies(113) and max(fourier.frequencies(12)) == 6
    assert [fourier.fold(k, 113) for k in (57, 113, 56, 170)] == [56, 0, 56, 56]


def test_gini() -> None:
    assert fourier.gini(torch.ones(10)) == pytest.approx(0)
    assert fourier.gini(torch.tensor([0.0] * 99 + [1.0])) == pytest.approx(0.99)
