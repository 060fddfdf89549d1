"""State dicts of other projects, recognised by their names and shapes, as parameters under TransformerLens's names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from einops import rearrange
from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files.formats.facts import Facts
from interp.networks.attention_free import Kind
from interp.networks.config import Parameters

HOOKED = "TransformerLens HookedTransformer"
PAPERS = "progress-measures / clock-and-pizza"
BRIDGE = "TransformerLens 4 native bridge"
LINEAR = "clock-and-pizza attention-free"
MLP = "rep-theory one-layer MLP"

NAMES = {
    HOOKED: ("embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_Q", "blocks.0.attn.b_Q", "unembed.W_U"),
    PAPERS: ("embed.W_E", "pos_embed.W_pos", "blocks.0.attn.W_Q", "blocks.0.mlp.W_in", "unembed.W_U"),
    BRIDGE: ("embed.weight", "pos_embed.weight", "blocks.0.attn.q.weight", "blocks.0.mlp.in.weight", "unembed.weight"),
    LINEAR: ("embed.weight", "l1.weight", "unembed.weight"),
    MLP: ("W_x", "W_y", "W", "W_U"),
}
"""Parameter names that are typical of each layout: an unknown state dict is compared with them."""


class UnknownLayout(InterpError):  # noqa: N818 (it is read as a stranger's)
    """A state dict is in none of the layouts known by their names, or has more than its layout."""


@dataclass(frozen=True, eq=False)
class Layout:
    """A recognised state dict: parameters under this project's names, vocabularies and positions not yet interpreted."""

    name: str
    parameters: Parameters
    facts: Facts = field(default_factory=Facts)
    """Facts that the layout states or implies about how to read it."""
    kinds: tuple[Kind, ...] = ()
    """For attention-free networks, the kinds that these shapes can be; empty for transformers."""
    heads_are_merged: bool = False
    """Are W_Q, W_K, W_V [d_model, head·d_head] and W_O [head·d_head, d_model], with the number of heads not stored?"""
    notes: tuple[str, ...] = ()

    def rate_is_assumed(self, facts: Facts) -> bool:
        """Does nobody say the attention rate of a network with '='? Published networks that have a rate read (a, b) only."""
        unsaid = facts.attention_rate is None and not self.kinds
        return unsaid and len(self.parameters["pos_embed.W_pos"]) != 2


def recognise(state: Mapping[str, Tensor]) -> Layout | None:
    """Which layout has this state dict? None for an unknown one. Raises InterpError on a known one that cannot be read."""
    for convert in (_mlp, _linear, _bridge, _hooked_or_papers):
        layout = convert(dict(state))
        if layout is not None:
            _check(layout.parameters)
            _complete_biases(layout.parameters)
            return layout
    return None


def _mlp(state: Parameters) -> Layout | None:
    if not {"W_x", "W_y", "W", "W_U"} <= state.keys():
        return None
    W_x, W_y, W, W_U = _take(state, {"W_x": 2, "W_y": 2, "W": 2, "W_U": 2})
    parameters = {"embed_a.W_E": W_x, "embed_b.W_E": W_y, "l1.W": W, "unembed.W_U": W_U}
    return Layout(MLP, parameters, kinds=("delta",), notes=_ignored(state))


def _linear(state: Parameters) -> Layout | None:
    if not {"embed.weight", "l1.weight", "unembed.weight"} <= state.keys():
        return None
    W_E, l1, W_U = _take(state, {"embed.weight": 2, "l1.weight": 2, "unembed.weight": 2})
    parameters = {"embed_a.W_E": W_E, "l1.W": l1.T, "unembed.W_U": W_U.T}
    kinds: tuple[Kind, ...] = ("delta",) if l1.shape[1] == 2 * W_E.shape[1] else ("alpha",)
    if "l2.weight" in state:
        (l2,) = _take(state, {"l2.weight": 2})
        parameters["l2.W"] = l2.T
        kinds = ("beta", "gamma")
    for layer in ("l1", "l2"):
        if f"{layer}.bias" in state:
            (parameters[f"{layer}.b"],) = _take(state, {f"{layer}.bias": 1})
    return Layout(LINEAR, parameters, kinds=kinds, notes=_ignored(state))


