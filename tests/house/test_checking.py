"""Shapes and types are checked while tests run: a test of the tests."""

import jaxtyping
import pytest
import torch
from beartype.roar import BeartypeCallHintParamViolation

from analyses.tools.last_layer import add_waves
from interp import fourier
from interp.memory import rows_at_once


def test_wrong_shapes_and_types_are_refused() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        fourier.without(torch.zeros(3), 1)
    of_two_neurons = torch.zeros(9, 2), torch.ones(2, dtype=torch.int64)
    with pytest.raises(jaxtyping.TypeCheckError, match="neuron"):
        add_waves(*of_two_neurons, torch.zeros(3, 3, 5))
    with pytest.raises(BeartypeCallHintParamViolation):
        rows_at_once("many")  # type: ignore[arg-type]
