"""Everything that the timeline of a run says about one network on its way."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.basics.logit_spectrum import KEY, logit_spectrum
from analyses.evidence.amplitude_profile import hiding, variation
from analyses.evidence.neuron_clusters import neuron_clusters
from analyses.timeline.parts import part_losses
from analyses.tools.amplitudes import amplitudes, explained_share
from analyses.tools.wrong_labels import Shares, shares
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One network on its way, seen with the key frequencies that the run ends with.

    Losses: mean cross-entropy over the p residues ('=' left out), nats, float64. L are the logits; P projects each
    answer's logit, a function of the pair, onto cos w_k(a+b) and sin w_k(a+b), k key. NaN where the training pairs are not
    known, for all that is of these or of the others.
    """

    step: int
    """Number of full-batch updates done."""
    train_loss: float
    """Loss of the logits L on the training pairs, nats."""
    test_loss: float
    """Loss of the logits L on all but the training pairs, nats."""
    train_accuracy: float
    """Share of the training pairs answered right, [0, 1]."""
    test_accuracy: float
    """Share of all but the training pairs answered right, [0, 1]."""
    restricted_loss: float
    """Loss of P L + mean_{a,b} L on all pairs, nats: the generalising circuit alone."""
    excluded_loss: float
    """Loss of L - P L on the training pairs, nats, no bias correction: all but the generalising circuit."""
    generalising_score: float
    """Nats of training loss that the generalising circuit G = P L takes off (Shapley value, see ``parts``)."""
    memorising_score: float
    """Nats of training loss that the rest, M = L - P L - mean_{a,b} L, takes off (Shapley value, see ``parts``). The
    generalising and the memorising score sum to (loss of mean_{a,b} L on the training pairs) - train_loss."""
    squared_weights: tuple[tuple[str, float], ...]
    """Sum of squares of each weight matrix and bias, (name, sum), under TransformerLens's names."""
    gini_embedding: float
    """Gini coefficient of the Fourier component norms of W_E over residues: 0 all equal, near 1 few carry all."""
    gini_neuron_logit_map: float
    """Gini coefficient of the Fourier component norms of W_L = W_out W_U of the last layer over the answers: 0 all equal, near
    1 few carry all; NaN where W_L is not known."""
    clock_terms: tuple[float, ...]
    """Clock term t_k per key frequency, [-1, 1]: correlation of the centred logits with cos w_k(a+b-c); t_k² is the share of
    the logits' variance on this wave."""
    embedding_shares: tuple[float, ...]
    """Per key frequency, its share of the energy of W_E, constant left out, [0, 1]."""
    neuron_shares: tuple[float, ...]
    """Per key frequency, the share of all neurons with ≥ .85 of their variance at it, [0, 1]; NaN without neurons."""
    specialised: float
    """Share of all neurons with ≥ .85 of their variance at one frequency, key or not, [0, 1]; NaN without neurons."""
    variations: tuple[float, ...]
    """Per key frequency k, 2k removed first: coefficient of variation of the amplitude over a - b (see amplitude_profile).
    Below .2 a clock, above .4 a pizza; NaN as long as t_k < .05, where there is no amplitude to speak of."""
    explained: float
    """Share of the centred logits' variance on Σ_k A_k(a-b) cos w_k(a+b-c), k key, A_k as measured; [0, 1]."""

    loss: float = math.nan
    """Loss of the logits L on all pairs, nats; NaN in records from before November 2026."""
    accuracy: float = math.nan
    """Share of all pairs answered right, [0, 1]; NaN in records from before November 2026."""

    labels: Shares | None = None
    """Shares of the pairs by what the network was told and what it answers; None where it was told nothing but right answers,
    or what it was told is not known."""

    @property
    def fit(self) -> float:
        """Share of the training pairs that are answered as they were told, [0, 1]; NaN where these pairs are not known."""
        return self.train_accuracy if self.labels is None else self.labels.train

    @property
    def squared_weights_sum(self) -> float:
        """Sum of squares of all weight matrices and biases together; NaN where none are known."""
        return sum(value for _, value in self.squared_weights) if self.squared_weights else math.nan

    @property
    def knows_training_pairs(self) -> bool:
        """Is it known on which pairs the network was trained?"""
        return not math.isnan(self.train_accuracy)

    @property
    def clock_pizza(self) -> float:
        """Mean of ``variations``, weighted by t_k²: 0 for ideal clocks, .48 for ideal pizzas; NaN as long as none is known."""
        known = [(t * t, v) for t, v in zip(self.clock_terms, self.variations, strict=True) if not math.isnan(v)]
        total = sum(weight for weight, _ in known)
        return sum(weight * v for weight, v in known) / total if total else math.nan


