"""The fast step is the plain one: same logits, same loss, same gradients, same weights after hundreds of steps."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import added

from interp.networks.activations import Activation
from interp.networks.attention_free import AttentionFreeConfig
from interp.networks.config import Architecture, NetworkConfig, Parameters
from interp.networks.initialisation import initialise, initialise_attention_free
from interp.networks.kinds import Config
from interp.networks.token_tables import has_token_tables
from interp.recipe import RECIPES, Recipe
from interp.tasks.addition import Addition
from interp.training.batch import PlainBatch
from interp.training.fast_batch import FastBatch
from interp.training.loop import initial_network, training_split, training_step
from interp.training.losses import LOSSES
from interp.training.optimisers import Optimiser


@st.composite
def configurations(draw: st.DrawFn) -> NetworkConfig:
    equals_token = draw(st.booleans())
    heads, d_head = draw(st.integers(1, 4)), draw(st.sampled_from([1, 3, 8]))
    return NetworkConfig(
        p=draw(st.integers(2, 23)),
        equals_token=equals_token,
        separate_vocabularies=draw(st.booleans()),
        answers_equals=equals_token and draw(st.booleans()),
        d_model=heads * d_head,
        n_heads=heads,
        d_head=d_head,
        d_mlp=draw(st.sampled_from([1, 16, 33])),
        activation=draw(st.sampled_from(["relu", "gelu", "square"])),
        causal=draw(st.booleans()),
        attention_rate=draw(st.sampled_from([0.0, 0.3, 1.0])),
        attention_biases=draw(st.booleans()),
        mlp_biases=draw(st.booleans()),
        unembed_bias=draw(st.booleans()),
    )


def parameters_of(config: Config, seed: int, dtype: torch.dtype) -> Parameters:
    """Random, biases too, on the scale at which nothing is small."""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(config, NetworkConfig):
        start = initialise(config, seed=seed, dtype=dtype).parameters
    else:
        start = initialise_attention_free(config, seed=seed, dtype=dtype).parameters
    noise = {name: torch.randn(x.shape, generator=generator, dtype=torch.float64) for name, x in start.items()}
    return {name: (x + noise[name].to(dtype) / 4).requires_grad_() for name, x in start.items()}


def relative(x: torch.Tensor, reference: torch.Tensor, least: float = 1e-30) -> float:
    return ((x - reference).abs().max() / reference.abs().max().clamp_min(least)).item()


LOSS_NAMES = st.sampled_from(list(LOSSES))


@settings(max_examples=80)
@given(config=configurations(), loss=LOSS_NAMES, seed=st.integers(0, 1000), data=st.data())
def test_logits_and_gradients_equal_the_plain_network_s(
    config: NetworkConfig, loss: str, seed: int, data: st.DataObject
) -> None:
    check_is_the_plain_network(config, loss, seed, data)


@settings(max_examples=40)
@given(
    p=st.integers(2, 23),
    width=st.sampled_from([1, 16, 33]),
    separate=st.booleans(),
    activation=st.sampled_from(["relu", "gelu", "square"]),
    loss=LOSS_NAMES,
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_so_do_those_of_neurons_that_read_embeddings(
    p: int, width: int, separate: bool, activation: Activation, loss: str, seed: int, data: st.DataObject
) -> None:
    config = AttentionFreeConfig(
        p=p,
        kind="direct",
        d_embedding=width,
        d_hidden=width,
        biases=False,
        separate_vocabularies=separate,
        activation=activation,
    )
    assert has_token_tables(config)
    check_is_the_plain_network(config, loss, seed, data)


def check_is_the_plain_network(config: Config, loss: str, seed: int, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.integers(0, config.p**2 - 1), min_size=1, max_size=80, unique=True))
    indices = torch.tensor(sorted(some))
    # The truth is the plain network in float64, for the float32 weights too.
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        parameters = parameters_of(config, seed, dtype)
        exact = {name: x.detach().double().requires_grad_() for name, x in parameters.items()}
        labels = Addition(config.p).answers(indices)
        fast, plain = (kind(config, indices, labels, LOSSES[loss]) for kind in (FastBatch, PlainBatch))
        # The terms of these logits are of order 1; where they cancel, what is left is no more exact than they are.
        assert relative(fast.logits(parameters), plain.logits(exact), least=1.0) < tolerance
        value, expected = fast.loss(parameters), plain.loss(exact)
        assert value.item() == pytest.approx(expected.item(), rel=tolerance)
        value.backward()
        expected.backward()
        size = max(1.0, plain.logits(exact).abs().max().item())
        whole = max(x.grad.abs().max().item() for x in exact.values() if x.grad is not None)
        for name, x in parameters.items():
            expected_gradient = exact[name].grad
            assert x.grad is not None and expected_gradient is not None, name
            # Relative to the largest gradient: some are sums that cancel, those of b_K to 0. Where all are small, because the
            # network is sure, the plain one's are no more exact than its probabilities, which end at 2e-16, times what the
            # logits change with the weights: as the square of what neurons read, and so as the logits, where they square it.
            assert (x.grad - expected_gradient).abs().max().item() <= tolerance * whole + 1e-14 * size, name


@pytest.mark.parametrize("equals_token", [True, False])
def test_the_loss_and_its_gradient_are_right_however_sure_or_wrong_the_network(equals_token: bool) -> None:
    config = NetworkConfig(
        p=7, d_model=8, n_heads=2, d_head=4, d_mlp=16, equals_token=equals_token, answers_equals=equals_token
    )
    for scale in (1.0, 10.0, 100.0, 1000.0):
        parameters = parameters_of(config, 3, torch.float64)
        with torch.no_grad():
            parameters["unembed.W_U"] *= scale
        fast, plain = added(FastBatch, config, torch.arange(49)), added(PlainBatch, config, torch.arange(49))
        loss, expected = fast.loss(parameters), plain.loss(parameters)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
        ours = torch.autograd.grad(loss, list(parameters.values()))
        theirs = torch.autograd.grad(expected, list(parameters.values()))
        assert all(relative(x, y) < 1e-10 for x, y in zip(ours, theirs, strict=True) if y.abs().max() > 1e-200)


SMALL = Architecture(d_model=16, n_heads=2, d_head=8, d_mlp=32)
SMALL_13 = SMALL.with_symbols(13)


@pytest.mark.parametrize(
    "recipe",
    [
        replace(RECIPES["nanda-2023"], p=13, network=SMALL),
        replace(RECIPES["steady"], p=13, network=replace(SMALL, activation="gelu", attention_biases=True, unembed_bias=True)),
        replace(
            RECIPES["zhong-2023"],
            p=13,
            network=replace(SMALL, equals_token=False, answers_equals=False, causal=False, attention_rate=0.4),
        ),
    ],
    ids=["nanda-2023", "gelu and biases", "zhong-2023"],
)
def test_two_hundred_steps_give_the_same_weights(recipe: Recipe) -> None:
    def trained(kind: type[FastBatch] | type[PlainBatch]) -> Parameters:
        parameters = initial_network(recipe, 0, torch.float64).parameters
        parameters = {name: x.clone().requires_grad_() for name, x in parameters.items()}
        optimiser, data = Optimiser(recipe, parameters), added(kind, recipe.config, training_split(recipe, 0).train_pairs)
        for step in range(200):
            training_step(parameters, optimiser, step, data)
        return {name: x.detach() for name, x in parameters.items()}

    fast, plain = trained(FastBatch), trained(PlainBatch)
    start = initial_network(recipe, 0, torch.float64).parameters
    for name in fast:
        assert (fast[name] - plain[name]).abs().max() < 1e-9, name
    assert not torch.allclose(fast["embed.W_E"], start["embed.W_E"], atol=1e-3)


def test_a_loss_whose_memory_is_used_again_gives_no_gradient_rather_than_a_wrong_one() -> None:
    data = added(FastBatch, SMALL_13, torch.arange(100))
    parameters = parameters_of(SMALL_13, 0, torch.float32)
    first = data.loss(parameters)
    data.loss(parameters)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        first.backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_cuda_device_computes_the_same() -> None:
    indices, parameters = torch.arange(100), parameters_of(SMALL_13, 0, torch.float64)
    there = {name: x.detach().to("cuda").requires_grad_() for name, x in parameters.items()}
    here, on_device = (
        added(FastBatch, SMALL_13, indices).loss(parameters),
        added(FastBatch, SMALL_13, indices.to("cuda")).loss(there),
    )
    here.backward()
    on_device.backward()
    assert on_device.item() == pytest.approx(here.item(), rel=1e-12)
    for name, x in parameters.items():
        gradient = there[name].grad
        assert x.grad is not None and gradient is not None and relative(gradient.cpu(), x.grad) < 1e-9, name
