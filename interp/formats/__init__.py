"""Anyone's checkpoint: recognised by its content, never by its name.

``layouts`` turns state dicts of other projects into parameters under our names, ``facts`` gathers what a state dict cannot
say from options and from a JSON file beside it, ``readings`` tries what is left open.
"""

from pathlib import Path
from typing import Any

from torch import Tensor

from interp import checkpoint, plain
from interp.checkpoint import Checkpoint
from interp.errors import InterpError, one_line
from interp.formats.facts import Facts, facts_beside, facts_within
from interp.formats.layouts import NAMES, recognise
from interp.formats.readings import choose

CONTAINERS = ("model", "state_dict", "model_state_dict", "params", "parameters", "weights")
"""Keys under which training containers hold the state dict."""


def load(path: str | Path, given: Facts | None = None) -> Checkpoint:
    """The network in a file of any supported format, and notes on how it was read where that was not obvious.

    Formats: this project's; TransformerLens 1-3 (HookedTransformer) and 4 (native bridge) state dicts; the layout of the
    progress-measures and clock-and-pizza papers; attention-free models of the latter and the MLP of rep-theory; bare or in
    a training container; as .pt or .safetensors; or a directory that ``save_pretrained`` wrote. ``given``: what the caller
    knows and the file does not say; it overrules a JSON file beside the checkpoint.

    Raises InterpError, one line that names the file and the remedy.
    """
    path = Path(path)
    if (path / "model.safetensors").is_file():
        path = path / "model.safetensors"
    try:
        return _load(path, given or Facts())
    except InterpError as error:
        raise InterpError(one_line(f"{path}: {error}")) from error


def _load(path: Path, given: Facts) -> Checkpoint:
    content, metadata = plain.read(path)
    own = checkpoint.from_content(content, metadata)
    if own is not None:
        if given != Facts():
            raise InterpError("is a checkpoint of this project, which says all about itself: give no reading options")
        return own
    state = _state_dict(content)
    layout = recognise(state)
    if layout is None:
        raise InterpError(_unknown(state))
    facts = given.over(facts_within(content)).over(facts_beside(path)).over(layout.facts)
    network, notes = choose(layout, facts)
    return Checkpoint(network=network, notes=(f"format: {layout.name}", *layout.notes, *notes))


def _state_dict(content: Any) -> dict[str, Tensor]:
    """The named tensors in a file: at the top, or under one of the usual keys."""
    candidates = [content]
    if isinstance(content, dict):
        candidates += [content[key] for key in CONTAINERS if key in content]
    for candidate in reversed(candidates):
        if isinstance(candidate, dict) and candidate:
            named = {key: value for key, value in candidate.items() if isinstance(key, str)}
            if len(named) == len(candidate) and all(isinstance(value, Tensor) for value in named.values()):
                return {key.removeprefix("module.").removeprefix("_orig_mod."): value for key, value in named.items()}
    held = f"a mapping with {_listed(content)}" if isinstance(content, dict) else f"a {type(content).__name__}"
    raise InterpError(f"holds {held}, not a state dict: torch.save(model.state_dict(), path) writes one")


def _unknown(state: dict[str, Tensor]) -> str:
    shapes = [f"{one_line(name, 40)} {list(tensor.shape)}" for name, tensor in state.items()]
    nearest = max(NAMES, key=lambda layout: len(set(NAMES[layout]) & state.keys()))
    return (
        f"unknown state dict: {', '.join(shapes[:8])}{f' and {len(shapes) - 8} more' if len(shapes) > 8 else ''}; nearest "
        f"supported format: {nearest} ({', '.join(NAMES[nearest][:3])}, …); any network that can be called can be analysed "
        "from Python: interp.from_function(f, p) or interp.from_logits(logits)"
    )


def _listed(content: dict[Any, Any]) -> str:
    return ", ".join(one_line(str(key), 40) for key in list(content)[:5]) or "nothing"
