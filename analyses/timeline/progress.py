"""How did a run come to its circuit: what was memorised when, when did the circuit form, when was the rest cleaned up?"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.finding import Finding, cells
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.timeline.figure import draw
from analyses.timeline.labels import labels_in_words, labels_table
from analyses.timeline.moment import Moment, moment
from analyses.timeline.phases import Phases, phases
from analyses.timeline.snapshots import Reader, readers
from interp.tasks.task import Words

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROWS = 24
"""Largest number of rows in the table; JSON and figure have every snapshot."""

LEAST_LOSS = 1e-12
"""Least loss, nats, on a log scale: a smaller one, which may be 0, counts as this."""


def operators(words: Words) -> dict[str, str]:
    """What the losses of a timeline are of, and on which pairs, in the words of its task."""
    waves = f"cos w_k({words.tight_sum}), sin w_k({words.tight_sum})"
    return {
        "loss": "mean cross-entropy over the p residues, nats, float64",
        "P": f"projection of each answer's logit onto {waves} over all pairs, k key at the last snapshot",
        "restricted loss": "P L + mean over all pairs of L, on all pairs",
        "excluded loss": "L - P L, on the training pairs, no bias correction",
        "generalising score": "Shapley value of P L in the fall of the training loss from mean over all pairs of L alone, nats",
        "memorising score": "Shapley value of L - P L - mean over all pairs of L in that fall, nats",
    }


@dataclass(frozen=True)
class Progress(Finding):
    """A run's timeline, seen with the key frequencies that it ends with."""

    p: int
    """The modulus."""
    key_frequencies: tuple[int, ...]
    """Key frequencies of the last snapshot, by the logits, ascending: the order of the tuples in ``moments``."""
    phases: Phases
    """When the run memorised, formed its circuit and cleaned up; or why there was no grokking."""
    moments: tuple[Moment, ...]
    """One moment per snapshot, in order of step."""

    def table(self) -> Table:
        columns = {name: value for name, value in self._columns().items() if value is not None}
        rows = tuple(tuple(value(m) for value in columns.values()) for m in self._shown())
        if self._knows_training_pairs:
            of_pairs = (
                "Train, test: loss on the pairs trained on, and on all others, whose accuracy follows. Restricted: loss on all "
                "pairs of the waves of the sum at the final key frequencies alone; excluded: loss on the training pairs "
                "without them. Generalises, memorises: how many nats each of the two circuits takes off the training loss"
            )
        else:
            of_pairs = (
                "Accuracy and loss are on all pairs. Restricted: the loss of the waves of the sum at the final key frequencies "
                "alone. What was memorised when cannot be said without the training pairs (--train-pairs FILE)"
            )
        note = (
            f"Shown are {len(rows)} of {len(self.moments)} snapshots. {of_pairs}. Losses are in nats, 0 is perfect. Weights²: "
            "the sum of all squared weights. Gini: how unequal the frequencies are, from 0 to 1. Neurons: the share of them "
            f"that work at one frequency (.85 of their variance). Variation: of the amplitude over {self.words.difference}, "
            "below .2 for a clock and above .4 for a pizza"
        )
        axis = f"{len(self.moments)} snapshots; losses on a log scale"
        return Table(f"Timeline, {self.words.sentence}", tuple(columns), rows, sentences(note), self._curves(), axis)

    def _columns(self) -> dict[str, Callable[[Moment], Cell] | None]:
        """Column name → its cell for a moment; None for a column that cannot be filled."""
        known = self._knows_training_pairs
        return {
            "step": lambda m: m.step,
            "phase": (lambda m: self.phases.at(m.step)) if known else None,
            "train": (lambda m: m.train_loss) if known else None,
            "test": (lambda m: m.test_loss) if known else None,
            "loss": None if known else lambda m: m.loss,
            "accuracy": (lambda m: m.test_accuracy) if known else lambda m: m.accuracy,
            "restricted": lambda m: m.restricted_loss,
            "excluded": (lambda m: m.excluded_loss) if known else None,
            "generalises": (lambda m: _decimals(m.generalising_score)) if known else None,
            "memorises": (lambda m: _decimals(m.memorising_score)) if known else None,
            "weights²": lambda m: m.squared_weights_sum,
            "Gini W_E": lambda m: _decimals(m.gini_embedding),
            "Gini W_L": lambda m: _decimals(m.gini_neuron_logit_map),
            "neurons": lambda m: _decimals(m.specialised),
            "variation": lambda m: _decimals(m.clock_pizza),
        }

    @property
    def _knows_training_pairs(self) -> bool:
        return all(m.knows_training_pairs for m in self.moments)

    def records(self) -> Iterator[dict[str, Any]]:
        for m in self.moments:
            row: dict[str, Any] = {"step": m.step, "phase": self.phases.at(m.step)}
            for name, value in cells(m):
                if name == "squared_weights":
                    continue
                if isinstance(value, tuple):  # one number for each key frequency
                    row.update({f"{name}.{k}": of_k for k, of_k in zip(self.key_frequencies, value, strict=True)})
                else:
                    row[name] = value
            by_matrix = {f"squared_weights.{name}": square for name, square in m.squared_weights}
            yield {**row, "squared_weights": m.squared_weights_sum, **by_matrix}

    def frequency_table(self) -> Table:
        """The table of each final key frequency through time: its t_k² and variation; its share of W_E and of the neurons."""
        rows: list[tuple[Cell, ...]] = []
        for m in self._shown():
            by_frequency = zip(m.clock_terms, m.variations, strict=True)
            rows.append((m.step, m.explained, *(_of_frequency(*each) for each in by_frequency)))
        columns = ("step", "explained", *(f"k = {k}" for k in self.key_frequencies))
        note = (
            "Explained: the share of the output, the logits' variance, that clocks and pizzas at these frequencies account "
            f"for. Below each k: its own share (t_k²), and how much its amplitude varies over {self.words.difference}, below "
            ".2 for a clock and above .4 for a pizza. The curves: its share of the embedding W_E, and of the neurons"
        )
        shares = (("W_E", [m.embedding_shares for m in self.moments]), ("neurons", [m.neuron_shares for m in self.moments]))
        curves = tuple(
            (f"{name} {k}", tuple(of_moment[index] for of_moment in through_time))
            for name, through_time in shares
            for index, k in enumerate(self.key_frequencies)
        )
        axis = f"{len(self.moments)} snapshots"
        return Table("The final key frequencies through time", columns, tuple(rows), sentences(note), curves, axis)

    @property
    def labels_in_words(self) -> str:
        """What became of the wrong labels that the network was told, in one line; empty where none was wrong."""
        return labels_in_words(self.moments)

    def labels_table(self) -> Table:
        """The table of what the network was told and what it answers, through time."""
        return labels_table(self.moments, self._shown)

    def figure(self) -> "go.Figure":
        return draw(self.words, self.colours(self.key_frequencies), self.moments, self.phases)

    def to_dict(self) -> dict[str, Any]:
        return {"operators": operators(self.words), **super().to_dict()}

    def _curves(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """Losses (decades above their least) and accuracy of every snapshot, by name."""
        restricted = ("restricted", _decades([m.restricted_loss for m in self.moments]))
        if not self._knows_training_pairs:
            loss, accuracy = [m.loss for m in self.moments], tuple(m.accuracy for m in self.moments)
            return (("loss", _decades(loss)), ("accuracy", accuracy), restricted)
        return (
            ("train", _decades([m.train_loss for m in self.moments])),
            ("test", _decades([m.test_loss for m in self.moments])),
            ("accuracy", tuple(m.test_accuracy for m in self.moments)),
            restricted,
            ("excluded", _decades([m.excluded_loss for m in self.moments])),
        )

    def _shown(self) -> tuple[Moment, ...]:
        """At most ROWS moments, spread evenly, those at the phases' ends among them."""
        count, ends = len(self.moments), {each.step for each in self.phases.boundaries}
        spread = max(ROWS - len(ends), 2)
        even = {round(i * (count - 1) / (spread - 1)) for i in range(spread)}
        return tuple(m for index, m in enumerate(self.moments) if count <= ROWS or index in even or m.step in ends)


def _of_frequency(term: float, variation: float) -> str:
    ratio = "–" if math.isnan(variation) else f"{variation:.2f}"
    return f"{max(term, 0) ** 2:.3f} {ratio}"


def _decimals(value: float) -> float:
    """A value rounded as far as the table shows it, never -0."""
    return round(value, 4) + 0.0


def _decades(losses: Sequence[float]) -> tuple[float, ...]:
    """How many powers of ten each loss lies above the least of them."""
    least = max(min(losses), LEAST_LOSS)
    return tuple(math.log10(max(loss, least) / least) for loss in losses)


def progress(path: str | Path, *, on_moment: Callable[[int, int], None] = lambda done, count: None) -> Progress:
    """How did the network in a run directory come to its circuit?

    Looks at every snapshot of the run with the key frequencies of the last. ``on_moment`` hears how many of how many
    snapshots are done. Raises InterpError on a directory that is no run, holds no snapshots, or a damaged one.
    """
    return progress_of(readers(path), on_moment=on_moment)


def progress_of(networks: Sequence[Reader], *, on_moment: Callable[[int, int], None] = lambda done, count: None) -> Progress:
    """How did a network come to its circuit, by what it was on its way, the earliest first? Otherwise as ``progress``."""
    last = networks[-1]()[0]
    keys = key_frequencies(last).frequencies
    moments = []
    for done, network in enumerate(networks):
        on_moment(done, len(networks))
        circuit, step = network()
        moments.append(moment(circuit, keys, step))
    on_moment(len(networks), len(networks))
    moments.sort(key=lambda m: m.step)
    return Progress(
        p=last.p, key_frequencies=keys, phases=phases(moments, last.p), moments=tuple(moments), words=last.task.words
    )
