"""Finite groups: tables and numberings that others can check, what makes a table a group's, and subgroups."""

import hashlib

import pytest
import torch
from planted_groups import group

from interp.errors import InterpError
from interp.groups.group import Group
from interp.groups.named import group_named
from interp.groups.subgroups import subgroups

NAMES = ["C7", "C12", "Z2xZ4", "Z3xZ3", "D3", "D7", "D8", "S3", "S4", "S5", "A4", "A5", "Q8", "Q8xZ3", "units:15", "units:16"]

DIGESTS = {
    "C118": "65661130b7fc9a20", "D59": "370fede963b277b2", "D61": "a714955206da0a05", "S5": "79b810f89de74071",
    "S6": "e3c607a6632d8a9c", "A5": "32715f840dae2f60",
}  # fmt: skip
"""sha256, first 16 digits, of the table as little-endian int16: numberings of Chughtai et al. 2023, from another program."""


@pytest.mark.parametrize("name", DIGESTS)
def test_elements_are_numbered_as_the_published_networks_number_them(name: str) -> None:
    table = group(name).table.numpy().astype("<i2").tobytes()
    assert hashlib.sha256(table).hexdigest()[:16] == DIGESTS[name]


@pytest.mark.parametrize(("name", "a", "b", "ab"), [("S5", 1, 2, 33), ("S5", 2, 1, 10), ("S6", 1, 2, 459), ("A5", 7, 3, 5)])
def test_products_are_first_a_then_b(name: str, a: int, b: int, ab: int) -> None:
    assert int(group(name).table[a, b]) == ab


@pytest.mark.parametrize("name", NAMES)
def test_what_follows_from_a_table(name: str) -> None:
    found = group(name)
    n, everything = found.order, torch.arange(found.order)
    assert len(found.elements) == n
    assert torch.equal(found.table[everything, found.inverse], torch.full((n,), found.identity))
    assert torch.equal(found.left_quotients, found.table[found.inverse][:, everything])
    assert torch.equal(found.table[found.right_quotients, everything], everything[:, None].expand(n, n))
    for g in range(0, n, max(n // 6, 1)):
        assert len(found.powers(g)) == int(found.orders[g])
        conjugate = found.table[found.table[g], int(found.inverse[g])]
        assert torch.equal(found.classes[conjugate], found.classes)  # classes are closed under conjugation
    assert len(found.classes.unique()) == {"S3": 3, "S4": 5, "S5": 7, "A5": 5, "Q8": 5, "D7": 5, "D8": 7}.get(
        name, len(found.classes.unique())
    )


def test_units_multiply_as_residues_do() -> None:
    found = group("units:15")
    residues = torch.tensor(list(map(int, found.elements)))
    assert torch.equal(residues[found.table], residues[:, None] * residues % 15)


def latin(n: int) -> torch.Tensor:
    return (torch.arange(n)[:, None] + 2 * torch.arange(n)) % n  # for odd n: no identity


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (torch.zeros(3, 4, dtype=torch.long), r"expected a square table of whole numbers, got whole numbers \[3, 4\]"),
        (torch.zeros(1, 1, dtype=torch.long), "2 to 1000 elements, got 1"),
        (group("C5").table + 1, r"the answer to \(0, 4\) is 5, which is none of 0..4: it is not closed"),
        (torch.maximum(torch.arange(4)[:, None], torch.arange(4)), "row 1 does not hold every element once"),
        (latin(5), "has no identity"),
        (
            torch.tensor([[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]),
            "not associative",
        ),
    ],
)
def test_a_table_that_is_no_groups_is_told_what_fails(table: torch.Tensor, says: str) -> None:
    with pytest.raises(InterpError, match=says):
        Group(table)


@pytest.mark.parametrize("name", ["S7", "A7", "C1", "D1001", "units:2", "C1001"])
def test_groups_that_are_too_small_or_too_large_are_refused(name: str) -> None:
    with pytest.raises(InterpError, match=r"expected"):
        group_named(name)


@pytest.mark.parametrize("name", ["", "X5", "S", "5", "S5x", "addition", "C-3", "units:"])
def test_other_names_are_no_groups(name: str) -> None:
    assert group_named(name) is None


# From tables of groups: S5 has 156 subgroups in 19 classes, A5 59 in 9, S4 30 in 11, Q8 6, the four-group 5.
@pytest.mark.parametrize(
    ("name", "all_of_them", "classes"), [("S5", 156, 19), ("A5", 59, 9), ("S4", 30, 11), ("Q8", 6, 6), ("Z2xZ2", 5, 5)]
)
def test_all_subgroups_are_found(name: str, all_of_them: int, classes: int) -> None:
    found = subgroups(group(name), 10**6)  # all but the group itself
    assert len(found) == all_of_them - 1
    assert len({each.conjugates for each in found}) == classes - 1


def test_subgroups_of_s5_of_small_index() -> None:
    found = subgroups(group("S5"), 12)
    names = [(each.name, each.index) for each in found]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    assert counts == {
        ("A5", 2): 1, ("S4", 5): 5, ("order 20", 6): 6, ("A4", 10): 5, ("D6", 10): 10, ("D5", 12): 6,
    }  # fmt: skip
    for each in found[::5]:
        for labels in (each.left_cosets(), each.right_cosets()):
            assert torch.equal(labels.bincount(), torch.full((each.index,), len(each.elements)))
        moved = group("S5").table[:, each.elements]  # gH lies in one left coset
        assert (each.left_cosets()[moved] == each.left_cosets()[:, None]).all()
