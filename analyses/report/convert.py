"""interp-convert: anyone's checkpoint into another format."""

import argparse
import io
import sys
from pathlib import Path

import torch

from analyses.report.card import save_pretrained
from interp import checkpoint, formats
from interp.checkpoint import write_atomically
from interp.command import run_command
from interp.errors import InterpError
from interp.formats.export import native_state_dict
from interp.formats.options import add_reading_options, facts_of

_DESCRIPTION = """\
Convert a checkpoint of any supported format. What is written follows from the second name:

  out.pt             this project's checkpoint: network, recipe, seed, step, split, losses
  out.safetensors    the same, as safetensors with all else in the metadata
  out_directory      a directory in huggingface_hub's convention: model.safetensors, config.json, a card from the findings
  out.pt --to transformer-lens
                     the state dict of TransformerLens 4's native model: weights only
"""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-convert; returns its exit code."""
    return run_command("interp-convert", lambda: _convert(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="interp-convert", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit codes:\n  0  written\n  2  unreadable, not convertible, or something is in the way",
    )  # fmt: skip
    parser.add_argument("source", type=Path, help="a checkpoint of any supported format")
    parser.add_argument("target", type=Path, help="what to write; an existing file is not overwritten")
    parser.add_argument("--to", choices=("interp", "transformer-lens"), default="interp", help="format; default interp")
    add_reading_options(parser)
    return parser


def _convert(options: argparse.Namespace) -> int:
    target: Path = options.target
    if target.suffix not in ("", ".pt", ".safetensors"):
        raise InterpError(f"expected a target that ends in .pt or .safetensors, or a directory, got {target}")
    if target.suffix and target.exists():
        raise InterpError(f"{target} exists: name another, nothing is overwritten")
    saved = formats.load(options.source, facts_of(options))
    if options.to == "transformer-lens":
        state = native_state_dict(saved.network)
        if target.suffix == ".safetensors":
            import safetensors.torch

            write_atomically(target, safetensors.torch.save(state))
        elif target.suffix == ".pt":
            buffer = io.BytesIO()
            torch.save(state, buffer)
            write_atomically(target, buffer.getvalue())
        else:
            raise InterpError(f"expected a target that ends in .pt or .safetensors for transformer-lens, got {target}")
    elif target.suffix:
        checkpoint.save(target, saved)
    else:
        save_pretrained(saved, target)
    for note in saved.notes:
        print(f"interp-convert: {note}", file=sys.stderr)
    print(f"{target}: {saved.network.describe()}, p = {saved.network.p}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
