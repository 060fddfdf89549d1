"""Networks that learned modular addition: trained, stored and loaded. The microscope on them is ``analyses``.

import analyses, interp

circuit = interp.load("checkpoints/quick-113.pt")
analyses.key_frequencies(circuit)               # shows itself as a table
analyses.amplitude_profile(circuit).figure()    # plotly
"""

from pathlib import Path
from typing import Any

from interp import formats
from interp.circuit import Circuit
from interp.config import NetworkConfig
from interp.errors import InterpError
from interp.finding import Finding
from interp.formats.facts import Facts
from interp.function import from_function, from_logits
from interp.network import Network
from interp.recipe import RECIPES, Recipe
from interp.train import train

__all__ = [
    "RECIPES",
    "Circuit",
    "Finding",
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

    ``facts``: what the file does not say, the fields of ``formats.Facts``: modulus=113, attention_rate=0.5, causal=True, …
    Raises InterpError, one line with the remedy, on a file that is not a whole and sane checkpoint.
    """
    saved = formats.load(path, Facts(**facts))
    return Circuit(saved.network, saved.train, notes=saved.notes)
