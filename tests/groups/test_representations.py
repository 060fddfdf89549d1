"""Representations of any table: laws that they have to obey, and the names of those that have some."""

import pytest
import torch
from planted_groups import group

from interp.groups.group import Group
from interp.groups.representations import class_algebra, energies, projector, representations

NAMES = ["C7", "C12", "Z2xZ4", "Z3xZ3", "D3", "D7", "D8", "S3", "S4", "S5", "A4", "A5", "Q8", "Q8xZ3", "units:15", "units:24"]


@pytest.mark.parametrize("name", NAMES)
def test_characters_are_orthogonal_and_complete(name: str) -> None:
    """Σ d²/s = n; characters of different representations are orthogonal, the mean of χ² is s."""
    table = group(name)
    every = representations(table)
    assert sum(each.rank for each in every) == table.order
    χ = torch.stack([each.character for each in every])
    expected = torch.diag(torch.tensor([float(each.s) for each in every], dtype=torch.float64))
    assert torch.allclose(χ @ χ.T / table.order, expected, atol=1e-10)
    assert len({each.name for each in every}) == len(every) and every[0].name == "trivial"
    total = sum((each.projector for each in every[1:]), every[0].projector)
    assert torch.allclose(total, torch.eye(table.order, dtype=torch.float64), atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_class_algebra_finds_the_characters_that_are_known_in_closed_form(name: str) -> None:
    table = group(name)
    found = class_algebra(Group(table.table))
    for each in representations(table):
        assert min(float((each.character - χ).abs().max()) for χ in found) < 1e-9


@pytest.mark.parametrize("name", ["S4", "S5", "A5", "D7", "Q8", "Q8xZ3", "C12"])
def test_matrices_multiply_as_the_elements_do(name: str) -> None:
    table = group(name)
    for each in representations(table):
        rho = each.matrices(seed=3)
        assert torch.allclose(torch.einsum("aij,bjk->abik", rho, rho), rho[table.table], atol=1e-9)
        assert torch.allclose(torch.einsum("aij,akj->aik", rho, rho), torch.eye(each.dimension, dtype=torch.float64), atol=1e-9)
        assert torch.allclose(torch.einsum("aii->a", rho), each.character, atol=1e-9)


def test_names_of_those_of_chughtai_et_al() -> None:
    assert [each.name for each in representations(group("S5"))] == [
        "trivial", "sign", "standard", "standard_sign", "s5_5d_a", "s5_5d_b", "s5_6d",
    ]  # fmt: skip
    swap = group("S5").elements.index("(0 1)")
    at_swap = {each.name: round(float(each.character[swap])) for each in representations(group("S5"))}
    assert at_swap == {
        "trivial": 1, "sign": -1, "standard": 2, "standard_sign": -2, "s5_5d_a": -1, "s5_5d_b": 1, "s5_6d": 0,
    }  # fmt: skip
    a5 = group("A5")
    golden = {each.name: float(each.character[a5.elements.index("(0 1 2 3 4)")]) for each in representations(a5)}
    assert golden["a5_3d_a"] == pytest.approx((1 + 5**0.5) / 2) and golden["a5_3d_b"] == pytest.approx((1 - 5**0.5) / 2)
    assert [each.name for each in representations(group("C6"))] == ["trivial", "sign", "freq_1", "freq_2"]
    assert len(representations(group("D59"))) == 31 and len(representations(group("S6"))) == 11


def test_quaternions_are_of_quaternionic_kind() -> None:
    of_four = next(each for each in representations(group("Q8")) if each.dimension == 4)
    assert of_four.s == 4 and of_four.rank == 4
    both = [(each.dimension, each.s) for each in representations(group("Q8xZ3")) if each.dimension == 4]
    assert sorted(both) == [(4, 2), (4, 4)]


@pytest.mark.parametrize("name", ["S4", "D7", "Q8"])
def test_energies_are_those_of_the_projections(name: str) -> None:
    table = group(name)
    M = torch.randn(table.order, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for each, energy in zip(representations(table), energies(table, M).tolist(), strict=True):
        assert energy == pytest.approx(float((projector(table, [each]) @ M).square().sum()))


def test_a_renamed_table_has_the_same_representations() -> None:
    table = group("S4").table
    order = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    place = order.argsort()
    renamed = Group(place[table[order][:, order]])
    kinds = sorted((each.dimension, each.s) for each in representations(group("S4")))
    assert sorted((each.dimension, each.s) for each in representations(renamed)) == kinds
