"""Is this network of a group explained: what it computes, how, and why we believe it?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyses.basics.performance import performance
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Cell, Table
from analyses.findings.wording import sentences
from analyses.groups.key_representations import key_representations
from analyses.groups.trace_or_coset import trace_or_coset
from analyses.tools.scoring import Score
from analyses.trials.criterion import all_hold
from analyses.trials.ladder import MOST_ANSWERS
from analyses.trials.representation_ladder import RUNGS, representation_ladder
from analyses.trials.representation_tests import RepresentationTests, representation_tests
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class GroupExplanation(Finding):
    """What a network of a group computes, how, and why that is believed. What cannot be measured is None: not yes, not no."""

    is_explained: bool | None
    """Does the network generalise, and do ``what``, ``how`` and ``why`` hold? None where none fails and one cannot be said."""
    reason: str
    """What an explanation lacks, or what cannot be said, and why; for an explained network, the rung that carries it."""
    generalises: bool
    """Is the accuracy on all pairs at least .99?"""
    form: str
    """The form of the computation: coset form, trace form, neither, or that it does not generalise (trace_or_coset)."""
    what: bool
    """Does some rung carry the network (representation_ladder)?"""
    rung: int | None
    """Number of the first rung that carries it, 1 to 5; None where none does."""
    carried_by: Score
    """Score of the first rung that carries the network, else of the one that explains most."""
    how: bool | None
    """Does the network give its own answers on ≥ .99 of all pairs when its neurons are cut down to functions of cosets, or of
    the key representations? None without neurons."""
    neuron_agreement: float
    """The largest such share, [0, 1]; NaN without neurons."""
    why: bool | None
    """Does every intervention at the key representations do what no random vectors as large do, and make half of the answers
    (representation_tests)? None where none could be tried at the embedding."""
    turned: float
    """Share of the pairs whose answer became that of xa when the key part of a became that of xa, [0, 1]; NaN where that
    could not be tried."""
    unexplained: float
    """Share of the logits' variance that the rung in ``carried_by`` leaves unexplained."""
    outside: float
    """Share of the logits' variance outside of functions of the words abc⁻¹, bc⁻¹a and c⁻¹ab, [0, 1]."""
    lacking: tuple[str, ...]
    """What does not apply to this network, and why."""

    def verdict(self) -> str:
        """Is the network explained? In words: yes, no, or cannot be said."""
        return {True: "yes", False: "no", None: "cannot be said"}[self.is_explained]

    def table(self) -> Table:
        s = self.carried_by
        rung = "no rung" if self.rung is None else f"rung {self.rung}"
        turned = f"{self.turned:.2%} of answers follow a turned part" if self.turned == self.turned else ""
        neurons = f"{self.neuron_agreement:.2%} of its answers" if self.how is not None else ""
        answers = f"{s.agreement:.2%} of its answers"
        rows: tuple[tuple[Cell, ...], ...] = (
            ("what", f"{rung}: {s.name}, {s.numbers} numbers", round(s.explained, 4), answers, self.what),
            ("how", self.form, None, neurons, self.how),
            ("why", "interventions", None, turned, self.why),
            ("rest", "outside of functions of one word such as abc⁻¹", round(self.outside, 4), "", None),
        )
        note = (
            "What it computes, how it does it, and why we believe it. Of the output: share of the logits' variance, 1 is all. "
            "Its answers: those of the network, right or wrong. A turned part: the key part of a was replaced by that of xa, "
            "and the answer should become that of xa"
        )
        columns = ("", "finding", "of the output", "evidence", "holds")
        return Table(
            f"Explained: {self.verdict()}",
            columns,
            rows,
            sentences(self.reason, *(each for each in self.lacking if each not in self.reason), note),
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        parts = {"explained": 1 - self.unexplained, "not explained": self.unexplained}
        figure = go.Figure(go.Bar(x=list(parts.values()), y=list(parts), orientation="h", width=0.5))
        return finish(
            figure,
            sentences(f"Explained: {self.verdict()}", self.reason),
            f"How much of the output, the logits' variance, {self.carried_by.name} give, and how much is not explained. To be "
            "explained a network needs something of fewer numbers that can take its place (what), neurons that do with the "
            "key part alone (how) and interventions that random ones do not match (why).",
            xaxis={"title": "share of the logits' variance", "range": [0, 1.05]}, yaxis={"autorange": "reversed"},
        )  # fmt: skip


@measurement(place=101, slow=True, needs=("group",))
def group_explanation(circuit: Circuit) -> GroupExplanation:
    """Is this network of a group explained: what it computes, how, and why we believe it?

    The card of ``explanation`` for representations in the place of frequencies; see the fields ``what``, ``how`` and ``why``.
    A network is explained when it generalises and all three hold, else ``reason`` says what is missing.

    Source: this project.
    """
    rungs, tests, generalises = representation_ladder(circuit), representation_tests(circuit), performance(circuit).generalises
    first, best, neurons = rungs.first, rungs.best, rungs.neurons
    how = None if neurons is None else neurons.score.agreement >= MOST_ANSWERS
    why, why_not = _why(tests)
    s = best.score
    missing = [
        *([] if generalises else ["it does not generalise"]),
        *(
            []
            if first
            else [
                f"nothing simpler can take its place; the best, {s.name}, gives {s.explained:.1%} of its output, "
                f"{s.agreement:.1%} of its answers"
            ]
        ),
        *(["its neurons do not give its answers with the key part alone"] if how is False else []),
        *([f"how its neurons do it cannot be said: {rungs.lacking}"] if how is None else []),
        *([f"interventions do not confirm it: {why_not}"] if why is False else []),
        *([f"whether interventions confirm it cannot be said: {why_not}"] if why is None else []),
    ]
    turn = [test.value for test in tests.tests if test.edit == "turn"]
    return GroupExplanation(
        is_explained=all_hold([generalises, first is not None, how, why]),
        reason="; ".join(missing)
        if missing
        else f"{RUNGS[best.number]} of {s.numbers} numbers can take its place: rung {best.number}",
        generalises=generalises,
        form=trace_or_coset(circuit).verdict,
        what=first is not None,
        rung=None if first is None else first.number,
        carried_by=s,
        how=how,
        neuron_agreement=neurons.score.agreement if neurons else float("nan"),
        why=why,
        turned=turn[0] if turn else float("nan"),
        unexplained=1 - s.explained,
        outside=1 - key_representations(circuit).union_share,
        lacking=tuple(filter(None, [rungs.lacking, *tests.lacking])),
    )


def _why(tests: RepresentationTests) -> tuple[bool | None, str]:
    """Do the interventions do what they have to? With those that do not, or why that cannot be said."""
    if failing := [f"'{test.edit}' at the {test.site} fails" for test in tests.tests if not tests.holds(test)]:
        return False, ", ".join(failing)
    if not any(test.site == "embedding" for test in tests.tests):
        return None, "; ".join(tests.lacking)
    return True, ""
