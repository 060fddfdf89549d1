"""Findings as data frames: the rows and columns a researcher would make, the numbers those of the finding."""

import builtins
import math
from functools import partial
from pathlib import Path
from typing import Any

import pandas
import pytest
from planted import planted
from suited import of_addition

import analyses
import interp
from analyses.timeline.moving_circles import moving_circles
from analyses.timeline.progress import progress_of
from analyses.timeline.snapshots import Reader, readers
from interp.circuit import Circuit
from interp.errors import InterpError

CHECKPOINTS = Path(__file__).parent.parent.parent / "checkpoints"


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return Circuit(planted(13, clocks=(1, 5), pizzas=(2,)))


def test_a_finding_that_lists_frequencies_has_a_row_for_each(circuit: Circuit) -> None:
    found = analyses.amplitude_profile(circuit)
    frame = found.to_dataframe()
    assert list(frame.k) == [1, 2, 5] and list(frame.verdict) == ["clock", "pizza", "clock"]
    assert list(frame.coordinate) == [each.coordinate for each in found.profiles]  # as measured, not as a table rounds it
    assert frame.coordinate.dtype == float and frame.k.dtype == int


def test_where_nothing_is_listed_the_columns_are_there() -> None:
    by_heart = analyses.amplitude_profile(interp.load(CHECKPOINTS / "memorising-59.pt")).to_dataframe()
    assert len(by_heart) == 0 and {"k", "verdict", "coordinate"} <= set(by_heart.columns)


def test_a_finding_that_lists_nothing_is_a_row_so_that_networks_can_be_put_below_each_other(circuit: Circuit) -> None:
    other = Circuit(planted(13, clocks=(3,)))
    frame = pandas.concat([analyses.clock_or_pizza(each).to_dataframe() for each in (circuit, other)], ignore_index=True)
    assert list(frame.verdict) == ["hybrid", "clock"]
    assert frame.coordinate[1] == analyses.clock_or_pizza(other).coordinate
    assert "words" not in frame.columns


def test_spectra_have_a_row_per_frequency_and_neurons_one_each(circuit: Circuit) -> None:
    keys = analyses.key_frequencies(circuit).to_dataframe()
    assert list(keys.k) == [1, 2, 3, 4, 5, 6] and list(keys.k[keys.is_key]) == [1, 2, 5]
    spectrum = analyses.logit_spectrum(circuit)
    assert list(keys.logits) == list(spectrum.clock_terms) == list(spectrum.to_dataframe().clock_term)
    neurons = analyses.neuron_clusters(circuit)
    frame = neurons.to_dataframe()
    assert list(frame.neuron) == list(range(len(neurons.shares))) and list(frame.share) == list(neurons.shares)
    embedding = analyses.embedding_spectrum(circuit)
    assert list(embedding.to_dataframe().axis_ratio) == list(embedding.axis_ratios)


def test_fields_of_fields_and_heads_have_columns_by_name() -> None:
    clock = interp.load(CHECKPOINTS / "zhong-59-rate-1.pt")
    ladder = analyses.ladder(clock)
    assert list(ladder.to_dataframe()["score.agreement"]) == [each.score.agreement for each in ladder.rungs]
    attention = analyses.attention_pattern(clock)
    assert list(attention.to_dataframe()["to_b"]) == [means[1] for means in attention.means]


def test_several_lists_are_told_apart() -> None:
    frame = analyses.memorisation(interp.load(CHECKPOINTS / "corruption" / "coexistence-97.pt")).to_dataframe()
    assert list(frame["list"].unique()) == ["least_first", "most_first"]


def test_representations_have_a_row_each() -> None:
    group = interp.example("operations/d13")
    frame = analyses.key_representations(group).to_dataframe()
    assert tuple(frame.name[frame.is_key]) == analyses.key_representations(group).keys
    shares = analyses.representation_shares(group)
    assert list(shares.to_dataframe().neurons_ab) == list(shares.neurons_ab)


def test_every_finding_of_an_addition_has_a_frame() -> None:
    clock = interp.load(CHECKPOINTS / "zhong-59-rate-1.pt")
    for name in of_addition(slow=False):
        frame = analyses.MEASUREMENTS[name](clock).to_dataframe()
        assert len(frame.columns) and not frame.columns.duplicated().any(), name


def test_a_timeline_has_a_row_per_snapshot_and_a_column_per_key_frequency(small_run: Path) -> None:
    found = analyses.progress(small_run)
    frame = found.to_dataframe()
    assert list(frame.step) == [each.step for each in found.moments]
    assert list(frame.test_loss) == [each.test_loss for each in found.moments]
    weights = frame.filter(like="squared_weights.")
    assert frame.squared_weights.to_numpy() == pytest.approx(weights.sum(axis=1).to_numpy())
    assert set(frame.phase) == {""}  # nothing grokked


def test_of_each_key_frequency_a_timeline_has_its_own_columns() -> None:
    of_step = {0: interp.example("nanda-113-step-0"), 14000: interp.example("nanda-113")}
    run: list[Reader] = [partial(lambda step: (of_step[step], step), step) for step in of_step]
    found = progress_of(run)
    frame = found.to_dataframe().set_index("step")
    assert tuple(frame.filter(like="clock_terms.").loc[14000]) == found.moments[1].clock_terms
    assert [name for name in frame.columns if name.startswith("variations.")] == [
        f"variations.{k}" for k in (14, 35, 41, 42, 52)
    ]
    assert math.isnan(frame["variations.14"].loc[0])
    circles = moving_circles(run, found.key_frequencies).to_dataframe()
    assert len(circles) == 10 and list(circles.k[circles.step == 0]) == list(found.key_frequencies)


def test_without_pandas_the_extra_is_named(circuit: Circuit, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pandas":
            raise ImportError("No module named 'pandas'")
        return real(name, *args, **kwargs)

    found = analyses.performance(circuit)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InterpError, match=r'to_dataframe needs pandas, .*pip install "interp\[pandas\]"'):
        found.to_dataframe()


def test_readers_of_a_run_give_the_step(small_run: Path) -> None:
    assert [reader()[0].step for reader in readers(small_run)] == [reader()[1] for reader in readers(small_run)]
