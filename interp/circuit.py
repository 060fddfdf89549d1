"""Circuit: a network with its activations on all p² pairs, computed once and re-runnable with edits.

Every analysis takes one.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.hooks import Edit
from interp.model import Model, Tables, Unavailable, check_analysable
from interp.task import answers

T = TypeVar("T")

ROWS = 16
"""Values of a that are run together; measured on one core at p = 113, where 8 to 32 do equally well."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network on all p² pairs. Activations are computed at first use, in the network's own precision, and kept."""

    network: Model
    train: Int[Tensor, " train"] | None = None
    """Indices a·p + b of the pairs that it was trained on, where known."""
    edits: Mapping[str, Edit] = field(default_factory=dict)
    """Activation name → function to its replacement; see ``forward``."""
    replaced_tables: Tables | None = None
    """Embeddings of a and b to read instead of the network's own."""
    notes: tuple[str, ...] = ()
    """How the file that it comes from was read, where that was not obvious."""
    _memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_analysable(self.network)

    def __repr__(self) -> str:
        return f"Circuit({self.network.describe()}, p = {self.p}{', edited' if self.edits else ''})"

    @property
    def p(self) -> int:
        """The modulus."""
        return self.network.p

    @property
    def tables(self) -> Tables:
        """The embeddings of the residues as a and as b, [p, d_model] each, before positions are added."""
        return self.replaced_tables or self.network.tables()

    @property
    def embedding(self) -> Float[Tensor, "p d_embedding"]:
        """W_E of the residues ('=' left out); where a and b have vocabularies of their own, the two side by side."""
        E_a, E_b = self.tables
        return E_a if E_a is E_b or E_a.data_ptr() == E_b.data_ptr() else torch.cat([E_a, E_b], dim=1)

    @property
    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        """W_L = W_out W_U: what each neuron adds to the logit of each residue."""
        return self.network.neuron_logit_map()

    @property
    def logits(self) -> Float[Tensor, "a b c"]:
        """The logit of every residue c for every pair, '=' left out."""
        return self._first_run[0]

    @cached_property
    def centred_logits(self) -> Float[Tensor, "a b c"]:
        """Logits minus their mean over c, float64: adding a constant to all logits of a pair changes no answer."""
        logits = self.logits.double()
        return logits - logits.mean(-1, keepdim=True)

    @cached_property
    def answers(self) -> Int[Tensor, "a b"]:
        """(a + b) mod p, the right answers."""
        return answers(self.p)

    @property
    def neurons(self) -> Float[Tensor, "a b neuron"]:
        """Neuron activations (after the nonlinearity) at the answering position."""
        return self.activation(self.network.neurons_name()).select(-2, -1)

    @property
    def pattern(self) -> Float[Tensor, "a b head key"]:
        """Attention from the answering position to every position; α < 1 included."""
        return self.activation(self.network.pattern_name()).select(-2, -1)

    def activation(self, name: str) -> Tensor:
        """The activation of this TransformerLens name on all pairs, batch axes [a, b] first (hook_pos_embed has none).

        Raises InterpError on a name that this network does not have.
        """
        kept = self._first_run[1]
        if name not in kept:
            value = self._run([name], torch.arange(self.p))[1][name]
            # What does not depend on a, or on b, was computed once and is shown to all; W_pos depends on neither.
            kept[name] = value if name == "hook_pos_embed" else value.expand(self.p, self.p, *value.shape[2:])
        return kept[name]

    def with_embedding(self, embedding: Float[Tensor, "p d_embedding"]) -> "Circuit":
        """The same network reading other vectors for the residues (shaped as ``embedding``); '=' keeps its own."""
        old = self.embedding
        if embedding.shape != old.shape:
            raise InterpError(f"expected an embedding of shape {list(old.shape)}, got {list(embedding.shape)}")
        new = embedding.to(old.dtype)
        width = self.tables[0].shape[1]
        return self.with_tables((new, new) if old.shape[1] == width else (new[:, :width], new[:, width:]))

    def with_tables(self, tables: Tables) -> "Circuit":
        """The same network reading other vectors for the residues as a and as b (shaped as ``tables``)."""
        for new, old in zip(tables, self.tables, strict=True):
            if new.shape != old.shape:
                raise InterpError(f"expected embeddings of shape {list(old.shape)}, got {list(new.shape)}")
        return replace(self, replaced_tables=tables, _memory={})

    def with_activation(self, name: str, replacement: Tensor | Edit) -> "Circuit":
        """The same network with one activation replaced: by a tensor of its shape, or by a function of it."""
        edit = (lambda _: replacement) if isinstance(replacement, Tensor) else replacement
        return replace(self, edits={**self.edits, name: edit}, _memory={})

    def remember(self, key: Any, compute: Callable[[], T]) -> T:
        """The value of ``compute()``, computed at the first call with this key."""
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    @cached_property
    def _first_run(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits, and the activations that nearly every analysis needs."""
        if self.replaced_tables is None and not self.edits:
            given = self.network.given_logits()
            if given is not None:
                return given, {}
        names = []
        for name in (self.network.neurons_name, self.network.pattern_name):
            with suppress(Unavailable):
                names.append(name())
        if self.edits:  # they see the pairs whole
            return self._run(names, torch.arange(self.p))
        # A few rows of pairs at a time: fresh memory for all pairs at once costs more than the arithmetic.
        parts = [self._run(names, rows) for rows in torch.arange(self.p).split(ROWS)]
        activations = {name: torch.cat([part[1][name] for part in parts]) for name in names}
        return torch.cat([part[0] for part in parts]), activations

    @torch.no_grad()
    def _run(self, record: list[str], a: Int[Tensor, " rows"]) -> tuple[Tensor, dict[str, Tensor]]:
        E_a, E_b = self.tables
        return self.network.run(E_a[a][:, None], E_b[None], record=record, edits=self.edits)
