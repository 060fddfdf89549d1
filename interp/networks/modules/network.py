"""ModuleNetwork: any torch module as a network, run by its own forward with hooks on its parts."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.networks.hooks import Edit, Hooks
from interp.networks.model import Model, Tables, Unavailable
from interp.networks.modules.embedding import Embedding
from interp.networks.modules.inputs import Reading, at_last_position
from interp.networks.modules.logit_map import LogitMap, Normalization, measure_logit_map
from interp.networks.modules.neurons import Layer
from interp.networks.modules.parts import ROOT, Parts, tensor_in

AT_ONCE = 4096
"""Number of pairs that are run together where no edit asks for all of them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ModuleNetwork(Model):
    """A torch module with what has been found of it. Its activations go by its parts' dotted names (``Parts``).

    They are shown as [*batch, position, neuron], with a position axis of length 1 where the module has none. What is lacking
    is a sentence that says what to name.
    """

    parts: Parts
    reading: Reading
    embedding: Embedding | str
    layer: Layer | str
    """The last layer of neurons, which write the answer."""
    neuron_layers: int
    """Number of layers of neurons; 0 where none is known."""
    attention: str | None
    """Name of the activation that is the last layer's attention pattern."""
    pair_axes: Mapping[str, int | None]
    """By activation's name, the axis along which it has an entry per pair; None for one that is the same for all pairs."""
    largest: int
    """Number of values per pair of the largest activation."""
    normalizations: Mapping[str, Normalization]
    """The parts that divide by a size, by name."""

    @property
    def p(self) -> int:
        return self.reading.p

    def width(self) -> int:
        return self.largest

    def describe(self) -> str:
        return f"a torch module ({type(self.parts.module).__name__})"

    def tables(self) -> Tables:
        if isinstance(self.embedding, str):
            raise Unavailable(f"needs embeddings: {self.describe()} {self.embedding}")
        return self.embedding.of_a, self.embedding.of_b

    def weights(self) -> Mapping[str, Tensor]:
        return {name: x.detach() for name, x in self.parts.module.named_parameters()}

    def layers_of_neurons(self) -> int:
        return self.neuron_layers

    def neurons_name(self) -> str:
        if isinstance(self.layer, str):
            raise Unavailable(f"needs neurons: {self.layer}")
        return self.layer.name

    def pre_activations_name(self) -> str:
        self.neurons_name()
        assert isinstance(self.layer, Layer)
        if self.layer.pre is None:
            raise Unavailable(f"needs neurons that are a known function of one input, which {self.layer.name} is not")
        return self.layer.pre

    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        self.pre_activations_name()
        assert isinstance(self.layer, Layer) and self.layer.function is not None
        return self.layer.function

    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        found = self._logit_map
        if found.elsewhere > 0.01:
            raise Unavailable(
                f"needs neurons that write from the last position alone: {found.elsewhere:.0%} of what {self.neurons_name()} "
                "writes is at others"
            )
        return found.mean

    def gain(self) -> Float[Tensor, "a b"] | None:
        return self._logit_map.gain

    def map_variation(self) -> float:
        return self._logit_map.variation

    @cached_property
    def _logit_map(self) -> LogitMap:
        name = self.neurons_name()
        axis = self.pair_axes[name]
        if axis is None:
            raise Unavailable(f"needs neurons that depend on the pair, which {name} does not")
        return measure_logit_map(self.parts, self.reading, name, axis=axis, normalizations=self.normalizations)

    def pattern_name(self) -> str:
        if self.attention is None:
            raise Unavailable(f"needs attention: attention='NAME' says which part of {self.describe()} gives its weights")
        return self.attention

    def attention_rate(self) -> float:
        p, name = self.p, self.pattern_name()
        each = torch.arange(p)
        _, found = self.run_symbols(each, each, record=[name])
        last = found[name].select(-2, -1)
        keys, sums = last.shape[-1], last.sum(-1)
        rate = (keys - sums.mean().item()) / (keys - 1) if keys > 1 else 1.0
        if sums.max() - sums.min() > 1e-3 or not -1e-3 <= rate <= 1 + 1e-3:
            raise Unavailable(f"needs an attention that is α·softmax + (1-α)·ones, which {name} is not")
        return min(max(round(rate, 4), 0.0), 1.0)

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        self.tables()
        batch = torch.broadcast_shapes(E_a.shape[:-1], E_b.shape[:-1])
        flat = [E.expand(*batch, E.shape[-1]).reshape(-1, E.shape[-1]) for E in (E_a, E_b)]
        # Which symbols are read makes no difference: their vectors are replaced.
        none = torch.zeros(len(flat[0]), dtype=torch.long)
        return self._run(none, none, batch, flat, record, edits or {})

    def run_symbols(
        self,
        a: Int[Tensor, "..."],
        b: Int[Tensor, "..."],
        *,
        record: Collection[str] = (),
        edits: Mapping[str, Edit] | None = None,
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        a, b = torch.broadcast_tensors(a, b)
        return self._run(a.flatten(), b.flatten(), a.shape, [], record, edits or {})

    def _run(
        self,
        a: Tensor,
        b: Tensor,
        batch: torch.Size,
        vectors: list[Tensor],
        record: Collection[str],
        edits: Mapping[str, Edit],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Run on flat pairs, in pieces where no edit has to see them whole; ``vectors``: of a and b, where not their own."""
        size = len(a) if edits else AT_ONCE
        pieces = []
        for start in range(0, len(a), size):
            rows = slice(start, start + size)
            whole = batch if size >= len(a) else torch.Size([len(a[rows])])
            pieces.append(self._piece(a[rows], b[rows], whole, [x[rows] for x in vectors], record, edits))
        if len(pieces) == 1:
            return pieces[0]
        logits = torch.cat([each for each, _ in pieces]).unflatten(0, batch)
        return logits, {name: torch.cat([found[name] for _, found in pieces]).unflatten(0, batch) for name in pieces[0][1]}

    def _piece(
        self,
        a: Tensor,
        b: Tensor,
        batch: torch.Size,
        vectors: list[Tensor],
        record: Collection[str],
        edits: Mapping[str, Edit],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        hooks, logits = Hooks(record, edits), list[Tensor]()
        embedding = self.embedding if vectors and isinstance(self.embedding, Embedding) else None
        written = embedding.names if embedding else []

        def see(name: str, value: Tensor) -> Tensor:
            if embedding is not None and name in written:
                value = self._with(name, value, embedding.written(name, self._by_pair(name, value), *vectors))
            if name in record or name in edits:
                value = self._hooked(name, value, batch, hooks)
            if name == self.reading.logits:
                logits.append(value)
            return value

        wanted = {self.parts.part_of(name) for name in (*record, *edits, *written, self.reading.logits)}
        if unknown := [name for name in wanted if name not in self.parts.by_name]:
            hooks.check_all_met({*self.pair_axes, *self.parts.by_name} - {ROOT, *unknown})
        output = tensor_in(self.parts.run(self.reading.tokens(a, b), see, list(wanted - {ROOT})))
        hooks.check_all_met({*self.pair_axes} - {ROOT})
        found = output if self.reading.logits == ROOT else logits[-1]
        if found is None:
            raise InterpError("the module gave no tensor")
        return at_last_position(found, len(a))[:, : self.p].cpu().unflatten(0, batch), hooks.activations

    def _hooked(self, name: str, value: Tensor, batch: torch.Size, hooks: Hooks) -> Tensor:
        """Pass an activation through a hook point, which sees it with the batch axes first and a position axis."""
        if self.pair_axes.get(name) is None:
            new = hooks.value(name, value.cpu())
            if name in hooks.activations:
                hooks.activations[name] = hooks.activations[name].expand(*batch, *value.shape)
            return new.to(value.device)
        shown = self._by_pair(name, value).cpu()
        shown = (shown[:, None] if shown.dim() == 2 else shown).unflatten(0, batch)
        new = hooks.value(name, shown)
        if new is shown:
            return value
        return self._with(name, value, new.flatten(0, len(batch) - 1).to(value))

    def _by_pair(self, name: str, value: Tensor) -> Tensor:
        """The activation with the axis of the pairs first."""
        return value.movedim(self.pair_axes[name] or 0, 0)

    def _with(self, name: str, value: Tensor, new: Tensor) -> Tensor:
        """A new activation, axis of the pairs first, in the shape in which the module has it."""
        return new.reshape(self._by_pair(name, value).shape).movedim(0, self.pair_axes[name] or 0)
