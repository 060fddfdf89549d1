"""Hook points: where activations are recorded and edited by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from interp.errors import InterpError

Positions = Sequence[Tensor]
"""One tensor per position, batch axes broadcastable against each other."""
Edit = Callable[[Tensor], Tensor]
"""From an activation to what replaces it, of the same shape."""


@dataclass(frozen=True, eq=False)
class Hooks:
    """Records and edits activations by name; a hook point that nobody asked for costs nothing."""

    wanted: Collection[str] | None
    edits: Mapping[str, Edit]
    activations: dict[str, Tensor] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)

    def value(self, name: str, value: Tensor) -> Tensor:
        """Pass a value through the hook point."""
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
        """The same for one tensor per position; whoever looks sees one tensor with the positions along ``dim``."""
        if name not in self.edits and self.wanted is not None and name not in self.wanted:
            return values
        # A single position is viewed, not copied.
        whole = values[0].unsqueeze(dim) if len(values) == 1 else torch.stack(torch.broadcast_tensors(*values), dim)
        return self.value(name, whole).unbind(dim)

    def check_all_met(self) -> None:
        """Refuse names that this network does not have."""
        if unknown := sorted((set(self.wanted or ()) | self.edits.keys()) - self.met):
            raise InterpError(f"this network has no activation called {', '.join(unknown)}")
