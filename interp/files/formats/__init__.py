"""Reading of anyone's checkpoint, recognised by its content, never by its name.

``layouts`` turns state dicts of other projects into parameters under this project's names, ``facts`` gathers from options and
from a configuration beside the checkpoint what a state dict cannot say, ``readings`` tries what nobody says.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files import checkpoint, plain
from interp.files.checkpoint import Checkpoint
from interp.files.formats import logits_file
from interp.files.formats.beside import facts_beside
from interp.files.formats.directory import file_of, stated_step
from interp.files.formats.facts import Facts, facts_within, stated_scores
from interp.files.formats.layouts import NAMES, Layout, UnknownLayout, recognise
from interp.files.formats.logits_file import logits_in
from interp.files.formats.readings import COMPUTES, Choice, choose
from interp.files.formats.strangers.proof import likely_task, other_operation, right_on_all
from interp.files.formats.strangers.proof import read as read_stranger
from interp.files.formats.strangers.roles import template
from interp.files.formats.train_pairs import GivenPairs, pairs_in, settled
from interp.tasks import task_named


def load(path: str | Path, given: Facts | None = None) -> Checkpoint:
    """The network in a file of any supported format, and notes on how it was read where that was not obvious.

    Formats: this project's; TransformerLens 1-3 (HookedTransformer) and 4 (native bridge) state dicts; the layout of the
    progress-measures and clock-and-pizza papers; attention-free models of the latter and the MLP of rep-theory; bare or in
    a training container; as .pt or .safetensors; logits of all pairs, also as .npy or .npz. Of a run directory the newest
    checkpoint is read, of any other the only file in it. ``given``: what the caller knows and the file does not say; it
    overrules a configuration beside the checkpoint.

    Raises InterpError, one line that names the file and the remedy.
    """
    path = file_of(Path(path))
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
    beside, where = facts_beside(path)
    logits = logits_in(content)
    read = logits_file.read(logits, given.over(beside)) if logits is not None else _network(content, given, beside, where)
    return _with_training(read, content, given.train_pairs or beside.train_pairs)


def _with_training(read: Checkpoint, content: Any, given: GivenPairs | None) -> Checkpoint:
    """The network with what its file, or the caller, says of its training: how far it is, and on which pairs."""
    if given is not None:
        try:
            pairs = settled(given.values, read.task)
        except InterpError as error:
            raise InterpError(f"training pairs from {given.source}: {error}") from error
        said = f"training pairs: {len(pairs)}, from {one_line(given.source, 100)}"
        return replace(read, step=stated_step(content), train_pairs=pairs, notes=(*read.notes, said))
    found, notes = pairs_in(content, read.task)
    return replace(read, step=stated_step(content), train_pairs=found, notes=(*read.notes, *notes))


def _network(content: Any, given: Facts, beside: Facts, where: str) -> Checkpoint:
    """The network that a file's weights make. ``where``: the name of the configuration that says what is in ``beside``."""
    known = given.over(facts_within(content)).over(beside)
    try:
        layout = _layout(content)
        if known.normalization not in (None, "none") or known.names or known.answers:
            raise UnknownLayout("is no network of a known layout")
    except UnknownLayout as unknown:
        return _checkpoint(_stranger(content, known, unknown))
    facts = given.over(layout.facts).over(facts_within(content)).over(beside)
    used = beside.where_equal(facts)
    source = f"from {where}: {used.says()}" if used != Facts() else ""
    try:
        choice = choose(layout, facts)
    except InterpError as error:
        raise InterpError(f"{error} ({source})" if source else str(error)) from error
    if known.answers is None and right_on_all(choice.network, facts.task or "addition") < COMPUTES:
        # What names do not say, such as a normalisation whose weights were folded away, shows in what is computed.
        with suppress(InterpError):
            stranger = _stranger(content, known, InterpError("holds no network"), f"{layout.name}'s names")
            if stranger.computes:
                return _checkpoint(stranger)
        instead = other_operation(choice.network, facts.task) if facts.task else ""
        choice = replace(choice, task=facts.task or likely_task(choice.network), instead=instead)
    notes = (f"format: {layout.name}", *layout.notes, *((source,) if source else ()), *choice.notes)
    return _checkpoint(replace(choice, task=facts.task or choice.task, notes=notes))


def _checkpoint(choice: Choice) -> Checkpoint:
    task = task_named(choice.task, choice.network.p)
    return Checkpoint(
        network=choice.network,
        task=task,
        notes=choice.notes,
        assumed=choice.assumed,
        instead=choice.instead,
        answers=choice.answers,
    )


def _stranger(content: Any, facts: Facts, unknown: InterpError, names: str = "names of its own") -> Choice:
    """The network in a file whose layout is not known by its names. Raises ``unknown`` where it holds no one state dict."""
    states = [(key, state) for key, state in _state_dicts(content) if _holds_weights(state)]
    if not states:
        raise unknown
    _, state = max(states, key=lambda each: sum(tensor.numel() for tensor in each[1].values()))
    shapes = {name: tensor.shape for name, tensor in state.items()}
    twins = [key for key, other in states if {name: tensor.shape for name, tensor in other.items()} == shapes]
    if len(twins) > 1:
        raise InterpError(_several(twins))
    try:
        return read_stranger(state, facts, stated_scores(content), names)
    except InterpError as error:
        raise InterpError(
            f"{unknown}. As a network under names of its own: {error}. --names MAP.toml says what is what, with lines such as "
            f"{template(state)}"
        ) from unknown


def _holds_weights(state: dict[str, Tensor]) -> bool:
    """Are there matrices of floating-point numbers? An optimiser's state has none at this depth, a data set none at all."""
    return sum(tensor.is_floating_point() and tensor.dim() > 1 for tensor in state.values()) > 1


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
        raise InterpError(_several([key for key, _ in found]))
    if unknown:
        raise UnknownLayout(_unknown(max(unknown, key=len)))
    held = f"a mapping with {_listed(content)}" if isinstance(content, dict) else f"a {type(content).__name__}"
    raise InterpError(f"holds {held}, not a state dict: torch.save(model.state_dict(), path) writes one")


def _several(keys: list[str]) -> str:
    return f"holds several networks, under {one_line(', '.join(keys), 100)}: save the one that is meant alone"


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
