"""Every check passes the solution, sees a stub, and says in a sentence what is wrong with the answers that people give."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from handed_in import solutions
from torch import Tensor

from analyses.evidence.clock_or_pizza import clock_or_pizza
from interp import course, fourier
from interp.course import unseen_network
from interp.course.exercise import EXERCISES
from interp.files.examples import example

Wrong = tuple[str, Any, str]
EASY = [name for name in EXERCISES if name != "trained"]
"""Exercises whose answer takes no training."""


CLOCK = Path(__file__).parent.parent.parent / "checkpoints" / "zhong-59-rate-1.pt"


def turned(p: int) -> Tensor:
    n = torch.arange(p)
    return n[:, None, None] + n[None, :, None] - n


def wave(p: int, k: int) -> Tensor:
    return torch.cos(2 * math.pi * k * turned(p) / p)


def changed(name: str, how: Callable[[Any], Any]) -> Callable[..., Any]:
    """The solution of an exercise, its answer changed."""
    return lambda *arguments: how(solutions()[name](*arguments))


def scaled_rows(p: int) -> Tensor:
    return fourier.basis(p) * math.sqrt(p / 2)


def swapped_rows(p: int) -> Tensor:
    basis = fourier.basis(p)
    return basis[[0, *(row + 1 if row % 2 else row - 1 for row in range(1, p))]]


def always_divided(values: Tensor) -> Tensor:
    c = fourier.basis(len(values)) @ values
    energies = c[1::2] ** 2 + c[2::2] ** 2
    return energies / (c**2).sum()


def first_time(steps: list[int], train: list[float], test: list[float]) -> float:
    first = [next((s for s, a in zip(steps, each, strict=True) if a >= 0.99), math.inf) for each in (test, train)]
    return first[0] - first[1]


def overlapping(p: int, fraction: float, seed: int) -> Any:
    train, test = solutions()["split"](p, fraction, seed)
    return train, [*test, train[0]]


def unshuffled(p: int, fraction: float, seed: int) -> Any:
    pairs = [(a, b) for a in range(p) for b in range(p)]
    return pairs[: int(fraction * p * p)], pairs[int(fraction * p * p) :]


def without_cosine(W_E: Tensor, k: int) -> Tensor:
    row = fourier.rows(k, len(W_E))[0]
    return W_E - torch.outer(row, row @ W_E)


def any_strength(logits: Tensor) -> list[int]:
    return [k for k in range(1, len(logits) // 2 + 1) if (logits * wave(len(logits), k)).mean() > 0]


def by_c_alone(logits: Tensor) -> list[int]:
    p = len(logits)
    return [k for k in range(1, p) if 2 * (logits * wave(p, k)).mean() >= 0.05 * logits.square().mean().sqrt()]


def by_size(profile: Tensor, k: int) -> str:
    return "clock" if profile.min() > 0.1 else "pizza"


def of_raw(logits: Tensor, ks: Any) -> Any:
    centred = logits - logits.mean(-1, keepdim=True)
    return solutions()["share_explained"](logits, ks) * centred.square().sum() / logits.square().sum()


def adds_c(p: int, ks: Any) -> Tensor:
    return torch.stack([wave(p, k)[..., -torch.arange(p) % p] for k in ks]).sum(0)


def greedy_three(p: int) -> Any:
    return (1, 2, 3)


WRONG: list[Wrong] = [
    ("point", lambda n, k, p: (math.sin(2 * math.pi * k * n / p), math.cos(2 * math.pi * k * n / p)), "the sine comes first"),
    ("point", lambda n, k, p: (math.cos(360 * k * n / p), math.sin(360 * k * n / p)), "in degrees"),
    ("point", lambda n, k, p: (math.cos(2 * math.pi * n / p), math.sin(2 * math.pi * n / p)), "the frequency k is missing"),
    ("point", lambda n, k, p: 3, "gave one number, where a tensor of shape [2] is expected"),
    ("point", lambda n, k, p: 1 / 0, "point(3, 2, 7) raised ZeroDivisionError: division by zero"),
    ("point", lambda n, k, p: print(end=""), "gave nothing back: does it end with a return?"),
    ("fourier_basis", scaled_rows, "row 0 of fourier_basis(7) is the constant, but its length should be 1, and is 1.87"),
    ("fourier_basis", swapped_rows, "row 1 of fourier_basis(7) should be the cosine of frequency 1, and is the sine of"),
    ("fourier_basis", lambda p: fourier.basis(p).T, "has the waves as columns"),
    ("fourier_basis", lambda p: fourier.basis(7), "where a tensor of shape [11, 11] is expected"),
    ("fourier_basis", lambda p: torch.eye(p), "is no wave of the basis at all"),
    ("fourier_basis", lambda p: -fourier.basis(p), "with the wrong sign"),
    ("coefficients", lambda values: fourier.basis(len(values)).T @ values, "used the columns of the basis"),
    ("coefficients", lambda values: scaled_rows(len(values)) @ values, "multiply the list by this row"),
    ("energy_shares", always_divided, "divided by the energy of the constant too"),
    ("energy_shares", lambda values: fourier.energies(values[:, None]), "divide them by their sum"),
    ("energy_shares", lambda values: torch.ones(len(values) // 2 + 1), "one too many: the constant has no frequency"),
    ("split", overlapping, "both among the pairs to train on and among those held out"),
    ("split", unshuffled, "train on the same pairs"),
    ("split", changed("split", lambda both: (both[0], both[1][1:])), "nowhere: all 49 pairs"),
    ("split", changed("split", lambda both: both[::-1]), "trains on"),
    ("accuracy", lambda logits, answers: (logits.argmax(-1) == answers).sum(), "divide by how many pairs there are"),
    ("accuracy", lambda logits, answers: (logits.argmin(-1) == answers).float().mean(), "that is the share of"),
    ("delay", first_time, "accuracy fell below .99 again"),
    ("delay", changed("delay", lambda found: found if found < math.inf else 600), "never known for good, so it is math.inf"),
    ("embedding_shares", lambda W_E: fourier.energies(W_E), "divide them by their sum"),
    ("embedding_shares", lambda W_E: fourier.energy_shares(W_E[:, :1]), "looked at the first column only"),
    ("wave_strength", changed("wave_strength", lambda found: found / 2), "a factor 2 is missing"),
    ("wave_strength", lambda logits, k: (logits * wave(len(logits), k)).sum(), "divide the sum by p³"),
    ("find_keys", any_strength, "that is noise"),
    ("find_keys", by_c_alone, "in a mirror: stop at (p-1)/2"),
    ("find_keys", changed("find_keys", lambda keys: [k - 1 for k in keys]), "one too low throughout"),
    ("find_keys", changed("find_keys", lambda keys: keys[:1]), "lacks 5, whose wave has a strength of 2.00"),
    ("taken_away", without_cosine, "still has the sine of k"),
    ("taken_away", lambda W_E, k: W_E - fourier.without(W_E, k), "kept the circle"),
    ("turned_on", lambda x, y: (x[0] * y[0] + x[1] * y[1], x[1] * y[0] - x[0] * y[1]), "the angles are subtracted"),
    ("turned_on", lambda x, y: (x[0] + y[0], x[1] + y[1]), "leads off the circle"),
    ("clock_logits", lambda p, ks: sum(wave(p, k) for k in ks) / len(ks), "means over the frequencies"),
    ("clock_logits", lambda p, ks: wave(p, ks[0]), "the first frequency only"),
    ("clock_logits", adds_c, "the score is of a + b + c"),
    ("margin", lambda p, ks: 0.0, "compared with itself"),
    ("margin", changed("margin", lambda found: -found), "the sign is wrong: the right answer leads"),
    ("best_three", greedy_three, "there are three with"),
    ("best_three", lambda p: (1, 1, p - 1), "three different frequencies"),
    ("halfway", changed("halfway", lambda at: (2 * at[0], 2 * at[1])), "take half of the sum"),
    ("pizza_logits", lambda p, ks: sum(wave(p, k) for k in ks), "this is a clock"),
    ("profile", changed("profile", lambda found: found[-torch.arange(len(found)) % len(found)]), "a - b, not b - a"),
    ("profile", changed("profile", lambda found: found / 2), "a factor 2 is missing"),
    ("clock_or_pizza", by_size, "compare shapes, not sizes"),
    ("clock_or_pizza", lambda profile, k: "clock", "and it is a pizza"),
    ("share_explained", changed("share_explained", lambda share: 1 - share), "the share that is not explained"),
    ("share_explained", of_raw, "take the mean over c from the logits"),
    ("my_frequencies", [22, 23, 29, 49], "one more is to be found"),
    ("my_frequencies", [22, 23, 29, 49, 54, 55], "55 is no key frequency"),
    ("my_circuits", {22: "clock", 23: "clock", 29: "pizza", 49: "clock", 54: "clock"}, "at 22 it is not a clock"),
    ("my_circuits", {22: "clock"}, "an entry for every key frequency"),
    ("my_share", 97.5, "is in percent"),
    ("my_share", 0.025, "the share that is not explained"),
    ("my_share", 0.9, "more is explained"),
    ("my_most_needed", 54, "there is one it needs more"),
]  # fmt: skip


def handed_in(name: str, **instead: Any) -> list[Any]:
    return [instead.get(each, solutions()[each]) for each in EXERCISES[name].hands_in]


@pytest.mark.parametrize("name", EASY)
def test_the_solution_passes(name: str) -> None:
    outcome = EXERCISES[name].check(*handed_in(name))
    assert outcome.result == "passed", outcome
    assert repr(outcome).startswith(f"✓ {name}: passed. ") and bool(outcome)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_stub_is_not_done(name: str) -> None:
    def stub(*arguments: Any) -> Any:
        raise NotImplementedError

    first = EXERCISES[name].hands_in[0]
    for each in (None, *([] if first.startswith("my_") else [stub])):
        outcome = EXERCISES[name].check(*[each, *[1 for _ in EXERCISES[name].hands_in[1:]]])
        assert repr(outcome) == f"○ {name}: not done" and not outcome


@pytest.mark.parametrize(("name", "wrong", "says"), WRONG, ids=[f"{name}: {says[:30]}" for name, _, says in WRONG])
def test_a_wrong_answer_is_told_what_is_wrong(name: str, wrong: Any, says: str) -> None:
    outcome = EXERCISES[name].check(*handed_in(name, **{EXERCISES[name].hands_in[0]: wrong}))
    assert outcome.result == "failed" and says in outcome.says, outcome


def test_every_exercise_has_a_wrong_answer_here() -> None:
    assert {name for name, *_ in WRONG} == set(EASY)


def test_what_is_no_function_is_told_so() -> None:
    assert "hand it in without calling it" in course.check_fourier_basis(fourier.basis(7)).says
    with pytest.raises(TypeError, match="give it 2 values, not 1"):
        course.check_my_share(0.9)


def test_the_best_three_are_the_best() -> None:
    """The solution's margin is that of a search over all pairs, answers and triples, with nothing simplified."""

    def margin(ks: tuple[int, ...]) -> float:
        logits = sum((wave(13, k) for k in ks), torch.zeros(13, 13, 13))
        best, second = logits.topk(2).values.unbind(-1)
        return float((best - second).min())

    best = max(margin(ks) for ks in combinations(range(1, 7), 3))
    assert margin(tuple(solutions()["best_three"](13))) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("seed", [1, "ada"])
def test_an_unseen_network_is_a_known_one_in_other_numbers(seed: int | str) -> None:
    """Frequencies of another network, the same circuits: number n is treated as the known network treats u·n."""
    drawn = random.Random(f"unseen {seed}")
    known = example(drawn.choice(unseen_network.KNOWN))
    u = drawn.randrange(2, known.p - 1)
    ours, place = unseen_network.unseen(seed), torch.arange(known.p) * u % known.p
    assert torch.allclose(ours.logits, known.logits[place][:, place][..., place], atol=1e-4)
    was = clock_or_pizza(known)
    assert dict(unseen_network.truth(seed).frequencies) == {fourier.fold(k * u, known.p): name for k, name in was.frequencies}


def test_seeds_have_networks_of_their_own() -> None:
    found = {tuple(k for k, _ in unseen_network.truth(seed).frequencies) for seed in range(6)}
    assert len(found) == 6


def test_a_network_that_memorised_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    course.trained(lambda: replace(course.START, steps=100))
    said = course.check_trained("my_network.pt")
    assert said.result == "failed" and "it knows these by heart. Try more weight decay" in said.says
    assert "the file cannot be read" in course.check_trained("nowhere.pt").says
    assert "this network is one for" in course.check_trained(CLOCK).says
