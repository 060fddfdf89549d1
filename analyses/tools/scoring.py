"""How well do other logits stand in for a network's own?"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from analyses.tools.last_layer import Order, last_neurons
from analyses.tools.pairs import held_out
from interp.circuit import Circuit

AT_ONCE = 16
"""Number of values of a that are compared at a time."""


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


def score(circuit: Circuit, logits: Float[Tensor, "a b c"], *, name: str, numbers: int) -> Score:
    """How well do these logits stand in for the network's? All in float64."""
    ours = circuit.remember("what surrogates are scored against", lambda: _sides(circuit, circuit.logits))
    off = variance = divergence = 0.0
    per_pair = list[Tensor]()
    for mine, theirs in zip(ours, map(_Side.of, *_blocks(circuit, logits)), strict=True):
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
        numbers = {1: 5, 2: 9}[order] * neurons.pre.shape[-1]
        return score(circuit, neurons.logits(neurons.fitted(order=order)), name=f"neurons, order {order}", numbers=numbers)

    return circuit.remember(("score of fit", order), compute)


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
        centred, answers = logits.double(), answers[..., None]
        centred = centred - centred.mean(-1, keepdim=True)
        right = centred.gather(-1, answers).squeeze(-1)
        logarithms = functional.log_softmax(centred, dim=-1)
        return _Side(
            centred=centred,
            logarithms=logarithms,
            answer=centred.argmax(-1),
            margin=right - centred.scatter(-1, answers, -torch.inf).amax(-1),
            loss=-logarithms.gather(-1, answers).squeeze(-1),
        )


def _sides(circuit: Circuit, logits: Float[Tensor, "a b c"]) -> list[_Side]:
    return list(map(_Side.of, *_blocks(circuit, logits)))


def _blocks(circuit: Circuit, logits: Float[Tensor, "a b c"]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The logits and the right answers, a few values of a at a time."""
    return logits.split(AT_ONCE), circuit.answers.split(AT_ONCE)
