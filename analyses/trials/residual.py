"""Where does the output that clocks and pizzas do not explain live?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from analyses.evidence.key_frequencies import key_frequencies
from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.tools.amplitudes import all_outputs, explained_share
from analyses.tools.logit_sums import logit_sums
from interp import fourier
from interp.circuit import Circuit

if TYPE_CHECKING:
    import plotly.graph_objects as go

Mask = Bool[Tensor, "k_a k_b"]
"""Waves of one k_c that belong to a part."""
STRONGEST = 10
"""Number of unexplained waves that are listed."""
AT_ONCE = 1 << 22
"""Number of values, pairs times frequencies, that are transformed together, 64 MiB."""


@dataclass(frozen=True)
class Residual(Finding):
    """The variance of the centred logits, divided into parts, ``explained`` to ``of_pairs_other``, whose shares sum to 1.

    Each part is what the parts before it leave; every number is a share of that variance, [0, 1].
    """

    explained: float
    """Share of variance on clock and pizza terms, Σ A_k(a-b) cos w_k(a+b-c) at the key frequencies, A_k measured."""
    phase_shifted: float
    """Share of variance on Σ B_k(a-b) sin w_k(a+b-c) at the key frequencies: an answer that is off by a constant angle at each
    distance a - b."""
    harmonics: float
    """Share of variance on A_k(a-b) cos w_k(a+b-c) and B_k(a-b) sin w_k(a+b-c), k twice a key frequency and not key itself."""
    other_frequencies: float
    """Share of variance on A_k(a-b) cos w_k(a+b-c) and B_k(a-b) sin w_k(a+b-c), k neither key nor twice a key frequency."""
    of_answer: float
    """Share of variance on functions of c alone: a bias to some answers."""
    ellipses: float
    """Share of variance on cos and sin w_k(a+b+c), functions of a+b and c: where the circle of the answers is an ellipse."""
    crosstalk: float
    """Share of variance on waves of a+b at one key frequency times waves of c at another: neurons of the one write at the other
    too."""
    other_sums: float
    """Share of variance on all other functions of a+b and c: the frequency of a+b is not that of c, and one of the two is not
    key."""
    of_one_input: float
    """Share of variance on functions of a and c alone, or of b and c alone."""
    of_pairs_key: float
    """Share of variance on all else that is at a key frequency of c: functions of a and b that are not of a+b."""
    of_pairs_other: float
    """Share of variance on all else, at a frequency of c that is not key: functions of a and b that are not of a+b."""
    low_order: float
    """Share of variance on all waves but those of ``explained`` and ``phase_shifted`` whose frequencies of a and b are 0 or
    that of c, a key one: ellipses, biases, what else the first products of one frequency give; it overlaps with other parts."""
    strongest: tuple[tuple[int, int, int, float], ...]
    """Strongest ten waves cos(w(k_a a + k_b b + k_c c) + φ) but those of ``explained`` and ``phase_shifted``, as (k_a, k_b,
    k_c, share), strongest first; k_c ≥ 0, k_a and k_b from -p/2 to p/2. Clock terms have k_a = k_b = -k_c."""

    @property
    def unexplained(self) -> float:
        """Share of the centred logits' variance that is not on clock and pizza terms at the key frequencies: 1 - explained."""
        return 1 - self.explained

    def parts(self) -> dict[str, float]:
        """The unexplained parts by name: what each is a function of → its share of the centred logits' variance."""
        both = self.words.tight_sum
        return {
            "key frequencies, phase-shifted": self.phase_shifted,
            "harmonics 2k": self.harmonics,
            "other frequencies": self.other_frequencies,
            "functions of c": self.of_answer,
            f"ellipses cos w({both}+c)": self.ellipses,
            "crosstalk of key frequencies": self.crosstalk,
            f"other functions of {both} and c": self.other_sums,
            "functions of a or b, and c": self.of_one_input,
            f"not of {both}, c at key frequencies": self.of_pairs_key,
            f"not of {both}, c at other frequencies": self.of_pairs_other,
        }

    def table(self) -> Table:
        rows = (("clocks and pizzas at key frequencies", self.explained), *self.parts().items())
        second = "b" if self.words.b == "b" else f"({self.words.b})"
        of_sum = self.words.tight_sum
        waves = "; ".join(f"{a:+d} a {b:+d} {second} {c:+d} c: {share:.4f}" for a, b, c, share in self.strongest[:5])
        note = (
            "Of the output: share of the logits' variance; the first row is explained, all others are not. Not of "
            f"{of_sum}: functions of a and b, and of the answer c, that are no functions of {of_sum}. The strongest waves that "
            f"are not explained, each with its share, are {waves}."
        )
        return Table("Where the output lives", ("part", "of the output"), rows, note)

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        parts = dict(sorted(self.parts().items(), key=lambda part: part[1]))
        figure = go.Figure(go.Bar(x=list(parts.values()), y=list(parts), orientation="h"))
        return finish(
            figure,
            f"{self.unexplained:.2%} of the output is neither clock nor pizza, but this",
            "What of the output clocks and pizzas at the key frequencies do not account for, by what each part is a function "
            f"of. The parts add up to {self.unexplained:.4f} of the logits' variance. What is no function of {self.words.sum} "
            "does not help: often it is what is remembered of single pairs.",
            xaxis_title="share of the output (logits' variance)",
            height=480,
        )


