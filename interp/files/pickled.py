"""Reading of what is plain in a file that also holds pickled objects: these are left out, never run or imported."""

import io
import pickle
import types
from typing import Any

import torch
from torch import Tensor

_HARMLESS = {
    "collections": ("OrderedDict",),
    "torch._utils": ("_rebuild_tensor_v2", "_rebuild_parameter"),
    "torch": ("float32", "float64", "float16", "bfloat16", "int64", "int32", "Size"),
}
"""Names, by module, that make ordinary values; everything else that a pickle names becomes a ``_LeftOut``."""


class _LeftOut:
    """Stand-in for an object that is left out: it can be made of anything, filled with anything, and does nothing."""

    state: dict[str, Any]
    """Attributes that the object would have had, by name."""

    def __new__(cls, *_: Any, **__: Any) -> "_LeftOut":
        made = object.__new__(cls)
        made.state = {}
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        # A class with slots has two mappings, its attributes and its slots.
        halves = state if isinstance(state, tuple) else (state,)
        self.state = {name: value for half in halves if isinstance(half, dict) for name, value in half.items()}

    def append(self, *_: Any) -> None:
        """Take an item and forget it: a pickle fills lists, sets and mappings of a class of its own in this way."""

    extend = add = __setitem__ = append


class _Unpickler(pickle.Unpickler):
    """Unpickler that makes plain values, and a ``_LeftOut`` of everything else, whose name it adds to ``met``."""

    met: list[str]

    def find_class(self, module: str, name: str) -> Any:
        if name in _HARMLESS.get(module, ()):
            return super().find_class(module, name)
        self.met.append(f"{module}.{name}")
        return _LeftOut


def plain_values(archive: bytes) -> tuple[Any, tuple[str, ...]]:
    """The numbers, words, tensors and containers in a ``.pt`` archive, and the names of the objects that were left out.

    A pickled module becomes its state dict; any other object a mapping of its plain attributes. Raises what zipfile, pickle and
    torch raise on damaged archives.
    """
    met: list[str] = []
    unpickler = type("Unpickler", (_Unpickler,), {"met": met})
    module = types.SimpleNamespace(Unpickler=unpickler, __name__="interp.files.pickled")
    content = torch.load(io.BytesIO(archive), map_location="cpu", pickle_module=module, weights_only=False)
    return _plain(content, {}), tuple(dict.fromkeys(met))


def _plain(value: Any, known: dict[int, Any]) -> Any:
    """A copy in plain values: an object becomes its state dict or its attributes, all else that is not plain becomes None.

    What was met before, or contains itself, is not gone through again.
    """
    if id(value) in known:
        return known[id(value)]
    known[id(value)] = None
    if isinstance(value, _LeftOut):
        copied = _state_dict(value.state) or _plain(value.state, known)
    elif isinstance(value, dict):
        items = [(key, _plain(each, known)) for key, each in value.items() if isinstance(key, str | int)]
        copied = {key: each for key, each in items if each is not None}
    elif isinstance(value, list | tuple):
        copied = [each for each in (_plain(each, known) for each in value) if each is not None]
    elif isinstance(value, Tensor):
        copied = value.detach()
    else:
        copied = value if type(value) in (str, int, float, bool) else None
    known[id(value)] = copied
    return copied


def _state_dict(state: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Tensor]:
    """The parameters and buffers of a pickled module by name; empty for an object that is no module."""
    found: dict[str, Tensor] = {}
    parts = {kind: each for kind in ("_parameters", "_buffers", "_modules") if isinstance(each := state.get(kind), dict)}
    for kind, members in parts.items():
        for name, member in members.items():
            if isinstance(member, Tensor) and kind != "_modules":
                found[f"{prefix}{name}"] = member.detach()
            elif isinstance(member, _LeftOut) and depth < 16:
                found |= _state_dict(member.state, f"{prefix}{name}.", depth + 1)
    return found
