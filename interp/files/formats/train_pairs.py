"""Which pairs was a network trained on? From its file where that says so without doubt, or from a file of their own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files import plain
from interp.tasks.task import UNDEFINED, Task

MAX_TEXT = 16 << 20
"""Largest size in bytes of a text file of pairs: all pairs of p = 400 are about 1 MB."""
_NAMES = re.compile(
    r"(train(ing)?_?(pairs|indices|idx|index|ids|data|inputs|x|mask)?|x_train|is_train|mask_train)", re.IGNORECASE
)
"""Names under which training pairs are found in a file."""
_CONTAINERS = re.compile(r"(data|dataset|datasets|split|splits)", re.IGNORECASE)
"""Names of mappings in which training pairs are found, besides the file's own."""
_DATA = re.compile(r"(data|dataset|inputs|x|all_pairs|pairs)", re.IGNORECASE)
"""Names of all pairs that a data set has, which indices beside them count."""


@dataclass(frozen=True, eq=False)
class GivenPairs:
    """Training pairs as somebody gives them, not yet compared with a task."""

    source: str
    """Where they come from, in words."""
    values: Tensor
    """Indices a·p + b [n], rows of tokens [n, 2 or more], or a mask of all pairs, [p, p] or [p²]."""


def given_pairs(pairs: Any) -> GivenPairs:
    """Training pairs from a file's path, or from a tensor, an array or a list.

    A file: ``.npy`` or ``.pt`` with one tensor, or text with two columns, a and b, or one of indices a·p + b; a first line
    without numbers is a heading. Raises InterpError where it cannot be read.
    """
    if isinstance(pairs, GivenPairs):
        return pairs
    if isinstance(pairs, str | Path):
        path = Path(pairs)
        try:
            return GivenPairs(path.name, _of_file(path))
        except InterpError as error:
            raise InterpError(one_line(f"{path}: {error}")) from error
    values = _tensor(pairs.tolist() if isinstance(pairs, np.ndarray) else pairs)
    if values is None:
        raise InterpError(f"expected training pairs as a file, a tensor, an array or a list, got {type(pairs).__name__}")
    return GivenPairs("train_pairs", values)


def _of_file(path: Path) -> Tensor:
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        return _of_text(path)
    content, _ = plain.read(path)
    tensors = content.values() if isinstance(content, dict) else (content,)
    found = [values for each in tensors if (values := _tensor(each)) is not None]
    if len(found) != 1:
        raise InterpError(f"holds {len(found)} lists of training pairs, expected one: indices a·p + b, or rows of a and b")
    return found[0]


def _of_text(path: Path) -> Tensor:
    try:
        if path.stat().st_size > MAX_TEXT:
            raise InterpError(f"is more than {MAX_TEXT >> 20} MiB of text: no list of pairs is so long")
        text = path.read_text()
    except OSError as error:
        raise InterpError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InterpError("cannot be read as text") from error
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    rows = [line.replace(",", " ").replace(";", " ").split() for line in lines]
    if rows and not all(re.fullmatch(r"-?\d+", cell) for cell in rows[0]):
        rows = rows[1:]
    if not rows or {len(row) for row in rows} not in ({1}, {2}):
        raise InterpError("expected one column, of indices a·p + b, or two, of a and b")
    wrong = next((cell for row in rows for cell in row if not re.fullmatch(r"\d{1,9}", cell)), None)
    if wrong is not None:
        raise InterpError(f"expected whole numbers, got {one_line(wrong, 40)!r}")
    return torch.tensor([[int(cell) for cell in row] for row in rows]).squeeze(1)


def pairs_in(content: Any, task: Task) -> tuple[Int[Tensor, " train"] | None, tuple[str, ...]]:
    """The pairs of a task that a file says were trained on, and notes on where they were found, or why they were not used."""
    found: list[tuple[str, Tensor]] = []
    refused: list[str] = []
    for name, values, data in _candidates(content):
        try:
            found.append((name, settled(values, task, data)))
        except InterpError as error:
            refused.append(f"{one_line(name, 40)} is not used as training pairs: {error}")
    if not found:
        return None, tuple(refused)
    name, pairs = found[0]
    if any(set(other.tolist()) != set(pairs.tolist()) for _, other in found):
        names = ", ".join(each for each, _ in found)
        return None, (f"training pairs are not known: {one_line(names, 80)} disagree", *refused)
    return pairs, (f"training pairs: {len(pairs)} of {len(task.pairs())}, from {one_line(name, 40)} in the file", *refused)


