"""The chapters of a report and of its page: a folder of this package each, in the order in which a page shows them.

The folder that a measurement's file lies in is its chapter.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    """One chapter of the page."""

    title: str
    """Its heading."""
    anchor: str
    """Its address in the page."""
    short: str
    """Its heading in the navigation."""


CHAPTERS = {
    "adding": Chapter("Watch it compute", "adding", "Watch it compute"),
    "groups": Chapter("Which representations?", "representations", "Representations"),
    "evidence": Chapter("Where the circuit lives", "evidence", "Where it lives"),
    "trials": Chapter("Is it really that?", "tests", "Is it really that"),
    "basics": Chapter("All other measurements", "rest", "All measurements"),
}
"""Folder → chapter. Measurements in folders of one's own belong to the last."""
EXPLAINING = "trials"
"""The chapter that --explain asks for."""
OWN = "basics"
"""The chapter of measurements in folders of one's own."""
