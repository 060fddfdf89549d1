"""Which representations of the group does the output use?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyses.basics.logit_spectrum import KEY
from analyses.findings.drawing import bars, finish, frequency_colours
from analyses.findings.finding import Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.groups.products import WORDS, by_word, trace_similarities
from analyses.tools.logit_sums import logit_sums
from interp.circuit import Circuit
from interp.groups.representations import energies, representations

if TYPE_CHECKING:
    import plotly.graph_objects as go

PUBLISHED = 0.005
"""Trace similarity above which Chughtai et al. 2023 call a representation key."""
SHOWN = 10
"""Largest number of representations in a table; all are in the figure."""


@dataclass(frozen=True)
class KeyRepresentations(Finding):
    """Real irreducible representations ρ by how much of the logits, less their mean over c (Lc), they make.

    The tuples with one entry per representation are in the order of ``names``.
    """

    group: str
    """Name of the group; empty for one of which only the table is known."""
    order: int
    """Number of elements n of the group."""
    names: tuple[str, ...]
    """Name of every representation."""
    dimensions: tuple[int, ...]
    """Dimension d of every representation, over the real numbers."""
    trace_similarities: tuple[float, ...]
    """Trace similarity of each, t_ρ = ⟨Lc, X_ρ⟩ / (‖Lc‖‖X_ρ‖) with X_ρ(a, b, c) = χ_ρ(abc⁻¹), [-1, 1]; NaN where the logits
    do not depend on c."""
    keys: tuple[str, ...]
    """Key representations: names of those, other than the trivial one, with a trace similarity of at least .05."""
    published: tuple[str, ...]
    """Names of those with a trace similarity above .005, the published threshold, which counts weak ones too."""
    class_share: float
    """Share of the variance of Lc on traces χ_ρ(abc⁻¹), Σ t_ρ², [0, 1]: functions of abc⁻¹ that are equal on conjugates."""
    word_shares: tuple[float, ...]
    """Share of the variance of Lc that is a function of each of the words abc⁻¹, bc⁻¹a and c⁻¹ab alone, [0, 1]."""
    union_share: float
    """Share of the variance of Lc that is a sum of functions of one of these words each, [0, 1]: the sum of ``word_shares``
    less twice ``class_share``, because beyond traces the three are orthogonal."""
    shares: tuple[float, ...]
    """Share of the variance of Lc at each representation, [0, 1], its matrix entries at any of the three words; the sum of all
    is ``union_share``."""

    @property
    def listed(self) -> str:
        """The key representations in words: all of them, however many, or the word none."""
        return ", ".join(self.keys) or "none"

    @property
    def key_share(self) -> float:
        """Share of the variance of Lc at the key representations, [0, 1]."""
        return sum((share for name, share in zip(self.names, self.shares, strict=True) if name in self.keys), 0.0)

    def records(self) -> Iterator[dict[str, Any]]:
        yield from side_by_side(
            name=self.names,
            is_key=[name in self.keys for name in self.names],
            dimension=self.dimensions,
            trace_similarity=self.trace_similarities,
            share=self.shares,
        )

    def table(self) -> Table:
        found = zip(self.names, self.dimensions, self.trace_similarities, self.shares, strict=True)
        strongest = sorted(found, key=lambda each: -(each[2] if each[2] == each[2] else 0))[:SHOWN]
        rows = tuple((*each, each[0] in self.keys, each[0] in self.published) for each in strongest)
        words = ", ".join(f"{word} {share:.4f}" for word, share in zip(WORDS, self.word_shares, strict=True))
        note = (
            "The number t is the correlation of the logits with the representation's trace at abc⁻¹, 1 is exact. Of the "
            "output: the share of the logits' variance that its matrix entries at abc⁻¹, bc⁻¹a or c⁻¹ab give. All traces "
            f"together give {self.class_share:.4f}, all functions of {words}, of any of them {self.union_share:.4f}. A "
            f"representation is key from t = {KEY:g} on, by the published rule from {PUBLISHED:g}"
        )
        more = f", the strongest {SHOWN} of {len(self.names)}" if len(self.names) > SHOWN else ""
        columns = ("representation", "dimension", "t", "of the output", "key", "key as published")
        return Table(f"Representations of {self.group or 'the group'}{more}", columns, rows, sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        places = list(range(len(self.names)))
        keys = [place for place, name in enumerate(self.names) if name in self.keys]
        figure = go.Figure(
            go.Bar(
                x=list(self.names), y=self.shares, marker=bars(places, frequency_colours(keys)),
                customdata=self.trace_similarities,
                hovertemplate="%{x}<br>share %{y:.4f}<br>t %{customdata:.4f}<extra></extra>",
            )
        )  # fmt: skip
        return finish(
            figure,
            f"{self.key_share:.1%} of the output is at {len(self.keys)} of {len(self.names)} representations of "
            f"{self.group or 'the group'}",
            "How much of the logits' variance is matrix entries of each irreducible representation of the group, taken at the "
            "words abc⁻¹, bc⁻¹a or c⁻¹ab, which are the identity where c is the right answer. Coloured ones are key, judged by "
            "the trace. A network that knew the table by heart would use all of them.",
            xaxis_title="irreducible representation",
            yaxis={"title": "share of the output (logits' variance)", "rangemode": "tozero"},
        )


@measurement(place=15, needs=("group",))
def key_representations(circuit: Circuit) -> KeyRepresentations:
    """Which representations of the group does the output use?

    For every real irreducible representation ρ with character χ: the trace similarity t_ρ = ⟨Lc, X_ρ⟩ / (‖Lc‖‖X_ρ‖) over all
    n³ entries, X_ρ(a, b, c) = χ(abc⁻¹), ‖X_ρ‖² = n³s with s the mean of χ²; and the share of ‖Lc‖² at ρ: with f_w(g) the sum
    of Lc where the word w is g, Σ_w f_w' P_ρ f_w / n² - 2 t_ρ², P_ρ[x, y] = d/(n s) χ(xy⁻¹), over the words abc⁻¹, bc⁻¹a and
    c⁻¹ab. In a group whose elements commute the three are one, the share is t_ρ², and the representations freq_k of a cyclic
    group are the frequencies of key_frequencies. NaN where the logits do not depend on c.

    Source: Chughtai et al. 2023, arXiv 2302.03025 (t, abc⁻¹); Wu et al. 2024, arXiv 2410.07476 (bc⁻¹a); the union of the three
    words is this project's.
    """
    group, variance = circuit.group, logit_sums(circuit).square or math.nan
    all_of_them, t = representations(group), trace_similarities(circuit)
    scale = group.order**2 * variance
    squares = sum(value**2 for value in t.values())
    of_words = [energies(group, by_word(circuit, word)[:, None]) / scale for word in WORDS]
    traces = [t[each.name] ** 2 for each in all_of_them]
    if group.is_abelian:
        shares = traces
    else:
        shares = [sum(each) - 2 * square for *each, square in zip(*(x.tolist() for x in of_words), traces, strict=True)]
    return KeyRepresentations(
        group=group.name,
        order=group.order,
        names=tuple(t),
        dimensions=tuple(each.dimension for each in all_of_them),
        trace_similarities=tuple(t.values()),
        keys=tuple(name for name, value in t.items() if value >= KEY and name != "trivial"),
        published=tuple(name for name, value in t.items() if value > PUBLISHED and name != "trivial"),
        class_share=squares,
        word_shares=tuple(x.sum().item() for x in of_words),
        union_share=sum(shares),
        shares=tuple(shares),
    )
