"""Networks that learned arithmetic: trained, stored and loaded. The microscope on them is ``analyses``.

import analyses, interp

circuit = interp.load("checkpoints/quick-113.pt")
analyses.key_frequencies(circuit)               # shows itself as a table
analyses.amplitude_profile(circuit).figure()    # plotly
"""

from pathlib import Path
from typing import Any

from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.files.formats.facts import Facts
from interp.function import from_function, from_logits
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.transformer import Network
from interp.recipe import RECIPES, Recipe
from interp.training.loop import train

__all__ = [
    "RECIPES",
    "Architecture",
    "Circuit",
    "InterpError",
    "Network",
    "NetworkConfig",
    "Recipe",
    "from_function",
    "from_logits",
    "load",
    "train",
]


def load(path: str | Path, **facts: Any) -> Circuit:
    """The circuit in anyone's checkpoint file, ready for every measurement of ``analyses``; see ``formats.load``.

    ``facts``: what the file does not say, the fields of ``formats.Facts``: task="subtraction", modulus=113, …
    Raises InterpError, one line with the remedy, on a file that is not a whole and sane checkpoint.
    """
    return formats.load(path, Facts(**facts)).circuit()
