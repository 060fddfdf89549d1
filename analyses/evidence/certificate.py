"""What accuracy is proven, from the weights, with less work than trying all pairs?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

from analyses.findings.drawing import finish
from analyses.findings.finding import Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import COLOURS, QUIET
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from analyses.tools.proofs.cells import SIZES, Cells
from analyses.tools.proofs.low_rank import LowRank
from analyses.tools.proofs.rounding import ACTIVATIONS
from analyses.tools.proofs.rung import ENOUGH, Rung, Step, answered, strongest
from analyses.tools.proofs.token_forward import TokenForward, token_forward
from analyses.tools.proofs.waves import MOST_NUMBERS, Waves
from analyses.tools.proofs.work import Work, work
from interp.circuit import Circuit
from interp.networks.attention_free import AttentionFree
from interp.networks.model import Unavailable
from interp.networks.transformer import Network
from interp.tasks.task import UNDEFINED

if TYPE_CHECKING:
    import plotly.graph_objects as go

S = TypeVar("S", int, float)


@dataclass(frozen=True)
class Certificate(Finding):
    """A lower bound on the accuracy that follows from the stored weights under exact arithmetic, rounding accounted for.

    Each rung proves it in another way: by trying all pairs; by the few directions of the neurons that the answers read; by a
    few waves per neuron, which is the explanation itself; by cells of pairs, for which no neuron of any pair is computed. See
    docs/certificates.md.
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
    waves: float
    """Number of waves per neuron that was chosen likewise; NaN where there are none to try."""
    certified_by_waves: float
    """Share of the pairs that so many waves per neuron certify, [0, 1]; NaN where there are none to try."""
    certified_by_cells: float
    """Share of the pairs that cells certify, [0, 1]; NaN where they do not apply."""
    cells_of_brute_force: float
    """Multiplications of the proof by cells over those of a forward pass on every pair; NaN where they do not apply."""
    proven: float
    """Share of the pairs that the strongest rung certifies with less work than trying all pairs, [0, 1]."""
    proven_by: str
    """The strongest rung: it certifies most, and those that certify .999 count as equal; of equal ones the cheapest."""
    proven_of_brute_force: float
    """Multiplications of the strongest rung over those of a forward pass on every pair; NaN where nothing is proven."""
    brute_force: int
    """Number of multiplications of a forward pass on every pair, where nothing is shared between pairs."""
    shared: int
    """Number of multiplications of one in which what depends on one token is computed once."""
    rungs: tuple[Rung, ...]
    """Every way to prove it, with what it proves at each setting that was tried."""

    def in_words(self) -> str:
        """What is proven, in one sentence."""
        found = strongest(self.rungs[1:], below=self.brute_force)
        if found is None:
            return "Nothing is proven with less work than trying all pairs."
        rung, step = found
        return (
            f"At least {step.certified:.2%} of all pairs are answered right: proven by {rung.name} ({step.detail}) with "
            f"{step.products / self.brute_force:.1%} of the multiplications that trying all pairs takes."
        )

    def table(self) -> Table:
        rows = []
        for rung in self.rungs:
            step = rung.best
            costs = (step.products / self.brute_force, step.products / self.shared) if step else (None, None)
            rows.append((rung.name, step.detail if step else None, step.certified if step else None, *costs))
        missing = " ".join(f"No {rung.name}: {rung.why_not}." for rung in self.rungs if rung.why_not)
        note = (
            f"{self.in_words()} Trying all pairs proves {self.accuracy:.2%}. Work: multiplications over those of trying all "
            "pairs, 1 is as many; tokens once: over trying all pairs when what depends on one number is computed once. Logits "
            f"in float64 are within {self.rounding:.1e} of exact ones. {missing}"
        )
        columns = ("proof by", "size", "pairs certified", "work", "work, tokens once")
        return Table("Proven accuracy", columns, tuple(rows), sentences(note))

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure()
        for rung, colour in zip(self.rungs, (QUIET, *COLOURS), strict=False):
            if rung.steps:
                figure.add_scatter(
                    x=[step.products / self.brute_force for step in rung.steps], y=[step.certified for step in rung.steps],
                    mode="lines+markers", line={"color": colour}, marker={"size": 8}, name=rung.name,
                    text=[step.detail for step in rung.steps], hovertemplate="%{text}: %{y:.4f}<extra></extra>",
                )  # fmt: skip
        front = self.pareto()
        figure.add_scatter(
            x=[cost for cost, _ in front], y=[share for _, share in front], mode="lines", name="most for so much work",
            line={"color": QUIET, "dash": "dot", "shape": "hv"}, hoverinfo="skip",
        )  # fmt: skip
        return finish(
            figure,
            f"At least {self.proven:.2%} of all pairs are proven to be answered right",
            "Every mark is a proof: upwards the share of the pairs that it certifies, to the right the multiplications that it "
            "takes; there is one for every rank, number of waves per neuron and size of the cells. Dotted: the most that is "
            "proven with so much work. Without a circuit only trying all pairs proves anything: a table known by heart "
            "certifies nothing.",
            xaxis={"title": "multiplications, over those of trying all pairs", "type": "log"},
            yaxis={"title": "share of the pairs that is certified", "range": [-0.02, 1.05]},
        )

    def pareto(self) -> list[tuple[float, float]]:
        """Proofs that no other beats in share and work: their multiplications over brute force's, and their shares."""
        found: list[tuple[float, float]] = []
        every = [(step.products / self.brute_force, step.certified) for rung in self.rungs for step in rung.steps]
        for cost, share in sorted(every, key=lambda each: (each[0], -each[1])):
            if share > (found[-1][1] if found else 0):
                found.append((cost, share))
        return found


