"""What was planted is explained as it was planted; what computes in no such way is not explained."""

import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from planted import deepened, lookup, planted

import analyses
import interp
from analyses.trials.causal import Causal
from analyses.trials.criterion import all_hold, law_holds
from analyses.trials.explanation import Explanation
from analyses.trials.ladder import Ladder
from analyses.trials.phase_law import PhaseLaw
from interp import fourier
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network

P, KEYS = 31, (3, 8, 13)
FOLDER = Path(__file__).parent.parent.parent / "checkpoints"


@pytest.mark.parametrize("kind", ["clock", "pizza", "hybrid"])
def test_a_planted_circuit_is_explained_as_what_it_is(kind: str) -> None:
    clocks = {"clock": KEYS, "pizza": (), "hybrid": KEYS[:2]}[kind]
    circuit = Circuit(planted(P, clocks=clocks, pizzas=[k for k in KEYS if k not in clocks]))
    card = analyses.explanation(circuit)
    assert card.is_explained and card.what and card.how and card.why and card.unexplained < 0.001
    assert card.closed_form.name == {"clock": "clocks", "pizza": "pizzas", "hybrid": "clock or pizza"}[kind] or (
        card.closed_form.name == "clock or pizza"  # as many numbers, and listed first
    )
    assert (
        card.rung == 1
        and card.closed_form.numbers == 3
        and card.closed_form.agreement == 1.0
        and card.closed_form.explained > 0.999
    )
    # The planted neurons read a sum of waves of a and of b: no products are needed.
    assert card.neuron_surrogate == "neurons, order 1" and card.delta_2 == 0
    assert card.turned == 1.0 and card.lacking == ()
    for f in card.frequencies:
        is_clock = f.k in clocks
        assert f.verdict == ("clock" if is_clock else "pizza")
        assert f.coordinate == pytest.approx(0.0 if is_clock else 1.0, abs=0.02) and f.mixture_fit > 0.999
        # Clocks were planted with every pair of phases, pizzas with equal ones.
        assert f.shape == ("torus" if is_clock else "disc")
        assert abs(f.R - 1) < 1e-6 and f.neurons == (256 if is_clock else 32)


def test_interventions_on_a_planted_circuit_do_all_or_nothing() -> None:
    found = analyses.causal(Circuit(planted(P, clocks=KEYS)))
    assert found.turns == 5_000 and found.draws == 100 and found.pairs == P * P and not found.are_held_out
    for site in ("embedding", "pre-activations", "logits"):
        keep, remove = found.effect(site, "keep only"), found.effect(site, "remove")
        assert keep is not None and keep.value == 1.0 and keep.same.beaten and keep.as_large.beaten
        assert remove is not None and remove.value < 0.15 and remove.same.beaten
        # Nothing lies at other frequencies: taking it away changes nothing.
        assert remove.same.least == remove.same.most == 1.0
    turn, knock_out = found.effect("embedding", "turn"), found.effect("pre-activations", "knock out")
    assert turn is not None and turn.value == 1.0 and turn.same.most == 0.0
    assert knock_out is not None and knock_out.value == 1.0 and not knock_out.same.beaten
    for _, share in found.turned_alone:  # one hand of three does not move the answer along
        assert share < 0.5


"""The parts of the residual, by their definitions and in the order of its fields: a wave belongs to the first that it fits."""


@pytest.mark.parametrize("name", ["untrained-113.pt", "memorising-59.pt"])
def test_a_committed_control_is_not_explained(name: str) -> None:
    card = analyses.explanation(interp.load(FOLDER / name))
    assert not card.is_explained and not card.what and not card.why and "does not generalise" in card.reason


