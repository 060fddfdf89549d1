"""Networks that learned modular addition: trained, stored and loaded. The microscope on them is ``analyses``.

import analyses, interp

circuit = interp.load("checkpoints/quick-113.pt")
analyses.key_frequencies(circuit)               # shows itself as a table
analyses.amplitude_profile(circuit).figure()    # plotly
"""

from pathlib import Path

from interp import checkpoint
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.finding import Finding
from interp.network import Network, NetworkConfig
from interp.recipe import RECIPES, Recipe
from interp.train import train

__all__ = ["RECIPES", "Circuit", "Finding", "InterpError", "Network", "NetworkConfig", "Recipe", "load", "train"]


def load(path: str | Path) -> Circuit:
    """The circuit in a checkpoint file, ready for every measurement of ``analyses``.

    Raises InterpError, one line with the remedy, on a file that is not a whole and sane checkpoint.
    """
    saved = checkpoint.load(path)
    return Circuit(saved.network, saved.train)
