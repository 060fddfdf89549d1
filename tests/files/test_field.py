"""Checkpoints as people publish them, against values that an independent program computed from the same weights."""

import re
from pathlib import Path

import pytest
from field_table import FOLDER, Case, cases, lines, ours

from interp.errors import InterpError

if not FOLDER.is_dir():
    pytest.skip("needs the files of others at ../shared/peers/field, which are not here", allow_module_level=True)

REFUSED = {
    "data-set-not-a-network/dataset.pt": "holds whole numbers .* a data set",
    "git-lfs-pointer/network.pth": "is a Git LFS pointer.* git lfs pull",
    "pickled-config-rmsnorm-swiglu-p113/checkpoint.pt": "holds pickled objects .* interp-convert",
}

SLOW = "two-layers-rope-swiglu-p113/checkpoint.pt"
"""What each of the three other readings would change is computed on all pairs of two layers."""


@pytest.mark.parametrize(
    "case", [pytest.param(each, id=each.name, marks=[pytest.mark.slow] * (each.name == SLOW)) for each in cases()]
)
def test_what_others_published_is_read_as_they_ran_it(case: Case) -> None:
    given = case.answer()
    if case.name in REFUSED:
        assert isinstance(given, InterpError) and re.search(REFUSED[case.name], str(given)) and "\n" not in str(given)
        return
    assert not isinstance(given, InterpError), given
    accuracy, loss = ours(case, given)
    assert accuracy == pytest.approx(case.accuracy, abs=1e-3)
    if "loss" in case.theirs:
        assert loss == pytest.approx(case.theirs["loss"], rel=0.01)
    if case.theirs.get("operation") == "mul":
        assert given.circuit.task.name == "multiplication" and given.key_frequencies is not None
        if given.circuit.task.p == 113:
            assert given.key_frequencies.frequencies == (16, 42, 48, 49, 52)  # of the logarithms, mod 112
    elif case.frequencies:
        assert given.key_frequencies is not None and set(case.frequencies) <= set(given.key_frequencies.frequencies)


@pytest.mark.slow
def test_the_page_is_what_would_be_written_today() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "field.md"
    assert page.read_text() == "\n".join(lines()) + "\n", "make field"