def _bridge(state: Parameters) -> Layout | None:
    if not {"embed.weight", "pos_embed.weight", "blocks.0.attn.q.weight", "unembed.weight"} <= state.keys():
        return None
    W_E, W_pos, W_U = _take(state, {"embed.weight": 2, "pos_embed.weight": 2, "unembed.weight": 2})
    parameters = {"embed.W_E": W_E, "pos_embed.W_pos": W_pos, "unembed.W_U": W_U.T}
    for layer in _layers(state):
        block = f"blocks.{layer}"
        for theirs, ours in _BRIDGE_NAMES.items():
            (W,) = _take(state, {f"{block}.{theirs}.weight": 2})
            parameters[f"{block}.{ours.format('W')}"] = W.T
            if f"{block}.{theirs}.bias" in state:
                (parameters[f"{block}.{ours.format('b')}"],) = _take(state, {f"{block}.{theirs}.bias": 1})
    if "unembed.bias" in state:
        (parameters["unembed.b_U"],) = _take(state, {"unembed.bias": 1})
    return Layout(BRIDGE, parameters, Facts(attention_rate=1.0), heads_are_merged=True, notes=_ignored(state))


_BRIDGE_NAMES = {
    "attn.q": "attn.{}_Q",
    "attn.k": "attn.{}_K",
    "attn.v": "attn.{}_V",
    "attn.o": "attn.{}_O",
    "mlp.in": "mlp.{}_in",
    "mlp.out": "mlp.{}_out",
}


def _hooked_or_papers(state: Parameters) -> Layout | None:
    if not {"embed.W_E", "pos_embed.W_pos", "unembed.W_U", "blocks.0.attn.W_O"} <= state.keys():
        return None
    is_hooked = state["blocks.0.attn.W_O"].dim() == 3
    return _hooked(state) if is_hooked else _papers(state)


def _hooked(state: Parameters) -> Layout:
    W_E, W_pos, W_U = _take(state, {"embed.W_E": 2, "pos_embed.W_pos": 2, "unembed.W_U": 2})
    parameters = {"embed.W_E": W_E, "pos_embed.W_pos": W_pos, "unembed.W_U": W_U}
    masks = []
    for layer in _layers(state):
        attention, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        wanted = {f"{attention}.W_{letter}": 3 for letter in "QKVO"} | {f"{mlp}.W_in": 2, f"{mlp}.W_out": 2}
        biases = {f"{attention}.b_{letter}": 2 for letter in "QKV"} | {f"{attention}.b_O": 1}
        biases |= {f"{mlp}.b_in": 1, f"{mlp}.b_out": 1}
        wanted |= {name: dims for name, dims in biases.items() if name in state}
        parameters |= dict(zip(wanted, _take(state, wanted), strict=True))
        masks.append(state.pop(f"{attention}.mask", None))
        state.pop(f"{attention}.IGNORE", None)
    if "unembed.b_U" in state:
        (parameters["unembed.b_U"],) = _take(state, {"unembed.b_U": 1})
    return Layout(HOOKED, parameters, Facts(attention_rate=1.0, causal=_causal(masks)), notes=_ignored(state))


