"""The parts of a torch module, by name: what each is given and what it gives, seen and changed while the module runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from interp.errors import InterpError, one_line

INPUT, PATTERN = ":input", ":pattern"
"""What follows a part's name where its input is meant, or the attention weights of an ``nn.MultiheadAttention``."""
ROOT = ""
"""Name of the whole module, as torch has it."""

Visitor = Callable[[str, Tensor], Tensor]
"""Function of an activation's name and of the activation, as the module has it, to the tensor that takes its place."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A module with names for its parts.

    An activation is called as the part that gives it (``blocks.0.mlp.act``), the first tensor of several; what a part is
    given is called ``blocks.0.mlp.down:input``. Of a part that runs several times, the second time's are ``act:2`` and
    ``act:2:input``.
    """

    module: nn.Module
    by_name: Mapping[str, nn.Module]
    """Parts by name; several names may stand for one part."""

    @classmethod
    def of(cls, module: nn.Module, more: Mapping[str, nn.Module] | None = None) -> "Parts":
        """The parts under torch's dotted names, and under more names, which come first."""
        return cls(module, {**(more or {}), **dict(module.named_modules(remove_duplicate=False))})

    @cached_property
    def first_names(self) -> list[str]:
        """A name for every part, the first that it has."""
        seen: set[int] = set()
        return [name for name, part in self.by_name.items() if id(part) not in seen and not seen.add(id(part))]  # type: ignore[func-returns-value]

    @property
    def device(self) -> torch.device:
        """Where the module computes."""
        return next((x.device for x in (*self.module.parameters(), *self.module.buffers())), torch.device("cpu"))

    def part_of(self, name: str) -> str:
        """The name of the part that an activation's name begins with; a name that no part has is returned as it is."""
        return name if name in self.by_name else name.partition(":")[0]

    def check_known(self, names: Sequence[str]) -> None:
        """Raises InterpError, which lists the nearest names, on an activation of a part that there is not."""
        for name in names:
            if (part := self.part_of(name)) not in self.by_name:
                nearest = get_close_matches(part, [each for each in self.by_name if each], n=3, cutoff=0.4)
                listed = ", ".join(nearest or [each for each in self.by_name if each][:8]) or "none, it has no parts"
                raise InterpError(f"the module has no part called {one_line(part, 80)!r}: nearest are {listed}")

    def run(self, inputs: Any, visitor: Visitor | None = None, names: list[str] | None = None) -> Any:
        """The module's output on ``inputs`` (a tuple: arguments; a mapping: named ones), in evaluation mode.

        ``visitor`` sees what the parts called ``names`` are given and give (None: every part), in the order in which they run.
        Raises InterpError, one line, where the module fails.
        """
        if visitor is None:
            names = []
        handles: list[RemovableHandle] = []
        try:
            with _evaluating(self.module):
                for name in self.first_names if names is None else names:
                    handles += _attach(name, self.by_name[name], visitor)  # type: ignore[arg-type]
                inputs = _on(self.device, inputs)
                if isinstance(inputs, Mapping):
                    return self.module(**inputs)
                return self.module(*inputs) if isinstance(inputs, tuple) else self.module(inputs)
        except InterpError:
            raise
        except Exception as error:  # it is the user's own code, which may raise anything
            raise InterpError(one_line(f"the module fails when it is run: {type(error).__name__}: {error}", 300)) from error
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def everything(self, inputs: Any, more: Sequence[str] = ()) -> dict[str, Tensor]:
        """All activations of floating-point numbers, in the order in which they are computed, on the CPU.

        By the first name that each part has, and by those of ``more``.
        """
        found: dict[str, Tensor] = {}

        def see(name: str, value: Tensor) -> Tensor:
            if value.is_floating_point():
                found[name] = value.detach().cpu().clone()  # what is computed in place changes later
            return value

        names = list(dict.fromkeys([*self.first_names, *map(self.part_of, more)]))
        output = tensor_in(self.run(inputs, see, names))
        if output is not None:
            found[ROOT] = output.detach().cpu()
        return found


def tensor_in(output: Any) -> Tensor | None:
    """The tensor in what a part gives: itself, the logits of a mapping, or the first in a sequence or a mapping."""
    if isinstance(output, Tensor):
        return output
    key = _key(output)
    return None if key is None else output[key]


def _with_tensor(output: Any, tensor: Tensor) -> Any:
    """What a part gives, with its tensor replaced."""
    if isinstance(output, Tensor):
        return tensor
    key = _key(output)
    if isinstance(output, tuple):
        values = [tensor if place == key else value for place, value in enumerate(output)]
        return type(output)(*values) if hasattr(output, "_fields") else tuple(values)
    changed = copy(output)
    changed[key] = tensor
    return changed


def _key(output: Any) -> Any:
    """Where in a sequence or a mapping its tensor is; None where there is none."""
    if isinstance(output, Mapping) and isinstance(output.get("logits"), Tensor):
        return "logits"
    pairs = output.items() if isinstance(output, Mapping) else enumerate(output) if isinstance(output, tuple | list) else ()
    return next((key for key, value in pairs if isinstance(value, Tensor)), None)


def _attach(name: str, part: nn.Module, visitor: Visitor) -> list[RemovableHandle]:
    """Show a visitor what a part is given and gives. Raises nothing of its own."""
    calls, is_attention = 0, isinstance(part, nn.MultiheadAttention)

    def called() -> str:
        return name if calls == 1 else f"{name}:{calls}"

    def before(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        nonlocal calls
        calls += 1
        if is_attention:
            # Without these it keeps its weights to itself.
            given, named = given[:4], {**named, "need_weights": True, "average_attn_weights": False}
        holder: Any = given if _key(given) is not None else named
        tensor = tensor_in(holder)
        if tensor is not None:
            new = visitor(called() + INPUT, tensor)
            if new is not tensor:
                holder = _with_tensor(holder, new)
        return (holder, named) if isinstance(holder, tuple) else (given, holder)

    def after(_: nn.Module, given: Any, output: Any) -> Any:
        tensor = tensor_in(output)
        if tensor is None:
            return output
        new = visitor(called(), tensor)
        if is_attention and visitor(called() + PATTERN, output[1]) is not output[1]:
            raise InterpError(f"{called()}{PATTERN} can be read and not edited: torch computes with it before it shows it")
        return output if new is tensor else _with_tensor(output, new)

    return [part.register_forward_pre_hook(before, with_kwargs=True), part.register_forward_hook(after)]


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode, every part's own mode afterwards; and no fast path of torch's transformers, which passes hooks by."""
    training = [part for part in module.modules() if part.training]
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
        torch.backends.mha.set_fastpath_enabled(fast)


def _on(device: torch.device, inputs: Any) -> Any:
    """The inputs on a device."""
    if isinstance(inputs, Tensor):
        return inputs.to(device)
    if isinstance(inputs, tuple):
        return tuple(_on(device, each) for each in inputs)
    return {name: _on(device, each) for name, each in inputs.items()} if isinstance(inputs, Mapping) else inputs
