"""A checkpoint's weights in the user's own module: built by a function in a file that the user names, which is run for that.

Nothing of the checkpoint is run: it is read into plain values as any other.
"""

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from interp.circuit import Circuit
from interp.errors import InterpError, one_line
from interp.files import plain
from interp.files.formats.directory import stated_step
from interp.function import from_module

WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name in a state dict."""


def load_into(path: str | Path, code: str, *, task: str | None = None, p: int | None = None) -> Circuit:
    """The circuit of the module that ``code``, FILE.py:FUNCTION, builds, with the weights in the checkpoint at ``path``.

    FUNCTION takes nothing and returns the module, or the module and a dict of further arguments of ``interp.from_module``, as
    tokens or neurons. ``task``, ``p``: said by the caller; they overrule the dict.

    Raises InterpError, one line with the file and the line in it where the user's code fails, and where the checkpoint's names
    and shapes are not exactly the module's.
    """
    path = Path(path)
    module, arguments = build(code)
    try:
        content, _ = plain.read(path)
        state = _state_for(module, content)
        wrong = [f"{name} {list(state[name].shape)}, there {list(x.shape)}" for name, x in module.state_dict().items()
                 if state[name].shape != x.shape]  # fmt: skip
        if wrong:
            raise InterpError(f"does not fit the module: here {', '.join(wrong[:3])}")
        module.load_state_dict(state)
    except InterpError as error:
        raise InterpError(one_line(f"{path}: {error}")) from error
    said = {name: value for name, value in (("task", task), ("p", p)) if value is not None}
    unknown = arguments.keys() - (signature(from_module).parameters.keys() - {"module"})
    if unknown:
        raise InterpError(f"{code} gives {', '.join(sorted(map(str, unknown)))}, which interp.from_module does not take")
    with _beside(code):
        return replace(from_module(module, **{**arguments, **said}), step=stated_step(content))


def build(code: str) -> tuple[nn.Module, dict[str, Any]]:
    """The module that FILE.py:FUNCTION builds, and the arguments of ``interp.from_module`` that it gives beside it."""
    file, function = _file_of(code)
    with _beside(code), _said_in_one_line(file):
        found = _imported(file, function)()
    module, arguments = found if isinstance(found, tuple) and len(found) == 2 else (found, {})
    if not isinstance(module, nn.Module) or not isinstance(arguments, dict):
        kind = type(found).__name__
        raise InterpError(f"expected {code} to return a torch.nn.Module, or one and a dict of arguments, got {kind}")
    return module, arguments


def _file_of(code: str) -> tuple[Path, str]:
    file, _, function = code.rpartition(":")
    if not file or not function.isidentifier():
        raise InterpError(f"expected FILE.py:FUNCTION, got {one_line(code, 80)}: FUNCTION builds the module")
    path = Path(file)
    if not path.is_file():
        raise InterpError(f"{one_line(file, 200)}: no such file, where a function {function} is to build the module")
    return path, function


def _imported(file: Path, function: str) -> Callable[[], Any]:
    """The function of a file, which is run under its own name, unless an imported module has that."""
    same = sys.modules.get(file.stem)
    name = file.stem if same is None or getattr(same, "__file__", None) == str(file) else f"{file.stem} of the user"
    specification = spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise InterpError(f"{file}: is no Python file")
    code = module_from_spec(specification)
    sys.modules[name] = code  # dataclasses look there
    specification.loader.exec_module(code)
    found = getattr(code, function, None)
    if not callable(found):
        there = ", ".join(each for each, value in vars(code).items() if callable(value) and not each.startswith("_"))
        raise InterpError(f"{file} defines no function {function}: there are {one_line(there, 120) or 'none'}")
    return found


@contextmanager
def _beside(code: str) -> Iterator[None]:
    """Let the user's code import what lies beside it, as a script can; what it prints goes to standard error."""
    folder, before = str(Path(code.rpartition(":")[0]).resolve().parent), list(sys.path)
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.path[:] = before


@contextmanager
def _said_in_one_line(file: Path) -> Iterator[None]:
    """Make one line, with the line number in the file, of whatever the user's code raises."""
    try:
        yield
    except InterpError:
        raise
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == file.name]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        where = f"{file}, line {line}" if line else f"{file}"
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InterpError(one_line(f"{where}: {type(error).__name__}: {said}", 400)) from error


def _state_for(module: nn.Module, content: Any) -> dict[str, Tensor]:
    """The state dict in a file's content whose names are the module's. Raises InterpError, which says which are not."""
    wanted = module.state_dict().keys()
    found = list(_states(content))
    if not found:
        raise InterpError("holds no state dict: torch.save(model.state_dict(), path) writes one")
    for state in found:
        if state.keys() == wanted:
            return state
    nearest = max(found, key=lambda state: len(state.keys() & wanted))
    missing, more = sorted(wanted - nearest.keys()), sorted(nearest.keys() - wanted)
    said = [f"{what} {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"
            for what, names in (("it lacks", missing), ("it holds beside", more)) if names]  # fmt: skip
    raise InterpError(f"is no state dict of this module: {'; '.join(said)}")


def _states(content: Any, depth: int = 0) -> Iterator[dict[str, Tensor]]:
    """Every mapping from names to tensors, up to two containers deep, as it is and without what wrappers put before names."""
    if not isinstance(content, Mapping) or not content or depth > 2:
        return
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()):
        for value in content.values():
            yield from _states(value, depth + 1)
        return
    yield dict(content)
    for prefix in WRAPPERS:
        if all(name.startswith(prefix) for name in content):
            yield from _states({name.removeprefix(prefix): value for name, value in content.items()}, depth)