@measurement(place=148, slow=True, on_request=True, needs=("plain layer",))
def certificate(circuit: Circuit) -> Certificate:
    """What accuracy of a network of one layer is proven, from its weights, and at what cost?

    With post the activations of the neurons, V = W_out W_U, D what reaches the logits past the neurons, s the right answer, c
    every wrong one: low rank certifies a pair if margin(Aᵀpost B + D) > ‖post - A Aᵀpost‖ max ‖ρ_c - ρ_c'‖, A the first left
    singular vectors of V and V = A B + ρ; waves if margin(g V + D) > ‖post - g‖ ‖V_s - V_c‖, g the activations where each
    neuron is a few waves; cells if the lines between which ½|pre| lies are enough. All in float64 with a bound on every
    rounding. Raises Unavailable for networks of several layers, with gates or normalisation, and for edited ones.

    Source: after compact proofs, Gross et al. 2024, arXiv 2406.11779; the bounds are this project's.
    """
    network = _certifiable(circuit)
    tables, counted = token_forward(network), work(network)
    answers = circuit.task.table()
    known = answers != UNDEFINED
    total = int(known.sum())
    right, rounding, low = 0, 0.0, LowRank(tables.V)
    by_rank = torch.zeros(len(low.ranks))
    for a, (post, direct) in enumerate(tables.rows()):
        own = answers[a]
        whole = post.times_bounded(tables.V) + direct
        rounding = max(rounding, whole.error)
        right += int((answered(whole.value, whole.error, own) & known[a]).sum())
        by_rank += (low.certifies(post, direct, own) & known[a]).sum(1)
    shares = (by_rank.double() / total).tolist()
    ranks = [
        Step(float(rank), f"rank {rank}", share, counted.low_rank(rank)) for rank, share in zip(low.ranks, shares, strict=True)
    ]
    low_rank = Rung("low rank", tuple(ranks))
    waves, cells = _waves(circuit, answers, tables, counted, total), _cells(circuit, answers, network, counted, total)
    everything = Step(0.0, "every pair", right / total, counted.brute_force)
    rungs = (Rung("trying all", (everything,)), low_rank, waves, cells)
    best, of_waves, of_cells, found = low_rank.best, waves.best, cells.best, strongest(rungs[1:], below=counted.brute_force)
    assert best is not None, "since rank 1 is always tried"
    unknown = float("nan")
    return Certificate(
        accuracy=right / total,
        certified=best.certified,
        rank=int(best.setting),
        products=best.products,
        share_of_brute_force=best.products / counted.brute_force,
        share_of_shared=best.products / counted.shared,
        rounding=rounding,
        front=tuple((int(step.setting), step.certified, step.products / counted.brute_force) for step in ranks),
        waves=of_waves.setting if of_waves else unknown,
        certified_by_waves=of_waves.certified if of_waves else unknown,
        certified_by_cells=of_cells.certified if of_cells else unknown,
        cells_of_brute_force=of_cells.products / counted.brute_force if of_cells else unknown,
        proven=found[1].certified if found else 0.0,
        proven_by=f"{found[0].name}, {found[1].detail}" if found else "nothing",
        proven_of_brute_force=found[1].products / counted.brute_force if found else unknown,
        brute_force=counted.brute_force,
        shared=counted.shared,
        rungs=rungs,
    )


