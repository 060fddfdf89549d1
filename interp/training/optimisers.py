"""Optimisers: what moves the weights along the gradient, and what it remembers from step to step."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from interp.networks.config import Parameters
from interp.recipe import Recipe

Memory = dict[str, Parameters]
"""What an optimiser remembers: name of a running mean → name of a parameter → tensor of its shape."""

SLOW = "slow_gradient"
"""Name of the running mean of the gradients that a gradient filter amplifies."""
_KEPT = {
    "adamw": ("exp_avg", "exp_avg_sq"),
    "adam": ("exp_avg", "exp_avg_sq"),
    "sgd": ("momentum_buffer",),
    "muon": ("momentum_buffer",),
}
"""Name of an optimiser → the running means that torch keeps for a parameter, under torch's names."""


class Optimiser:
    """The optimiser of a recipe over parameters, changed in place; biases and embeddings included, as the papers do."""

    def __init__(self, recipe: Recipe, parameters: Parameters) -> None:
        self._recipe, self._all = recipe, parameters
        self._trained = {name: x for name, x in parameters.items() if is_trained(recipe, name)}
        groups: dict[str, list[Tensor]] = {}
        for x in self._trained.values():
            groups.setdefault(_kind(recipe, x.shape), []).append(x)
        self._parts = {kind: _made(kind, tensors, recipe) for kind, tensors in groups.items()}
        self._slow = {name: torch.zeros_like(x) for name, x in self._trained.items()} if recipe.gradient_filter else {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self._parts.values():
            part.zero_grad()

    @torch.no_grad()
    def step(self, step: int) -> None:
        """One update by the gradients that the parameters hold; ``step`` counts the updates done before."""
        recipe = self._recipe
        for name, slow in self._slow.items():
            gradient = self._trained[name].grad
            assert gradient is not None
            slow.lerp_(gradient, 1 - recipe.gradient_filter_decay)
            gradient.add_(slow, alpha=recipe.gradient_filter)
        for part in self._parts.values():
            for group in part.param_groups:
                group["lr"] = learning_rate(recipe, step)
            part.step()

    def memory(self) -> Memory:
        """Copies, in the memory of the computer, of all that it remembers: zeros before the first step."""
        state = {x: part.state[x] for part in self._parts.values() for x in part.state}
        kept: Memory = {}
        for buffer, shapes in memory_shapes(self._recipe, {name: tuple(x.shape) for name, x in self._all.items()}).items():
            kept[buffer] = {}
            for name in shapes:
                x = self._all[name]
                value = self._slow.get(name) if buffer == SLOW else state.get(x, {}).get(buffer)
                kept[buffer][name] = torch.zeros_like(x, device="cpu") if value is None else value.to("cpu", copy=True)
        return kept

    def restore(self, memory: Memory, step: int) -> None:
        """Go on with what was remembered after ``step`` updates."""
        for name, x in self._trained.items():
            kind = _kind(self._recipe, x.shape)
            state = {buffer: memory[buffer][name].to(x.device, copy=True) for buffer in _KEPT[kind]}
            if kind in ("adam", "adamw"):
                state["step"] = torch.tensor(float(step), device=x.device)
            self._parts[kind].state[x] = state
        for name, slow in self._slow.items():
            slow.copy_(memory[SLOW][name])


def is_trained(recipe: Recipe, name: str) -> bool:
    """Is a parameter trained? All are, less positions that are given."""
    return recipe.positions == "learned" or name != "pos_embed.W_pos"


def learning_rate(recipe: Recipe, step: int) -> float:
    """The learning rate of a step, by warm-up and schedule; ``step`` counts the updates done before."""
    warmup = min(step / recipe.warmup_steps, 1.0) if recipe.warmup_steps else 1.0
    rate = recipe.learning_rate * warmup
    if recipe.schedule == "constant":
        return rate
    end = recipe.schedule_to or recipe.steps
    passed = min(max((step - recipe.schedule_from) / max(end - recipe.schedule_from, 1), 0.0), 1.0)
    return rate * (1 - passed if recipe.schedule == "linear" else (1 + math.cos(math.pi * passed)) / 2)


def memory_shapes(recipe: Recipe, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, dict[str, tuple[int, ...]]]:
    """What does the optimiser of a recipe remember of parameters of these shapes, and in which shapes?"""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        for buffer in _KEPT[_kind(recipe, shape)]:
            found.setdefault(buffer, {})[name] = shape
        if recipe.gradient_filter and is_trained(recipe, name):
            found.setdefault(SLOW, {})[name] = shape
    return found


def _kind(recipe: Recipe, shape: tuple[int, ...]) -> str:
    """The optimiser of one parameter: Muon is one of matrices, and leaves all else to AdamW."""
    return "adamw" if recipe.optimiser == "muon" and len(shape) != 2 else recipe.optimiser


def _made(kind: str, tensors: list[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    rate, decay, betas = recipe.learning_rate, recipe.weight_decay, (recipe.beta_1, recipe.beta_2)
    match kind:
        case "adamw":  # fused: the same update in one pass over the weights
            return torch.optim.AdamW(tensors, lr=rate, weight_decay=decay, betas=betas, fused=True)
        case "adam":
            return torch.optim.Adam(tensors, lr=rate, weight_decay=decay, betas=betas, fused=True)
        case "sgd":
            return torch.optim.SGD(tensors, lr=rate, weight_decay=decay, momentum=recipe.momentum)
        case _:  # steps as large as AdamW's, so that one learning rate serves both
            return torch.optim.Muon(
                tensors, lr=rate, weight_decay=decay, momentum=recipe.momentum, adjust_lr_fn="match_rms_adamw"
            )
