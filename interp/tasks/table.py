"""A task given by its table alone: any operation on symbols 0..n-1, from a file."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError
from interp.groups.group import MAX_ORDER, check_square
from interp.groups.isomorphism import isotopy
from interp.tasks.task import UNDEFINED, Relabelling, Task, Words

PREFIX = "table:"
"""What the name of such a task begins with; the table itself, compressed, is the rest of it."""
MAX_BYTES = 64 << 20
"""Largest size of a file with a table, in bytes."""


@dataclass(frozen=True)
class TableTask(Task):
    """An operation given by its table. Its name holds the whole table, so that no file has to be found again."""

    packed: str
    """The table, compressed and as text."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.table()) != self.p:
            raise InterpError(f"the table has {len(self.table())} symbols, not {self.p}")

    @property
    def name(self) -> str:
        return PREFIX + self.packed

    @property
    def label(self) -> str:
        return f"table {self._digest}"

    @classmethod
    def named(cls, name: str, p: int | None) -> Task | None:
        """The task of a packed table, or of the table in a .npy file."""
        if name.startswith(PREFIX):
            table = _unpacked(name.removeprefix(PREFIX))
        elif name.endswith(".npy"):
            table = read(Path(name))
        else:
            return None
        return cls(len(table) if p is None else p, _packed(table))

    @classmethod
    def examples(cls) -> Sequence[str]:
        return ()

    @cached_property
    def _digest(self) -> str:
        return hashlib.sha256(self.packed.encode()).hexdigest()[:8]

    @cached_property
    def _table(self) -> Int[Tensor, "a b"]:
        return _unpacked(self.packed)

    def table(self) -> Int[Tensor, "a b"]:
        return self._table

    def expression(self, a: str, b: str) -> str:
        return f"{a} ∘ {b}"

    def of_words(self, a: str, b: str) -> str:
        return f"{self.expression(a, b)} of {self.label} with {self.p} symbols"

    @cached_property
    def _found(self) -> tuple[Relabelling | None, str]:
        """The numbers in which it is a group's operation, or why there are none."""
        table, symbols, apart = self._table, torch.arange(self.p), ""
        zero = ((table == symbols[:, None]).all(1) & (symbols[:, None] == table.T).all(1)).nonzero()
        if len(zero) == 1:  # whatever is multiplied with it is it
            apart = str(int(zero))
            symbols = symbols[symbols != int(zero)]
            place = torch.full((self.p,), UNDEFINED)
            place[symbols] = torch.arange(self.p - 1)
            table = place[table[symbols][:, symbols]]
        try:
            found = isotopy(table)
        except InterpError as error:
            return None, str(error)
        a, b, c = (symbols[each] for each in (found.a, found.b, found.c))
        if found.group.name.startswith("C") and found.group.generator is not None:
            words = Words(sum="n(a) + n(b)", difference="n(a) - n(b)", a="n(a)", b="n(b)", c="n(c)")
            return Relabelling(a=a, b=b, c=c, words=words, apart=apart), ""
        return Relabelling(a=a, b=b, c=c, apart=apart, noncyclic=found.group), ""

    def relabelling(self) -> Relabelling | None:
        """Elements of the group whose operation the table is, with an absorbing symbol, a zero, left out."""
        return self._found[0]

    def why_no_group(self) -> str:
        return self._found[1]


def read(path: Path) -> Int[Tensor, "a b"]:
    """The table in a .npy file: whole numbers [n, n], -1 where there is no answer. Raises InterpError where it is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InterpError(f"{path}: is larger than {MAX_BYTES >> 20} MiB: expected a table of up to {MAX_ORDER} symbols")
        values = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InterpError(f"{path}: cannot be read: {error.strerror or 'no .npy file'}") from error
    except ValueError as error:
        raise InterpError(f"{path}: is no .npy file of whole numbers") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu":
        raise InterpError(f"{path}: expected a .npy file of whole numbers, got {getattr(values, 'dtype', 'several arrays')}")
    try:
        return _checked(torch.from_numpy(values.astype(np.int64)))
    except InterpError as error:
        raise InterpError(f"{path}: {error}") from error


def _checked(table: Int[Tensor, "..."]) -> Int[Tensor, "a b"]:
    check_square(table)
    n = len(table)
    outside = ((table < UNDEFINED) | (table >= n)).nonzero()
    if len(outside):
        a, b = outside[0].tolist()
        raise InterpError(f"the answer to ({a}, {b}) is {int(table[a, b])}, which is none of 0..{n - 1}, nor -1 for no answer")
    if not bool((table != UNDEFINED).any()):
        raise InterpError("no pair has an answer")
    return table


def _packed(table: Int[Tensor, "a b"]) -> str:
    return base64.urlsafe_b64encode(zlib.compress(table.numpy().astype("<i2").tobytes(), 9)).decode()


def _unpacked(packed: str) -> Int[Tensor, "a b"]:
    """The table that a name holds. Raises InterpError on a name that holds none."""
    try:
        unpack = zlib.decompressobj()
        content = unpack.decompress(base64.b64decode(packed, altchars=b"-_", validate=True), 2 * MAX_ORDER**2)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise InterpError("a task's name that begins with table: holds no table") from error
    n = round((len(content) / 2) ** 0.5)
    if not unpack.eof or len(content) != 2 * n * n:
        raise InterpError("a task's name that begins with table: holds no square table")
    return _checked(torch.from_numpy(np.frombuffer(content, "<i2").astype(np.int64)).reshape(n, n))
