"""What can be measured while a network trains, in a fraction of the time that training takes."""

from analyses.basics.logit_spectrum import KEY, logit_spectrum
from analyses.timeline.moment import gini, or_nan, squared_weights
from analyses.timeline.parts import part_losses
from interp.errors import InterpError
from interp.files.checkpoint import Checkpoint


def measures(saved: Checkpoint) -> dict[str, float | list[int]]:
    """How far is this network on its way, as far as can be told without knowing where it will end?

    The frequencies are the network's own key frequencies now (t_k ≥ .05), not the final ones, which nobody knows yet:
    ``restricted_loss_now`` and so on differ from the timeline made afterwards as long as these key frequencies differ from the
    final ones. Losses as in ``parts``: over the p residues, restricted on all pairs, excluded on the training pairs. Neurons
    and amplitudes are left to the timeline: they cost more than everything here together.
    """
    circuit = saved.circuit()
    train = circuit.train_numbers
    if train is None:
        raise InterpError("expected a network with its training pairs: only interp-train's networks are measured so")
    terms = logit_spectrum(circuit).clock_terms
    keys = [k for k, t in enumerate(terms, start=1) if t >= KEY]
    losses = part_losses(circuit.logits, keys, train)
    return {
        "key_frequencies_now": keys,
        "train_loss": losses.train,
        "test_loss": losses.test,
        "restricted_loss_now": losses.restricted,
        "excluded_loss_now": losses.excluded,
        "generalising_score_now": losses.generalising,
        "memorising_score_now": losses.memorising,
        "clock_share_now": sum(terms[k - 1] ** 2 for k in keys),
        "squared_weights": sum(value for _, value in squared_weights(circuit)),
        "gini_embedding": gini(circuit.embedding),
        "gini_neuron_logit_map": or_nan(lambda: gini(circuit.neuron_logit_map.T)),
    }