def test_a_lookup_table_is_right_everywhere_and_not_explained() -> None:
    """Its neurons work at no frequency, and there are no frequencies that it does not use."""
    card = analyses.explanation(Circuit(lookup(13)))
    assert card.generalises and card.is_explained is False and card.how is False and card.why is None
    assert "cut down to waves, do not give its answers" in card.reason
    assert "confirm it cannot be said: trying interventions needs 20 different" in card.reason
    assert any(part.startswith("trying interventions needs 20 different sets") for part in card.lacking)


def test_a_circuit_with_spoiled_answers_is_not_explained() -> None:
    """Half right is a near miss, however clean the other half is."""

    def spoil(stream: torch.Tensor) -> torch.Tensor:
        stream = stream.clone()
        stream[: P // 4] = 0
        return stream

    circuit = Circuit(planted(P, clocks=KEYS)).with_activation("blocks.0.hook_resid_post", spoil)
    card = analyses.explanation(circuit)
    assert 0.5 < analyses.performance(circuit).accuracy < 0.95
    assert not card.is_explained and not card.generalises and not card.what


def test_several_layers_get_the_parts_that_apply() -> None:
    config = NetworkConfig(p=13, n_layers=2, d_model=16, n_heads=2, d_head=8, d_mlp=32)
    card = analyses.explanation(Circuit(initialise(config, seed=0)))
    assert card.is_explained is False and not card.generalises and 0 <= card.neuron_agreement <= 1
    assert any("these are the last of 2 layers" in part for part in card.lacking) and card.table().rows
    assert card.how is not True and all(f.lawful is None for f in card.frequencies)


def test_a_deep_circuit_is_named_unchecked_and_its_phase_law_is_not_asked_for() -> None:
    """Its last layer is a planted clock, and all of it is measured; but last neurons of a deep network need not obey a law."""
    flat = Circuit(planted(P, clocks=KEYS))
    deep = Circuit(deepened(planted(P, clocks=KEYS)))
    assert torch.equal(deep.logits, flat.logits) and torch.equal(deep.neurons, flat.neurons)
    verdicts = [analyses.clock_or_pizza(each) for each in (flat, deep)]
    assert [(each.verdict, each.sureness) for each in verdicts] == [("clock", "clear"), ("clock", "unchecked")]
    assert verdicts[0].specialisation == verdicts[1].specialisation
    card = analyses.explanation(deep)
    assert (card.is_explained, card.what, card.how, card.why) == (True, True, True, True) and card.rung == 1
    assert any("these are the last of 2 layers" in part for part in card.lacking)
    assert all(f.lawful is None and f.R > 0.95 for f in card.frequencies)


def test_what_was_not_measured_is_neither_yes_nor_no() -> None:
    """Logits alone: a formula fits them, and nothing can be said of neurons that nobody has."""
    circuit = interp.from_logits(Circuit(planted(P, clocks=KEYS)).logits)
    card = analyses.explanation(circuit)
    assert (card.is_explained, card.what, card.how, card.why) == (None, True, None, None)
    assert card.verdict() == "cannot be said" and card.table().title == "Explained: cannot be said"
    assert [row[-1] for row in card.table().rows[:3]] == [True, None, None]
    assert all(f.lawful is None for f in card.frequencies)
    assert "how its neurons do it cannot be said: measuring phase_law needs neurons" in card.reason
    assert "whether interventions confirm it cannot be said: the embedding" in card.reason
    assert any("embedding" in part for part in card.lacking)
    # What fails, fails all the same.
    wrong = interp.from_logits(Circuit(planted(P, clocks=KEYS)).logits.roll(1, -1))
    assert (analyses.explanation(wrong).is_explained, analyses.explanation(wrong).how) == (False, None)


@pytest.mark.parametrize(
    ("parts", "all_of_them"),
    [
        ([True, True], True),
        ([True, None], None),
        ([None, None], None),
        ([True, None, False], False),
        ([False, True], False),
    ],
)
def test_all_parts_hold_unless_one_does_not_or_cannot_be_said(parts: list[bool | None], all_of_them: bool | None) -> None:
    assert all_hold(parts) is all_of_them


@pytest.fixture(scope="module")
def clock() -> Network:
    network = interp.load(FOLDER / "zhong-59-rate-1.pt").network
    assert isinstance(network, Network)
    return network


def _coordinates(network: Network) -> dict[int, float]:
    card = analyses.explanation(Circuit(network))
    assert card.is_explained and card.turned > 0.95
    return {f.k: f.coordinate for f in card.frequencies}


@pytest.mark.slow
def test_the_explanation_does_not_depend_on_how_the_network_is_written_down(
    clock: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tolerances on the coordinates: .05 under noise of 1% of each weight matrix, 1e-3 under all that changes nothing."""
    # A tenth of the hands is turned: five networks take half a minute with all.
    monkeypatch.setattr(sys.modules["analyses.trials.explanation"], "causal", partial(analyses.causal, turned_inputs=5_000))
    before = _coordinates(clock)

    noisy, generator = {}, torch.Generator().manual_seed(0)
    for name, weight in clock.parameters.items():
        noisy[name] = weight + 0.01 * weight.square().mean().sqrt() * torch.randn(weight.shape, generator=generator)
    assert _coordinates(Network(clock.config, noisy)) == pytest.approx(before, abs=0.05)

    d = clock.config.d_model
    R = torch.linalg.qr(torch.randn(d, d, generator=generator)).Q
    W = dict(clock.parameters)
    for name in ("embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_O", "blocks.0.mlp.W_out", "blocks.0.mlp.b_out"):
        W[name] = W[name] @ R
    for name in ("blocks.0.attn.W_Q", "blocks.0.attn.W_K", "blocks.0.attn.W_V", "blocks.0.mlp.W_in", "unembed.W_U"):
        W[name] = R.T @ W[name]
    assert _coordinates(Network(clock.config, W)) == pytest.approx(before, abs=1e-3)

    u, p = 7, clock.config.p
    order = torch.arange(p) * u % p
    W = dict(clock.parameters)
    W["embed.W_E"], W["unembed.W_U"] = W["embed.W_E"][order], W["unembed.W_U"][:, order]
    moved = {fourier.fold(k * u, p): coordinate for k, coordinate in before.items()}
    assert _coordinates(Network(clock.config, W)) == pytest.approx(moved, abs=1e-3)

    assert _coordinates(clock.to(torch.float64)) == pytest.approx(before, abs=1e-3)


def test_an_explanation_needs_every_part(clock: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the criterion's parts, taken away alone, makes the network unexplained, and is named."""
    circuit = Circuit(clock)
    assert analyses.explanation(circuit).is_explained
    law, effects, rungs = analyses.phase_law(circuit), analyses.causal(circuit), analyses.ladder(circuit)
    scores = analyses.surrogate(circuit)
    strongest = max(range(len(law.frequencies)), key=lambda i: analyses.amplitude_profile(circuit).profiles[i].share)

    def of_law(**changes: Any) -> PhaseLaw:
        each = list(law.frequencies)
        each[strongest] = dataclasses.replace(each[strongest], **changes)
        return dataclasses.replace(law, frequencies=tuple(each))

    def of_ladder(**changes: Any) -> Ladder:
        return dataclasses.replace(
            rungs, rungs=tuple(dataclasses.replace(r, score=dataclasses.replace(r.score, **changes)) for r in rungs.rungs)
        )

    def of_effects(site: str, edit: str, **changes: Any) -> Causal:
        return dataclasses.replace(
            effects,
            effects=tuple(
                dataclasses.replace(e, **changes) if (e.site, e.edit) == (site, edit) else e for e in effects.effects
            ),
        )

    idle = dataclasses.replace(effects.effects[0].same, beaten=False)
    lost = tuple(dataclasses.replace(s, agreement=0.98) for s in scores.neurons)
    no_answers = {"surrogate": dataclasses.replace(scores, neurons=lost), "ladder": _without_neurons(rungs)}
    why, no_more = "interventions do not confirm it: ", "does no more than some random draw"
    not_half = "makes less than half of the answers"
    for changed, reason in (
        ({"causal": of_effects("embedding", "remove", same=idle)}, f"{why}'remove' at the embedding {no_more}"),
        ({"causal": of_effects("embedding", "remove", as_large=idle)}, f"{why}'remove' at the embedding {no_more}"),
        ({"causal": of_effects("embedding", "remove", value=0.51)}, f"{why}'remove' at the embedding {not_half}"),
        ({"causal": of_effects("logits", "remove", same=idle)}, f"{why}'remove' at the logits {no_more}"),
        ({"causal": of_effects("embedding", "turn", same=idle)}, f"{why}'turn' at the embedding {no_more}"),
        ({"causal": of_effects("embedding", "turn", value=0.49)}, f"{why}'turn' at the embedding {not_half}"),
        ({"phase_law": of_law(R=0.94)}, "its neurons do not obey the phase law"),
        ({"phase_law": of_law(null_most=0.9999)}, "its neurons do not obey the phase law"),
        ({"ladder": of_ladder(explained=0.949)}, "nothing simpler can take its place; "),
        ({"ladder": of_ladder(agreement=0.989)}, "nothing simpler can take its place; "),
        ({"ladder": of_ladder(recovered=0.989)}, "nothing simpler can take its place; "),
        (no_answers, "its neurons, cut down to waves, do not give its answers"),
    ):
        found = {"phase_law": law, "causal": effects, "ladder": rungs, "surrogate": scores, **changed}
        card = _with(monkeypatch, found, clock)
        assert card.is_explained is False and card.reason.startswith(reason), (changed.keys(), card.reason)
    # What an explanation does not ask for may fail.
    for fine in (of_effects("logits", "remove", as_large=idle), of_effects("embedding", "keep only", same=idle)):
        assert _with(monkeypatch, {"phase_law": law, "causal": fine, "ladder": rungs, "surrogate": scores}, clock).is_explained
    # Without interventions why cannot be said, and without those at the embedding neither.
    at_embedding = tuple(e for e in effects.effects if e.site != "embedding")
    for left in ((), at_embedding):
        value = dataclasses.replace(effects, effects=left, lacking=("turn: impossible",))
        card = _with(monkeypatch, {"phase_law": law, "causal": value, "ladder": rungs, "surrogate": scores}, clock)
        assert (
            card.why is None
            and card.is_explained is None
            and card.reason.startswith("whether interventions confirm it cannot be said: ")
        )


def _without_neurons(rungs: Ladder) -> Ladder:
    return dataclasses.replace(rungs, rungs=tuple(each for each in rungs.rungs if each.number < 3))


def _with(monkeypatch: pytest.MonkeyPatch, findings: dict[str, Any], network: Network) -> Explanation:
    """The card that follows from these findings."""
    module = sys.modules["analyses.trials.explanation"]
    with monkeypatch.context() as patch:
        for name, found in findings.items():
            patch.setattr(module, name, lambda _, value=found: value)
        return analyses.explanation(Circuit(network))


@pytest.mark.parametrize(
    ("shares", "holds"),
    [
        ([(0.5, True), (0.45, True), (0.05, False)], True),
        ([(0.5, True), (0.44, True), (0.06, False)], False),
        ([(0.19, True), (0.01, None)], True),
        ([(0.2, False)], False),
        ([], False),
    ],
)
def test_the_law_has_to_hold_where_the_output_is(shares: list[tuple[float, bool | None]], holds: bool) -> None:
    assert law_holds(shares) is holds


def test_products_are_needed_where_attention_multiplies(clock: Network) -> None:
    assert analyses.phase_law(Circuit(clock)).delta_2 > 0.1
    pizza = interp.load(FOLDER / "zhong-59-rate-0.pt")
    assert analyses.phase_law(pizza).delta_2 == 0.0
