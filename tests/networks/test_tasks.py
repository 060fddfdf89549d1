"""Tasks: pairs, answers, the numbers in which they are additions; splits; circuits of tasks that are not a + b."""

import random
from pathlib import Path

import pytest
import torch
from other_tasks import Division, Larger, ThreeTimes, WithoutTheLast
from planted import planted

import analyses
import interp
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.networks.model import Unavailable
from interp.networks.transformer import Network
from interp.tasks import candidates, examples, symbols_of, task_named
from interp.tasks.addition import Addition
from interp.tasks.split import split
from interp.tasks.task import UNDEFINED, Task
from interp.training.loop import training_split


def test_answers_are_sums_mod_p() -> None:
    assert Addition(5).table().tolist() == [[(a + b) % 5 for b in range(5)] for a in range(5)]
    assert Addition(113).sentence == "a + b mod 113" and Addition(7).of_pair(2, 6) == "2 + 6 mod 7"


ALL = [task for p in (2, 7, 12, 24, 60) for task in candidates(p)]
NAMED = [
    task_named(name) for name in ("S5:aba^-1", "S4:ab^-1", "A4:aba", "Q8xZ3", "Z2xZ4", "units:16", "units:59", "C10:ab^-1")
]


@pytest.mark.parametrize(
    "task", [*ALL, *NAMED, Division(7), Larger(5), ThreeTimes(7), WithoutTheLast(6)], ids=lambda task: f"{task.name} {task.p}"
)
def test_a_task_is_the_operation_of_a_group_in_the_numbers_that_it_names(task: Task) -> None:
    table = task.table()
    assert table.shape == (task.p, task.p) and len(task.symbols) == task.p
    assert task.pairs().tolist() == [i for i, answer in enumerate(table.flatten().tolist()) if answer != UNDEFINED]
    assert task.answers(task.pairs()).tolist() == [answer for answer in table.flatten().tolist() if answer != UNDEFINED]
    assert task.sentence == task.of_words("a", "b") == task.words.sentence
    assert task_named(task.name, task.p) == task or "test" in task.name
    numbers = task.relabelling()
    if numbers is None:
        return
    a, b, c = numbers.a.tolist(), numbers.b.tolist(), numbers.c.tolist()
    assert len(set(a)) == len(set(b)) == len(set(c)) == numbers.modulus
    products = numbers.group.table.tolist()
    assert not numbers.is_addition or products[1][-1] == 0
    for i in range(numbers.modulus):
        for j in range(numbers.modulus):
            assert table[a[i], b[j]] == c[products[i][j]]


def test_tasks_are_found_by_name_and_others_refused() -> None:
    assert task_named("addition", 7) == Addition(7)
    with pytest.raises(InterpError, match=r"expected a task such as addition, .*S5:aba\^-1.*, got 'magic'"):
        task_named("magic", 7)
    with pytest.raises(InterpError, match="modulus p of at least 2, got 1"):
        task_named("addition", 1)


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


FOLDER = Path(__file__).parent.parent.parent / "checkpoints"


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


def test_pairs_without_an_answer_are_neither_trained_on_nor_held_out() -> None:
    parts = split(Division(7), method="python-shuffle", fraction=0.5, seed=0)
    both = torch.cat([parts.train_pairs, parts.test_pairs]).sort().values
    assert both.tolist() == [7 * a + b for a in range(7) for b in range(1, 7)] and len(parts.train_pairs) == 21


