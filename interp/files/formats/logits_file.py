"""Files of logits: a network of which only its answers to all pairs are known."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files.checkpoint import Checkpoint
from interp.files.formats.facts import Facts
from interp.files.formats.readings import COMPUTES
from interp.files.formats.strangers.proof import best_task
from interp.function import Function
from interp.networks.config import MAX_P
from interp.tasks import task_named

KEY = "logits"
"""Name under which logits are looked for among other tensors."""


def logits_in(content: Any) -> Tensor | None:
    """The tensor in a file's content that holds logits: the only one, or the one called so; None where there is none."""
    if isinstance(content, Tensor):
        return content
    if not isinstance(content, dict):
        return None
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor) and value.dim() > 1}
    named = tensors.pop(KEY, None)
    if named is not None and not tensors.keys() & {"embed.W_E", "unembed.W_U"} and not _nests_tensors(content):
        return named
    if named is not None or len(tensors) != 1 or _nests_tensors(content):
        return None
    (alone,) = tensors.values()
    return alone if alone.is_floating_point() and (alone.dim() == 3 or _is_table(alone)) else None


def _nests_tensors(content: dict[Any, Any]) -> bool:
    """Is there a mapping with tensors inside, as a state dict beside its logits?"""
    return any(isinstance(value, dict) and any(isinstance(x, Tensor) for x in value.values()) for value in content.values())


def _is_table(logits: Tensor) -> bool:
    """Has a tensor a row for each of p² pairs, with p columns or one more?"""
    side = math.isqrt(len(logits))
    return logits.dim() == 2 and side > 1 and len(logits) == side * side and logits.shape[1] - side in (0, 1)


def read(logits: Tensor, facts: Facts) -> Checkpoint:
    """The network of which these are the logits, as [p, p, p], or [p², p] with a row a·p + b for each pair.

    One column more is taken for that of '=', and dropped. The task is the one stated, or else the one of this project that the
    logits compute; or else addition. Raises InterpError on any other shape, on whole numbers and on what is not finite.
    """
    if not logits.is_floating_point():
        raise InterpError(
            f"holds whole numbers {list(logits.shape)}: a data set, it seems, and no network; logits are floating-point numbers"
        )
    shaped, notes = _all_pairs(logits.detach())
    p = len(shaped)
    if facts.modulus not in (None, p):
        raise InterpError(f"holds logits for p = {p}, expected the {facts.modulus} that were said")
    if not bool(torch.isfinite(shaped).all()):
        raise InterpError("holds logits that are NaN or infinite: the run that wrote them had diverged")
    if shaped.dtype not in (torch.float32, torch.float64):
        shaped = shaped.float()
    task, computes = _task(shaped, facts)
    network = Function(shaped.clone(memory_format=torch.contiguous_format))
    return Checkpoint(network=network, task=task_named(task, p), notes=("format: logits of all pairs", *notes, *computes))


def _all_pairs(logits: Tensor) -> tuple[Float[Tensor, "a b c"], tuple[str, ...]]:
    """The logits as [p, p, p], and notes on what was done to them for that."""
    shape, notes = list(logits.shape), []
    if logits.dim() == 2 and _is_table(logits):
        side = math.isqrt(len(logits))
        logits = logits.reshape(side, side, -1)
        notes.append(f"rows read as pairs, a·{side} + b")
    is_cube = logits.dim() == 3 and logits.shape[0] == logits.shape[1] and logits.shape[2] - logits.shape[0] in (0, 1)
    if not is_cube or len(logits) < 2:
        raise InterpError(
            f"holds one tensor {shape}, not a state dict; logits would be [p, p, p] or [p·p, p], perhaps with one more column, "
            "that of '='"
        )
    p = len(logits)
    if p > MAX_P:
        raise InterpError(f"holds logits for p = {p}, too many to hold all pairs at once: up to {MAX_P} is supported")
    if logits.shape[2] > p:
        notes.append(f"the last of {p + 1} columns, that of '=', dropped")
    return logits[..., :p], tuple(notes)


def _task(logits: Float[Tensor, "p p p"], facts: Facts) -> tuple[str, tuple[str, ...]]:
    """The name of the task, and notes on how it was found: the one stated, or the one computed; or else addition."""
    if facts.task is not None:
        return facts.task, ()
    p = len(logits)
    best, right = best_task(logits.argmax(-1).flatten(), torch.arange(p * p), p)
    if right < COMPUTES or best.name == "addition":
        return "addition", ()
    return best.name, (one_line(f"as {best.sentence} they are right on {right:.4f} of its pairs"),)
