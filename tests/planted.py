"""Networks built by hand from chosen frequencies: what an analysis must find is known because it was put there."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from interp.circuit import Circuit
from interp.networks.config import NetworkConfig, parameter_shapes
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network
from interp.tasks.addition import Addition

DIRECTIONS = 16
"""Evenly spaced directions per circle: enough that the unwanted harmonics of ReLU stay below 2%."""


def planted(
    p: int,
    *,
    clocks: Sequence[int] = (),
    pizzas: Sequence[int] = (),
    accompanied: Sequence[int] = (),
    equals_token: bool = True,
    attention_rate: float = 1.0,
    strengths: Mapping[int, float] | None = None,
    squash: float = 1.0,
) -> Network:
    """A network whose logits are Σ_clocks cos w(a+b-c) + Σ_pizzas |cos(w(a-b)/2)| cos w(a+b-c), up to scale.

    The residual stream of K circles: rows 0..2K the embedding, cos and sin of w_k·token; 2K..4K what head 0 fetches
    (the circles of a), 4K..6K what head 1 fetches (those of b), 6K..8K what the neurons write, then 3 of positions.
    At attention rate 0 both heads fetch the sum of the circles of a and b, which is all that a pizza needs.

    Pizzas that are ``accompanied`` also have a circle at 2k: the points of a and b on it add up to
    2 cos w(a-b) · (cos, sin) of w(a+b), which the unembedding reads directly, with a minus sign. With the weight chosen
    here the sum is 54|cos(w d/2)| - 27 cos(w d), nearly flat in d = a - b: a pizza that looks like a clock.

    A frequency among both ``clocks`` and ``pizzas`` is a mixture: neurons of both kinds add to its output.

    ``strengths``: factors on the output of some frequencies; 1 where not named. ``squash``: factor on the sines of the
    answers, whose circles become ellipses: cos w(a+b) cos wc + s sin w(a+b) sin wc has (1 + s)/2 of cos w(a+b-c) and
    (1 - s)/2 of cos w(a+b+c).
    """
    circles = [*clocks, *pizzas, *(2 * k for k in accompanied)]
    K = len(circles)
    n_products, n_slices = DIRECTIONS**2 * len(clocks), 2 * DIRECTIONS * len(pizzas)
    config = NetworkConfig(
        p=p, equals_token=equals_token, answers_equals=False, causal=False, attention_rate=attention_rate,
        d_model=8 * K + 3, n_heads=2, d_head=2 * K + 1, d_mlp=n_products + n_slices, mlp_biases=False,
    )  # fmt: skip
    W = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in parameter_shapes(config).items()}
    waves = _waves(p, circles)
    W["embed.W_E"][:p, : 2 * K] = waves
    W["pos_embed.W_pos"][:, 8 * K :] = torch.eye(3)[: config.n_ctx]
    for head in (0, 1):
        # A score of 1000 for the position of a (or b), 0 for the others: softmax picks it to the last bit.
        W["blocks.0.attn.W_Q"][head, 8 * K + config.n_ctx - 1, -1] = 1e3 * math.sqrt(config.d_head)
        W["blocks.0.attn.W_K"][head, 8 * K + head, -1] = 1.0
        W["blocks.0.attn.W_V"][head, : 2 * K, : 2 * K] = torch.eye(2 * K)
        W["blocks.0.attn.W_O"][head, : 2 * K, 2 * K * (head + 1) : 2 * K * (head + 2)] = torch.eye(2 * K)

    first = 0
    for circle, k in enumerate([*clocks, *pizzas]):
        if circle < len(clocks):
            # The (1, 1) harmonic of ReLU(cos x + cos y) is not 0: neurons multiply the two angles.
            phi, psi = (grid.flatten() for grid in torch.meshgrid(_angles(1), _angles(1), indexing="ij"))
            out, scale = phi + psi, 1.0
        else:
            # The second harmonic of ReLU(R cos θ) is proportional to |R|: neurons read the slice.
            phi = psi = _angles(2)
            out, scale = 2 * phi, DIRECTIONS / 2  # makes both kinds about equally strong in the logits
        neurons = slice(first, first + len(phi))
        first += len(phi)
        for rows, direction in ((2 * K + 2 * circle, phi), (4 * K + 2 * circle, psi)):
            W["blocks.0.mlp.W_in"][rows : rows + 2, neurons] = torch.stack([direction.cos(), direction.sin()])
        written = slice(6 * K + 2 * circle, 6 * K + 2 * circle + 2)
        W["blocks.0.mlp.W_out"][neurons, written] = scale * torch.stack([out.cos(), out.sin()], dim=1)
        strength = (strengths or {}).get(k, 1.0)
        W["unembed.W_U"][written] = strength * waves[:, 2 * circle : 2 * circle + 2].T * torch.tensor([[1.0], [squash]])
    for circle, k in enumerate(accompanied, start=len(clocks) + len(pizzas)):
        for fetched in (2 * K + 2 * circle, 4 * K + 2 * circle):
            W["unembed.W_U"][fetched : fetched + 2] = -13.5 * _waves(p, [k]).T
    return Network(config, W)


def deepened(network: Network) -> Network:
    """The same function with a block before it that does nothing: a network of two layers."""
    config = replace(network.config, n_layers=2)
    W = {name.replace("blocks.0", "blocks.1"): tensor for name, tensor in network.parameters.items()}
    idle = {
        name: torch.zeros(shape, dtype=torch.float64) for name, shape in parameter_shapes(config).items() if "blocks.0" in name
    }
    return Network(config, {**W, **idle})


def relayed(p: int, *, clocks: Sequence[int]) -> Network:
    """A planted clock in the first of two layers, whose circles of a + b only the neurons of the second layer read.

    These neurons write the circles again, to 2K more rows of the residual stream, from which the unembedding reads them.
    """
    flat, K = planted(p, clocks=clocks), len(clocks)
    first = flat.config.d_model
    config = replace(flat.config, n_layers=2, d_model=first + 2 * K)
    W = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in parameter_shapes(config).items()}
    for name, tensor in flat.parameters.items():
        W[name][tuple(slice(size) for size in tensor.shape)] = tensor
    made, read = slice(6 * K, 8 * K), slice(first, first + 2 * K)
    W["unembed.W_U"][read], W["unembed.W_U"][made] = W["unembed.W_U"][made].clone(), 0
    for circle in range(K):
        directions = torch.stack([_angles(1).cos(), _angles(1).sin()])
        neurons, rows = slice(circle * DIRECTIONS, (circle + 1) * DIRECTIONS), slice(2 * circle, 2 * circle + 2)
        W["blocks.1.mlp.W_in"][made][rows, neurons] = directions
        W["blocks.1.mlp.W_out"][neurons, read][:, rows] = directions.T
    return Network(config, W)


def lookup(p: int, seed: int = 0) -> Network:
    """Right on every pair without any frequency: random features, and a readout fitted to them by least squares."""
    config = NetworkConfig(p=p, answers_equals=False, d_model=p * p + 20, n_heads=1, d_head=32, d_mlp=2 * p * p)
    network = initialise(config, seed=seed, dtype=torch.float64)
    stream = Circuit(network).activation("blocks.0.hook_resid_post").flatten(0, 2)
    target = one_hot(Addition(p).table().flatten(), p).double()
    W_U = torch.linalg.lstsq(stream, target).solution
    return Network(config, {**network.parameters, "unembed.W_U": W_U})


def _waves(p: int, frequencies: Sequence[int]) -> Tensor:
    """[token, 2K]: cos and sin of 2πk·token/p for each k."""
    angles = 2 * math.pi * torch.outer(torch.arange(p), torch.tensor(frequencies)).double() / p
    return torch.stack([angles.cos(), angles.sin()], dim=-1).flatten(1)


def _angles(times: int) -> Tensor:
    return 2 * math.pi * torch.arange(DIRECTIONS * times).double() / (DIRECTIONS * times)


def clock_logits(p: int, k: int) -> Tensor:
    """cos w_k(a+b-c) for all a, b and c."""
    n = torch.arange(p).double()
    return (2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p).cos()


def random_circuit(**config: object) -> Circuit:
    """Random weights, in float64."""
    start = {"p": 7, "d_model": 8, "n_heads": 2, "d_head": 4, "d_mlp": 12, "answers_equals": False}
    return Circuit(initialise(NetworkConfig(**{**start, **config}), seed=3, dtype=torch.float64))  # type: ignore[arg-type]
