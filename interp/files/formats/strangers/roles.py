"""Which part does each tensor of a stranger's state dict play? Roles come from the usual words in names, or from a name map."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files.formats.strangers.words import (
    IS_NORMALIZATION,
    NUMBERED_MLP,
    Words,
    is_silent,
    normalizations,
    roles_of,
    words,
)

ROLES = {
    "embed": "embedding of the tokens, [token, d_model]",
    "embed_b": "embedding of the tokens of b, where they have one of their own",
    "positions": "learned or fixed positions, [position, d_model]",
    "unembed": "map to the logits, [answer, d_model] or [d_model, answer]; leave out where it is the embedding",
    "unembed.bias": "bias of the logits",
    "0.attention.q": "queries of block 0; k, v and o (output) likewise, each with .bias where there is one",
    "0.attention.qkv": "queries, keys and values of block 0 in one matrix",
    "0.mlp.in": "input of the neurons of block 0; gate and out likewise, each with .bias where there is one",
    "0.mlp.gate_in": "gate and input in one matrix",
    "0.normalization_1": "weights of the normalisation of block 0's attention; normalization_2 of its MLP; each with .bias",
    "final_normalization": "weights of the normalisation before the logits; with .bias",
}
"""The roles that a name map can give to tensors, with what each is; blocks are numbered from 0."""


@dataclass(frozen=True, eq=False)
class Roles:
    """The tensors of a state dict by their roles (see ``ROLES``)."""

    tensors: dict[str, Tensor]
    """Role → tensor, as the file has it."""
    names: dict[str, str]
    """Role → the tensor's name in the file."""
    left: dict[str, Tensor]
    """Tensors without a role, by their names in the file, less buffers that hold no weights."""

    @property
    def blocks(self) -> int:
        """Number of blocks, numbered from 0."""
        return len({role.partition(".")[0] for role in self.tensors if role[0].isdigit()})

    def get(self, role: str) -> Tensor | None:
        """The tensor of a role, None where there is none."""
        return self.tensors.get(role)


def name_map(path: Path) -> dict[str, str]:
    """The names and roles in a TOML file of lines "name in the file" = "role"; "" for a tensor that plays none.

    Raises InterpError where it cannot be read, or names a role that there is not.
    """
    try:
        given = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InterpError(f"{path}: cannot be read as TOML ({one_line(str(error), 80)})") from error
    for name, role in given.items():
        if not isinstance(role, str) or (role and not _ROLE.fullmatch(role)):
            known = ", ".join(ROLES)
            raise InterpError(f"{path}: {one_line(name, 40)} has the role {one_line(repr(role), 40)}; roles are {known}")
    return given


_ROLE = re.compile(
    r"(embed(_b)?|positions|(unembed|final_normalization|\d{1,2}\.(attention\.(q|k|v|o|qkv)|mlp\.(in|gate|out|gate_in)|normalization_[12]))"
    r"(\.bias)?)"
)


def roles(state: Mapping[str, Tensor], given: Mapping[str, str] | None = None) -> Roles:
    """The roles of a state dict's tensors; ``given`` maps names in the file to roles, "" for a tensor without one.

    Raises InterpError where two tensors have one role.
    """
    given = given or {}
    if unknown := sorted(given.keys() - state.keys()):
        raise InterpError(f"the name map names tensors that are not there: {one_line(', '.join(unknown), 120)}")
    found: dict[str, str] = {}
    left: dict[str, Tensor] = {}
    # Names that can be one thing only come first, then those that can be several.
    for claimed, name in sorted(_claims(state, given), key=lambda each: len(each[0])):
        role = next((each for each in claimed if each not in found), claimed[0] if claimed else "")
        if not role:
            left |= {} if name in given else {name: state[name]}
        elif role == "embed" and role in found and state[found[role]].shape == state[name].shape:
            found.setdefault("embed_b", name)
        elif role in found:
            raise InterpError(
                f"{one_line(found[role], 50)} and {one_line(name, 50)} both look like {role}: decide with --names"
            )
        else:
            found[role] = name
    return Roles(
        tensors={role: state[name] for role, name in found.items()},
        names=found,
        left=left,
    )


def template(state: Mapping[str, Tensor]) -> str:
    """A name map to fill in, on one line of TOML: every tensor's name with the role that it seems to play, "" for none."""
    claimed = {name: roles[0] if roles else "" for roles, name in _claims(state, {})}
    return "; ".join(f'"{one_line(name, 60)}" = "{role}"' for name, role in claimed.items())


def bias_of(state: Mapping[str, Tensor], name: str) -> Tensor | None:
    """The bias that belongs to a matrix, by its name: fc1.bias to fc1.weight, b_in to W_in."""
    head, _, last = name.rpartition(".")
    guesses = [f"{head}.bias", f"{name}.bias", f"{name}_bias"] if last == "weight" else []
    if re.match(r"W(_|\d|$)", last):
        guesses.append(f"{head}.b{last[1:]}".removeprefix("."))
    return next((state[guess] for guess in guesses if guess in state and state[guess].dim() == 1), None)


def _claims(state: Mapping[str, Tensor], given: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The roles that every tensor which is no silent buffer can have, the likeliest first, with its name."""
    yield from (((role,) if role else (), name) for name, role in given.items())
    said = {name: words(name) for name, x in state.items() if name not in given and not is_silent(name, x)}
    gated = {each.block for each in said.values() if re.search(r"(^|_)w3$", each.tail)}
    numbered: dict[tuple[int, str], list[tuple[int, str]]] = defaultdict(list)
    norms: dict[tuple[int | None, str], dict[str, Words]] = defaultdict(dict)
    for name, each in said.items():
        suffix = ".bias" if each.is_bias else ""
        if IS_NORMALIZATION.search(each.tail):
            norms[each.block, suffix][name] = each
        elif (number := NUMBERED_MLP.search(each.tail)) and state[name].dim() <= 2:
            numbered[each.block or 0, suffix].append((int(number[2]), name))
        else:
            yield roles_of(each, each.block in gated), name
    for (block, suffix), layers in numbered.items():
        parts = ("in", "out") if len(layers) == 2 else ()
        for place, (_, name) in enumerate(sorted(layers)):
            yield (f"{block}.mlp.{parts[place]}{suffix}",) if parts else (), name
    for (within, suffix), members in norms.items():
        yield from (((f"{role}{suffix}",) if role else (), name) for role, name in normalizations(within, members))
