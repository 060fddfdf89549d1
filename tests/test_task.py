"""Pairs, answers and splits."""

import random
from pathlib import Path

import pytest
import torch

from interp.errors import InterpError
from interp.files import formats
from interp.tasks.addition import Addition
from interp.tasks.split import split
from interp.training.loop import training_split


def test_answers_are_sums_mod_p() -> None:
    assert Addition(5).table().tolist() == [[(a + b) % 5 for b in range(5)] for a in range(5)]


@pytest.mark.parametrize("method", ["python-shuffle", "torch-randperm"])
@pytest.mark.parametrize("p", [2, 7, 12])
def test_a_split_is_a_partition_that_the_seed_determines(method: str, p: int) -> None:
    parts = split(Addition(p), method=method, fraction=0.3, seed=4)  # type: ignore[arg-type]
    assert torch.equal(torch.cat([parts.train_pairs, parts.test_pairs]).sort().values, torch.arange(p * p))
    assert len(parts.train_pairs) == int(0.3 * p * p)
    again = split(Addition(p), method=method, fraction=0.3, seed=4)  # type: ignore[arg-type]
    assert torch.equal(parts.train_pairs, again.train_pairs)
    other = split(Addition(p), method=method, fraction=0.3, seed=5)  # type: ignore[arg-type]
    assert p < 7 or not torch.equal(parts.train_pairs, other.train_pairs)


def test_python_shuffle_is_the_published_one() -> None:
    """Nanda et al. 2023, released code: random.seed(seed); random.shuffle(pairs); the first int(.3 p²)."""
    random.seed(3)
    pairs = [(a, b) for a in range(113) for b in range(113)]
    random.shuffle(pairs)
    expected = {113 * a + b for a, b in pairs[: int(0.3 * 113 * 113)]}
    assert set(split(Addition(113), method="python-shuffle", fraction=0.3, seed=3).train_pairs.tolist()) == expected
    assert len(expected) == 3830


FOLDER = Path(__file__).parent.parent / "checkpoints"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.pt")), ids=lambda path: path.stem)
def test_a_committed_checkpoint_was_trained_on_the_pairs_of_its_seed(path: Path) -> None:
    """torch does not promise that a generator draws the same in its next version, so it is checked."""
    saved = formats.load(path)
    assert saved.recipe is not None and saved.seed is not None and saved.train_pairs is not None
    assert torch.equal(training_split(saved.recipe, saved.seed).train_pairs, saved.train_pairs)


@pytest.mark.parametrize(("p", "fraction"), [(7, 0.0), (7, 1.0), (2, 0.2), (7, -0.5), (7, 1.5)])
def test_a_split_with_nothing_to_train_on_or_to_test_is_refused(p: int, fraction: float) -> None:
    with pytest.raises(InterpError, match="choose a fraction between 0 and 1"):
        split(Addition(p), method="torch-randperm", fraction=fraction, seed=0)
