"""By what can a network of a group be replaced: by traces, by matrix entries, or by neurons of which only these are there?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.groups.key_representations import key_representations
from analyses.tools.groups.coset_fits import on_cosets
from analyses.tools.groups.products import WORDS, by_word
from analyses.tools.groups.sides import sides
from analyses.tools.last_layer import last_neurons
from analyses.tools.scoring import ByRows, Score, run_on, score
from analyses.trials.ladder import MOST_ANSWERS, MOST_LOSS, MOST_VARIANCE
from interp.circuit import Circuit
from interp.groups.group import Group
from interp.groups.representations import Representation, projector, representations
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

RUNGS = {
    1: "traces",
    2: "matrix entries at one word",
    3: "matrix entries at three words",
    4: "neurons of cosets",
    5: "neurons of key representations",
}
"""Number → name of every rung, from the one that says most in fewest numbers."""
MOST_FUNCTIONS = 0.5
"""Largest share of all functions on the group that those at the key representations may be for rung 5: all of them could hold a
table learned by heart."""
OF_NEURONS = 4
"""Number of the first rung that is about neurons."""


@dataclass(frozen=True)
class RepresentationRung:
    """One thing that could stand in the place of the network."""

    number: int
    """Number of the rung, 1 to 5 (``RUNGS``)."""
    score: Score
    """How well it stands in for the network."""

    @property
    def carries(self) -> bool:
        """Does it carry the network: its output, its answers, and its confidence where it was not told the answers?"""
        s = self.score
        return s.explained >= MOST_VARIANCE and s.agreement >= MOST_ANSWERS and s.recovered >= MOST_LOSS


@dataclass(frozen=True)
class RepresentationLadder(Finding):
    """Every rung's score, from one number a representation to neurons of which only the key representations are left."""

    rungs: tuple[RepresentationRung, ...]
    """All rungs that this network allows, in their order."""
    lacking: str
    """Reason why there are no rungs of neurons; empty where there are."""

    @property
    def first(self) -> RepresentationRung | None:
        """The first rung that carries the network; None where none does."""
        return next((rung for rung in self.rungs if rung.carries), None)

    @property
    def best(self) -> RepresentationRung:
        """The first rung that carries the network, else the one that explains most."""
        return self.first or max(self.rungs, key=lambda rung: (rung.score.explained, rung.score.agreement))

    @property
    def neurons(self) -> RepresentationRung | None:
        """The rung of neurons that gives most of the network's answers; None where there are no such rungs."""
        of_neurons = [rung for rung in self.rungs if rung.number >= OF_NEURONS]
        return max(of_neurons, key=lambda rung: rung.score.agreement, default=None)

    def table(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for rung in self.rungs:
            s = rung.score
            rows.append((rung.number, s.name, s.numbers, s.explained, s.agreement, s.recovered, rung.carries))
        note = (
            "Each row puts something simpler in the network's place. Of the output: share of the logits' variance, of which "
            f"{MOST_VARIANCE} is asked for. Its answers: pairs that get the network's own answer ({MOST_ANSWERS}). Its loss: "
            f"share of what the network gains on guessing, on held-out pairs ({MOST_LOSS}). Carries: it has all three"
        )
        columns = ("rung", "in the network's place", "numbers", "of the output", "its answers", "its loss", "carries")
        return Table("The ladder: what can stand in the network's place", columns, tuple(rows), sentences(note, self.lacking))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure()
        for label in ("explained", "agreement", "recovered"):
            figure.add_scatter(
                x=[getattr(rung.score, label) for rung in self.rungs], y=[rung.score.name for rung in self.rungs],
                mode="markers", name=label, marker={"size": 11},
            )  # fmt: skip
        figure.add_vline(x=MOST_VARIANCE, line_dash="dot")
        said = "no rung carries the network" if self.first is None else f"{self.first.score.name} carry the network"
        return finish(
            figure,
            said[0].upper() + said[1:],
            "What could stand in the network's place: how much of its logits' variance, of its answers and of its loss on "
            "held-out pairs is then there. Each row takes more numbers from the network than the one above.",
            xaxis={"title": "share", "range": [-0.05, 1.08]}, yaxis={"autorange": "reversed"},
        )  # fmt: skip


@measurement(place=112, slow=True, needs=("group",))
def representation_ladder(circuit: Circuit) -> RepresentationLadder:
    """By what can a network of a group be replaced?

    At the key representations ρ: 1. traces, Σ_ρ α_ρ χ_ρ(abc⁻¹), one number each; 2. matrix entries at one of the words abc⁻¹,
    bc⁻¹a and c⁻¹ab, the one that explains most; 3. at all three; 4. the network itself with each neuron's pre-activation cut
    down to its mean and functions of cosets of one subgroup a side (cosets); 5. cut down to its mean and functions of a and of
    b at the key representations, where these hold at most half of all functions on the group. A rung carries the network as in
    ``ladder``.

    Source: this project; the terms are those of Chughtai et al. 2023, Wu et al. 2024 and Stander et al. 2023.
    """
    keys = [each for each in representations(circuit.group) if each.name in key_representations(circuit).keys]
    rungs, lacking = list(_of_logits(circuit, keys)), ""
    try:
        rungs += _of_neurons(circuit, keys)
    except Unavailable as missing:
        lacking = f"no rungs of neurons: {missing}"
    if not lacking and rungs[-1].number < OF_NEURONS:
        lacking = "no rungs of neurons: the key representations hold more than half of all functions on the group"
    return RepresentationLadder(tuple(rungs), lacking)


def _of_logits(circuit: Circuit, keys: list[Representation]) -> Iterator[RepresentationRung]:
    group, n = circuit.group, circuit.p
    P = projector(group, keys)
    rank = sum(each.rank for each in keys)
    f = by_word(circuit, WORDS[0])
    traces = torch.zeros(n, dtype=torch.float64)
    for each in keys:
        traces += (f @ each.character) / (n**3 * each.s) * each.character
    of_words = {word: P @ by_word(circuit, word) / n**2 for word in WORDS}
    best = max(WORDS, key=lambda word: of_words[word].square().sum().item())

    def at_word(f: Float[Tensor, " g"], word: str) -> ByRows:
        return lambda rows: f[_values(group, word, rows)]

    def together(rows: slice) -> Float[Tensor, "row b c"]:
        all_words = [at_word(f, word)(rows) for word, f in of_words.items()]
        return sum(all_words[1:], all_words[0]) - 2 * at_word(traces, WORDS[0])(rows)

    yield RepresentationRung(1, score(circuit, at_word(traces, WORDS[0]), name=RUNGS[1], numbers=len(keys)))
    yield RepresentationRung(2, score(circuit, at_word(of_words[best], best), name=RUNGS[2], numbers=rank))
    if not group.is_abelian:  # where all elements commute there is one word
        yield RepresentationRung(3, score(circuit, together, name=RUNGS[3], numbers=3 * rank - 2 * len(keys)))


def _values(group: Group, word: str, rows: slice) -> Int[Tensor, "row b c"]:
    """The value of a word at some a, and every b and c."""
    match word:
        case "abc⁻¹":
            return group.right_quotients[group.table[rows]]
        case "c⁻¹ab":
            return group.left_quotients.T[group.table[rows]]
        case _:
            return group.table.T[rows][:, group.right_quotients]


def _of_neurons(circuit: Circuit, keys: list[Representation]) -> Iterator[RepresentationRung]:
    neurons = last_neurons(circuit)
    both, count = sides(circuit, neurons.pre), neurons.pre.shape[-1]

    def rung(number: int, of_a: Float[Tensor, "a neuron"], of_b: Float[Tensor, "b neuron"], numbers: int) -> RepresentationRung:
        pre = both.mean + of_a[:, None] + of_b
        return RepresentationRung(number, score(circuit, run_on(neurons, pre), name=RUNGS[number], numbers=numbers))

    try:
        (of_a, indices_a), (of_b, indices_b) = on_cosets(circuit)
        yield rung(4, of_a, of_b, int((indices_a + indices_b + 1).sum()))
    except Unavailable:
        pass  # the group has no small subgroup: no coset form can be asked for
    rank = sum(each.rank for each in keys)
    if rank <= MOST_FUNCTIONS * circuit.p:
        P = projector(circuit.group, keys)
        yield rung(5, P @ both.of_a, P @ both.of_b, count * (1 + 2 * rank))
