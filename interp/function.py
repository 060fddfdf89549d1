"""Any network at all, from its logits or from the functions that compute them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.circuit import Circuit
from interp.errors import InterpError
from interp.hooks import Edit
from interp.model import Model, Tables, Unavailable

FromPairs = Callable[[Int[Tensor, " pair"], Int[Tensor, " pair"]], Tensor]
"""From a and b, vectors of residues, to logits [pair, p or more]."""
FromEmbeddings = Callable[[Float[Tensor, "pair d"], Float[Tensor, "pair d"]], Tensor]
"""From the embeddings of a and b to logits [pair, p or more], differentiable."""


@dataclass(frozen=True, eq=False)
class Function(Model):
    """Given logits on all pairs, and where there are any, embeddings and the function that runs from them."""

    logits: Float[Tensor, "p p p"]
    embedding: Tables | None = None
    from_embeddings: FromEmbeddings | None = None

    @property
    def p(self) -> int:
        return len(self.logits)

    def describe(self) -> str:
        return "a network given by its logits" if self.from_embeddings is None else "a network given by a function"

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
        E_a, E_b = torch.broadcast_tensors(E_a, E_b)
        logits = self.from_embeddings(E_a.flatten(0, -2), E_b.flatten(0, -2))
        return _residues(logits, len(E_a.flatten(0, -2)), self.p).unflatten(0, E_a.shape[:-1]), {}


def from_logits(logits: Tensor, embedding: Tensor | None = None) -> Circuit:
    """A circuit of a network of which only the logits L[a, b, c] are known, and perhaps the embedding of its residues.

    Every measurement that needs no more works on it; the others say what they lack.
    Raises InterpError unless the logits are [p, p, p] and finite, and the embedding [p, d].
    """
    if logits.dim() != 3 or len(set(logits.shape)) != 1:
        raise InterpError(f"expected logits of shape [p, p, p], got {list(logits.shape)}")
    tables = None if embedding is None else _tables(embedding, len(logits))
    return Circuit(Function(_finite(logits), tables))


def from_function(
    function: FromPairs,
    p: int,
    *,
    embedding: Tensor | Tables | None = None,
    from_embeddings: FromEmbeddings | None = None,
) -> Circuit:
    """A circuit of any network that can be called.

    ``function``: from a and b, two vectors of residues, to logits [pair, p] (further columns are dropped).
    ``from_embeddings`` with ``embedding`` ([p, d], or two of them where a and b are embedded differently): from the
    embeddings of a and b to the same logits; gradients and ablations need it.

    Raises InterpError on logits of another shape or not finite, and where the two functions disagree.
    """
    if p < 2:
        raise InterpError(f"expected a modulus p of at least 2, got {p}")
    if from_embeddings is not None and embedding is None:
        raise InterpError("from_embeddings needs the embedding that it starts from: give embedding too")
    a, b = torch.cartesian_prod(torch.arange(p), torch.arange(p)).unbind(1)
    with torch.no_grad():
        logits = _finite(_residues(function(a, b), p * p, p))
    model = Function(logits.unflatten(0, (p, p)), None if embedding is None else _tables(embedding, p), from_embeddings)
    if from_embeddings is not None:
        E_a, E_b = model.tables()
        with torch.no_grad():
            again, _ = model.run(E_a[a], E_b[b])
        off = (again - logits).abs().max().item()
        if not off <= 1e-3 * max(1.0, logits.abs().max().item()):
            raise InterpError(f"function and from_embeddings disagree by up to {off:.3g} in the logits: not one network")
    return Circuit(model)


def _residues(logits: Tensor, pairs: int, p: int) -> Tensor:
    if logits.dim() != 2 or len(logits) != pairs or logits.shape[1] < p:
        raise InterpError(f"expected logits of shape [{pairs}, {p}], got {list(logits.shape)}")
    return logits[:, :p]


def _finite(logits: Tensor) -> Tensor:
    if not bool(torch.isfinite(logits).all()):
        raise InterpError("the logits hold NaN or infinite values")
    return logits.detach()


def _tables(embedding: Tensor | Tables, p: int) -> Tables:
    E_a, E_b = (embedding, embedding) if isinstance(embedding, Tensor) else embedding
    for table in (E_a, E_b):
        if table.dim() != 2 or len(table) != p:
            raise InterpError(f"expected an embedding of shape [{p}, d], got {list(table.shape)}")
    if not bool(torch.isfinite(E_a).all() and torch.isfinite(E_b).all()):
        raise InterpError("the embedding holds NaN or infinite values")
    return E_a.detach(), (E_a if E_b is E_a else E_b).detach()
