"""What do the representations do: are the logits traces of products of matrices, or are the neurons functions of cosets?"""

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from analyses.basics.performance import GENERALISES, performance
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.groups.cosets import Cosets, cosets
from analyses.groups.key_representations import KeyRepresentations, key_representations
from analyses.tools.groups.sides import sides
from analyses.tools.last_layer import pre_activations
from interp.circuit import Circuit
from interp.groups.representations import projector, representations
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 0.9
"""Least share for a form to be named: of the logits' variance at key representations, or of the neurons' on cosets. Fixed, with
BEYOND, before any network was looked at."""
BEYOND = 0.1
"""By how much the share on cosets has to exceed that of every draw of random functions at the same representations."""
MOST_SPREAD = 0.5
"""Largest spread of the output over all functions on the group with which the trace form is named: the logits of a table
learned by heart are traces of all representations, and no measure of logits tells the two apart."""
LEAST_SPECIALISATION = 0.7
"""Share of what neurons read at one representation each with which it is named all the same: a small group has few. A neuron
that knows one element reads, of S4, .375 at one."""

Form = Literal["coset form", "trace form", "neither", "not generalising"]


@dataclass(frozen=True)
class TraceOrCoset(Finding):
    """Which form the computation has, beside the evidence for it."""

    verdict: Form
    """Form of the computation. coset form: what the neurons read is functions of cosets; trace form: it is not, and the logits
    are matrix entries of the key representations at the words that are the identity at the right answer; neither; or that it
    does not generalise."""
    reason: str
    """Reason for the verdict, in words."""
    margin: float
    """Distance of the shares to the nearest cut-off that would change the verdict; 0 where no form is named."""
    accuracy: float
    """Accuracy on all pairs, [0, 1]; below .99 no form is named."""
    key_share: float
    """Share of the logits' variance at the key representations (key_representations), [0, 1]."""
    specialisation: float
    """Share of the variance of what neurons read of a and of b that is at each one's own strongest representation, [0, 1]; NaN
    where the network has no neurons."""
    spread: float
    """Effective share of all functions on the group that the output uses, 1 / Σ (share_ρ² / rank_ρ) / n, the shares scaled to
    sum to 1: 1 for a table learned by heart."""
    aligned_energy: float
    """Share of the variance of what neurons read that is functions of cosets (cosets), [0, 1]; NaN where that cannot be
    measured."""
    aligned_null: float
    """Largest share of the variance on cosets that random functions at the same representations have, [0, 1]; NaN as above."""

    def table(self) -> Table:
        rows = (
            ("pairs answered right", self.accuracy, f"at least {GENERALISES} to be judged"),
            ("output at key representations", self.key_share, f"at least {MOST} for a trace form"),
            ("functions in the output, of all there are", self.spread, f"at most {MOST_SPREAD} for a trace form, or"),
            ("variance of neurons at one representation each", self.specialisation, f"at least {LEAST_SPECIALISATION}"),
            ("variance of neurons on cosets", self.aligned_energy, f"at least {MOST} for a coset form"),
            ("the same of random functions, at most", self.aligned_null, f"at least {BEYOND} less than that"),
        )
        return Table(f"Circuit: {self.verdict}", ("evidence", "value", "what is asked for"), rows, sentences(self.reason))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        names = ["logits at key representations", "neurons at one representation each", "neurons on cosets"]
        values = [self.key_share, self.specialisation, self.aligned_energy]
        figure = go.Figure(go.Bar(x=values, y=names, orientation="h", width=0.5, marker={"color": COLOURS[0]}))
        figure.add_scatter(
            x=[self.aligned_null], y=[names[2]], mode="markers", name="random functions, at most",
            marker={"symbol": "diamond", "size": 13, "color": COLOURS[1]},
        )  # fmt: skip
        figure.add_vline(x=MOST, line_dash="dot", annotation_text="to be named")
        return finish(
            figure,
            f"Circuit: {self.verdict} ({self.reason})",
            "How much of the output is at few representations, and how much of what the neurons read depends on cosets alone. "
            "The mark is the most that random functions at the same representations have on cosets.",
            xaxis={"title": "share of the variance", "range": [0, 1.05]}, yaxis={"autorange": "reversed"}, showlegend=False,
        )  # fmt: skip


