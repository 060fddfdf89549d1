"""interp-convert: anyone's checkpoint into another format."""

import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from analyses.reports.card import save_pretrained
from interp.commands.command import run_command
from interp.commands.options import Common, InCommon, parse
from interp.commands.reading import Reading
from interp.errors import InterpError, one_line
from interp.files import checkpoint, formats, plain
from interp.files.atomic import write_atomically
from interp.files.checkpoint import Checkpoint
from interp.files.formats.export import native_state_dict, reading_facts
from interp.networks.transformer import Network

_DESCRIPTION = """\
Convert a checkpoint of any supported format. What is written follows from the second name:

  out.pt             this project's checkpoint: network, recipe, seed, step, split, losses
  out.safetensors    the same, as safetensors with all else in the metadata
  out_directory      a directory in huggingface_hub's convention: model.safetensors, config.json, a card from the findings
  out.pt --to transformer-lens
                     the state dict of TransformerLens 4's native model: weights only, with config_out.json beside
                     it that says how to read it back
  out.pt --to plain  the tensors, numbers and words of a file that also holds pickled objects (a config, a model), which are
                     left out; nothing of them is run, and their code need not be installed

Exit codes: 0 written; 2 unreadable, not convertible, or something is in the way.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-convert; returns its exit code."""
    return run_command("interp-convert", lambda: _convert(_parse(arguments)))


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-convert can be told."""

    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """A checkpoint of any supported format."""
    target: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="TARGET")]
    """What to write; an existing file is not overwritten."""
    to: Literal["interp", "transformer-lens", "plain"] = "interp"
    """The format to write."""
    reading: Reading = field(default_factory=Reading)
    """How to read a file of another project."""
    common: InCommon = field(default_factory=Common)
    """What every command can be told."""


def _parse(arguments: list[str] | None) -> Options:
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes)
    return parse(Options, "interp-convert", arguments, _DESCRIPTION, config=config)


def _convert(options: Options) -> int:
    target = options.target
    if target.suffix not in ("", ".pt", ".safetensors"):
        raise InterpError(f"expected a target that ends in .pt or .safetensors, or a directory, got {target}")
    if target.suffix and target.exists():
        raise InterpError(f"{target} exists: name another, nothing is overwritten")
    if options.to == "plain":
        return _copy_plain(options.source, target)
    saved = formats.load(options.source, options.reading.facts)
    if options.to == "transformer-lens":
        _write_native(saved, target)
    elif target.suffix:
        checkpoint.save(target, saved)
    else:
        save_pretrained(saved, target)
    for note in saved.notes:
        options.common.say(f"interp-convert: {note}")
    print(f"{target}: {saved.task.sentence}, {saved.network.describe()}")
    return 0


def _copy_plain(source: Path, target: Path) -> int:
    """Copy a file without its pickled objects, so that it can be read like any other; returns the exit code."""
    if target.suffix != ".pt":
        raise InterpError(f"expected a target that ends in .pt for plain, got {target}")
    try:
        content, left = plain.read_without_objects(source)
    except InterpError as error:
        raise InterpError(one_line(f"{source}: {error}")) from error
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(target, buffer.getvalue())
    kept = ", ".join(map(str, content)) if isinstance(content, dict) else type(content).__name__
    print(one_line(f"{target}: {kept}; left out: {', '.join(left) or 'nothing'}", 400))
    return 0


def _write_native(saved: Checkpoint, target: Path) -> None:
    """Write the state dict, and beside it what it does not say, so that it can be read back."""
    network = saved.network
    if not isinstance(network, Network):
        raise InterpError(f"{network.describe()} cannot be a TransformerLens model")
    state = native_state_dict(network)
    beside = target.with_name(f"config_{target.stem.removeprefix('model_')}.json")
    if beside.exists():
        raise InterpError(f"{beside} exists: name another target, nothing is overwritten")
    buffer = io.BytesIO()
    if target.suffix == ".safetensors":
        import safetensors.torch

        buffer.write(safetensors.torch.save(state))
    elif target.suffix == ".pt":
        torch.save(state, buffer)
    else:
        raise InterpError(f"expected a target that ends in .pt or .safetensors for transformer-lens, got {target}")
    write_atomically(beside, (json.dumps(reading_facts(network, saved.task)) + "\n").encode())
    write_atomically(target, buffer.getvalue())


if __name__ == "__main__":
    sys.exit(main())
