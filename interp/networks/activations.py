"""Nonlinearities of neurons, by the names that files and options have for them."""

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from interp.errors import InterpError, one_line

Activation = Literal["relu", "gelu", "gelu_tanh", "silu", "square"]


def check_activation(name: str) -> None:
    """Raises InterpError on a name that is no activation."""
    if name not in get_args(Activation):
        raise InterpError(f"expected activation {' or '.join(get_args(Activation))}, got {one_line(repr(name), 40)}")


def activation_named(name: Activation) -> Callable[[Tensor], Tensor]:
    """The function from pre-activations to activations."""
    match name:
        case "relu":
            return functional.relu
        case "gelu":
            return functional.gelu
        case "gelu_tanh":
            return partial(functional.gelu, approximate="tanh")
        case "silu":
            return functional.silu
        case "square":
            return torch.square
