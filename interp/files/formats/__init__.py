"""Reading of anyone's checkpoint, recognised by its content, never by its name.

``layouts`` turns state dicts of other projects into parameters under this project's names, ``facts`` gathers from options and
from a JSON file beside the checkpoint what a state dict cannot say, ``readings`` tries what nobody says.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files import checkpoint, plain
from interp.files.checkpoint import Checkpoint
from interp.files.formats.facts import Facts, facts_beside, facts_within
from interp.files.formats.layouts import NAMES, Layout, recognise
from interp.files.formats.readings import choose
from interp.tasks import task_named


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
    layout = _layout(content)
    beside, where = facts_beside(path)
    facts = given.over(layout.facts).over(facts_within(content)).over(beside)
    used = beside.where_equal(facts)
    source = f"from {where}: {used.says()}" if used != Facts() else ""
    try:
        choice = choose(layout, facts)
    except InterpError as error:
        raise InterpError(f"{error} ({source})" if source else str(error)) from error
    sources = (source,) if source else ()
    notes = (f"format: {layout.name}", *layout.notes, *sources, *choice.notes)
    task = task_named(facts.task or "addition", choice.network.p)
    return Checkpoint(network=choice.network, task=task, notes=notes, assumed=choice.assumed)


def _layout(content: Any) -> Layout:
    """The one recognised state dict in a file: at the top, or up to two containers deep under whatever key."""
    found: list[tuple[str, Layout]] = []
    unknown: list[dict[str, Tensor]] = []
    for key, state in _state_dicts(content):
        layout = recognise(state)
        if layout is None:
            unknown.append(state)
        else:
            found.append((key, layout))
    if len(found) == 1:
        return found[0][1]
    if found:
        keys = one_line(", ".join(key for key, _ in found), 100)
        raise InterpError(f"holds several networks, under {keys}: save the one that is meant alone")
    if unknown:
        raise InterpError(_unknown(max(unknown, key=len)))
    if isinstance(content, Tensor):
        if not content.is_floating_point():
            raise InterpError(f"holds whole numbers {list(content.shape)}: a data set, it seems, and no network")
        raise InterpError(
            f"holds one tensor {list(content.shape)}, not a state dict; logits [p, p, p] are analysed from Python: "
            "interp.from_logits(torch.load(path))"
        )
    held = f"a mapping with {_listed(content)}" if isinstance(content, dict) else f"a {type(content).__name__}"
    raise InterpError(f"holds {held}, not a state dict: torch.save(model.state_dict(), path) writes one")


def _state_dicts(content: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Every mapping from names to tensors in a file's content, with its key, and without wrappers' prefixes on the names."""
    if not isinstance(content, dict) or not content or depth > 2:
        return
    if all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()):
        yield key, _without_prefixes(content)
        return
    for name, value in content.items():
        if isinstance(name, str):
            yield from _state_dicts(value, f"{key}.{name}" if key else name, depth + 1)


def _without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state dict without the module., _orig_mod. or model. that DataParallel, compile and Lightning put before every name."""
    while len(heads := {name.partition(".")[0] for name in state}) == 1 and all("." in name for name in state):
        if heads <= {"blocks", "embed"}:
            break
        state = {name.partition(".")[2]: value for name, value in state.items()}
    return state


def _unknown(state: dict[str, Tensor]) -> str:
    shapes = [f"{one_line(name, 40)} {list(tensor.shape)}" for name, tensor in state.items()]
    shown = f"{', '.join(shapes[:8])}{f' and {len(shapes) - 8} more' if len(shapes) > 8 else ''}"
    if not any(tensor.is_floating_point() for tensor in state.values()):
        return f"holds whole numbers ({shown}): a data set, it seems, and no network; name the file with its weights"
    shared = {layout: len(set(names) & state.keys()) for layout, names in NAMES.items()}
    nearest = max(shared, key=shared.__getitem__)
    hint = f"nearest supported format: {nearest} ({', '.join(NAMES[nearest][:3])}, …)"
    if not shared[nearest]:
        hint = f"none of these names is known (known are {', '.join(NAMES)})"
    return (
        f"unknown state dict: {shown}; {hint}; any network that can be called can be analysed "
        "from Python: interp.from_function(f, p) or interp.from_logits(logits)"
    )


def _listed(content: dict[Any, Any]) -> str:
    return ", ".join(one_line(str(key), 40) for key in list(content)[:5]) or "nothing"
