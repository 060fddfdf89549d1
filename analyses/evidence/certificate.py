"""What accuracy is proven, from the weights, with less work than trying all pairs?"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, QUIET
from analyses.findings.table import Table
from analyses.tools.proofs.rounding import OUTWARD, Bounded, gamma
from analyses.tools.proofs.token_forward import TokenForward, token_forward
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.model import Unavailable
from interp.networks.transformer import Network
from interp.tasks.task import UNDEFINED

if TYPE_CHECKING:
    import plotly.graph_objects as go

RANKS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24)
"""Ranks that are tried, as far as they are below the number of answers."""
ENOUGH = 0.999
"""Share of certified pairs from which no larger rank is looked for."""


@dataclass(frozen=True)
class Certificate(Finding):
    """A lower bound on the accuracy that follows from the stored weights under exact arithmetic, rounding accounted for.

    W_out W_U is cut down to a low rank; a pair is certified where its margin with that is more than what the rest can take
    away, which is bounded by the length of the activations outside of what the low rank reads: see docs/certificates.md.
    """

    accuracy: float
    """Share of the pairs that have an answer that are answered right, by trying all, [0, 1]; proven likewise."""
    certified: float
    """Share of these pairs that the low rank certifies, [0, 1]: never above ``accuracy``."""
    rank: int
    """The rank that was chosen: the least that certifies .999, else the one that certifies most."""
    products: int
    """Number of multiplications that the proof takes at this rank."""
    share_of_brute_force: float
    """These multiplications over those of a forward pass on every pair, where nothing is shared between pairs."""
    share_of_shared: float
    """These multiplications over those of a forward pass on every pair in which what depends on one token is computed once."""
    rounding: float
    """Bound on how far any logit in float64 is from that of exact arithmetic."""
    front: tuple[tuple[int, float, float], ...]
    """For every rank that was tried the share of certified pairs, and of brute force's multiplications."""

    def in_words(self) -> str:
        """What is proven, in one sentence."""
        return (
            f"At least {self.certified:.2%} of all pairs are answered right: proven by rank {self.rank} with "
            f"{self.share_of_brute_force:.1%} of the multiplications that trying all pairs takes."
        )

    def table(self) -> Table:
        rows = tuple((rank, certified, cost) for rank, certified, cost in self.front)
        note = (
            f"{self.in_words()} Trying all pairs: {self.accuracy:.2%}. Logits in float64 are within {self.rounding:.1e} of "
            f"exact ones. Where what depends on one token is computed once, trying all takes {1 / self.share_of_shared:.1f} "
            "times as many."
        )
        return Table("Proven accuracy", ("rank", "pairs certified", "multiplications / trying all"), rows, note)

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        ranks, certified, costs = zip(*self.front, strict=True)
        figure = go.Figure()
        figure.add_scatter(
            x=costs, y=certified, mode="lines+markers", line={"color": COLOURS[0]}, name="proven",
            text=[f"rank {rank}" for rank in ranks], hovertemplate="%{text}: %{y:.4f}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(x=[1.0], y=[self.accuracy], mode="markers", marker={"color": QUIET, "size": 10}, name="trying all")
        return finish(
            figure,
            f"Proven: at least {self.certified:.2%} right",
            "How much accuracy a proof of each rank gives for how many multiplications, beside trying all pairs. Without a "
            "circuit there is no such proof: a table known by heart certifies nothing.",
            xaxis={"title": "multiplications / those of trying all pairs", "type": "log"},
            yaxis={"title": "share of the pairs", "range": [-0.02, 1.02]},
        )


@measurement(place=148, slow=True, needs=("plain layer",))
def certificate(circuit: Circuit) -> Certificate:
    """What accuracy of a one-layer transformer is proven, from its weights, and at what cost?

    With post the activations of the neurons, V = W_out W_U and A the first r left singular vectors of V, V = A B + ρ: a pair is
    certified if margin(Aᵀpost B + D) > ‖post - A Aᵀpost‖ · max_{c,c'} ‖ρ_c - ρ_c'‖, D what reaches the logits past the
    neurons, all in float64 with a bound on every rounding. Raises Unavailable for other networks and for edited ones.

    Source: after compact proofs, Gross et al. 2024, arXiv 2406.11779; the bound is this project's.
    """
    network, config = circuit.network, _plain_config(circuit)
    assert isinstance(network, Network)
    tables = token_forward(config, network.parameters)
    low = _LowRank(tables)
    answers, ranks = circuit.task.table(), low.ranks
    certified, right, total, rounding = torch.zeros(len(ranks)), 0, 0, 0.0
    for a, (post, direct) in enumerate(tables.rows()):
        own = answers[a]
        known = own != UNDEFINED
        whole = post.times_bounded(tables.V) + direct
        rounding = max(rounding, whole.error)
        right += int(((_margins(whole.value, own) > 2 * whole.error) & known).sum())
        total += int(known.sum())
        certified += (low.certifies(post, direct, own) & known).sum(1)
    shares = (certified.double() / total).tolist()
    costs = [products(config, rank) / brute_force(config) for rank in ranks]
    enough = [index for index, share in enumerate(shares) if share >= ENOUGH]
    best = enough[0] if enough else max(range(len(ranks)), key=lambda index: (shares[index], -index))
    return Certificate(
        accuracy=right / total,
        certified=shares[best],
        rank=ranks[best],
        products=products(config, ranks[best]),
        share_of_brute_force=costs[best],
        share_of_shared=products(config, ranks[best]) / shared(config),
        rounding=rounding,
        front=tuple(zip(ranks, shares, costs, strict=True)),
    )


class _LowRank:
    """V = A B + ρ for every rank, with ρ what is missing exactly, and bounds on what it can do."""

    def __init__(self, tables: TokenForward) -> None:
        self.V = tables.V
        self.ranks = [rank for rank in RANKS if rank < tables.config.p]
        U, _, _ = torch.linalg.svd(tables.V.value, full_matrices=False)
        self.A = U[:, : self.ranks[-1]]  # any matrix is good, so that of a computed SVD is taken as it is
        self.B = self.A.T @ tables.V.value
        width = len(self.A)
        self.columns = tables.V.value.abs().sum(0).max().item() + width * tables.V.error
        identity = torch.eye(self.A.shape[1], dtype=torch.float64)
        unorthogonal = (self.A.T @ self.A - identity).norm().item()
        self.unorthogonal = (unorthogonal + gamma(width) * self.A.shape[1] * 2) * OUTWARD
        """Bound on ‖AᵀA - 1‖ of all columns of A that are used."""
        self.spread, self.read = zip(*(self._rest(rank) for rank in self.ranks), strict=True)

    def _rest(self, rank: int) -> tuple[float, float]:
        """Bounds on ‖ρ_c - ρ_c'‖ and on ‖Aᵀ(ρ_c - ρ_c')‖, over all pairs of answers."""
        A, B = self.A[:, :rank], self.B[:rank]
        rest = self.V.value - A @ B
        width = len(rest)
        size = A.norm(dim=1).max().item() * B.norm(dim=0).max().item()
        error = (self.V.error + gamma(rank + 2) * size + gamma(1) * (self.V.largest + size)) * OUTWARD
        spread = torch.cdist(rest.T, rest.T, compute_mode="donot_use_mm_for_euclid_dist").max().item()
        spread = (spread * (1 + gamma(width + 4)) + 2 * math.sqrt(width) * error) * OUTWARD
        read = 2 * ((A.T @ rest).norm(dim=0).max().item() + gamma(width) * rank * rest.norm(dim=0).max().item())
        return spread, (read + 2 * 2 * math.sqrt(width) * error) * OUTWARD

    def certifies(self, post: Bounded, direct: Bounded, answers: Int[Tensor, " b"]) -> Tensor:
        """Which pairs of one a are certified, at every rank, [rank, b]?"""
        x, found = post.value, []
        width, longest = x.shape[1], x.norm(dim=1)
        y = x @ self.A
        moved = post.error * 2 * self.columns * OUTWARD  # what the errors of the activations can do through V
        for index, rank in enumerate(self.ranks):
            mine = y[:, :rank]
            logits = mine @ self.B[:rank] + direct.value
            length = mine.norm(dim=1)
            off = gamma(width + 2) * longest * math.sqrt(rank) * 1.01  # how far y is from Aᵀpost
            squared = longest.square() * (1 + gamma(width + 8)) - length.square() * (1 - gamma(rank + 8))
            squared = squared + 2 * length * off + self.unorthogonal * length.square()
            outside = squared.clamp(min=0).sqrt() * OUTWARD
            of_B = self.B[:rank].norm(dim=0).max()
            sums = off * of_B + gamma(rank + 3) * (length * of_B + direct.largest)
            slack = moved + 2 * (direct.error + sums) + length * self.read[index] * OUTWARD
            found.append(_margins(logits, answers) > (outside * self.spread[index] + slack) * OUTWARD)
        return torch.stack(found)


def _margins(logits: Float[Tensor, "b c"], answers: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Right logit less the largest wrong one; pairs without an answer get that of answer 0."""
    own = answers.clamp(min=0)[:, None]
    right = logits.gather(1, own)[:, 0]
    return right - logits.scatter(1, own, -math.inf).amax(1)


def products(config: NetworkConfig, rank: int) -> int:
    """Multiplications of the proof: the tables; V, its singular vectors (four for each of its entries and answers) and what is
    cut off; and for every pair its neurons, their length, their r numbers, and the logits that follow from these."""
    slots, p = config.n_heads * config.n_ctx, config.p
    tables = _of_tables(config) + config.d_mlp * config.d_model * p
    cut = 4 * config.d_mlp * p * min(config.d_mlp, p) + 2 * config.d_mlp * p * rank + p * p * config.d_mlp
    pair = slots * (config.d_mlp + p + 2 * config.d_head) + config.d_mlp * (1 + rank) + rank * (p + 1)
    return tables + cut + p * p * pair


def shared(config: NetworkConfig) -> int:
    """Multiplications of a forward pass on all pairs that computes once what depends on one token."""
    slots, p = config.n_heads * config.n_ctx, config.p
    pair = slots * (config.d_mlp + p + 2 * config.d_head) + config.d_mlp * p
    return _of_tables(config) + config.d_mlp * config.d_model * p + p * p * pair


def _of_tables(config: NetworkConfig) -> int:
    """Multiplications of what every token is worth to every head, in front of the neurons and of the answers."""
    tokens, heads, d = 2 * config.p + 1, config.n_heads, config.d_model
    return tokens * heads * (4 * d * config.d_head + d * (config.d_mlp + config.p)) + tokens * d * (config.d_mlp + config.p)


def brute_force(config: NetworkConfig) -> int:
    """Multiplications of a forward pass on all pairs, each alone: keys and values of all positions, the rest at the last."""
    d, width = config.d_model, config.n_heads * config.d_head
    attention = d * width * (2 * config.n_ctx + 2) + 2 * config.n_ctx * width
    return config.p**2 * (attention + 2 * d * config.d_mlp + d * config.p)


def _plain_config(circuit: Circuit) -> NetworkConfig:
    """The configuration of a network that certificates are for. Raises Unavailable for any other."""
    network = circuit.network
    assert isinstance(network, Network), "which was checked"
    if network.config.activation not in ("relu", "gelu"):
        raise Unavailable("needs neurons with ReLU or GELU, which the bounds on rounding are written for")
    if circuit.edits or circuit.replaced_tables is not None:
        raise Unavailable("needs the network as it is, without edits")
    return network.config