@measurement(place=140, slow=True)
def residual(circuit: Circuit) -> Residual:
    """Where does the output that clocks and pizzas do not explain live?

    Read from F, the three-dimensional Fourier transform of the centred logits, |F|² as shares of its sum. A_k(a-b) times a
    wave of a+b-c at frequency k is the plane k_a + k_b = -2 k_c with k_c = ±k; waves of a+b have k_a = k_b. Where the
    logits do not depend on c, no frequency is key, and all shares but those of key frequencies are NaN. Source: this project.
    """
    p, keys = circuit.p, key_frequencies(circuit).frequencies
    doubled = {fourier.fold(2 * k, p) for k in keys} - set(keys)
    parts, low_order, strongest = dict[str, float](), 0.0, list[tuple[float, int, int, int]]()
    for c, share in _shares(circuit):
        masks, is_low = _masks(c, p, set(keys), doubled)
        for name, value in _in_turn(share, **masks).items():
            parts[name] = parts.get(name, 0.0) + value
        low_order += share[is_low].sum().item()
        others = torch.where(masks["on_keys"], 0, share).flatten().nan_to_num()
        values, places = others.topk(min(STRONGEST, others.numel()))
        strongest += [(v, *divmod(at, p), c) for v, at in zip(values.tolist(), places.tolist(), strict=True)]
    explained = explained_share(circuit, keys)
    return Residual(
        explained=explained,
        phase_shifted=parts.pop("on_keys") - explained,
        **parts,  # type: ignore[arg-type]
        low_order=low_order,
        strongest=tuple(
            (a - p * (2 * a > p), b - p * (2 * b > p), c, value)
            for value, a, b, c in sorted(strongest, key=lambda each: -each[0])[:STRONGEST]
        ),
    )


def _shares(circuit: Circuit) -> Iterator[tuple[int, Float[Tensor, "k_a k_b"]]]:
    """Every frequency k_c = 1..⌊p/2⌋, and |F|² as shares of its sum at k_c and -k_c together: each wave is there twice."""
    p, square = circuit.p, logit_sums(circuit).square
    for some in torch.tensor(fourier.frequencies(p)).split(max(1, AT_ONCE // p**2)):
        z = all_outputs(circuit, some.tolist()).movedim(-1, 0)
        for k, F in zip(some.tolist(), torch.fft.fft2(z.conj()), strict=True):
            # A wave of amplitude |z| in c has squares that sum to p |z|² / 2, and to p |z|² at k = p/2.
            energy = F.abs().square() / (p if 2 * k == p else 2 * p)
            yield k, energy / square if square else energy * math.nan


def _masks(c: int, p: int, keys: set[int], doubled: set[int]) -> tuple[dict[str, Mask], Mask]:
    """The parts at one k_c, in the order of the fields: each is what those before it have left; and what is of low order."""
    index = torch.arange(p)
    a, b = index[:, None], index[None, :]
    everywhere, key = torch.ones(p, p, dtype=torch.bool), torch.tensor(c in keys)
    is_key = torch.isin(torch.minimum(index, p - index), torch.tensor(sorted(keys), dtype=torch.int64))[:, None]
    on_plane, sums = (a + b + 2 * c) % p == 0, a == b
    masks = {
        "on_keys": on_plane & key,
        "harmonics": on_plane & torch.tensor(c in doubled),
        "other_frequencies": on_plane,
        "of_answer": (a == 0) & (b == 0),
        "ellipses": sums & (a == c),
        "crosstalk": sums & key & is_key,
        "other_sums": sums,
        "of_one_input": (a == 0) | (b == 0),
        "of_pairs_key": everywhere & key,
        "of_pairs_other": everywhere,
    }
    return masks, ((a == 0) | _same(a, c, p)) & ((b == 0) | _same(b, c, p)) & key & ~on_plane


def _in_turn(share: Float[Tensor, "k_a k_b"], **masks: Mask) -> dict[str, float]:
    """Name of each mask → the sum of ``share`` over what is in this mask and in none before it."""
    taken, sums = torch.zeros_like(share, dtype=torch.bool), {}
    for name, mask in masks.items():
        sums[name] = share[mask & ~taken].sum().item()
        taken = taken | mask
    return sums


def _same(x: Int[Tensor, "..."], y: int, p: int) -> Bool[Tensor, "..."]:
    """Do the indices x and y stand for the same frequency, as k and p - k do?"""
    return (x == y) | ((x + y) % p == 0)
