"""How well do other logits stand in for a network's own?"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from analyses.tools.last_layer import LastNeurons, Order, last_neurons
from analyses.tools.pairs import held_out
from interp import fourier
from interp.circuit import KEPT, Circuit

ByRows = Callable[[slice], Float[Tensor, "row b c"]]
"""Logits as a function of the values of a: those of all pairs need not be held at once."""

AT_ONCE = 16
"""Number of values of a that are compared at a time."""
KEPT_PER_LOGIT = 6
"""Number of values in single precision that are kept for every logit of the network, where they are kept."""


@dataclass(frozen=True)
class Score:
    """How well one surrogate stands in for the network, on all pairs, by several measures: accuracy alone would saturate."""

    name: str
    """Name of the surrogate: what stands in for the network."""
    numbers: int
    """How many numbers the surrogate takes from the network."""
    explained: float
    """Share of the centred logits' variance that the surrogate explains: 1 - ‖Lc - surrogate's‖² / ‖Lc‖², at most 1; below 0
    where it adds more than it explains; NaN where the network's logits do not depend on c."""
    divergence: float
    """Kullback–Leibler divergence of the surrogate from the network, nats, mean over the pairs."""
    margin_correlation: float
    """Correlation over the pairs of the surrogate's margin (the right answer's logit less the largest wrong one) with the
    network's, [-1, 1]; NaN where either margin is constant."""
    agreement: float
    """Share of pairs where the surrogate's answer is the network's own, right or wrong, [0, 1]."""
    error_agreement: float
    """Share, among the pairs that the network gets wrong, where the surrogate gives the network's answer, [0, 1]; NaN where the
    network gets none wrong."""
    accuracy: float
    """Share of pairs that the surrogate answers right, [0, 1]."""
    recovered: float
    """Share of the loss recovered on the held-out pairs (on all where these are not known), at most 1 unless the surrogate is
    better than the network: (ln p - its loss) / (ln p - the network's loss); NaN where the network's loss is not below ln p."""


def score(circuit: Circuit, logits: ByRows, *, name: str, numbers: int) -> Score:
    """How well do these logits stand in for the network's? All in float64."""
    off = variance = divergence = 0.0
    per_pair = list[Tensor]()
    for rows, mine in zip(_rows(circuit.p), _own_sides(circuit), strict=True):
        theirs = _Side.of(logits(rows), circuit.answers[rows])
        off += (mine.centred - theirs.centred).square().sum().item()
        variance += mine.variance
        divergence += (mine.probabilities * (mine.logarithms - theirs.logarithms)).sum().item()
        per_pair.append(torch.stack([x for side in (mine, theirs) for x in (side.answer.double(), side.margin, side.loss)]))
    answer, margin, loss, their_answer, their_margin, their_loss = torch.cat(per_pair, dim=1)
    agrees, wrong = their_answer == answer, answer != circuit.answers
    margins = torch.stack([margin.flatten(), their_margin.flatten()])
    spread = margins - margins.mean(1, keepdim=True)
    varies = bool((spread.norm(dim=1) > 1e-9 * margins.norm(dim=1)).all())  # a clock's margins differ by rounding only
    pairs = held_out(circuit)
    gained, could_gain = (math.log(circuit.p) - each[pairs].mean().item() for each in (their_loss, loss))
    return Score(
        name=name,
        numbers=numbers,
        explained=1 - off / variance if variance else math.nan,
        divergence=divergence / circuit.p**2,
        margin_correlation=(spread.prod(0).sum() / spread.norm(dim=1).prod()).item() if varies else math.nan,
        agreement=agrees.double().mean().item(),
        error_agreement=agrees[wrong].double().mean().item(),
        accuracy=(their_answer == circuit.answers).double().mean().item(),
        recovered=gained / could_gain if could_gain > 0 else math.nan,
    )


def score_of_fit(circuit: Circuit, *, order: Order) -> Score:
    """How well does the network, run on from neurons of one frequency each (``LastNeurons.fit``), stand in for itself?"""

    def compute() -> Score:
        neurons = last_neurons(circuit)
        numbers, fitted = {1: 5, 2: 9}[order] * neurons.pre.shape[-1], neurons.fitted(order=order)
        return score(circuit, run_on(neurons, fitted), name=f"neurons, order {order}", numbers=numbers)

    return circuit.remember(("score of fit", order), compute)


def run_on(neurons: LastNeurons, pre: Float[Tensor, "a b neuron"], *, W_L: Float[Tensor, "neuron c"] | None = None) -> ByRows:
    """The logits of the network run on from these pre-activations, see ``LastNeurons.logits``."""
    return lambda rows: neurons.logits(pre[rows], at=rows, W_L=W_L)


@dataclass(frozen=True, eq=False)
class _Side:
    """What is compared between the network and a surrogate, for one of the two and the pairs of a few values of a.

    A few at a time stay in the processor's cache, which takes half as long as all at once.
    """

    centred: Float[Tensor, "row b c"]
    """Logits less their mean over c, nats."""
    logarithms: Float[Tensor, "row b c"]
    """Logarithms of the answers' probabilities, nats."""
    answer: Int[Tensor, "row b"]
    """Answer to each pair: the one with the largest logit."""
    margin: Float[Tensor, "row b"]
    """The right answer's logit less the largest wrong one, nats."""
    loss: Float[Tensor, "row b"]
    """Cross-entropy loss, nats."""

    @cached_property
    def probabilities(self) -> Float[Tensor, "row b c"]:
        """The answers' probabilities."""
        return self.logarithms.exp()

    @cached_property
    def variance(self) -> float:
        """Sum of the squares of the centred logits."""
        return self.centred.square().sum().item()

    @staticmethod
    def of(logits: Float[Tensor, "row b c"], answers: Int[Tensor, "row b"]) -> "_Side":
        centred, answers = fourier.centred(logits), answers[..., None]
        right = centred.gather(-1, answers).squeeze(-1)
        logarithms = functional.log_softmax(centred, dim=-1)
        return _Side(
            centred=centred,
            logarithms=logarithms,
            answer=centred.argmax(-1),
            margin=right - centred.scatter(-1, answers, -torch.inf).amax(-1),
            loss=-logarithms.gather(-1, answers).squeeze(-1),
        )


def _own_sides(circuit: Circuit) -> Iterator[_Side]:
    """The network's own side, of all pairs in turn; kept for the next surrogate where that is not too much."""

    def made() -> Iterator[_Side]:
        return (_Side.of(circuit.logits[rows], circuit.answers[rows]) for rows in _rows(circuit.p))

    if KEPT_PER_LOGIT * circuit.p**3 > KEPT:
        yield from made()
    else:
        yield from circuit.remember("what surrogates are scored against", lambda: list(made()))


def _rows(p: int) -> list[slice]:
    """All values of a, a few at a time."""
    return [slice(a, a + AT_ONCE) for a in range(0, p, AT_ONCE)]
