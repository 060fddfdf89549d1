"""The page's trainer beside torch: the same loss, the same gradient, the same step, the same verdict."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from browser import FOLDER, require_chromium
from playwright.sync_api import Page, sync_playwright

import analyses
import interp
from analyses.adding.circles import circle_of
from analyses.reports.page.training import RECIPE, trainer
from interp.circuit import Circuit
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.transformer import Network
from interp.recipe import Recipe
from interp.training.loop import initial_network, labelled, training_step
from interp.training.optimisers import Optimiser, learning_rate

SMALL = replace(RECIPE, p=7, train_fraction=0.5, network=replace(RECIPE.network, d_model=12, n_heads=3, d_head=4, d_mlp=20))
PAIRS = torch.tensor([0, 3, 10, 17, 18, 25, 32, 40, 41, 48])


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    """A browser that knows the trainer's functions and nothing else."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=require_chromium(), args=["--no-sandbox"])
        tab = running.new_page()
        tab.add_script_tag(content=trainer())
        yield tab
        running.close()


def plain(config: Any) -> dict[str, int]:
    assert isinstance(config, NetworkConfig)
    return {name: getattr(config, name) for name in ("p", "d_model", "n_heads", "d_head", "d_mlp")}


def ask(tab: Page, code: str, parameters: Parameters, **values: Any) -> Any:
    """What the trainer makes of these parameters: ``code`` may use ``weights`` and the values by their names."""
    weights = {name: x.double().flatten().tolist() for name, x in parameters.items()}
    function = (
        f"([weights, {', '.join(values)}]) => {{ for (const name in weights) weights[name] = Float64Array.from(weights[name]);"
        f" {code} }}"
    )
    return tab.evaluate(function, [weights, *values.values()])


