"""How much of a network that adds numbers which it cannot tell apart, such as squares, lives on these numbers?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.basics.logit_spectrum import KEY
from analyses.findings.drawing import bars, finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable
from interp.tasks.task import Disguise as Numbers

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHOWN = 10
"""Largest number of frequencies in a table."""


@dataclass(frozen=True)
class Disguise(Finding):
    """How much of the embedding and of the logits, less their mean over c (Lc), is a function of x(a), y(b) and their sum s."""

    sum: str
    """How the sum is written: a² + b²."""
    modulus: int
    """Modulus m of the sums."""
    embedding_a: float
    """Share of the variance of a's embedding that is a function of x(a), [0, 1]; NaN where the network has no embedding."""
    embedding_b: float
    """Share of the variance of b's embedding that is a function of y(b), [0, 1]; NaN where the network has no embedding."""
    accuracy_averaged: float
    """Share of all pairs answered right, [0, 1], with every embedding replaced by its mean over the symbols of equal x(a), or
    of equal y(b); NaN where the network does not run from embeddings."""
    sum_share: float
    """Share of the variance of Lc that is a function of s and c alone, [0, 1]."""
    constant_share: float
    """Share of the variance of Lc that is the same for all pairs, [0, 1], a part of ``sum_share``: some answers are rarer than
    others, or never right."""
    clock_terms: tuple[float, ...]
    """Clock term of each frequency k = 1..⌊m/2⌋, t_k = ⟨Lc, X_k⟩ / (‖Lc‖‖X_k‖), [-1, 1], with X_k(a, b, c) the sum of
    cos w_k(s - r) over the sums r whose answer is c, less its mean over c."""
    clock_share: float
    """Share of the variance of Lc that the clocks of all frequencies together explain, [0, 1]."""
    keys: tuple[int, ...]
    """Key frequencies: those with a clock term of at least .05, ascending."""
    key_share: float
    """Share of the variance of Lc that the clocks of the key frequencies together explain, [0, 1]."""

    @property
    def listed(self) -> str:
        """The key frequencies in words: all of them, however many, or the word none."""
        return " ".join(map(str, self.keys)) or "none"

    def table(self) -> Table:
        terms = sorted(((t, k) for k, t in enumerate(self.clock_terms, start=1)), reverse=True)[:SHOWN]
        note = (
            f"{self.sum_share:.4f} of the output, the logits' variance, is a function of {self.sum} mod {self.modulus}: clocks "
            f"are {self.clock_share:.4f} of it, those at key frequencies {self.key_share:.4f}, and what is the same for all "
            f"pairs {self.constant_share:.4f}. t_k: correlation of the logits with the clock at k. Of the embedding "
            f"{self.embedding_a:.4f} for a and {self.embedding_b:.4f} for b depends on nothing but these numbers; with that "
            f"alone {self.accuracy_averaged:.4f} of the pairs are right"
        )
        spark = (("t_k", self.clock_terms),)
        rows = tuple((k, t) for t, k in terms)
        return Table(
            f"Addition in disguise: {self.sum}",
            ("frequency k", "t_k"),
            rows,
            sentences(note),
            spark,
            f"k = 1 … {len(self.clock_terms)}",
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        ks = list(range(1, len(self.clock_terms) + 1))
        figure = go.Figure(go.Bar(x=ks, y=self.clock_terms, marker=bars(ks, self.colours(self.keys))))
        figure.add_hline(y=KEY, line_dash="dot", annotation_text="key from .05 on")
        return finish(
            figure,
            f"{self.sum_share:.1%} of the output is a function of {self.sum}, {self.key_share:.1%} clocks at {len(self.keys)} "
            "key frequencies",
            f"Correlation of the logits with waves of {self.sum}, the sum that the answer depends on: each is largest at the "
            "right answer. Numbers that the task does not tell apart share their place on a circle.",
            xaxis_title=f"frequency k (turns per {self.modulus} numbers)",
            yaxis_title="clock term t_k (correlation)",
        )


@measurement(place=35, needs=("disguise",))
def disguise(circuit: Circuit) -> Disguise:
    """How much of a network that adds numbers which it cannot tell apart lives on these numbers?

    The task is h(x(a) + y(b)) mod m, and x, y or h takes a value more than once: a² + b², (a + b)². Embeddings need not respect
    that: the share that does is that of their means over symbols of one number. Logits: L as a function of the sum s and c, by
    its means over the pairs of each s; t_k as in logit_spectrum with a clock that adds up over the sums of one answer. These
    clocks are not orthogonal: together they explain what least squares gives them.

    Source: this project; the tasks are those of Power et al. 2022, arXiv 2201.02177, and Furuta et al. 2024, arXiv 2402.16726.
    """
    numbers, Lc, p = circuit.task.disguise(), circuit.centred_logits, circuit.p
    assert numbers is not None, "which needs= has checked"
    m, variance = numbers.modulus, Lc.square().sum()
    variance = variance if variance > 0 else variance * torch.nan
    sums = (numbers.a[:, None] + numbers.b).flatten() % m
    count = sums.bincount(minlength=m).double()
    of_sums = torch.zeros(m, p, dtype=torch.float64).index_add_(0, sums, Lc.flatten(0, 1)) / count.clamp(min=1)[:, None]
    weight = count.sqrt()[:, None]
    clocks = torch.stack([(_clock(numbers, k, p) * weight).flatten() for k in fourier.frequencies(m)])
    target = (of_sums * weight).flatten()
    inner, norms = clocks @ target, clocks.norm(dim=1)
    terms = inner / (norms.clamp(min=1e-300) * variance.sqrt())
    keys = tuple(k for k, t in enumerate(terms.tolist(), start=1) if t >= KEY)

    def explained(some: Float[Tensor, "k n"]) -> float:
        if not len(some):
            return 0.0
        fitted = torch.linalg.lstsq(some.T, target[:, None], driver="gelsd").solution[:, 0] @ some
        return (fitted.square().sum() / variance).item()

    on_a, on_b, accuracy = _embeddings(circuit, numbers)
    return Disguise(
        sum=numbers.sum,
        modulus=m,
        embedding_a=on_a,
        embedding_b=on_b,
        accuracy_averaged=accuracy,
        constant_share=(len(sums) * Lc.mean((0, 1)).square().sum() / variance).item(),
        sum_share=((of_sums * weight).square().sum() / variance).item(),
        clock_terms=tuple(terms.tolist()),
        clock_share=explained(clocks),
        keys=keys,
        key_share=explained(clocks[[k - 1 for k in keys]]),
    )


def _clock(numbers: Numbers, k: int, p: int) -> Float[Tensor, "s c"]:
    """Σ cos w_k(s - r) over the sums r whose answer is c, less its mean over c."""
    residues = torch.arange(numbers.modulus)
    wave = fourier.waves(k, numbers.modulus)[0][(residues[:, None] - residues) % numbers.modulus]
    summed = torch.zeros(numbers.modulus, p, dtype=torch.float64).index_add_(1, numbers.c, wave)
    return summed - summed.mean(1, keepdim=True)


def _embeddings(circuit: Circuit, numbers: Numbers) -> tuple[float, float, float]:
    """Shares of a's and of b's embedding that depend on the numbers alone, and the accuracy with nothing else; NaN without."""
    try:
        E_a, E_b = circuit.tables
        averaged = _averaged(E_a, numbers.a), _averaged(E_b, numbers.b)
        shares = [_share(E, mean) for E, mean in zip((E_a, E_b), averaged, strict=True)]
        logits = circuit.with_tables(averaged).logits
    except Unavailable:
        return torch.nan, torch.nan, torch.nan
    return shares[0], shares[1], (logits.argmax(-1) == circuit.answers).double().mean().item()


def _averaged(E: Float[Tensor, "p d"], number: Int[Tensor, " p"]) -> Float[Tensor, "p d"]:
    """The mean of the embeddings of all symbols with the same number, for every symbol."""
    same = (number[:, None] == number).to(E.dtype)
    return same / same.sum(1, keepdim=True) @ E


def _share(E: Float[Tensor, "p d"], averaged: Float[Tensor, "p d"]) -> float:
    centred, part = (x.double() - x.double().mean(0) for x in (E, averaged))
    return (part.square().sum() / centred.square().sum()).item()