def test_a_circuit_of_a_division_is_the_addition_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The logits of a planted clock mod 12, dealt out to quotients mod 13: its pairs with 0 belong to no addition."""
    clock = Circuit(planted(12, clocks=(1, 5)))
    task = Division(13)
    numbers = task.relabelling()
    own = torch.randn(13, 13, 13, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    own[numbers.a[:, None, None], numbers.b[None, :, None], numbers.c] = clock.logits
    trained = torch.tensor([13 * int(numbers.a[3]) + int(numbers.b[5]), 4, 13])  # 0 / 4 and 1 / 0 have no numbers
    given = interp.from_logits(own)
    circuit = Circuit(given.network, trained, task=task)
    assert circuit.p == 12 and torch.equal(circuit.logits, clock.logits) and torch.equal(circuit.own_logits, own)
    assert torch.equal(circuit.answers, clock.answers) and circuit.train_numbers is not None
    assert circuit.train_numbers.tolist() == [12 * 3 + 5]
    assert analyses.key_frequencies(circuit).frequencies == (1, 5)
    spectrum = analyses.logit_spectrum(circuit)
    assert spectrum == analyses.logit_spectrum(clock) and "log a - log b - c" in spectrum.figure().layout.title.text
    # The quotients of 0 count apart, whose logits are random; an answer of 0 to other pairs counts against it.
    measured = analyses.performance(circuit)
    right = sum(int(own[a, b].argmax()) == task.quotient(a, b) for a in range(1, 13) for b in range(1, 13))
    assert (measured.pairs, measured.wrong, measured.apart_pairs) == (144, 144 - right, 12) and right > 100
    assert measured.apart_accuracy == sum(int(own[0, b].argmax()) == 0 for b in range(1, 13)) / 12
    with pytest.raises(Unavailable, match="needs every symbol to be a number of the addition, of which a / b mod 13 has 12"):
        analyses.one_pair(Circuit(planted(13, clocks=(1,)), task=task))


def test_answers_with_other_numbers_are_put_back_in_their_places() -> None:
    """The unembedding of a planted clock, its answers moved to three times their places."""
    clock = planted(7, clocks=(1, 2))
    places = 3 * torch.arange(7) % 7
    W_U = torch.zeros_like(clock.parameters["unembed.W_U"])
    W_U[:, places] = clock.parameters["unembed.W_U"]
    circuit = Circuit(Network(clock.config, {**clock.parameters, "unembed.W_U": W_U}), task=ThreeTimes(7))
    adding = Circuit(clock)
    assert torch.equal(circuit.own_logits[..., places], adding.logits) and torch.equal(circuit.answers, adding.answers)
    assert analyses.performance(circuit).accuracy == 1 and analyses.key_frequencies(circuit).frequencies == (1, 2)
    assert torch.equal(circuit.neuron_logit_map, adding.neuron_logit_map)
    shown = analyses.one_pair(circuit, a=2, b=6)
    assert (shown.question, shown.answer, shown.right) == ("3(2 + 6) mod 7", 3, 3)
    assert shown.logits == tuple(circuit.own_logits[2, 6].sub(circuit.own_logits[2, 6].mean()).tolist())
    assert shown.hands[0].ring_answer[3] == shown.hands[0].ring_a[1]  # 3 is the answer whose number is 1
    edited = circuit.with_tables(circuit.tables)
    assert torch.allclose(edited.own_logits, circuit.own_logits)


def test_symbols_that_are_no_numbers_are_left_out_though_all_others_are_their_own() -> None:
    clock = planted(8, clocks=(1, 3))
    circuit = Circuit(clock, torch.tensor([1, 9, 63]), task=WithoutTheLast(8))
    assert circuit.p == 7 and circuit.logits.shape == (7, 7, 7) and circuit.tables[0].shape[0] == 7
    assert torch.equal(circuit.own_logits, Circuit(clock).logits)
    assert torch.allclose(circuit.logits, circuit.own_logits[:7, :7, :7])
    assert circuit.train_numbers is not None and circuit.train_numbers.tolist() == [1, 8]
    assert analyses.performance(circuit).pairs == 49 and analyses.key_frequencies(circuit).p == 7


def test_of_a_task_that_is_no_addition_what_does_not_apply_is_said() -> None:
    circuit = Circuit(planted(7, clocks=(1,)), task=Larger(7))
    report = analyses.report(circuit)
    missing = "needs a task that is addition in other numbers, which max(a, b) mod 7 is not"
    lines = str(report).splitlines()
    assert lines[1] == f"Key frequencies: cannot be said of this network (finding them {missing})"
    assert lines[2] == f"Circuit: none is named (naming one {missing})"
    values = report.to_dict()
    assert values["circuit"] is values["key_frequencies"] is None and values["sentence"] == "max(a, b) mod 7"
    assert values["findings"]["performance"]["pairs"] == 49 and not values["generalises"]
    assert "amplitude_profile" not in values["findings"]
    asked = analyses.report(circuit, only=["amplitude_profile"]).to_dict()["findings"]
    assert asked["amplitude_profile"] == {"unavailable": missing}
    right = (circuit.logits.argmax(-1) == Larger(7).table()).double().mean().item()
    assert values["accuracy"] == pytest.approx(right) and 0 < right < 1
    assert "How does this network compute max(a, b) mod 7?" in report.page()


def test_a_circuit_must_have_as_many_symbols_as_its_task() -> None:
    with pytest.raises(InterpError, match="expected a network with 7 symbols for a \\+ b mod 7, got 5"):
        Circuit(planted(5, clocks=(1,)), task=Addition(7))


def test_every_task_has_its_line_in_the_docs() -> None:
    lines = (FOLDER.parent / "docs" / "tasks.md").read_text().splitlines()
    for name in examples():
        if "test" not in name:
            words = (
                task_named(name, symbols_of(name) or 7)
                .sentence.replace("mod 7", "mod p")
                .replace("below 7", "below p")
                .replace("|", r"\|")
            )
            assert any(line.startswith(f"| `{name}` | {words} |") for line in lines), (name, words)