def _papers(state: Parameters) -> Layout:
    W_E, W_pos, W_U = _take(state, {"embed.W_E": 2, "pos_embed.W_pos": 2, "unembed.W_U": 2})
    parameters = {"embed.W_E": W_E.T, "pos_embed.W_pos": W_pos, "unembed.W_U": W_U}
    for layer in _layers(state):
        attention, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        for letter in "QKV":
            (W,) = _take(state, {f"{attention}.W_{letter}": 3})
            parameters[f"{attention}.W_{letter}"] = rearrange(W, "head d_head d_model -> head d_model d_head")
        (W_O,) = _take(state, {f"{attention}.W_O": 2})
        heads = len(parameters[f"{attention}.W_Q"])
        if heads == 0 or W_O.shape[1] % heads:
            raise InterpError(f"{attention}.W_O has {W_O.shape[1]} columns, which {heads} heads do not divide")
        parameters[f"{attention}.W_O"] = rearrange(W_O, "d_model (head d) -> head d d_model", head=heads)
        W_in, W_out = _take(state, {f"{mlp}.W_in": 2, f"{mlp}.W_out": 2})
        parameters |= {f"{mlp}.W_in": W_in.T, f"{mlp}.W_out": W_out.T}
        for name in (f"{mlp}.b_in", f"{mlp}.b_out"):
            if name in state:
                (parameters[name],) = _take(state, {name: 1})
        # Stored by both papers, used by one: says nothing.
        state.pop(f"{attention}.mask", None)
    return Layout(PAPERS, parameters, notes=_ignored(state))


def _layers(state: Mapping[str, Tensor]) -> range:
    numbers = {int(match[1]) for name in state if (match := re.match(r"blocks\.(\d{1,3})\.", name))}
    if numbers != set(range(len(numbers))):
        raise InterpError(f"has blocks {sorted(numbers)[:8]}: some are missing")
    return range(len(numbers))


def _causal(masks: list[Tensor | None]) -> bool | None:
    """Is attention causal, as the stored masks say? None where they are empty (TransformerLens 3) or missing."""
    for mask in masks:
        if mask is not None and mask.dim() >= 2 and min(mask.shape[-2:]) > 1:
            return not bool(mask.reshape(-1, *mask.shape[-2:])[0].bool().all())
    return None


def _complete_biases(W: Parameters) -> None:
    """Add zeros for the biases that are missing where others of their group, attention or MLP, are present."""
    for stem, width in (("attn.b_{}", "QKVO"), ("mlp.b_{}", ("in", "out"))):
        if not any(re.search(stem.replace(".", r"\.").format("(" + "|".join(width) + ")$"), name) for name in W):
            continue
        for name in [name for name in W if name.endswith(tuple(stem.replace("b_", "W_").format(letter) for letter in width))]:
            weight, bias = W[name], name.replace(".W_", ".b_")
            if bias not in W:
                per_head = weight.dim() == 3 and not name.endswith("W_O")
                W[bias] = weight.new_zeros((len(weight), weight.shape[-1]) if per_head else weight.shape[-1:])


def _take(state: Parameters, wanted: Mapping[str, int]) -> list[Tensor]:
    """Take the wanted tensors out of a state dict. Raises InterpError where one is missing, empty or has other axes."""
    taken = []
    for name, dims in wanted.items():
        if name not in state:
            raise InterpError(f"{name} is missing from this state dict: was it saved whole?")
        tensor = state.pop(name)
        if tensor.dim() != dims or 0 in tensor.shape:
            raise InterpError(f"expected {name} with {dims} axes, got shape {list(tensor.shape)}")
        taken.append(tensor)
    return taken


def _ignored(left: Mapping[str, Tensor]) -> tuple[str, ...]:
    """A note on the tensors that remain, if all are known to take no part in the answer. Raises UnknownLayout on any other."""
    if foreign := [name for name in left if name not in _UNUSED]:
        shown = one_line(", ".join(foreign[:6]), 200)
        raise UnknownLayout(f"has tensors that this layout does not: {shown}; leaving them out could change the answer")
    return (f"not used: {', '.join(left)}",) if left else ()


_UNUSED = ("x_embed", "y_embed")
"""Tensors that take no part in the answer: rep-theory saves them beside a HookedTransformer that does not read them."""


def _check(parameters: Parameters) -> None:
    """Bring parameters to one dtype, float32 or float64, half precision widened. Raises InterpError on whole numbers."""
    for name, tensor in parameters.items():
        if not tensor.is_floating_point():
            raise InterpError(f"expected {name} to hold floating-point numbers, got {tensor.dtype}")
    widest = torch.float64 if any(tensor.dtype == torch.float64 for tensor in parameters.values()) else torch.float32
    for name, tensor in parameters.items():
        parameters[name] = tensor.detach().to(widest).contiguous()
