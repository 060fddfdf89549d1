"""Which activations of a module are neurons? Those that are a nonlinear function, number by number, of earlier ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from interp.networks.activations import Activation, activation_named
from interp.networks.modules.parts import INPUT, PATTERN, ROOT, Parts


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of neurons: where its activations and its pre-activations are, and the function between them."""

    name: str
    """Name of the activation after the nonlinearity, of the product where the neurons are gated."""
    pre: str | None
    """Name of the pre-activations; None for gated neurons, which are no function of one input."""
    function: Callable[[Tensor], Tensor] | None
    """The nonlinearity; None for gated neurons."""
    words: str
    """The nonlinearity in words."""


def find_layers(parts: Parts, seen: Mapping[str, Tensor]) -> list[Layer]:
    """The layers of neurons, in the order in which they run, in the activations on some pairs (``Parts.everything``)."""
    first = _first_names(seen)
    layers: list[Layer] = []
    earlier: list[str] = []
    for name in dict.fromkeys(first.values()):
        alike = [other for other in earlier if seen[other].shape == seen[name].shape]
        layer = _layer(name, parts, seen, first, alike)
        if layer is None and (found := _gate(name, seen, layers, alike)) is not None:
            layers = [each for each in layers if each is not found]  # a gate is no layer of its own
            layer = Layer(name, None, None, f"gated {found.words}")
        if layer is not None:
            layers.append(layer)
        earlier.append(name)
    return layers


def _first_names(seen: Mapping[str, Tensor]) -> dict[str, str]:
    """The earliest name of the same numbers, for every activation that could be neurons or what these are given.

    Where a part that gives what it is given comes first, as a hook point does, it is the part's name.
    """
    kept: dict[str, str] = {}
    for name, value in seen.items():
        if name != ROOT and not name.endswith(PATTERN) and 2 <= value.dim() <= 3:
            part = name.removesuffix(INPUT)
            own = part if part in seen and torch.equal(seen[part], value) else name
            kept[name] = next((other for other in dict.fromkeys(kept.values()) if torch.equal(seen[other], value)), own)
    return kept


def _layer(name: str, parts: Parts, seen: Mapping[str, Tensor], first: Mapping[str, str], alike: Sequence[str]) -> Layer | None:
    """The layer of neurons whose activations have this name; None where it is no function of an earlier activation."""
    part, given = parts.by_name.get(parts.part_of(name)), f"{name}{INPUT}"
    if part is not None and given in seen and _is_elementwise(part, seen[given], seen[name]):
        return Layer(name, first[given], part, type(part).__name__)
    for other in alike:
        for words, function in _known().items():
            if _equal(function(seen[other]), seen[name]):
                return Layer(name, other, function, words)
    return None


def _known() -> dict[str, Callable[[Tensor], Tensor]]:
    """The nonlinearities that a module may call as functions, by what they are called."""
    more = (torch.tanh, torch.sigmoid, functional.softplus, functional.leaky_relu, functional.elu, functional.mish)
    ours = {name: activation_named(name) for name in get_args(Activation)}
    return {**ours, "relu squared": lambda x: functional.relu(x).square(), **{each.__name__: each for each in more}}


def _gate(name: str, seen: Mapping[str, Tensor], layers: Sequence[Layer], alike: Sequence[str]) -> Layer | None:
    """The layer of neurons that, times an earlier activation, makes the activation of this name; None where none does.

    It may be one that has no name, where a module calls the nonlinearity and multiplies in one line.
    """
    known = [each for each in layers if each.name in alike and each.pre is not None]
    unnamed = [Layer(name, other, function, words) for other in alike for words, function in _known().items()]
    for gate in [*known, *unnamed]:
        assert gate.pre is not None and gate.function is not None
        value = gate.function(seen[gate.pre]) if gate.name == name else seen[gate.name]
        for other in alike:
            if other not in (gate.name, gate.pre) and _equal(value * seen[other], seen[name]):
                return gate
    return None


def _equal(x: Tensor, y: Tensor) -> bool:
    """Are two activations the same but for rounding? The first pair tells most apart."""
    return all(torch.allclose(x[some], y[some], rtol=1e-5, atol=1e-7) for some in (slice(1), slice(None)))


@torch.no_grad()
def _is_elementwise(part: nn.Module, given: Tensor, gave: Tensor) -> bool:
    """Is a part without weights a function of each number alone, and not the identity? Shuffled numbers tell."""
    if given.shape != gave.shape or torch.equal(given, gave) or any(True for _ in part.parameters()):
        return False
    order = torch.randperm(given.numel(), generator=torch.Generator().manual_seed(0))
    shuffled = given.flatten()[order].reshape(given.shape)
    device = next(iter(part.buffers()), given).device
    try:
        again = part(shuffled.to(device))
    except Exception:  # a part that does not take just any numbers
        return False
    return isinstance(again, Tensor) and torch.allclose(again.cpu().flatten(), gave.flatten()[order], rtol=1e-5, atol=1e-7)