def moment(circuit: Circuit, keys: Sequence[int], step: int) -> Moment:
    """Where does a network stand on its way to a circuit at these key frequencies?

    What the circuit lacks is NaN: losses of training pairs where these are not known, neurons, an embedding.
    Sources: Nanda et al. 2023, arXiv 2301.05217 (restricted and excluded loss, Gini, squared weights, neurons); this project
    (scores, amplitudes).
    """
    train = circuit.train_numbers
    losses = part_losses(circuit.logits, keys, train)
    right = (circuit.logits.argmax(-1) == circuit.answers).flatten()
    nothing = torch.zeros_like(right)
    is_train = nothing if train is None else nothing.index_fill(0, train, True)
    is_test = nothing if train is None else ~is_train
    terms = logit_spectrum(circuit).clock_terms
    members, specialised = _clusters(circuit, keys)
    return Moment(
        step=step,
        train_loss=losses.train,
        test_loss=losses.test,
        train_accuracy=right[is_train].double().mean().item(),
        test_accuracy=right[is_test].double().mean().item(),
        restricted_loss=losses.restricted,
        excluded_loss=losses.excluded,
        generalising_score=losses.generalising,
        memorising_score=losses.memorising,
        squared_weights=squared_weights(circuit),
        gini_embedding=or_nan(lambda: gini(circuit.embedding)),
        gini_neuron_logit_map=or_nan(lambda: gini(circuit.neuron_logit_map.T)),
        clock_terms=tuple(terms[k - 1] for k in keys),
        embedding_shares=_embedding_shares(circuit, keys),
        neuron_shares=members,
        specialised=specialised,
        variations=tuple(or_nan(partial(_variation, circuit, k)) if terms[k - 1] >= KEY else math.nan for k in keys),
        explained=explained_share(circuit, keys),
        loss=losses.whole,
        accuracy=right.double().mean().item(),
        labels=None if circuit.told is None else shares(circuit),
    )


def squared_weights(circuit: Circuit) -> tuple[tuple[str, float], ...]:
    """Sum of squares of each weight matrix and bias of a network, by name."""
    return tuple((name, x.double().square().sum().item()) for name, x in circuit.network.weights().items())


def gini(M: Float[Tensor, "p n"]) -> float:
    """Gini coefficient of the norms of a matrix's Fourier components over residues: 0 all equal, near 1 few carry all.

    Source: Nanda et al. 2023, arXiv 2301.05217.
    """
    return fourier.gini(fourier.energies(M).sqrt())


def or_nan(measure: Callable[[], float]) -> float:
    """The result of ``measure``; NaN where the network lacks what it needs."""
    try:
        return measure()
    except Unavailable:
        return math.nan


def _embedding_shares(circuit: Circuit, keys: Sequence[int]) -> tuple[float, ...]:
    try:
        shares = fourier.energy_shares(circuit.embedding).tolist()
    except Unavailable:
        return (math.nan,) * len(keys)
    return tuple(shares[k - 1] for k in keys)


def _clusters(circuit: Circuit, keys: Sequence[int]) -> tuple[tuple[float, ...], float]:
    try:
        found = neuron_clusters(circuit)
    except Unavailable:
        return (math.nan,) * len(keys), math.nan
    neurons = len(found.shares)
    return tuple(found.clusters.get(k, 0) / neurons for k in keys), sum(found.clusters.values()) / neurons


def _variation(circuit: Circuit, k: int) -> float:
    without = fourier.without(circuit.embedding, hiding(k, circuit.p))
    return variation(amplitudes(circuit.with_embedding(without), k))
