"""Training pairs of other projects' networks: found where the file or an option leaves no doubt, else said not to be."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from foreign import hooked
from small import MEMORISES
from torch import Tensor

import analyses
import interp
from analyses.commands.analyze import main
from interp.errors import InterpError
from interp.files import formats
from interp.files.formats.facts import Facts
from interp.files.formats.train_pairs import given_pairs, pairs_in, settled
from interp.networks.transformer import Network
from interp.tasks.addition import Addition
from interp.tasks.subtraction import Subtraction
from interp.training.loop import train, training_split

P = 7
TASK = Addition(P)
PAIRS = torch.tensor([1, 5, 8, 13, 20, 34, 41, 48])
A, B = PAIRS // P, PAIRS % P
EQUALS, PLUS = torch.full_like(A, P), torch.full_like(A, P + 1)
MASK = torch.zeros(P * P, dtype=torch.bool).index_fill(0, PAIRS, True)
SHUFFLED = torch.cartesian_prod(torch.arange(P), torch.arange(P))[
    torch.randperm(P * P, generator=torch.Generator().manual_seed(0))
]
PLACES = torch.tensor([int(((SHUFFLED[:, 0] == a) & (SHUFFLED[:, 1] == b)).nonzero()) for a, b in zip(A, B, strict=True)])

SAID: dict[str, dict[str, Any]] = {
    "indices": {"train_indices": PAIRS},
    "indices in a list, in another order": {"train_idx": PAIRS.flip(0).tolist()},
    "32-bit indices in the split": {"split": {"train": PAIRS.int()}},
    "pairs": {"train_pairs": torch.stack([A, B], 1)},
    "pairs in a list": {"train": list(zip(A.tolist(), B.tolist(), strict=True))},
    "tokens with '='": {"train_inputs": torch.stack([A, B, EQUALS], 1)},
    "tokens with a sign and '='": {"data": {"train_data": torch.stack([A, PLUS, B, EQUALS], 1)}},
    "tokens with answers": {"train_data": torch.stack([A, B, (A + B) % P], 1)},
    "tokens of bytes": {"train_x": torch.stack([A, B], 1).to(torch.uint8)},
    "b with tokens of its own": {"X_train": torch.stack([A, B + P], 1)},
    "inputs and labels": {"train": (torch.stack([A, B], 1), (A + B) % P)},
    "a mask of all pairs": {"is_train": MASK},
    "a square mask": {"dataset": {"train_mask": MASK.view(P, P)}},
    "places in shuffled data": {"dataset": {"data": SHUFFLED, "train_indices": PLACES}},
    "said twice, alike": {"train_indices": PAIRS, "train_mask": MASK},
}
NOT_SAID: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"test_indices": PAIRS, "train_losses": [0.5, 0.25], "train": True}, ""),
    "whose rows are of unclear tokens": ({"train_data": torch.stack([A, B, A], 1)}, "do not say which two are a and b"),
    "out of range": ({"train_indices": torch.tensor([3, 49])}, "from 0 to 48, got others"),
    "tokens out of range": ({"train_pairs": torch.tensor([[3, 7], [2, 1]])}, "expected a and b from 0 to 6"),
    "below 0": ({"train_indices": torch.tensor([3, -1])}, "got others"),
    "twice the same": ({"train_indices": torch.tensor([3, 3])}, "distinct pairs, got some twice"),
    "all there are": ({"train_indices": torch.arange(49)}, "holds all 49 pairs, so that none is held out"),
    "none": ({"train_mask": torch.zeros(49, dtype=torch.bool)}, "holds no pairs"),
    "fractions": ({"train_data": torch.rand(8, 2)}, "expected whole numbers, got float32"),
    "a mask of another modulus": ({"train_mask": torch.ones(5, 5) > 0}, r"mask of shape [7, 7] or [49], got [5, 5]"),
    "of three axes": ({"train_inputs": torch.zeros(2, 2, 2).long()}, "got a tensor of shape [2, 2, 2]"),
    "places beyond the data": ({"data": SHUFFLED[:9], "train_indices": torch.tensor([9])}, "not all among the 9 rows"),
    "said twice, otherwise": ({"train_indices": PAIRS, "is_train": ~MASK}, "train_indices, is_train disagree"),
}


@pytest.mark.parametrize("how", SAID)
def test_planted_pairs_are_found_however_a_file_says_them(how: str) -> None:
    found, notes = pairs_in({"model": {"W": torch.zeros(2, 2)}, **SAID[how]}, TASK)
    assert found is not None and found.dtype == torch.int64 and found.tolist() == PAIRS.tolist()
    assert len(notes) == 1 and notes[0].startswith("training pairs: 8 of 49, from ")


@pytest.mark.parametrize("how", NOT_SAID)
def test_what_does_not_say_for_certain_which_pairs_is_not_used_and_said_so(how: str) -> None:
    content, why = NOT_SAID[how]
    found, notes = pairs_in(content, TASK)
    assert found is None and len(notes) == bool(why) and all(why in note for note in notes)


def test_a_and_b_are_told_apart() -> None:
    """Of a task that is not symmetric a pair is not its mirror: the index is a·p + b."""
    assert settled(torch.tensor([[2, 5]]), Subtraction(P)).tolist() == [2 * P + 5]
    assert settled(torch.tensor([[2, 5, (2 - 5) % P]]), Subtraction(P)).tolist() == [2 * P + 5]
    with pytest.raises(InterpError, match="do not say which two"):
        settled(torch.tensor([[2, 5, (2 - 5) % P]]), TASK)


def test_what_is_found_in_a_random_split_is_the_split() -> None:
    generator = torch.Generator().manual_seed(1)
    for p in (3, 11, 30):
        count = int(torch.randint(1, p * p, (), generator=generator))
        pairs = torch.randperm(p * p, generator=generator)[:count]
        rows = torch.stack([pairs // p, pairs % p, torch.full_like(pairs, p)], 1)
        assert settled(rows, Addition(p)).tolist() == pairs.sort().values.tolist()


@pytest.fixture(scope="module")
def memorised() -> tuple[Network, Tensor]:
    """A network that has learned its pairs by heart, and these pairs."""
    *_, last = train(MEMORISES, seed=0, record_every=150)
    assert isinstance(last.network, Network)
    return last.network, training_split(MEMORISES, 0).train_pairs


def _csv(pairs: Tensor, heading: str = "a,b\n") -> str:
    return heading + "".join(f"{int(pair) // MEMORISES.p},{int(pair) % MEMORISES.p}\n" for pair in pairs)


def test_memorised_is_said_where_the_pairs_are_known(
    memorised: tuple[Network, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, pairs = memorised
    torch.save({"model": hooked(network), "config": {"act_fn": "relu"}}, tmp_path / "silent.pt")
    torch.save({"model": hooked(network), "config": {"act_fn": "relu"}, "train_indices": pairs}, tmp_path / "saying.pt")
    (tmp_path / "train.csv").write_text(_csv(pairs))
    for options, known in (("silent.pt", False), ("saying.pt", True), ("silent.pt --train-pairs train.csv", True)):
        words = [str(tmp_path / word) if "." in word else word for word in options.split()]
        assert main([*words, "--only", "performance"]) == 0
        out = capsys.readouterr().out
        assert ("it has memorised its training pairs, 100.0% of which are right, but does not generalise" in out) == known
        assert ("on held-out pairs its accuracy is 0." in out) == known
        assert main([*words, "--json"]) == 0
        measured = json.loads(capsys.readouterr().out)["findings"]["performance"]
        assert measured["memorised"] is (True if known else None)
        assert measured["train_accuracy"] == (1.0 if known else None)
    silent = analyses.performance(interp.load(tmp_path / "silent.pt"))
    held_out = 1 - (silent.wrong / (silent.pairs - len(pairs)))
    assert analyses.performance(interp.load(tmp_path / "saying.pt")).test_accuracy == pytest.approx(held_out)
    # Of what it was not trained on it was told: nobody calls that memorised.
    others = [pair for pair in range(MEMORISES.p**2) if pair not in set(pairs.tolist())]
    assert analyses.performance(interp.load(tmp_path / "silent.pt", train_pairs=others)).memorised is False


def test_pairs_from_a_file_are_the_same_in_every_format(memorised: tuple[Network, Tensor], tmp_path: Path) -> None:
    network, pairs = memorised
    torch.save({"model": hooked(network), "train_indices": torch.tensor([0])}, tmp_path / "theirs.pt")
    rows = torch.stack([pairs // MEMORISES.p, pairs % MEMORISES.p], 1)
    np.save(tmp_path / "indices.npy", pairs.numpy())
    torch.save(rows, tmp_path / "rows.pt")
    torch.save({"train": rows}, tmp_path / "named.pt")
    (tmp_path / "columns.csv").write_text(_csv(pairs))
    (tmp_path / "spaces.txt").write_text(_csv(pairs, heading="").replace(",", " "))
    (tmp_path / "one.txt").write_text("\n".join(map(str, pairs.tolist())))
    for given in ("indices.npy", "rows.pt", "named.pt", "columns.csv", "spaces.txt", "one.txt"):
        saved = formats.load(tmp_path / "theirs.pt", Facts(train_pairs=given_pairs(tmp_path / given), activation="relu"))
        assert saved.train_pairs is not None and saved.train_pairs.tolist() == pairs.sort().values.tolist()
        assert f"training pairs: {len(pairs)}, from {given}" in saved.notes  # the option outranks what the file says
    for in_memory in (pairs, pairs.numpy(), pairs.tolist(), rows.tolist()):
        circuit = interp.load(tmp_path / "theirs.pt", train_pairs=in_memory, activation="relu")
        assert circuit.train_pairs is not None and circuit.train_pairs.tolist() == pairs.sort().values.tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pairs.csv", "a,b,c\n1,2,3\n", "expected one column, of indices a·p + b, or two, of a and b"),
        ("pairs.csv", "a,b\n", "expected one column"),
        ("pairs.csv", "1,2\n3,x\n", "expected whole numbers, got 'x'"),
        ("pairs.csv", "1,2\n3,-4\n", "expected whole numbers, got '-4'"),
        ("pairs.csv", "1,2\n3,99999999999\n", "expected whole numbers"),
        ("pairs.csv", "1,2\n11,3\n", "expected a and b from 0 to 10"),
        ("pairs.csv", b"\xff\xfe\x00", "cannot be read as text"),
        ("pairs.npy", b"hello", "is neither a .pt archive"),
        ("missing.csv", None, "cannot be read: No such file"),
    ],
)
def test_a_wrong_file_of_pairs_is_one_line(
    name: str, content: Any, message: str, memorised: tuple[Network, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(hooked(memorised[0]), tmp_path / "theirs.pt")
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    options = [str(tmp_path / "theirs.pt"), "--activation", "relu", "--train-pairs", str(tmp_path / name)]
    assert main(options) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and message in said and name in said
