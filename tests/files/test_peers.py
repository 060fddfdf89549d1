"""Networks trained by others, against values that an independent program computed from the same weights."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import analyses
import interp
from analyses.commands.convert import main as convert
from analyses.timeline.progress import progress_of
from interp.circuit import Circuit
from interp.files import formats
from interp.files.checkpoint import Checkpoint
from interp.files.formats.series import load_series
from interp.networks.transformer import Network
from interp.tasks.addition import Addition
from interp.tasks.split import split

PEERS = Path(__file__).parent.parent.parent.parent / "shared" / "peers"
if not (PEERS / "truth.json").is_file():
    pytest.skip("needs the networks of others at ../shared/peers, which are not here", allow_module_level=True)

TRUTH: dict[str, dict[str, dict[str, Any]]] = json.loads((PEERS / "truth.json").read_text())
FILES = {
    **{f"clock-and-pizza/model_{name}.pt": values for name, values in TRUTH["clock-and-pizza"].items()},
    **{f"rep-theory/{name}/model.pt": values for name, values in TRUTH["rep-theory"].items()},
    **{f"progress-measures/{name}.pth": values for name, values in TRUTH["progress-measures"].items()},
}


def those_with(key: str) -> pytest.MarkDecorator:
    """The networks for which the independent program gives this value."""
    return pytest.mark.parametrize("peer", [name for name in FILES if key in FILES[name]], indirect=True)


@pytest.fixture(scope="module", params=FILES)
def peer(request: pytest.FixtureRequest) -> tuple[Circuit, dict[str, Any]]:
    truth = FILES[request.param]
    circuit = interp.load(PEERS / request.param)
    if known := truth.get("split"):
        train = split(Addition(circuit.p), method="python-shuffle", fraction=known["frac"], seed=known["seed"]).train_pairs
        circuit = Circuit(circuit.network, train)
    return circuit, truth


def test_accuracy_and_losses(peer: tuple[Circuit, dict[str, Any]]) -> None:
    circuit, truth = peer
    measured = analyses.performance(circuit)
    assert measured.accuracy == truth["accuracy"]
    if losses := truth.get("losses", {}).get("full"):
        assert measured.loss == pytest.approx(losses["all"], rel=0.01)
        if circuit.train_pairs is not None:
            assert measured.train_loss == pytest.approx(losses["train"], rel=0.01)
            assert measured.test_loss == pytest.approx(losses["test"], rel=0.01)


def test_key_frequencies(peer: tuple[Circuit, dict[str, Any]]) -> None:
    circuit, truth = peer
    keys = analyses.key_frequencies(circuit)
    assert set(keys.frequencies) == set(truth.get("keys") or truth.get("output_freqs") or ())
    if "minor" in truth:
        assert list(keys.minor) == truth["minor"]
    if "logit_fve" in truth:
        assert analyses.logit_spectrum(circuit).clock_share == pytest.approx(truth["logit_fve"], abs=1e-3)


@those_with("gs_paper")
def test_measures_of_the_clock_and_pizza_paper(peer: tuple[Circuit, dict[str, Any]]) -> None:
    circuit, truth = peer
    symmetry = analyses.gradient_symmetry(circuit, triples=None)
    assert symmetry.paper_sample == pytest.approx(truth["gs_paper"], abs=1e-3)
    assert symmetry.mean == pytest.approx(truth["gs_all"], abs=1e-3)
    irrelevance = analyses.distance_irrelevance(circuit)
    assert irrelevance.correct == pytest.approx(truth["di_correct"], abs=1e-3)
    assert irrelevance.largest_wrong == pytest.approx(truth["di_top_wrong"], abs=1e-3)
    assert analyses.circularity(circuit).circularity == pytest.approx(truth["circularity"], abs=1e-3)


def test_verdicts(peer: tuple[Circuit, dict[str, Any]]) -> None:
    circuit, truth = peer
    verdict = analyses.clock_or_pizza(circuit)
    if truth.get("trained") is False:
        assert verdict.verdict == "not generalising" and verdict.frequencies == ()
    if truth.get("call"):
        assert verdict.verdict == truth["call"]
    expected = truth.get("per_freq", {})
    for profile in analyses.amplitude_profile(circuit).profiles:
        if str(profile.k) in expected:
            assert profile.verdict == expected[str(profile.k)]["verdict"]
            assert profile.variation == pytest.approx(expected[str(profile.k)]["cv"], abs=1e-3)
            assert profile.min_over_max == pytest.approx(expected[str(profile.k)]["min_over_max"], abs=1e-3)


@those_with("clusters")
def test_neuron_clusters(peer: tuple[Circuit, dict[str, Any]]) -> None:
    circuit, truth = peer
    clusters = analyses.neuron_clusters(circuit).clusters
    assert {str(k): count for k, count in clusters.items()} == truth["clusters"]
    assert sum(clusters.values()) == truth["neurons_ge_085"]


def test_transformer_lens_3_s_own_logits() -> None:
    path = PEERS / "transformer-lens-3" / "tl3_tiny.pt"
    theirs = torch.load(path, weights_only=True)["logits_last"].reshape(7, 7, 7)
    assert (interp.load(path).logits - theirs).abs().max() < 1e-5


@pytest.mark.parametrize(
    "file", ["transformer-lens-3/tl3_tiny_demo_container.pth", "field/pickled-config-rmsnorm-swiglu-p113/checkpoint.pt"]
)
def test_a_pickled_config_is_refused_and_what_else_is_in_the_file_can_be_had(file: str, tmp_path: Path) -> None:
    with pytest.raises(interp.InterpError, match=r"never loaded: interp-convert THIS_FILE plain\.pt --to plain"):
        interp.load(PEERS / file)
    assert convert([str(PEERS / file), str(tmp_path / "plain.pt"), "--to", "plain"]) == 0
    copied, weights = torch.load(tmp_path / "plain.pt", weights_only=True), PEERS / Path(file).with_name("weights.pt")
    if weights.exists():
        published = torch.load(weights, weights_only=True, map_location="cpu")
        assert copied["model"].keys() == published.keys()
        assert all(torch.equal(copied["model"][name], tensor) for name, tensor in published.items())
    else:
        assert interp.load(tmp_path / "plain.pt").p == 7


def test_a_published_series_is_read_with_relu_throughout() -> None:
    """As its author trained it; by the loss, the last of them was read with GELU."""
    folder = PEERS / "field" / "series-p53"
    for step, accuracy in json.loads((folder / "truth.json").read_text())["accuracy_all_pairs"].items():
        saved = formats.load(folder / f"step_{int(step):05d}.pt")
        assert [each.taken for each in saved.assumed] == ["activation relu"]
        assert analyses.performance(Circuit(saved.network)).accuracy == pytest.approx(accuracy, abs=1e-4)


def _at_step(saved: Checkpoint) -> tuple[Circuit, int]:
    assert saved.step is not None
    return saved.circuit(), saved.step


def test_a_published_series_is_one_run_and_has_a_timeline() -> None:
    folder = PEERS / "field" / "series-p53"
    truth = json.loads((folder / "truth.json").read_text())["accuracy_all_pairs"]
    found = load_series(folder)
    assert [saved.step for _, saved in found] == [int(step) for step in truth]
    timeline = progress_of([partial(_at_step, saved) for _, saved in found])
    assert [m.accuracy for m in timeline.moments] == pytest.approx(list(truth.values()), abs=1e-4)
    assert timeline.phases.verdict == "cannot be said"
    assert all(isinstance(saved.network, Network) and saved.network.config.activation == "relu" for _, saved in found)


def test_a_configuration_within_a_configuration_is_read() -> None:
    folder = PEERS / "field" / "transformer-lens-nested-config-p113"
    truth = json.loads((folder / "truth.json").read_text())
    saved = formats.load(folder / "checkpoint.pt")
    measured = analyses.performance(Circuit(saved.network))
    assert not saved.assumed
    assert measured.accuracy == pytest.approx(truth["accuracy"], abs=1e-6)
    assert measured.loss == pytest.approx(truth["loss"], rel=0.01)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("git-lfs-pointer/network.pth", "is a Git LFS pointer"),
        ("data-set-not-a-network/dataset.pt", "holds whole numbers"),
        ("pickled-config-rmsnorm-swiglu-p113/checkpoint.pt", "holds pickled objects .* interp-convert"),
    ],
)
def test_what_is_no_network_that_can_be_read_is_said_to_be_what_it_is(file: str, message: str) -> None:
    with pytest.raises(interp.InterpError, match=message):
        interp.load(PEERS / "field" / file)


def test_the_published_keys_of_the_rep_theory_transformer() -> None:
    import re

    published = (PEERS / "rep-theory" / "C113_T_seed1" / "key_reps.txt").read_text()
    keys = analyses.key_frequencies(interp.load(PEERS / "rep-theory" / "C113_T_seed1" / "model.pt"))
    assert set(map(int, re.findall(r"\d+", published))) == {16, 30, 56} == set(keys.frequencies)


def test_where_the_rest_of_a_network_of_near_equal_frequencies_lives() -> None:
    """In functions of a+b and c: the sum is right, the circles on which it is read out overlap and are no circles."""
    circuit = interp.load(PEERS / "clock-and-pizza" / "model_q9rsl94xlv.pt")
    where = analyses.residual(circuit)
    assert where.unexplained == pytest.approx(0.0555, abs=1e-3)
    assert where.crosstalk + where.ellipses + where.other_sums > 0.8 * where.unexplained
    # No formula carries it; what its neurons read and write does.
    card = analyses.explanation(circuit)
    assert card.is_explained and card.rung == 2 and card.closed_form.explained < 0.95 and card.closed_form.agreement == 1.0
