"""How can a transformer normalise its residual stream, by the tensors that a normalisation would have?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from interp.files.formats.facts import Facts
from interp.files.formats.strangers.shapes import Shapes


@dataclass(frozen=True)
class Normalization:
    """Where the residual stream is normalised, and how."""

    kind: Literal["none", "layer", "rms"]
    place: Literal["before", "after", "logits"] = "before"
    weights: bool = True
    final: bool = False

    def __str__(self) -> str:
        if self.kind == "none":
            return "none"
        name = {"layer": "LayerNorm", "rms": "RMSNorm"}[self.kind]
        if self.place == "logits":
            return f"{name} before the logits only"
        more = (" and before the logits" if self.final else "") + ("" if self.weights else ", without weights")
        return f"{name} {self.place} attention and MLP{more}"


def possible_normalizations(shapes: Shapes, facts: Facts) -> tuple[Normalization, ...]:
    """The normalisations that fit the tensors and the facts, the most usual first."""
    return tuple(_fitting(shapes, facts))


def _fitting(shapes: Shapes, facts: Facts) -> Iterator[Normalization]:
    has = shapes.roles.tensors
    final, blocks = "final_normalization" in has, "0.normalization_1" in has
    biased = any("normalization" in role and role.endswith(".bias") for role in has)
    kinds: tuple[Any, ...] = ("layer",) if biased else ("rms", "layer")
    if facts.normalization in ("layer", "rms"):
        kinds = (facts.normalization,)
    if blocks:
        places: tuple[Any, ...] = ("before", "after") if final else ("after", "before")
        yield from (Normalization(kind, place, True, final) for place in places for kind in kinds)
    elif final:
        yield from (Normalization(kind, "logits", True, True) for kind in kinds)
    else:
        if facts.normalization in (None, "none"):
            yield Normalization("none")
        for kind in ("rms", "layer") if facts.normalization is None else kinds if facts.normalization != "none" else ():
            yield Normalization(kind, "before", False, True)
            yield Normalization(kind, "before", False, False)
            yield Normalization(kind, "after", False, False)
