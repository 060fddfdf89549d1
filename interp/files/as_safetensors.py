"""A checkpoint's content as a safetensors file: tensors, and all else as JSON in its metadata, with a checksum."""

import hashlib
import json
from typing import Any

import torch
from torch import Tensor

from interp.errors import InterpError

BEFORE_LABELS = (1, 2, 3, 4)
"""Versions of the content in which a split says nothing of labels."""


def to_safetensors(content: dict[str, Any], name: str) -> bytes:
    """The file of a checkpoint's content; what is not a tensor is JSON, under a name in the metadata."""
    import safetensors.torch

    tensors = dict(content["parameters"])
    if content["split"] is not None:
        tensors |= {f"split.{part}": x.contiguous() for part, x in content["split"].items() if x is not None}
    plain = {key: value for key, value in content.items() if key not in ("parameters", "split")}
    metadata = {name: json.dumps({**plain, "sha256": _digest(tensors)})}
    return safetensors.torch.save(tensors, metadata)


def from_safetensors(tensors: dict[str, Tensor], metadata: str) -> dict[str, Any]:
    """The content of a checkpoint in a file's tensors and its JSON. Raises InterpError where they are not those written."""
    try:
        content = json.loads(metadata)
        digest = content.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise InterpError("is damaged (metadata): copy it again or take another checkpoint") from error
    if digest != _digest(tensors):
        raise InterpError("is damaged (checksum of its tensors): copy it again or take another checkpoint")
    parameters = dict(tensors)
    split = {part: parameters.pop(f"split.{part}", None) for part in ("train", "told")}
    if content.get("version") in BEFORE_LABELS:
        del split["told"]
    return {**content, "split": None if split["train"] is None else split, "parameters": parameters}


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
