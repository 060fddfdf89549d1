"""What every command has besides its own options: --quiet, --version and --completion; and help in whole lines."""

import ast
import inspect
import io
import platform
import re
import sys
import textwrap
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar, get_args

import torch
import tyro
from rich.console import Console

import interp

O = TypeVar("O")  # noqa: E741
Shell = Literal["bash", "zsh", "fish"]


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command can be told."""

    quiet: bool = False
    """Say nothing on standard error but what is wrong: no progress, no remarks. The answer is printed all the same."""
    version: bool = False
    """Print the version, and exit."""
    completion: Shell | None = None
    """Print a script with which the shell completes this command on Tab, and exit. For bash save it as
    ~/.local/share/bash-completion/completions/COMMAND; for the others see docs/shell.md."""

    def say(self, line: str) -> None:
        """Print a remark on standard error, where remarks are wanted."""
        if not self.quiet:
            print(line, file=sys.stderr, flush=True)

    def console(self) -> Console:
        """A console on standard error for progress; no spinner into a pipe, whatever FORCE_COLOR says, which Jupyter sets."""
        return Console(stderr=True, quiet=self.quiet, force_terminal=None if sys.stderr.isatty() else False)


InCommon = Annotated[tyro.conf.FlagCreatePairsOff[Common], tyro.conf.arg(name="")]
"""Type of the last field of a command's options."""


def parse(
    options: type[O], name: str, arguments: Sequence[str] | None, description: str, *, default: O | None = None,
    config: tuple[Any, ...] = (tyro.conf.FlagCreatePairsOff,),
) -> O:  # fmt: skip
    """The options on a command line; ``arguments`` are those of this process where none are given.

    Exits with 0 after --help, --version and --completion, with 2 and a message after options that make no sense.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if "--version" in given:
        print(f"{name} {interp.__version__} (Python {platform.python_version()}, torch {torch.__version__})")
        raise SystemExit(0)
    _take_help_from_docstrings(options)
    how: dict[str, Any] = {
        "prog": name,
        "description": description,
        "config": (*config, tyro.conf.DisallowNone),
        **({} if default is None else {"default": default}),
    }
    if shell := _shell(given):
        script = io.StringIO()
        with redirect_stdout(script), suppress(SystemExit):
            tyro.cli(options, args=["--tyro-write-completion", shell, "-"], **how)
        print(_with_files(script.getvalue()))
        raise SystemExit(0)
    return tyro.cli(options, args=given, **how)


def _with_files(script: str) -> str:
    """A shell's script in which files are completed too, which most of these commands take; None is no value of an option."""
    for before, after in (
        ("complete -F", "complete -o bashdefault -o default -F"),
        (" completion_array\n", " completion_array || _files\n"),
        ("complete --no-files", "complete"),
    ):
        script = script.replace(before, after)
    return re.sub("'None', |, 'None'", "", script)


def _shell(arguments: Sequence[str]) -> str:
    """The shell that --completion names; empty where it is not there, or names none that is known."""
    pairs = [*pairwise(arguments), *((each.partition("=")[0], each.partition("=")[2]) for each in arguments)]
    return next((value for option, value in pairs if option == "--completion" and value in get_args(Shell)), "")


def _take_help_from_docstrings(options: type[Any]) -> None:
    """Gives every field the docstring below it for its help, in one line: tyro breaks it wherever the source does."""
    try:
        source = inspect.getsource(options)
    except OSError:  # an installation without sources has tyro's help
        return
    (definition,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(definition, ast.ClassDef)
    said = {
        field.target.id: " ".join(docstring.value.value.split())
        for field, docstring in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }
    for each in fields(options):
        each.metadata = MappingProxyType({**each.metadata, "help": said[each.name]} if each.name in said else each.metadata)
        inner = each.type
        while get_args(inner) and not is_dataclass(inner):
            inner = get_args(inner)[0]
        if isinstance(inner, type) and is_dataclass(inner):
            _take_help_from_docstrings(inner)
