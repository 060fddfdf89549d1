"""Hook points: where activations are recorded and edited by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import signature

import torch
from torch import Tensor

from interp.errors import InterpError, one_line

Positions = Sequence[Tensor]
"""One tensor per position of a sequence, with batch axes that broadcast against each other."""
Edit = Callable[[Tensor], Tensor]
"""Function from an activation to its replacement, which keeps its shape."""


@dataclass(frozen=True)
class HookName:
    """What a function of an activation and its hook is told of the hook."""

    name: str
    """Name of the activation."""


EditOfHook = Callable[[Tensor, HookName], Tensor]
"""Function from an activation and its hook to the activation's replacement, as TransformerLens's hooks have it."""


def edit_of(function: Edit | EditOfHook, name: str) -> Edit:
    """An edit of the activation of this name, from a function of the activation alone or of the activation and its hook."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):  # what is written in C does not say
        return function  # type: ignore[return-value]
    needed = [
        x for x in parameters if x.default is x.empty and x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD, x.KEYWORD_ONLY)
    ]
    keyword = any(x.kind is x.KEYWORD_ONLY for x in needed)
    if len(needed) < 2:
        return function  # type: ignore[return-value]
    if len(needed) > 2:
        raise InterpError(
            f"expected a function of the activation, or of (activation, hook), got one of {len(needed)} arguments"
        )
    hook = HookName(name)
    # TransformerLens hands the hook over by its name.
    return (lambda value: function(value, hook=hook)) if keyword else (lambda value: function(value, hook))  # type: ignore[call-arg]


@dataclass(frozen=True, eq=False)
class Hooks:
    """Records and edits activations by name; a hook point that nobody asked for costs nothing."""

    wanted: Collection[str] | None
    edits: Mapping[str, Edit]
    activations: dict[str, Tensor] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)

    def value(self, name: str, value: Tensor) -> Tensor:
        """Pass an activation through a hook point: it comes back edited, and is recorded, where that was asked for."""
        self.met.add(name)
        if name in self.edits:
            edited = self.edits[name](value)
            if edited.shape != value.shape:
                raise InterpError(f"an edit of {name} must keep its shape {list(value.shape)}, got {list(edited.shape)}")
            value = edited
        if self.wanted is None or name in self.wanted:
            self.activations[name] = value
        return value

    def positions(self, name: str, values: Positions, dim: int = -2) -> Positions:
        """Pass one tensor per position through a hook point, whose edits see one tensor with the positions along ``dim``."""
        self.met.add(name)
        if name not in self.edits and self.wanted is not None and name not in self.wanted:
            return values
        # A single position is viewed, not copied.
        whole = values[0].unsqueeze(dim) if len(values) == 1 else torch.stack(torch.broadcast_tensors(*values), dim)
        return self.value(name, whole).unbind(dim)

    def check_all_met(self, known: Collection[str] = ()) -> None:
        """Refuse names, to record or to edit, that no hook point of the network had; ``known``: names that it has, too."""
        for unknown in sorted((set(self.wanted or ()) | self.edits.keys()) - self.met):
            nearest = get_close_matches(unknown, sorted({*self.met, *known}), n=3, cutoff=0.5)
            hint = f": nearest are {', '.join(nearest)}" if nearest else ""
            raise InterpError(f"this network has no activation called {one_line(unknown, 80)}{hint}")
