"""Where does a module hold the vectors of a and of b? Found by what its parts give, so that others can take their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from interp.errors import InterpError
from interp.networks.modules.parts import INPUT, ROOT, Parts

Place = tuple[str, int | None]
"""Name of an activation, and the position in it; None where it has no positions."""
CLOSE = 1e-5
"""Largest difference, as a share of the largest value, between numbers that are the same but for rounding."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """The vectors that a module reads for a and for b, and where it holds them while it runs."""

    of_a: Float[Tensor, "p d"]
    of_b: Float[Tensor, "p d"]
    """Vectors of a and of b; one tensor where these are the same."""
    places_a: tuple[Place, ...]
    places_b: tuple[Place, ...]
    """Places that hold the vector of a, and of b; one place may hold their sum."""
    added: Float[Tensor, " d"] | None = None
    """What is added where one place holds the sum of a's vector and b's; None where a and b have places of their own."""

    @property
    def names(self) -> list[str]:
        """Names of the activations that hold the vectors."""
        return list(dict.fromkeys(name for name, _ in (*self.places_a, *self.places_b)))

    def written(self, name: str, value: Tensor, E_a: Float[Tensor, "n d"], E_b: Float[Tensor, "n d"]) -> Tensor:
        """The activation [pair, *position, d] with other vectors in the places of a and of b; gradients flow to them."""
        if self.added is not None:
            return (E_a + E_b + self.added).to(value)
        value = value.clone()
        for places, vectors in ((self.places_a, E_a), (self.places_b, E_b)):
            for place, position in places:
                if place == name and position is None:
                    value = vectors.to(value)
                elif place == name:
                    value[:, position] = vectors.to(value)
        return value


def probe_pairs(p: int) -> tuple[Int[Tensor, " pair"], Int[Tensor, " pair"]]:
    """Pairs that tell what depends on a and what on b: p of (a, 0), p of (0, b), and p of both, no two alike in both."""
    each, none = torch.arange(p), torch.zeros(p, dtype=torch.long)
    return torch.cat([each, none, each]), torch.cat([none, each, (each * 2 + 1) % p])


def find_embedding(parts: Parts, seen: Mapping[str, Tensor], p: int, named: Sequence[str] = ()) -> Embedding:
    """The embeddings in the activations ``seen`` [pair, *position, d] on ``probe_pairs``, of the parts that are named.

    Where none is: in those of every ``nn.Embedding`` or, where none runs, of the first linear layer, which may read one-hots.
    Raises InterpError, which says what to name, where the vectors of a and b are not in one way to be told.
    """
    ran = [name for name in seen if not name.endswith(INPUT) and name != ROOT]
    if named:
        names = [name for name in ran if name in named or parts.part_of(name) in named]
        if missing := [name for name in named if name not in seen and not any(parts.part_of(x) == name for x in ran)]:
            raise InterpError(f"no activation is called {', '.join(missing)}, where an embedding is expected")
    else:
        names = [name for name in ran if isinstance(parts.by_name.get(parts.part_of(name)), nn.Embedding)]
    of_a, of_b = {}, {}
    for name in names:
        tables_a, tables_b = _tables(seen[name], p, name)
        of_a.update(tables_a)
        of_b.update(tables_b)
    if of_a and of_b:
        E_a, E_b = (_one_of(tables, letter) for tables, letter in ((of_a, "a"), (of_b, "b")))
        shared = E_a.shape == E_b.shape and bool((E_a == E_b).all())
        return Embedding(E_a, E_a if shared else E_b, tuple(of_a), tuple(of_b))
    if not names and not named:
        names = [name for name in ran if isinstance(parts.by_name.get(name), nn.Linear)][:1]
    for name in names:
        if (found := _of_one_hots(parts.by_name[parts.part_of(name)], seen[name], name, p)) is not None:
            return found
    where = ", ".join(names) or "any nn.Embedding, of which it runs none"
    raise InterpError(f"does not hold the vectors of a and of b apart in {where}: embedding='NAME' says which part gives them")


def _tables(value: Float[Tensor, "pair ..."], p: int, name: str) -> tuple[dict[Place, Tensor], dict[Place, Tensor]]:
    """By place, what depends on a alone, [p, d], and what depends on b alone, in an activation on ``probe_pairs``."""
    a, b = probe_pairs(p)
    if value.dim() not in (2, 3) or len(value) != len(a):
        return {}, {}
    of_a: dict[Place, Tensor] = {}
    of_b: dict[Place, Tensor] = {}
    for position in range(value.shape[1]) if value.dim() == 3 else (None,):
        vectors = value if position is None else value[:, position]
        for symbols, table, tables in ((a, vectors[:p], of_a), (b, vectors[p : 2 * p], of_b)):
            if not _same(table, table[:1].expand_as(table)) and _same(vectors, table[symbols]):
                tables[name, position] = table.clone()
    return of_a, of_b


def _same(x: Tensor, y: Tensor) -> bool:
    return bool((x - y).abs().max() <= CLOSE * y.abs().max())


def _one_of(tables: Mapping[Place, Tensor], letter: str) -> Tensor:
    """The one table that every place holds. Raises InterpError where they hold different ones."""
    first, *others = tables.values()
    if any(each.shape != first.shape or not _same(each, first) for each in others):
        names = ", ".join(dict.fromkeys(name for name, _ in tables))
        raise InterpError(f"has several embeddings of {letter} ({names}): embedding='NAME' says which is meant")
    return first


def _of_one_hots(part: nn.Module, value: Float[Tensor, "pair ..."], name: str, p: int) -> Embedding | None:
    """The columns of a linear layer that reads the one-hots of a and b, side by side or added; None where it does not."""
    if not isinstance(part, nn.Linear) or part.in_features not in (p, 2 * p) or value.dim() != 2:
        return None
    columns = part.weight.detach().cpu().T
    bias = columns.new_zeros(columns.shape[1]) if part.bias is None else part.bias.detach().cpu()
    E_a, E_b = columns[:p], columns[-p:]
    a, b = probe_pairs(p)
    if not _same(value, E_a[a] + E_b[b] + bias):
        return None
    return Embedding(E_a, E_a if part.in_features == p else E_b, ((name, None),), ((name, None),), bias)
