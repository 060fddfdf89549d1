"""Any network at all, from its logits or from the functions that compute them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.config import MAX_P
from interp.networks.hooks import Edit
from interp.networks.lens import network_of
from interp.networks.model import Model, Tables, Unavailable
from interp.networks.modules.finding import module_network
from interp.networks.modules.inputs import Tokens
from interp.tasks import task_named

FromPairs = Callable[[Int[Tensor, " pair"], Int[Tensor, " pair"]], Tensor]
"""Function from a and b, vectors of symbols, to logits [pair, p or more]."""
FromEmbeddings = Callable[[Float[Tensor, "pair d"], Float[Tensor, "pair d"]], Tensor]
"""Differentiable function from the embeddings of a and b to logits [pair, p or more]."""


@dataclass(frozen=True, eq=False)
class Function(Model):
    """A network given by its logits on all pairs, and perhaps by its embeddings and a function from these to logits."""

    logits: Float[Tensor, "p p p"]
    embedding: Tables | None = None
    from_embeddings: FromEmbeddings | None = None

    @property
    def p(self) -> int:
        return len(self.logits)

    def describe(self) -> str:
        return "a network given by its logits" if self.from_embeddings is None else "a network given by a function"

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Weights by name: none are known."""
        return {}

    def given_logits(self) -> Float[Tensor, "p p p"]:
        return self.logits

    def tables(self) -> Tables:
        return self.embedding if self.embedding is not None else super().tables()

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        if self.from_embeddings is None:
            return super().run(E_a, E_b)
        if record or edits:
            raise Unavailable(f"needs activations by name, which {self.describe()} does not have")
        batch = torch.broadcast_shapes(E_a.shape[:-1], E_b.shape[:-1])
        flat_a, flat_b = (E.expand(*batch, E.shape[-1]).flatten(0, -2) for E in (E_a, E_b))
        logits = self.from_embeddings(flat_a, flat_b)
        if not isinstance(logits, Tensor):
            raise InterpError(f"expected a tensor from from_embeddings, got {type(logits).__name__}")
        return _residues(logits, len(flat_a), self.p).unflatten(0, batch), {}


def from_logits(logits: Any, embedding: Any = None, *, task: str = "addition") -> Circuit:
    """A circuit of a network of which only the logits L[a, b, c] are known, and perhaps the embedding of its residues.

    ``logits`` and ``embedding``: tensors or arrays, which are copied. ``task``: the name of what the network has to compute
    (``interp.tasks``).

    Every measurement that needs no more works on the circuit; the others say what they lack.
    Raises InterpError unless the logits are [p, p, p] and finite, and the embedding [p, d].
    """
    logits = _numbers(logits, "the logits")
    if logits.dim() != 3 or len(set(logits.shape)) != 1 or len(logits) < 2:
        raise InterpError(f"expected logits of shape [p, p, p], got {list(logits.shape)}")
    tables = None if embedding is None else _tables(embedding, len(logits))
    return Circuit(Function(logits, tables), task=task_named(task, len(logits)))


def from_function(
    function: FromPairs,
    p: int,
    *,
    embedding: Any = None,
    from_embeddings: FromEmbeddings | None = None,
    task: str = "addition",
) -> Circuit:
    """A circuit of any network that can be called.

    ``function``: from a and b, two vectors of symbols, to logits [pair, p] (further columns are dropped).
    ``from_embeddings`` with ``embedding`` ([p, d], or two of them where a and b are embedded differently): from the
    embeddings of a and b to the same logits; gradients and ablations need it. ``task``: the name of the task.

    Raises InterpError on logits of another shape or not finite, and where the two functions disagree.
    """
    if type(p) is not int or not 2 <= p <= MAX_P:
        raise InterpError(f"expected a modulus p of at least 2 and at most {MAX_P}, a whole number, got {p!r}")
    if from_embeddings is not None and embedding is None:
        raise InterpError("from_embeddings needs the embedding that it starts from: give embedding too")
    a, b = torch.cartesian_prod(torch.arange(p), torch.arange(p)).unbind(1)
    with torch.no_grad():
        logits = _residues(_numbers(function(a, b), "the logits"), p * p, p)
    model = Function(logits.unflatten(0, (p, p)), None if embedding is None else _tables(embedding, p), from_embeddings)
    if from_embeddings is not None:
        E_a, E_b = model.tables()
        with torch.no_grad():
            again, _ = model.run(E_a[a], E_b[b])
        off = (again - logits).abs().max().item()
        if not off <= 1e-3 * max(1.0, logits.abs().max().item()):
            raise InterpError(f"function and from_embeddings disagree by up to {off:.3g} in the logits: not one network")
    return Circuit(model, task=task_named(task, p))


