"""One row per network: what it is, and what its explanation says."""

from pathlib import Path
from typing import Any

from plan import Planned, Study

import analyses
import interp
from analyses.evidence.clock_or_pizza import NAMED

Row = dict[str, Any]


def row(study: Study, planned: Planned, path: Path) -> Row:
    """The explanation of a trained network as a row of plain values; frequencies as lists, in ascending order."""
    circuit, network = interp.load(path), planned.recipe.network
    card, verdict = analyses.explanation(circuit), analyses.clock_or_pizza(circuit)
    rungs, interventions = analyses.ladder(circuit), analyses.causal(circuit)
    remembered = analyses.memory(circuit)
    values: Row = {
        "study": study,
        "name": planned.name,
        "kind": planned.kind,
        "recipe": planned.recipe_name,
        "p": planned.recipe.p,
        "width": network.d_model,
        "neurons": network.d_mlp,
        "activation": network.activation,
        "rate": network.attention_rate,
        "seed": planned.seed,
        "accuracy": verdict.accuracy,
        "generalises": card.generalises,
        "circuit": verdict.verdict,
        "network_coordinate": verdict.coordinate,
        "sureness": verdict.sureness,
        "published": verdict.published_criterion,
        "circularity": analyses.circularity(circuit).circularity,
        "gradient_symmetry": verdict.gradient_symmetry,
        "distance_irrelevance": verdict.distance_irrelevance,
        "named": verdict.verdict in NAMED,
        "explained": card.is_explained,
        "what": card.what,
        "how": card.how,
        "why": card.why,
        "reason": card.reason,
        "rung": card.rung,
        "carried_by": card.carried_by.name,
        "carried_numbers": card.carried_by.numbers,
        "carried_explained": card.carried_by.explained,
        "carried_agreement": card.carried_by.agreement,
        "carried_recovered": card.carried_by.recovered,
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
        "coordinate_least": [each[2] for each in verdict.coordinates],
        "coordinate_most": [each[3] for each in verdict.coordinates],
        "fitted": [f.mixture_fit for f in card.frequencies],
        "share": [f.share for f in card.frequencies],
        "cluster": [f.neurons for f in card.frequencies],
        "R": [f.R for f in card.frequencies],
        "shape": [f.shape for f in card.frequencies],
    }
    for effect in interventions.effects:
        if effect.edit in ("remove", "turn"):
            name = f"{effect.edit}_{effect.site}"
            values[name], values[f"{name}_beaten"] = effect.value, effect.same.beaten
            values[f"{name}_large_beaten"] = effect.as_large.beaten
    for rung in rungs.rungs:
        name = f"rung {rung.number}: {rung.score.name}"
        values[f"{name}: explained"], values[f"{name}: agreement"] = rung.score.explained, rung.score.agreement
        values[f"{name}: recovered"], values[f"{name}: divergence"] = rung.score.recovered, rung.score.divergence
    return {
        **values,
        **{f"memory_{name}": value for name, value in remembered.to_dict().items()},
        "memory_worth": remembered.worth,
    }
