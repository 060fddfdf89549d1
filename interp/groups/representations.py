"""The real irreducible representations of a finite group: characters from its class algebra, projectors and matrices."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from interp.errors import InterpError
from interp.groups.group import Group

SEPARATE = 1e-6
"""Distance, in parts of the largest, from which two eigenvalues of the class algebra count as different."""
EQUAL = 1e-6
"""Largest difference of two characters, at any element, that are the same."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Representation:
    """An irreducible representation over the real numbers."""

    group: Group
    name: str
    """Its name: the one that the group's family has for it, or else its dimension and a letter, such as 4d_a."""
    character: Float[Tensor, " g"]
    """Trace χ of the matrix of every element."""

    @property
    def dimension(self) -> int:
        """Dimension d of its real matrices."""
        return round(float(self.character[self.group.identity]))

    @cached_property
    def s(self) -> int:
        """Mean of χ²: 1 where it stays irreducible over the complex numbers, 2 where it splits in two, 4 if quaternionic."""
        return round(float(self.character.square().mean()))

    @property
    def rank(self) -> int:
        """How many independent functions on the group its matrix entries are: d²/s."""
        return self.dimension**2 // self.s

    @property
    def kernel(self) -> Float[Tensor, " g"]:
        """What its projector is made of: d/(n s) χ."""
        return self.character * self.dimension / (self.group.order * self.s)

    @property
    def projector(self) -> Float[Tensor, "x y"]:
        """The projector from functions on the group to those that are combinations of its matrix entries.

        P[x, y] = d/(n s) χ(x y⁻¹), of rank d²/s.
        """
        return self.kernel[self.group.right_quotients]

    def matrices(self, seed: int = 0) -> Float[Tensor, "g d d"]:
        """Orthogonal matrices ρ(g) with ρ(a)ρ(b) = ρ(ab) and the trace χ: one of many equivalent choices, made by a seed.

        A random symmetric operator that commutes with left translation, R[x, y] = w(x⁻¹y) with w(g) = w(g⁻¹), has eigenspaces
        of dimension d within the range of the projector; left translation acts on one of them as the representation.
        """
        group, n = self.group, self.group.order
        generator = torch.Generator().manual_seed(seed)
        w = torch.randn(n, generator=generator, dtype=torch.float64)
        R = (w + w[group.inverse])[group.left_quotients]
        values, vectors = torch.linalg.eigh(self.projector @ R @ self.projector)
        # The eigenvalues outside the range are zeros; the largest in size is one of those within.
        basis = vectors[:, values.abs().sort(descending=True).indices[: self.dimension]]
        # (g f)(x) = f(g⁻¹x) on functions f; the rows g⁻¹x of the basis, in the basis.
        return torch.einsum("xi,gxj->gij", basis, basis[group.left_quotients])


@lru_cache(maxsize=16)
def representations(group: Group) -> tuple[Representation, ...]:
    """All real irreducible representations of a group, those that its family names first, then by dimension.

    Where the named characters are all there are, they are taken as they are; the others come from the class algebra. Raises
    InterpError where rounding keeps these from being told apart.
    """
    named = dict(group.closed_form())
    if sum(_rank(character, group) for character in named.values()) == group.order:
        characters = list(named.values())
    else:
        characters = class_algebra(group)
    found, letters = [], dict[int, int]()
    for character in sorted(characters, key=lambda χ: float(χ[group.identity])):
        name = next((name for name, known in named.items() if bool((known - character).abs().max() < EQUAL)), "")
        if not name and bool((character - 1).abs().max() < EQUAL):
            name = "trivial"
        if not name:
            dimension = round(float(character[group.identity]))
            letters[dimension] = letters.get(dimension, -1) + 1
            name = f"{dimension}d_{_letter(letters[dimension])}"
        found.append(Representation(group=group, name=name, character=character))
    order = {name: place for place, name in enumerate(["trivial", *named])}
    return tuple(sorted(found, key=lambda each: order.get(each.name, len(order))))


def projector(group: Group, some: Collection[Representation]) -> Float[Tensor, "x y"]:
    """The projector from functions on a group to combinations of the matrix entries of these representations."""
    kernel = torch.zeros(group.order, dtype=torch.float64)
    for each in some:
        kernel += each.kernel
    return kernel[group.right_quotients]


def energies(group: Group, M: Float[Tensor, "g n"]) -> Float[Tensor, " representation"]:
    """How much of a matrix over a group's elements (along its first axis) lies at each representation, in their order?

    ‖P M‖² for the projector P of each; they sum to ‖M‖². All come from one Gram matrix: Σ_xy P[x, y] ⟨M_x, M_y⟩.
    """
    M = M.double()
    by_quotient = torch.zeros(group.order, dtype=torch.float64)
    by_quotient.index_add_(0, group.right_quotients.flatten(), (M @ M.T).flatten())
    return torch.stack([each.kernel @ by_quotient for each in representations(group)]).clamp(min=0)


def _rank(character: Tensor, group: Group) -> int:
    return round(float(character[group.identity] ** 2 / character.square().mean()))


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else str(number)


def class_algebra(group: Group) -> list[Float[Tensor, " g"]]:
    """The characters of all real irreducible representations, from the table of products alone.

    With weights w that are equal on a class and on that of the inverses, multiplication by Σ_i w_i C_i acts on sums over
    conjugacy classes as a matrix that is symmetric in the basis of classes scaled to length 1. Its eigenspaces belong to the
    real representations: one dimension where these stay irreducible over the complex numbers or are quaternionic, two where
    they split in a pair of conjugates. The part of the identity in an eigenspace is D/n times a multiple of the character.
    """
    n, classes = group.order, group.classes
    count = int(classes.max()) + 1
    sizes = classes.bincount(minlength=count).double()
    first = torch.stack([(classes == each).int().argmax() for each in range(count)])
    for seed in range(8):
        w = torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        w = (w + w[classes[group.inverse[first]]])[classes]
        # [j, k] = Σ of w over the x with x⁻¹ z_k in class j, z_k of class k
        others = classes[group.left_quotients[:, first]]
        M = torch.zeros(count, count, dtype=torch.float64)
        M.scatter_add_(0, others, w[:, None].expand(n, count).contiguous())
        values, vectors = torch.linalg.eigh(M * (sizes[None] / sizes[:, None]).sqrt())
        apart = (values.diff() > SEPARATE * values.abs().max()).nonzero()[:, 0] + 1
        spaces = vectors.tensor_split(apart.tolist(), dim=1)
        if all(space.shape[1] <= 2 for space in spaces):
            return [_character(space, group, sizes) for space in spaces]
    raise InterpError(f"the representations of this group of order {n} cannot be told apart in double precision")


def _character(space: Float[Tensor, "class k"], group: Group, sizes: Float[Tensor, " class"]) -> Float[Tensor, " g"]:
    """The real irreducible character whose class functions span an eigenspace of the class algebra."""
    classes = group.classes
    of_identity = space @ space[classes[group.identity]]  # the identity is a class of its own
    f = (of_identity / sizes.sqrt())[classes]
    D = group.order * float(f[group.identity])  # Σ of d² over the complex representations in it
    d = math.sqrt(D / space.shape[1])
    χ = f * group.order / d
    squares = group.table.diagonal()
    quaternionic = space.shape[1] == 1 and float(χ[squares].mean()) < 0
    return 2 * χ if quaternionic else χ