@measurement(place=14, needs=("group",))
def trace_or_coset(circuit: Circuit) -> TraceOrCoset:
    """What do the representations do: are the logits traces of products of matrices, or are the neurons functions of cosets?

    Coset form: at least .9 of the variance of what live neurons read of a and of b is functions of cosets of subgroups of index
    ≤ 12, and .1 more than in any of 20 draws of random functions at the same representations. Else trace form: at least .9 of
    the logits' variance is matrix entries of the key representations at abc⁻¹, bc⁻¹a or c⁻¹ab, and the output uses at most half
    of all functions on the group, or neurons read at least .7 at one representation each. Both need an accuracy of .99. A coset
    form is a trace form whose matrices are permutations; it says more, and comes first.

    Source: Chughtai et al. 2023, arXiv 2302.03025 (traces); Stander et al. 2023, arXiv 2312.06581 (cosets); the criterion is
    this project's.
    """
    keys, accuracy = key_representations(circuit), performance(circuit).accuracy
    on_cosets: Cosets | None = None
    specialisation = math.nan
    with suppress(Unavailable):
        specialisation = _specialisation(circuit)
    with suppress(Unavailable):
        on_cosets = cosets(circuit)
    aligned, null = (on_cosets.aligned_energy, on_cosets.null_most) if on_cosets else (math.nan, math.nan)
    spread = _spread(circuit, keys)
    of_cosets = min(aligned - MOST, aligned - null - BEYOND)
    by_heart = max(each for each in (MOST_SPREAD - spread, specialisation - LEAST_SPECIALISATION, -1.0) if each == each)
    of_traces = min(keys.key_share - MOST, by_heart)
    verdict, margin, reason = _verdict(accuracy, of_cosets, of_traces, keys, on_cosets)
    return TraceOrCoset(
        verdict=verdict,
        reason=reason,
        margin=margin,
        accuracy=accuracy,
        key_share=keys.key_share,
        specialisation=specialisation,
        spread=spread,
        aligned_energy=aligned,
        aligned_null=null,
    )


def _verdict(
    accuracy: float, of_cosets: float, of_traces: float, keys: KeyRepresentations, on_cosets: Cosets | None
) -> tuple[Form, float, str]:
    if accuracy < GENERALISES:
        return "not generalising", 0.0, f"it is right on {accuracy:.1%} of all pairs only"
    if of_cosets >= 0 and on_cosets is not None:
        names = " and ".join(name for name, *_ in on_cosets.classes[:2])
        return "coset form", of_cosets, f"what its neurons read is functions of cosets, mostly of {names}"
    if of_traces >= 0:
        nearest = of_traces if math.isnan(of_cosets) else min(of_traces, -of_cosets)
        less = ""
        if on_cosets is not None and not on_cosets.lacking:
            aligned, null = on_cosets.aligned_energy, on_cosets.null_most
            less = f"; {aligned:.0%} of what neurons read is functions of cosets, and by chance {null:.0%} would be"
        return "trace form", nearest, f"its output is matrix entries of {keys.listed}{less}"
    return (
        "neither",
        0.0,
        f"{keys.key_share:.1%} of its output is at {len(keys.keys)} of {len(keys.names)} representations",
    )


def _specialisation(circuit: Circuit) -> float:
    """Share of the variance of what neurons read of a and of b at each one's own strongest representation."""
    both, every = sides(circuit, pre_activations(circuit)), representations(circuit.group)
    u = torch.cat([both.of_a, both.of_b], dim=1)
    strongest = torch.stack([(projector(circuit.group, [each]) @ u).square().sum(0) for each in every]).max(0).values
    return (strongest.sum() / u.square().sum()).item()


def _spread(circuit: Circuit, keys: KeyRepresentations) -> float:
    total = keys.union_share or math.nan
    squares = sum(
        (share / total) ** 2 / each.rank for share, each in zip(keys.shares, representations(circuit.group), strict=True)
    )
    return 1 / squares / keys.order if squares else math.nan