def _waves(circuit: Circuit, answers: Int[Tensor, "a b"], tables: TokenForward, counted: Work, total: int) -> Rung:
    """What waves certify: the most waves first, since where these certify nothing fewer will not."""
    if not circuit.is_addition:
        return Rung("waves", (), f"they need a task that is addition in other numbers, which {circuit.task.sentence} is not")
    if circuit.p**2 * max(counted.neurons, circuit.p) > MOST_NUMBERS:
        return Rung("waves", (), f"{circuit.p}² pairs with {counted.neurons} neurons are too many to hold")
    held = Waves(tables, circuit.numbers)
    reachable = int((answers[circuit.numbers.a][:, circuit.numbers.b] != UNDEFINED).sum())

    def step(count: int) -> Step:
        share = int(held.certified(count, answers).sum()) / total
        return Step(float(count), f"{count} wave{'s' * (count > 1)} per neuron", share, counted.waves())

    most = step(held.counts()[-1])
    if not most.certified:
        return Rung("waves", (most,))
    return Rung("waves", (*_until(step, held.counts()[:-1], ENOUGH * reachable / total), most))


def _cells(circuit: Circuit, answers: Int[Tensor, "a b"], network: Network | AttentionFree, counted: Work, total: int) -> Rung:
    """What cells certify, large ones first."""
    if not circuit.is_addition:
        return Rung("cells", (), f"they need a task that is addition in other numbers, which {circuit.task.sentence} is not")
    if network.config.activation != "relu":
        return Rung("cells", (), "they need neurons with ReLU, which is linear but for a kink")
    held = Cells(token_forward(network, half_past_neurons=True), circuit.numbers)

    def step(size: float) -> Step | None:
        cuts = held.cut(size)
        if cuts is None:
            return None
        count = sum(cut.number for cut in cuts)
        certified, closely = held.certified(cuts, answers)
        detail = f"{count} cells of {len(cuts)} frequencies"
        return Step(size, detail, int(certified.sum()) / total, held.products(cuts, closely, counted))

    found = _until(step, SIZES, ENOUGH)
    return Rung("cells", tuple(found), "" if found else "its pairs lie in more than half as many cells as there are pairs")


def _until(step: Callable[[S], Step | None], settings: Sequence[S], enough: float) -> list[Step]:
    """The steps at these settings in turn, until one certifies enough or cannot be made."""
    found: list[Step] = []
    for setting in settings:
        made = step(setting)
        if made is None:
            break
        found.append(made)
        if made.certified >= enough:
            break
    return found


def _certifiable(circuit: Circuit) -> Network | AttentionFree:
    """The network. Raises Unavailable for one that certificates are not for."""
    network = circuit.network
    assert isinstance(network, Network | AttentionFree), "which was checked"
    if network.config.activation not in ACTIVATIONS:
        raise Unavailable(f"needs neurons with {' or '.join(ACTIVATIONS)}, which the bounds on rounding are written for")
    if circuit.edits or circuit.replaced_tables is not None:
        raise Unavailable("needs the network as it is, without edits")
    return network