def settled(values: Tensor, task: Task, data: Tensor | None = None) -> Int[Tensor, " train"]:
    """Training pairs as indices a·p + b, ascending: distinct pairs of the task, fewer than all.

    ``data``: the rows that indices count, where these are not all pairs in order. Raises InterpError, which says why, where it
    is not clear which pairs are meant.
    """
    p = task.p
    if values.dtype == torch.bool:
        if tuple(values.shape) not in ((p, p), (p * p,)):
            raise InterpError(f"expected a mask of shape [{p}, {p}] or [{p * p}], got {list(values.shape)}")
        pairs = values.flatten().nonzero()[:, 0]
    elif values.is_floating_point() or values.is_complex():
        raise InterpError(f"expected whole numbers, got {values.dtype}".replace("torch.", ""))
    elif values.dim() == 1 or (values.dim() == 2 and values.shape[1] == 1):
        pairs = values.long().flatten()
        if data is not None:
            if len(pairs) and not 0 <= int(pairs.min()) <= int(pairs.max()) < len(data):
                raise InterpError(f"its indices are not all among the {len(data)} rows of the data beside it")
            pairs = _of_rows(data[pairs].long(), task)
    elif values.dim() == 2:
        pairs = _of_rows(values.long(), task)
    else:
        raise InterpError(f"expected indices a·p + b, or rows of tokens, got a tensor of shape {list(values.shape)}")
    return _checked(pairs, task)


def _of_rows(rows: Int[Tensor, "n token"], task: Task) -> Int[Tensor, " n"]:
    """Indices a·p + b from rows of tokens: a and b, perhaps among signs such as '=', which are the same in every row."""
    p = task.p
    if not len(rows):
        raise InterpError("holds no pairs")
    columns = list(rows.T)
    if len(columns) > 2:
        columns = [column for column in columns if int(column.min()) != int(column.max()) or int(column[0]) < p]
    if len(columns) == 3 and _is_pair(columns, p):
        a, b, c = columns
        answers = task.table()[a, b]
        if bool(((answers == c) & (answers != UNDEFINED)).all()):
            columns = [a, b]
    if len(columns) != 2:
        raise InterpError(f"its rows of {rows.shape[1]} tokens do not say which two are a and b")
    a, b = columns
    if p <= int(b.min()) and int(b.max()) < 2 * p:
        b = b - p  # tokens of its own
    if not _is_pair([a, b], p):
        raise InterpError(f"expected a and b from 0 to {p - 1}, got rows up to {int(rows.max())}")
    return a * p + b


def _is_pair(columns: list[Tensor], p: int) -> bool:
    return all(bool(((column >= 0) & (column < p)).all()) for column in columns[:2])


def _checked(pairs: Int[Tensor, " n"], task: Task) -> Int[Tensor, " n"]:
    every = task.pairs()
    if not len(pairs):
        raise InterpError("holds no pairs")
    if not bool(torch.isin(pairs, every).all()):
        raise InterpError(f"expected indices of pairs of {task.sentence}, from 0 to {int(every.max())}, got others")
    pairs = pairs.sort().values
    if bool((pairs[1:] == pairs[:-1]).any()):
        raise InterpError("expected distinct pairs, got some twice")
    if len(pairs) == len(every):
        raise InterpError(f"holds all {len(every)} pairs, so that none is held out")
    return pairs


def _candidates(content: Any) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """What may be training pairs in a file: its name, its values, and the data that indices beside it count."""
    if not isinstance(content, dict):
        return
    inner = {name: each for name, each in content.items() if isinstance(name, str) and _CONTAINERS.fullmatch(name)}
    for where, mapping in [("", content), *((f"{name}.", each) for name, each in inner.items() if isinstance(each, dict))]:
        data = next((x for name, x in _tensors(mapping) if _DATA.fullmatch(name) and _is_data(x)), None)
        for name, values in _tensors(mapping):
            if _NAMES.fullmatch(name):
                yield f"{where}{name}", values, data


def _is_data(values: Tensor) -> bool:
    return values.dim() == 2 and values.shape[1] >= 2 and values.dtype in (torch.int64, torch.int32, torch.int16)


def _tensors(mapping: Mapping[Any, Any]) -> Iterator[tuple[str, Tensor]]:
    for name, value in mapping.items():
        values = _tensor(value) if isinstance(name, str) else None
        if values is not None:
            yield name, values


def _tensor(value: Any) -> Tensor | None:
    """A tensor, a list of whole numbers, or a list of rows of them, as a tensor; of (inputs, labels) the inputs."""
    if isinstance(value, Tensor):
        return value.detach()
    if not isinstance(value, list | tuple) or not value:
        return None
    if all(isinstance(each, Tensor) for each in value):
        return value[0].detach() if len(value) == 2 and value[0].dim() == 2 else None
    flat = [number for row in value for number in (row if isinstance(row, list | tuple) else (row,))]
    width = len(flat) // len(value)
    is_table = all(isinstance(row, list | tuple) and len(row) == width for row in value)
    if not all(type(number) in (int, bool) and abs(number) < 1 << 31 for number in flat):
        return None
    if not is_table and any(isinstance(row, list | tuple) for row in value):
        return None
    return torch.tensor([list(row) for row in value] if is_table else list(value))
