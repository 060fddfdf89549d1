"""Hook points: where activations are recorded and edited by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from interp.errors import InterpError

Positions = Sequence[Tensor]
"""One tensor per position of a sequence, with batch axes that broadcast against each other."""
Edit = Callable[[Tensor], Tensor]
"""Function from an activation to its replacement, which keeps its shape."""


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
        if name not in self.edits and self.wanted is not None and name not in self.wanted:
            return values
        # A single position is viewed, not copied.
        whole = values[0].unsqueeze(dim) if len(values) == 1 else torch.stack(torch.broadcast_tensors(*values), dim)
        return self.value(name, whole).unbind(dim)

    def check_all_met(self) -> None:
        """Refuse names, to record or to edit, that no hook point of the network had."""
        if unknown := sorted((set(self.wanted or ()) | self.edits.keys()) - self.met):
            raise InterpError(f"this network has no activation called {', '.join(unknown)}")
