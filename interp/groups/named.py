"""Which group does a name mean? C118, Z59, D59, S5, A5, Q8, units:16, and products such as Z2xZ4."""

import math
import re
from collections.abc import Callable
from functools import lru_cache

from interp.errors import InterpError
from interp.groups.families import cyclic, dihedral, direct_product, quaternion, units
from interp.groups.group import MAX_ORDER, Group
from interp.groups.permutations import alternating, symmetric

FORMS = ("C118", "D59", "S5", "A5", "Q8", "units:16", "Z2xZ4")
"""Examples of names of groups, one of each kind."""
_FAMILIES: dict[str, Callable[[int], Group]] = {"C": cyclic, "Z": cyclic, "D": dihedral, "S": symmetric, "A": alternating}


@lru_cache(maxsize=32)
def group_named(name: str) -> Group | None:
    """The group of a name; None where the name is not formed like a group's.

    Raises InterpError where it is, and the group is too small or too large.
    """
    factors = [_factor(part) for part in re.split(r"[x×*]", name)]
    found = [factor for factor in factors if factor is not None]
    if not found or len(found) < len(factors):
        return None
    if math.prod(factor.order for factor in found) > MAX_ORDER:
        raise InterpError(f"expected a group of 2 to {MAX_ORDER} elements, got {name:.40}")
    return found[0] if len(found) == 1 else direct_product(found)


def _factor(name: str) -> Group | None:
    if name == "Q8":
        return quaternion()
    found = re.fullmatch(r"(?:([CZDSA])_?|units:)(\d{1,4})", name)
    if found is None:
        return None
    letter, number = found[1], int(found[2])
    if not 2 <= number <= MAX_ORDER:
        raise InterpError(f"expected a group of 2 to {MAX_ORDER} elements, got {name}")
    return _FAMILIES[letter](number) if letter else units(number)
