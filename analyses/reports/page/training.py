"""The panel in which a page trains a small network in the browser: its recipe, and its scripts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyses.findings.drawing import frequency_colours
from analyses.findings.palette import COLOURS, FREQUENCIES, QUIET, ROUND
from analyses.reports.reproduce import recipe_command
from interp.recipe import RECIPES

FOLDER = Path(__file__).parent
SCRIPTS = ("network.js", "verdict.js", "worker.js")
"""What runs beside the page in a thread of its own, in the order in which it is read."""
RECORD_EVERY = 10
"""Number of steps between two looks at the network that is trained."""

_QUICK = RECIPES["quick"]
_SMALL = replace(_QUICK.network, d_model=64, n_heads=4, d_head=16, d_mlp=256)
CHOICES = tuple(
    replace(_QUICK, p=p, train_fraction=fraction, network=_SMALL) for p, fraction in ((23, 0.8), (31, 0.7), (59, 0.4))
)
"""The recipe quick for a network of half the width, at moduli that a browser has the patience for. The smaller the modulus, the
larger the share of pairs that it takes: of fewer the network knows all by heart, and stays there."""
RECIPE = CHOICES[0]
"""The recipe that the panel begins with."""


def trainer() -> str:
    """The scripts of the thread that trains."""
    return "\n".join((FOLDER / name).read_text() for name in SCRIPTS)


def panel() -> dict[str, Any]:
    """What the panel has to know: the recipe, what differs by modulus, and how to train the like on a command line."""
    return {
        "recipe": RECIPE.to_dict(),
        "choices": {each.p: {"train_fraction": each.train_fraction} for each in CHOICES},
        "record_every": RECORD_EVERY,
        "command": recipe_command(RECIPE, 0, among=["quick"]),
    }


def colours(among: Sequence[int]) -> dict[str, Any]:
    """Colours for what the panel draws: of lines, of places on a circle, and of frequencies: those that the page shows keep
    theirs."""
    given = frequency_colours(among, among)
    return {"lines": COLOURS, "quiet": QUIET, "round": ROUND, "frequencies": FREQUENCIES, "colours": given}