def double(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def rough(recipe: Recipe) -> Parameters:
    """Parameters none of which is 0, biases among them."""
    parameters = initial_network(recipe, seed=3, dtype=torch.float64).parameters
    generator = torch.Generator().manual_seed(5)
    return {name: x + 0.1 * torch.randn(x.shape, generator=generator).double() for name, x in parameters.items()}


def test_the_forward_pass_is_torch_s(browser: Page) -> None:
    config, parameters = SMALL.config, rough(SMALL)
    logits = ask(
        browser, "return [...forward(config, weights, a, b).logits]", parameters,
        config=plain(config), a=(PAIRS // 7).tolist(), b=(PAIRS % 7).tolist(),
    )  # fmt: skip
    expected = labelled(SMALL, PAIRS).logits(parameters)
    assert double(logits).view_as(expected) == pytest.approx(expected, abs=1e-9)


def test_the_gradient_and_three_steps_are_torch_s(browser: Page) -> None:
    """At full rate, in the warm-up and on the way down: 1e-9 in double precision."""
    parameters, data = rough(SMALL), labelled(SMALL, PAIRS)
    recipe = replace(SMALL, steps=20, warmup_steps=2)
    pairs = {"a": (PAIRS // 7).tolist(), "b": (PAIRS % 7).tolist(), "labels": data.labels.tolist()}
    values = {"config": plain(SMALL.config), "pairs": pairs, "recipe": recipe.to_dict()}
    found = ask(
        browser, "const { loss, gradient } = lossAndGradient(config, weights, pairs);"
        "return [loss, Object.entries(gradient).map(([name, x]) => [name, [...x]])]", parameters, **values,
    )  # fmt: skip
    ours = {name: x.clone().requires_grad_() for name, x in parameters.items()}
    loss = data.loss(ours)
    loss.backward()
    assert found[0] == pytest.approx(loss.item(), abs=1e-12)
    gradient = dict(found[1])
    assert gradient.keys() == parameters.keys()
    for name, x in ours.items():
        assert x.grad is not None
        assert double(gradient[name]).view_as(x) == pytest.approx(x.grad, abs=1e-9), name

    stepped = ask(
        browser, "const memory = { mean: zeros(config), square: zeros(config) };"
        "for (let step = 0; step < 3; step++) trainingStep(config, recipe, weights, memory, pairs, step);"
        "return Object.entries(weights).map(([name, x]) => [name, [...x]])", parameters, **values,
    )  # fmt: skip
    ours = {name: x.clone().requires_grad_() for name, x in parameters.items()}
    optimiser = Optimiser(recipe, ours)
    for step in range(3):
        training_step(ours, optimiser, step, data)
    for name, values_of in stepped:
        assert double(values_of).view_as(ours[name]) == pytest.approx(ours[name].detach(), abs=1e-8), name
        assert not torch.equal(ours[name].detach(), parameters[name])


def test_the_learning_rate_is_the_recipe_s(browser: Page) -> None:
    rates = browser.evaluate("recipe => [0, 1, 5, 10, 700, 1499, 1500].map((step) => rateAt(recipe, step))", RECIPE.to_dict())
    assert rates == pytest.approx([learning_rate(RECIPE, step) for step in (0, 1, 5, 10, 700, 1499, 1500)])


def beside(found: dict[str, Any], circuit: Circuit) -> None:
    """Both verdicts, number by number."""
    keys, judged = analyses.key_frequencies(circuit).frequencies, analyses.clock_or_pizza(circuit)
    assert tuple(found["keys"]) == keys and found["verdict"] == judged.verdict
    assert found["accuracy"] == judged.accuracy
    assert found["specialisation"] == pytest.approx(judged.specialisation, abs=1e-4)
    assert found["explained"] == pytest.approx(judged.explained, abs=1e-4)
    profiles = analyses.amplitude_profile(circuit).profiles
    for mine, theirs in zip(found["profiles"], profiles, strict=True):
        assert (mine["k"], mine["verdict"]) == (theirs.k, theirs.verdict)
        assert mine["coordinate"] == pytest.approx(theirs.coordinate, abs=1e-3)
        assert mine["share"] == pytest.approx(theirs.share, abs=1e-4)
    if judged.accuracy >= 0.99:
        assert found["coordinate"] == pytest.approx(judged.coordinate, abs=1e-3)


def test_the_verdict_is_python_s_on_networks_of_the_page_s_size(browser: Page) -> None:
    """A network that was trained for a while, and one that was not."""
    from interp.training.loop import train

    recipe = replace(SMALL, p=11, train_fraction=0.8, steps=400)
    *_, last = train(recipe, seed=0, record_every=400)
    for network in (last.network, initial_network(recipe, seed=1)):
        circuit = Circuit(network)
        found = ask(browser, "return verdictOf(config, weights)", network.parameters, config=plain(network.config))
        assert tuple(found["keys"]) == analyses.key_frequencies(circuit).frequencies
        assert found["accuracy"] == analyses.performance(circuit).accuracy
        assert found["specialisation"] == pytest.approx(analyses.neuron_clusters(circuit).specialisation, abs=1e-4)
        k = 2
        points = ask(browser, "return circleOf(weights, 2, config)", network.parameters, config=plain(network.config))
        assert points == [pytest.approx(point, abs=1e-4) for point in circle_of(circuit.embedding, k).points]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quick-113", "nanda-113-step-1400"])
def test_the_verdict_is_python_s_on_committed_checkpoints(browser: Page, name: str) -> None:
    """A hybrid of clocks and a pizza, and a network that does not generalise yet."""
    circuit = interp.load(FOLDER / f"{name}.pt")
    network = circuit.network
    assert isinstance(network, Network)
    beside(ask(browser, "return verdictOf(config, weights)", network.parameters, config=plain(network.config)), circuit)


def test_a_seed_is_a_start_and_a_split(browser: Page) -> None:
    recipe = {**RECIPE.to_dict(), "record_every": 10}
    make = "([recipe, seed]) => { const { parameters, data } = started({ recipe, seed });" \
           "return [Object.entries(parameters).map(([name, x]) => [name, [...x]]), data]; }"  # fmt: skip
    first, again, other = (browser.evaluate(make, [recipe, seed]) for seed in (0, 0, 1))
    assert first == again != other
    torch_s = initial_network(RECIPE, seed=0).parameters
    for name, values in first[0]:
        ours, theirs = double(values), torch_s[name].double()
        assert ours.numel() == theirs.numel()
        # Equally wide, to five standard errors.
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=5 / math.sqrt(len(values)), abs=1e-12), name
        assert abs(ours.mean().item()) <= 5 * theirs.std().item() / math.sqrt(len(values))
    train, test = first[1]["train"], first[1]["test"]
    pairs = list(zip(train["a"] + test["a"], train["b"] + test["b"], strict=True))
    assert len(pairs) == len({*pairs}) == 23 * 23 and len(train["a"]) == int(RECIPE.train_fraction * 23 * 23)
    assert train["labels"] == [(a + b) % 23 for a, b in zip(train["a"], train["b"], strict=True)]