def from_module(
    module: nn.Module,
    task: str = "addition",
    *,
    p: int | None = None,
    tokens: Tokens | None = None,
    embedding: str | Sequence[str] | None = None,
    neurons: str | None = None,
    attention: str | None = None,
    unembedding: str | None = None,
) -> Circuit:
    """A circuit of any torch module, which is run by its own ``forward``, with hooks on its parts.

    What is not named is found by running the module where that leaves no doubt; docs/formats.md says how. ``p``: number of
    symbols. ``tokens``: function from a and b, vectors of symbols, to what the module reads (a tensor, a tuple of arguments, a
    dict of named ones). The others are names of parts, as ``module.named_modules()`` has them, or ``NAME:input`` for what a
    part is given: ``embedding`` gives the vectors of a and b (two parts where each has its own), ``neurons`` the activations of
    the last layer's neurons, ``attention`` the last layer's attention weights, ``unembedding`` the logits, where the module's
    own output does not.

    Raises InterpError, one line that says what to name, where something named is not there or not what it is named for, and
    where it cannot be said what the module reads and what of it are the logits. All else that is missing, the measurements say.
    """
    if not isinstance(module, nn.Module):
        raise InterpError(f"expected a torch.nn.Module, got {type(module).__name__}: interp.from_function takes any function")
    task_named(task, 2)
    network, notes = module_network(
        module,
        lambda p: task_named(task, p).table(),
        p=p,
        tokens=tokens,
        embedding=embedding,
        neurons=neurons,
        attention=attention,
        unembedding=unembedding,
    )
    return Circuit(network, notes=notes, task=task_named(task, network.p))


def from_transformer_lens(model: nn.Module, task: str = "addition", *, p: int | None = None) -> Circuit:
    """A circuit of a live TransformerLens model, its hooks and edited weights included: the model itself is run.

    Embeddings, neurons and attention are its ``hook_embed``, and ``mlp.hook_post`` and ``attn.hook_pattern`` of its last block.
    ``p``: number of symbols, where several fit its vocabulary. Raises InterpError as ``from_module`` does.
    """
    task_named(task, 2)
    network, notes = network_of(model, lambda p: task_named(task, p).table(), p)
    return Circuit(network, notes=notes, task=task_named(task, network.p))


def _residues(logits: Tensor, pairs: int, p: int) -> Tensor:
    if logits.dim() != 2 or len(logits) != pairs or logits.shape[1] < p:
        raise InterpError(f"expected logits of shape [{pairs}, {p}], got {list(logits.shape)}")
    return logits[:, :p]


def _numbers(values: Any, what: str) -> Tensor:
    """A copy of a tensor, an array or nested lists as a tensor of finite float32 or float64 numbers."""
    try:
        tensor = torch.as_tensor(values).detach().cpu().clone()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InterpError(f"expected {what} as a tensor or an array, got {type(values).__name__}") from error
    if tensor.dtype not in (torch.float32, torch.float64):
        if tensor.is_complex() or tensor.dtype == torch.bool:
            raise InterpError(f"expected {what} as real numbers, got {tensor.dtype}")
        tensor = tensor.float()
    if not bool(torch.isfinite(tensor).all()):
        raise InterpError(f"{what} hold NaN or infinite values")
    return tensor


def _tables(embedding: Any, p: int) -> Tables:
    is_pair = isinstance(embedding, tuple | list) and len(embedding) == 2 and len(embedding[0]) == p != 2
    E_a, E_b = embedding if is_pair else (embedding, embedding)
    tables = [_numbers(table, "the embedding") for table in ((E_a,) if E_a is E_b else (E_a, E_b))]
    for table in tables:
        if table.dim() != 2 or len(table) != p or table.shape[1] < 1:
            raise InterpError(f"expected an embedding of shape [{p}, d], got {list(table.shape)}")
    return tables[0], tables[-1]
