"""What is found in networks of groups: planted circuits are recovered, and nothing is named where there is nothing."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from planted import planted
from planted_groups import cosets, group, traces

import analyses
import interp
from interp.circuit import Circuit
from interp.groups.representations import representations
from interp.groups.subgroups import subgroups
from interp.networks.attention_free import AttentionFree
from interp.networks.model import Unavailable
from interp.tasks import task_named
from interp.tasks.addition import Addition
from interp.tasks.groups import GroupTask
from interp.tasks.task import Relabelling, Task

S4 = subgroups(group("S4"), 12)
FAITHFUL = next(each for each in S4 if each.name == "D3")
"""A subgroup by the moves of whose cosets all elements are told apart."""


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("S4", {"standard": 30.0, "sign": 8.0}), ("D7", {"freq_2": 25.0, "freq_3": 25.0}), ("A5", {"a5_3d_b": 40.0}),
        ("Q8", {"4d_a": 8.0}), ("Z3xZ3", {"freq_0_1": 9.0, "freq_1_0": 9.0}), ("S5", {"standard": 30.0, "s5_6d": 12.0}),
    ],
)  # fmt: skip
def test_planted_traces_are_found_and_explained(name: str, keys: dict[str, float]) -> None:
    """Logits that are Σ α χ(abc⁻¹) have t ∝ α √s, exactly; one number a representation carries such a network."""
    circuit = traces(name, keys)
    found = analyses.key_representations(circuit)
    assert analyses.performance(circuit).accuracy == 1
    assert set(found.keys) == set(keys)
    kinds = {each.name: each.s for each in representations(circuit.group)}
    weights = {key: strength * math.sqrt(kinds[key]) for key, strength in keys.items()}
    total = math.sqrt(sum(weight**2 for weight in weights.values()))
    of_name = dict(zip(found.names, found.trace_similarities, strict=True))
    assert {key: of_name[key] for key in keys} == pytest.approx({key: weight / total for key, weight in weights.items()})
    assert found.class_share == pytest.approx(1) and found.union_share == pytest.approx(1)
    assert sum(found.shares) == pytest.approx(1)
    shares = analyses.representation_shares(circuit)
    assert shares.of_keys(shares.unembedding) == pytest.approx(1)
    assert shares.restricted_loss < 0.1
    assert analyses.representation_ladder(circuit).first.number == 1  # type: ignore[union-attr]
    if name != "Q8":  # of whose 8 elements the other representations are too few for cosets to say nothing
        assert analyses.trace_or_coset(circuit).verdict == "trace form"


@pytest.mark.parametrize("number", [i for i, each in enumerate(S4) if each.index in (4, 6) and each.name in ("D3", "C4")][:2])
def test_planted_cosets_are_found_and_explained(number: int) -> None:
    subgroup = S4[number]
    circuit = cosets("S4", subgroup)
    found = analyses.cosets(circuit)
    assert analyses.performance(circuit).accuracy == 1
    assert found.aligned_energy == pytest.approx(1) and found.live == found.aligned == 2 * subgroup.index**3
    assert found.null_most < 0.9
    assert {(name, index) for name, index, _ in found.classes} == {(subgroup.name, subgroup.index)}
    # What such a neuron reads is one number per coset: the figure's blocks are of one colour each.
    blocks = torch.tensor(found.blocks)
    edges = ([0, *found.borders[0], 24], [0, *found.borders[1], 24])
    for top, bottom in zip(edges[0], edges[0][1:], strict=False):
        for left, right in zip(edges[1], edges[1][1:], strict=False):
            block = blocks[top:bottom, left:right]
            assert block.max() - block.min() < 1e-9
    verdict = analyses.trace_or_coset(circuit)
    assert verdict.verdict == "coset form" and verdict.margin > 0
    card = analyses.group_explanation(circuit)
    assert card.form == "coset form" and card.how and card.neuron_agreement == 1


def test_for_addition_they_are_the_key_frequencies() -> None:
    circuit = Circuit(planted(13, clocks=(1, 5), pizzas=(3,)))
    frequencies, found = analyses.key_frequencies(circuit), analyses.key_representations(circuit)
    assert found.keys == tuple(f"freq_{k}" for k in frequencies.frequencies)
    spectrum = analyses.logit_spectrum(circuit)
    assert found.trace_similarities[1:] == spectrum.clock_terms
    assert found.union_share == pytest.approx(spectrum.clock_share)
    even = Circuit(planted(12, clocks=(1, 6)))
    assert (
        analyses.logit_spectrum(even).clock_terms[5]
        == dict(
            zip(*(getattr(analyses.key_representations(even), each) for each in ("names", "trace_similarities")), strict=True)
        )["sign"]
    )


def test_trace_similarities_by_their_definition() -> None:
    """t = ⟨Lc, X⟩ / (‖Lc‖‖X‖), X(a, b, c) = χ(abc⁻¹), written out over all n³ entries, of random logits."""
    table, n = group("S3"), 6
    logits = torch.randn(n, n, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    circuit = Circuit(interp.from_logits(logits).network, task=task_named("S3"))
    found = analyses.key_representations(circuit)
    Lc = logits - logits.mean(-1, keepdim=True)
    words = {
        "abc⁻¹": lambda a, b, c: table.table[table.table[a, b], table.inverse[c]],
        "bc⁻¹a": lambda a, b, c: table.table[table.table[b, table.inverse[c]], a],
        "c⁻¹ab": lambda a, b, c: table.table[table.inverse[c], table.table[a, b]],
    }
    a, b, c = torch.meshgrid(*[torch.arange(n)] * 3, indexing="ij")
    for word, (of_word, share) in enumerate(zip(words.values(), found.word_shares, strict=True)):
        value = of_word(a, b, c)
        means = torch.stack([Lc[value == g].mean() for g in range(n)])
        assert share == pytest.approx(float(means.square().sum() * n**2 / Lc.square().sum())), word
    every = representations(table)
    for each, t in zip(every, found.trace_similarities, strict=True):
        X = each.character[words["abc⁻¹"](a, b, c)]
        assert t == pytest.approx(float((Lc * X).sum() / (Lc.norm() * X.norm())))
    # The union: what least squares on indicators of all three words explains.
    columns = torch.stack([(of_word(a, b, c) == g).double().flatten() for of_word in words.values() for g in range(n)], 1)
    fitted = columns @ torch.linalg.lstsq(columns, Lc.flatten()[:, None], driver="gelsd").solution
    assert found.union_share == pytest.approx(float(fitted.square().sum() / Lc.square().sum()))
    assert sum(found.shares) == pytest.approx(found.union_share)


class Relabelled(GroupTask):
    """A group whose elements have other symbols."""

    def order(self) -> torch.Tensor:
        return torch.randperm(self.p, generator=torch.Generator().manual_seed(5))

    def table(self) -> torch.Tensor:
        order = self.order()
        place = order.argsort()
        return order[self.group.table[place][:, place]]

    def relabelling(self) -> Relabelling:
        order = self.order()
        return Relabelling(a=order, b=order, c=order, noncyclic=self.group)

    @classmethod
    def named(cls, name: str, p: int | None) -> Task | None:
        return None

    @classmethod
    def examples(cls) -> tuple[str, ...]:
        return ()

    @classmethod
    def on_symbols(cls, p: int):  # type: ignore[no-untyped-def]
        yield from ()


def test_a_relabelled_group_gives_the_same_findings() -> None:
    circuit = cosets("S4", FAITHFUL)
    task = Relabelled(24, "S4")
    order = task.order()
    network = circuit.network
    assert isinstance(network, AttentionFree)
    place = order.argsort()
    parameters = {**network.parameters}
    parameters["embed_a.W_E"] = network.parameters["embed_a.W_E"][place]
    parameters["unembed.W_U"] = network.parameters["unembed.W_U"][:, place]
    other = Circuit(AttentionFree(network.config, parameters), task=task)
    for name in ("performance", "key_representations", "representation_shares", "cosets", "trace_or_coset"):
        assert analyses.MEASUREMENTS[name](other).to_dict() == analyses.MEASUREMENTS[name](circuit).to_dict(), name


def test_a_b_inverse_is_the_product_in_other_numbers() -> None:
    task = task_named("S4:ab^-1")
    numbers = task.relabelling()
    assert numbers is not None and torch.equal(task.table()[numbers.a][:, numbers.b], numbers.c[group("S4").table])
    product = cosets("S4", FAITHFUL)
    own = torch.empty_like(product.logits)
    own[:, numbers.b] = product.logits
    circuit = Circuit(interp.from_logits(own).network, task=task)
    found = analyses.key_representations(circuit)
    assert found.trace_similarities == pytest.approx(analyses.key_representations(product).trace_similarities)
    assert analyses.performance(circuit).accuracy == 1


def test_random_logits_and_shuffled_tables_are_given_no_form() -> None:
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(24, 24, 24, generator=generator, dtype=torch.float64)
    noise = Circuit(interp.from_logits(random).network, task=task_named("S4"))
    assert analyses.trace_or_coset(noise).verdict == "not generalising"
    assert analyses.group_explanation(noise).is_explained is False
    # A network of S4 whose answers are dealt out anew: right for a table that is no group's.
    circuit = cosets("S4", FAITHFUL)
    shuffled = Circuit(
        interp.from_logits(
            circuit.logits[:, torch.randperm(24, generator=generator)][..., torch.randperm(24, generator=generator)]
        ).network,
        task=task_named("S4"),
    )
    assert analyses.trace_or_coset(shuffled).verdict == "not generalising"
    assert analyses.key_representations(shuffled).class_share < 0.1


def test_a_table_learned_by_heart_has_no_form() -> None:
    """One neuron a pair: its logits are traces of all representations, and no measure of them would tell."""
    table, n = group("S4"), 24
    a, b = torch.arange(n * n) // n, torch.arange(n * n) % n
    eye = torch.eye(n, dtype=torch.float64)
    network = traces("S4", {"sign": 1.0}).network
    assert isinstance(network, AttentionFree)
    parameters = {
        "embed_a.W_E": eye,
        "l1.W": torch.cat([eye[a].T, eye[b].T]),
        "l1.b": torch.full((n * n,), -1.0, dtype=torch.float64),
        "unembed.W_U": 10 * eye[table.table.flatten()],
    }
    config = type(network.config)(p=n, kind="delta", d_embedding=n, d_hidden=n * n)
    circuit = Circuit(AttentionFree(config, parameters), task=task_named("S4"))
    assert analyses.performance(circuit).accuracy == 1
    found = analyses.trace_or_coset(circuit)
    assert found.verdict == "neither" and found.key_share > 0.9 and found.spread > 0.9
    assert analyses.group_explanation(circuit).is_explained is not True
    # Of its logits alone as well.
    assert (
        analyses.trace_or_coset(Circuit(interp.from_logits(circuit.logits).network, task=task_named("S4"))).verdict == "neither"
    )


def test_what_is_no_group_says_so() -> None:
    logits = torch.zeros(24, 24, 24)
    network = interp.from_logits(logits).network
    for task, says in (("S4:aba^-1", "is a word in S4"), ("a^2+ab+b^2", "which a² \\+ ab \\+ b² mod 24 is not")):
        with pytest.raises(Unavailable, match=says):
            analyses.key_representations(Circuit(network, task=task_named(task, 24)))
    prime = analyses.cosets(Circuit(planted(13, clocks=(1,)), task=Addition(13)))
    assert math.isnan(prime.aligned_energy) and prime.lacking.endswith("4 elements or more; C13 has none")


def test_reports_show_what_suits_the_task() -> None:
    of_group = analyses.report(traces("S4", {"standard": 30.0}))
    assert "key_representations" in of_group.findings and "key_frequencies" not in of_group.findings
    assert str(of_group).splitlines()[1].startswith("Key representations: standard (of the 5 of S4; they carry 100.0% of its")
    assert str(of_group).splitlines()[2].startswith("Circuit: trace form (its output is matrix entries of standard")
    content = of_group.to_dict()
    assert content["key_representations"] == ["standard"] and content["circuit"] == "trace form"
    assert content["key_frequencies"] is None and content["task"] == "S4"
    of_sums = analyses.report(Circuit(planted(13, clocks=(1, 5))))
    assert "key_frequencies" in of_sums.findings and "key_representations" not in of_sums.findings
    asked = analyses.report(Circuit(planted(13, clocks=(1, 5))), only=["key_representations"])
    assert list(asked.findings) == ["key_representations"]


@pytest.mark.parametrize("n", [6, 8, 12])
def test_a_latin_square_without_structure_is_named_nothing(n: int, tmp_path: Path) -> None:
    """A cyclic group's table with four answers turned over, so that each row and column still holds every element once."""
    table = task_named(f"C{n}").table().clone()
    half = n // 2
    for a in (0, half):
        table[a, 0], table[a, half] = int(table[a, half]), int(table[a, 0])
    np.save(tmp_path / "square.npy", table.numpy())
    task = task_named(str(tmp_path / "square.npy"))
    assert task.relabelling() is None and "a quasigroup that is no group" in task.why_no_group()
    answers = torch.nn.functional.one_hot(table, n).double() * 10
    report = analyses.report(Circuit(interp.from_logits(answers).network, task=task))
    assert report.to_dict()["circuit"] is report.to_dict()["key_representations"] is None
    assert report.to_dict()["accuracy"] == 1 and list(report.findings) == ["performance"]
    # As the group that it nearly is, it is right on all but four pairs, and a table learned by heart.
    nearly = Circuit(interp.from_logits(answers).network, task=task_named(f"C{n}"))
    assert analyses.performance(nearly).wrong == 4
