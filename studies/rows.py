"""One row per network: what it is, and what its explanation says."""

from pathlib import Path
from typing import Any

import torch
from plan import Planned

import analyses
import interp
from analyses.evidence.clock_or_pizza import NAMED
from analyses.tools.closed_form import closed_forms, logits

Row = dict[str, Any]


def row(planned: Planned, path: Path) -> Row:
    """The explanation of a trained network as a row of plain values; frequencies as lists, in ascending order."""
    circuit, config = interp.load(path), planned.recipe.config
    card, verdict = analyses.explanation(circuit), analyses.clock_or_pizza(circuit)
    interventions, scores = analyses.causal(circuit), analyses.surrogate(circuit)
    removals = {each.site: each for each in interventions.effects if each.edit == "remove"}
    values: Row = {
        "name": planned.name,
        "kind": planned.kind,
        "recipe": planned.recipe_name,
        "p": config.p,
        "width": config.d_model,
        "neurons": config.d_mlp,
        "activation": config.activation,
        "rate": config.attention_rate,
        "seed": planned.seed,
        "accuracy": verdict.accuracy,
        "generalises": card.generalises,
        "circuit": verdict.verdict,
        "named": verdict.verdict in NAMED,
        "explained": card.is_explained,
        "what": card.what,
        "how": card.how,
        "why": card.why,
        "reason": card.reason,
        "form": card.closed_form.name,
        "form_numbers": card.closed_form.numbers,
        "form_explained": card.closed_form.explained,
        "form_agreement": card.closed_form.agreement,
        "neuron_surrogate": card.neuron_surrogate,
        "neuron_agreement": card.neuron_agreement,
        "delta_2": card.delta_2,
        "turned": card.turned,
        "unexplained": card.unexplained,
        "low_order": analyses.residual(circuit).low_order,
        "lives": [part for part, _ in card.lives],
        "lives_share": [share for _, share in card.lives],
        "k": [f.k for f in card.frequencies],
        "verdict": [f.verdict for f in card.frequencies],
        "coordinate": [f.coordinate for f in card.frequencies],
        "share": [f.share for f in card.frequencies],
        "cluster": [f.neurons for f in card.frequencies],
        "R": [f.R for f in card.frequencies],
        "shape": [f.shape for f in card.frequencies],
    }
    for site in ("embedding", "pre-activations", "logits"):
        effect = removals.get(site)
        values[f"removed_{site}"] = effect.value if effect else None
        values[f"removed_{site}_null_least"] = effect.same.least if effect else None
        values[f"removed_{site}_large_null_least"] = effect.as_large.least if effect else None
    for name, score in (("measured", scores.closed_forms[0]), ("mixtures", scores.closed_forms[1])):
        values[f"{name}_explained"], values[f"{name}_agreement"] = score.explained, score.agreement
    for score in scores.neurons:
        values[f"{score.name}: agreement"] = score.agreement
    return values


def memorised(path: Path) -> float | None:
    """How much more does what the measured profiles leave unexplained raise the right answer on the training pairs than on all
    others? Difference of the means over the pairs, in standard deviations of the centred logits; 0 for a residual that knows
    nothing of the training pairs, None for a network without any."""
    circuit = interp.load(path)
    if circuit.train_pairs is None:
        return None
    profiles, _ = next(iter(closed_forms(circuit, analyses.key_frequencies(circuit).frequencies).values()))
    residual = circuit.centred_logits.double() - logits(profiles, circuit.p)
    of_right = residual.gather(-1, circuit.answers[..., None]).flatten()
    trained = torch.zeros(len(of_right), dtype=torch.bool).index_fill(0, circuit.train_pairs, True)
    return float((of_right[trained].mean() - of_right[~trained].mean()) / circuit.centred_logits.double().std())
