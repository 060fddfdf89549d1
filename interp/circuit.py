"""Circuit: a network with its activations on all p² pairs, computed once and re-runnable with edits.

Every analysis takes one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.forward import Edit, embed, forward
from interp.network import Network
from interp.task import answers

T = TypeVar("T")
MAX_P = 400
"""All p² pairs with their p logits are held at once: p³ numbers, half a gigabyte in float64 at p = 400."""

ROWS = 16
"""Values of a that are run together; measured on one core at p = 113, where 8 to 32 do equally well."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network on all p² pairs. Activations are computed at first use, in the network's own precision, and kept."""

    network: Network
    train: Int[Tensor, " train"] | None = None
    """Indices a·p + b of the pairs that it was trained on, where known."""
    edits: Mapping[str, Edit] = field(default_factory=dict)
    """Activation name → function to its replacement; see ``forward``."""
    _memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.p > MAX_P:
            raise InterpError(f"p = {self.p} is too large to hold all pairs at once: up to {MAX_P} is supported")

    @property
    def p(self) -> int:
        """The modulus."""
        return self.network.config.p

    @property
    def embedding(self) -> Float[Tensor, "p d_model"]:
        """W_E of the residues 0..p-1 ('=' left out), before positions are added."""
        return self.network.parameters["embed.W_E"][: self.p]

    @property
    def neuron_logit_map(self) -> Float[Tensor, "d_mlp p"]:
        """W_L = W_out W_U of the last layer: what each neuron adds to the logit of each residue."""
        parameters = self.network.parameters
        return parameters[f"{self._last_block}.mlp.W_out"] @ parameters["unembed.W_U"][:, : self.p]

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
    def neurons(self) -> Float[Tensor, "a b d_mlp"]:
        """Neuron activations (after the nonlinearity) of the last layer at the answering position."""
        return self.activation(f"{self._last_block}.mlp.hook_post").select(-2, -1)

    @property
    def pattern(self) -> Float[Tensor, "a b head key"]:
        """Attention from the answering position to every position, in the last layer; α < 1 included."""
        return self.activation(f"{self._last_block}.attn.hook_pattern").select(-2, -1)

    def activation(self, name: str) -> Tensor:
        """The activation of this TransformerLens name on all pairs, batch axes [a, b] first.

        Raises InterpError on a name that this network does not have.
        """
        kept = self._first_run[1]
        if name not in kept:
            kept.update(self._run([name], torch.arange(self.p))[1])
        return kept[name]

    def with_embedding(self, embedding: Float[Tensor, "p d_model"]) -> "Circuit":
        """The same network reading other vectors for the residues; '=' keeps its own."""
        if embedding.shape != self.embedding.shape:
            raise InterpError(
                f"expected an embedding of shape {list(self.embedding.shape)}, got {list(embedding.shape)}"
            )
        parameters = self.network.parameters
        W_E = torch.cat([embedding.to(self.network.dtype), parameters["embed.W_E"][self.p :]])
        network = Network(self.network.config, {**parameters, "embed.W_E": W_E})
        return Circuit(network, self.train, self.edits)

    def with_activation(self, name: str, replacement: Tensor | Edit) -> "Circuit":
        """The same network with one activation replaced: by a tensor of its shape, or by a function of it."""
        edit = (lambda _: replacement) if isinstance(replacement, Tensor) else replacement
        return Circuit(self.network, self.train, {**self.edits, name: edit})

    def remember(self, key: Any, compute: Callable[[], T]) -> T:
        """The value of ``compute()``, computed at the first call with this key."""
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    @property
    def _last_block(self) -> str:
        return f"blocks.{self.network.config.n_layers - 1}"

    @cached_property
    def _first_run(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Logits, and the activations that nearly every analysis needs."""
        names = [f"{self._last_block}.mlp.hook_post", f"{self._last_block}.attn.hook_pattern"]
        if self.edits:  # they see the pairs whole
            return self._run(names, torch.arange(self.p))
        # A few rows of pairs at a time: fresh memory for all pairs at once costs more than the arithmetic.
        parts = [self._run(names, rows) for rows in torch.arange(self.p).split(ROWS)]
        activations = {name: torch.cat([part[1][name] for part in parts]) for name in names}
        return torch.cat([part[0] for part in parts]), activations

    @torch.no_grad()
    def _run(self, record: list[str], a: Int[Tensor, " a"]) -> tuple[Tensor, dict[str, Tensor]]:
        config, parameters = self.network.config, self.network.parameters
        embeddings = embed(config, parameters, a[:, None], torch.arange(self.p)[None, :])
        logits, activations = forward(config, parameters, embeddings, record=record, edits=self.edits)
        return logits[..., : self.p], activations
