"""Do the key representations, and nothing else as large, make the answer?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.findings.drawing import finish, say
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import QUIET, STRONG
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.groups.key_representations import key_representations
from analyses.tools.ablation import run_pairs
from analyses.tools.pairs import Pairs, held_out, some_of
from analyses.trials.causal import HALF, LEAST_DRAWS, MOST_PAIRS
from interp import fourier
from interp.circuit import Circuit
from interp.groups.representations import projector, representations
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

DRAW_PAIRS = 400
"""Number of pairs that a draw is tried on: a standard error of at most .025."""

Edit = Literal["keep only", "remove", "turn"]


@dataclass(frozen=True)
class RepresentationTest:
    """One intervention at the key representations, beside random vectors as large at the others."""

    site: str
    """Site of the intervention: embedding or logits."""
    edit: Edit
    """Kind of intervention. keep only, remove: the part at the key representations is all that is kept beside the mean, or is
    removed; turn: that part of E[a] is replaced by that of E[xa], x random."""
    value: float
    """Share of pairs answered right, [0, 1]; for turn, the share answered as if a were xa."""
    null_least: float
    """Least value of the draws, [0, 1]."""
    null_most: float
    """Largest value of the draws, [0, 1]."""

    @property
    def beaten(self) -> bool:
        """Is the value beyond every draw: below for remove, above for keep only and turn?"""
        return self.value < self.null_least if self.edit == "remove" else self.value > self.null_most


@dataclass(frozen=True)
class RepresentationTests(Finding):
    """Interventions at the key representations, each beside draws of random vectors as large at other representations."""

    tests: tuple[RepresentationTest, ...]
    """One per site and edit that could be tried."""
    draws: int
    """Number of random draws behind every null."""
    pairs: int
    """Number of pairs that the interventions were tried on: of those held out from training, or of all where these are not
    known, at most 5,000 drawn by a seed."""
    are_held_out: bool
    """Are these pairs held out?"""
    accuracy: float
    """Share of these pairs that the network answers right when nothing is done to it, [0, 1]."""
    lacking: tuple[str, ...]
    """Interventions that could not be tried on this network, and why."""

    def holds(self, test: RepresentationTest) -> bool:
        """Does it beat its null, and do the key representations make at least half of the answers?"""
        enough = test.value <= HALF * self.accuracy if test.edit == "remove" else test.value >= HALF * self.accuracy
        return test.beaten and enough

    def table(self) -> Table:
        rows = tuple((t.site, t.edit, t.value, f"{t.null_least:.3f}–{t.null_most:.3f}", self.holds(t)) for t in self.tests)
        note = (
            f"Share of pairs: how many of {self.pairs} {'held-out ' if self.are_held_out else ''}pairs, of which the network "
            f"gets {self.accuracy:.4f} right, are still right, or turn with the part that is turned. At random: least and most "
            f"of {self.draws} draws of random vectors as large at other representations"
        )
        columns = ("site", "intervention", "share of pairs", "at random", "holds")
        return Table("Interventions at the key representations", columns, rows, sentences(note, *self.lacking))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names, figure = [f"{test.edit}, {test.site}" for test in self.tests], go.Figure()
        if not self.tests:
            say(figure, sentences(*self.lacking))
        middle = [(test.null_least + test.null_most) / 2 for test in self.tests]
        spread = [(test.null_most - test.null_least) / 2 for test in self.tests]
        figure.add_scatter(
            x=middle, y=names, error_x={"type": "data", "array": spread}, mode="markers", name="at random, as large",
            marker_color=QUIET,
        )  # fmt: skip
        figure.add_scatter(
            x=[test.value for test in self.tests], y=names, mode="markers", name="key representations",
            marker={"size": 12, "symbol": "diamond", "color": STRONG},
        )  # fmt: skip
        held = sum(map(self.holds, self.tests))
        return finish(
            figure,
            f"{held} of {len(self.tests)} interventions do to the key representations what no random vectors do",
            "Keep only, remove: the share of pairs still answered right. Turn: the share of answers that become those of xa "
            "when the key part of a is replaced by that of xa. Lines: random vectors of the same size at the other "
            "representations, least to most of all draws. Keeping and turning should be far right, removing far left.",
            xaxis={"title": "share of pairs", "range": [-0.03, 1.03]}, yaxis_autorange="reversed",
        )  # fmt: skip


@measurement(place=131, slow=True, needs=("group",))
def representation_tests(circuit: Circuit, *, draws: int = LEAST_DRAWS) -> RepresentationTests:
    """Do the key representations, and nothing else as large, make the answer?

    With P the projector on the key representations, at the embeddings of a and of b as functions on the group, and at the
    logits as functions of c: remove, x - Px; keep only, Px and the mean. Turn, at the embedding of a: E - PE + PE[xa] for a
    random element x a pair; the answer must become that of (xa)b. The null puts random vectors at the other representations,
    as large as the key part, in the place of what is removed, of what is kept, and of what turns, the key part being left as it
    is. On pairs held out from training; where these are not known, on all. All is seeded.

    Source: this project.
    """
    generator, all_pairs = torch.Generator().manual_seed(0), held_out(circuit)
    pairs = some_of(all_pairs, MOST_PAIRS, generator)
    few = some_of(pairs, DRAW_PAIRS, generator)
    tests, lacking = list[RepresentationTest](), list[str]()
    for name, try_ in (("logits", _at_logits), ("embedding", _at_embedding)):
        try:
            tests += try_(_Trial(circuit, pairs, few, draws, generator))
        except Unavailable as missing:
            lacking.append(f"{name}: {missing}")
    return RepresentationTests(
        tests=tuple(tests),
        draws=draws if tests else 0,
        pairs=len(pairs[0]),
        are_held_out=len(all_pairs[0]) < circuit.p**2,
        accuracy=_right(circuit, circuit.logits[pairs], pairs),
        lacking=tuple(lacking),
    )


@dataclass(frozen=True, eq=False)
class _Trial:
    """What every intervention is tried with."""

    circuit: Circuit
    pairs: Pairs
    few: Pairs
    """The pairs that draws are tried on."""
    draws: int
    generator: torch.Generator

    def projectors(self) -> tuple[Float[Tensor, "g g"], Float[Tensor, "g g"]]:
        """On the key representations, and on those neither key nor trivial. Raises Unavailable where there are none."""
        group, keys = self.circuit.group, key_representations(self.circuit).keys
        key = [each for each in representations(group) if each.name in keys]
        others = [each for each in representations(group) if each.name not in (*keys, "trivial")]
        if not key or not others:
            which = "that are key" if not key else "that are not key"
            raise Unavailable(f"needs representations {which}, beside the trivial one, and this network has none")
        return projector(group, key), projector(group, others)

    def test(self, site: str, edit: Edit, of_key: Callable[[Pairs], float], of_draw: Callable[[], float]) -> RepresentationTest:
        null = [of_draw() for _ in range(self.draws)]
        return RepresentationTest(site, edit, of_key(self.pairs), min(null), max(null))


def _at_logits(trial: _Trial) -> Iterator[RepresentationTest]:
    circuit, few, (P, Q) = trial.circuit, trial.few, trial.projectors()

    def Lc(pairs: Pairs) -> Float[Tensor, "pair c"]:
        return fourier.centred(circuit.logits[pairs])

    def right(logits: Float[Tensor, "pair c"], pairs: Pairs) -> float:
        return _right(circuit, logits, pairs)

    def random() -> Float[Tensor, "pair c"]:
        return _as_large(Lc(few) @ P, torch.randn(Lc(few).shape, generator=trial.generator, dtype=torch.float64) @ Q)

    yield trial.test(
        "logits", "remove", lambda pairs: right(Lc(pairs) - Lc(pairs) @ P, pairs), lambda: right(Lc(few) + random(), few)
    )
    yield trial.test("logits", "keep only", lambda pairs: right(Lc(pairs) @ P, pairs), lambda: right(random(), few))


def _at_embedding(trial: _Trial) -> Iterator[RepresentationTest]:
    circuit, few, (P, Q) = trial.circuit, trial.few, trial.projectors()
    if circuit.edits:
        raise Unavailable("needs a network that is not edited")
    tables = [E.double() for E in circuit.tables]
    key, means = [P @ E for E in tables], [E.mean(0, keepdim=True) for E in tables]
    shared = circuit.tables[0].data_ptr() == circuit.tables[1].data_ptr()

    def right(both: list[Tensor], pairs: Pairs) -> float:
        return answered(both[0][pairs[0]], both[1][pairs[1]], pairs)

    def answered(rows_a: Tensor, rows_b: Tensor, pairs: Pairs) -> float:
        """The share of rows answered as these pairs should be."""
        own = circuit.tables[0].dtype
        return _right(circuit, run_pairs(circuit, rows_a.to(own), rows_b.to(own)), pairs)

    def random() -> list[Tensor]:
        """Random vectors at the other representations, for a and for b: the same where the two share an embedding.

        Every row is a random combination of the key part's: a vector in directions that the network reads.
        """
        n = circuit.p
        drawn = [_as_large(part, Q @ torch.randn(n, n, generator=trial.generator, dtype=torch.float64) @ part) for part in key]
        return [drawn[0], drawn[0]] if shared else drawn

    def turned(parts: list[Tensor], pairs: Pairs, whole: list[Tensor]) -> float:
        """A part of E[a] is replaced, pair by pair, by that of E[xa], x not the identity."""
        others = (torch.arange(circuit.p) != circuit.group.identity).nonzero()[:, 0]
        x = others[torch.randint(len(others), (len(pairs[0]),), generator=torch.Generator().manual_seed(1))]
        there = circuit.group.table[x, pairs[0]]
        return answered(whole[0][pairs[0]] - parts[0][pairs[0]] + parts[0][there], whole[1][pairs[1]], (there, pairs[1]))

    def with_random(edit: Edit) -> float:
        drawn = random()
        match edit:
            case "remove":
                return right([E + part for E, part in zip(tables, drawn, strict=True)], few)
            case "keep only":
                return right([mean + part for mean, part in zip(means, drawn, strict=True)], few)
            case "turn":
                return turned(drawn, few, [E + part for E, part in zip(tables, drawn, strict=True)])

    removed = [E - part for E, part in zip(tables, key, strict=True)]
    kept = [mean + part for mean, part in zip(means, key, strict=True)]
    yield trial.test("embedding", "remove", lambda pairs: right(removed, pairs), lambda: with_random("remove"))
    yield trial.test("embedding", "keep only", lambda pairs: right(kept, pairs), lambda: with_random("keep only"))
    yield trial.test("embedding", "turn", lambda pairs: turned(key, pairs, tables), lambda: with_random("turn"))


def _as_large(wanted: Tensor, found: Tensor) -> Tensor:
    """The second, scaled to the norm of the first; 0 where it is 0."""
    return found * (wanted.norm() / found.norm()) if found.norm() > 0 else found


def _right(circuit: Circuit, logits: Float[Tensor, "pair c"], pairs: Pairs) -> float:
    """The share of the pairs answered right, [0, 1]."""
    return (logits.argmax(-1) == circuit.answers[pairs]).double().mean().item()
