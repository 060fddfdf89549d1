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
from interp.files.examples import example, examples
from interp.files.formats.facts import Facts
from interp.files.formats.series import load_series as _load_series
from interp.files.formats.train_pairs import given_pairs
from interp.function import from_function, from_logits, from_module, from_transformer_lens
from interp.networks.config import Architecture, NetworkConfig
from interp.networks.transformer import Network
from interp.recipe import RECIPES, Recipe
from interp.training.loop import train

__version__ = "0.1.0"

__all__ = [
    "RECIPES",
    "Architecture",
    "Circuit",
    "InterpError",
    "Network",
    "NetworkConfig",
    "Recipe",
    "example",
    "examples",
    "from_function",
    "from_logits",
    "from_module",
    "from_transformer_lens",
    "load",
    "load_series",
    "train",
]


def load(path: str | Path, **facts: Any) -> Circuit:
    """The circuit in anyone's checkpoint file, ready for every measurement of ``analyses``; see ``formats.load``.

    Of a run directory the newest checkpoint, of any other the only one in it. ``facts``: what the file does not say, the fields
    of ``formats.Facts``: task="subtraction", modulus=113, train_pairs=a file, a tensor, an array or a list, …
    Raises InterpError, one line with the remedy, on a file that is not a whole and sane checkpoint.
    """
    return formats.load(path, _facts(facts)).circuit()


def load_series(folder: str | Path, **facts: Any) -> list[Circuit]:
    """The circuits in the checkpoints of one run of anybody, the earliest first, all read in the same way.

    How they are to be read is decided on the last one; see ``formats.series``. Raises InterpError as ``load`` does, and where
    the files are not of one run or their order cannot be told.
    """
    return [saved.circuit() for _, saved in _load_series(Path(folder), _facts(facts))]


def _facts(facts: dict[str, Any]) -> Facts:
    if facts.get("train_pairs") is not None:
        facts = {**facts, "train_pairs": given_pairs(facts["train_pairs"])}
    return Facts(**facts)
