"""Does the network treat a and b alike? (the paper's "gradient symmetricity")"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.tools.paper_triples import paper_sample
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels of the quantiles of the cosine that a finding holds, as shares of the triples."""
SAMPLE = 4000
"""Number of triples drawn by default: the mean cosine then has a standard error under .01, in a tenth of a second."""


@dataclass(frozen=True)
class GradientSymmetry(Finding):
    """Mean cosine between the gradients of a logit at the two token embeddings, [-1, 1]: near 1 for a pizza."""

    paper_sample: float
    """Mean cosine on the paper's 100 triples, [-1, 1]; its standard error is about .04 for a clock."""
    mean: float
    """Mean cosine on a larger random sample, or on all p³ triples, [-1, 1]."""
    triples: int
    """Number of triples that ``mean`` is taken over."""
    standard_error: float
    """Standard error of ``mean``; 0 where ``mean`` is over all triples."""
    quantiles: tuple[float, ...]
    """The 5, 25, 50, 75 and 95% quantiles of the cosine over the triples of ``mean``."""

    def table(self) -> Table:
        rows = (
            ("the paper's 100 triples", self.paper_sample, None),
            (f"{self.triples} triples", self.mean, self.standard_error),
        )
        return Table(
            "Gradient symmetry, a published measure",
            ("sample", "mean cosine", "standard error"),
            rows,
            "Does a small step of a change a logit as the same step of b does? 1 is exactly so. A pizza is above .98.",
        )

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure(go.Scatter(x=LEVELS, y=self.quantiles, mode="lines+markers"))
        figure.add_hline(y=self.mean, line_dash="dash", annotation_text="mean")
        figure.add_hline(y=0.98, line_dash="dot", annotation_text="pizza: mean above .98", annotation_position="bottom right")
        return finish(
            figure,
            f"Gradient symmetry {self.mean:.3f}: a and b are treated " + ("alike" if self.mean > 0.98 else "differently"),
            f"Cosine between a logit's gradients at the embeddings of a and of b, as quantiles over {self.triples} "
            "triples (a, b, c). A pizza reads the sum of the two and has 1 everywhere. The published measure, for "
            "comparison: no verdict rests on it.",
            xaxis={"title": "share of triples below", "range": [0, 1]},
            yaxis={"title": "cosine of the two gradients", "range": [-1, 1.05]},
        )


@measurement(place=340, needs=("addition", "embedding"))
def gradient_symmetry(circuit: Circuit, *, triples: int | None = SAMPLE, seed: int = 0) -> GradientSymmetry:
    """Does the network treat a and b alike?

    Mean over triples (a, b, c), c not tied to a + b, of the cosine between ∂L[a,b,c]/∂E_a and ∂L[a,b,c]/∂E_b, with
    L the logit and E_a, E_b the token embeddings read. A triple where a gradient vanishes counts 0.

    ``triples``: number of triples to draw, by ``seed``, for a mean beside the paper's sample; None for all p³ (exact, slower).
    Source: Zhong et al. 2023, arXiv 2306.17844 ("gradient symmetricity").
    """
    p = circuit.p
    if circuit.edits:
        raise Unavailable("needs a network whose activations are not edited: edits see all pairs at once, triples do not")
    paper = _cosines(circuit, *paper_sample(p))
    if triples is None or triples >= p**3:
        cosines, error = _all_cosines(circuit), 0.0
    else:
        index = torch.randint(p**3, (triples,), generator=torch.Generator().manual_seed(seed))
        cosines = _cosines(circuit, index // p**2, index // p % p, index % p)
        error = (cosines.std() / math.sqrt(triples)).item()
    levels = torch.tensor(LEVELS, dtype=torch.float64)
    ascending = cosines.sort().values
    return GradientSymmetry(
        paper_sample=paper.mean().item(),
        mean=cosines.mean().item(),
        triples=len(cosines),
        standard_error=error,
        quantiles=tuple(ascending[(levels * (len(ascending) - 1)).round().long()].tolist()),
    )


def _cosines(circuit: Circuit, a: Int[Tensor, " n"], b: Int[Tensor, " n"], c: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Cosine of a logit's gradients at the embeddings of a and of b for each triple (a, b, c), by automatic differentiation."""
    chunks = []
    for a_, b_, c_ in zip(a.split(2048), b.split(2048), c.split(2048), strict=True):
        E_a, E_b, logits = _differentiable(circuit, a_, b_)
        wanted = logits.gather(-1, c_[:, None]).sum()
        at_a, at_b = torch.autograd.grad(wanted, [E_a, E_b], materialize_grads=True)
        chunks.append(_cosine(at_a, at_b))
    return torch.cat(chunks)


def _all_cosines(circuit: Circuit) -> Float[Tensor, " n"]:
    """Cosine of a logit's gradients at the embeddings of a and of b for all p³ triples (a, b, c).

    One forward pass per chunk of pairs, one backward pass per answer c.
    """
    p = circuit.p
    chunks = []
    for pair in torch.arange(p * p).split(4096):
        E_a, E_b, logits = _differentiable(circuit, pair // p, pair % p)
        for c in range(p):
            at_a, at_b = torch.autograd.grad(logits[:, c].sum(), [E_a, E_b], retain_graph=c + 1 < p, materialize_grads=True)
            chunks.append(_cosine(at_a, at_b))
    return torch.cat(chunks)


def _cosine(x: Float[Tensor, "n d"], y: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """Cosine of each row of x with that of y, [-1, 1], in float64 whatever their scale; 0 where either row vanishes."""
    x, y = x.double(), y.double()
    return ((x * y).sum(-1) / (x.norm(dim=-1) * y.norm(dim=-1))).nan_to_num(0.0)


def _differentiable(circuit: Circuit, a: Int[Tensor, " n"], b: Int[Tensor, " n"]) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings of a and of b for each pair, as leaves of automatic differentiation, and the logits that follow from them."""
    E_a, E_b = (table[index].detach().requires_grad_() for table, index in zip(circuit.tables, (a, b), strict=True))
    logits, _ = circuit.run(E_a, E_b)
    if not logits.requires_grad:
        raise Unavailable("needs gradients, which do not flow through this function: does it detach, or use no_grad?")
    return E_a, E_b, logits
