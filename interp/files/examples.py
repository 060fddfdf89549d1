"""The networks that come with this project: trained, known, and there after any installation.

In the repository they are in checkpoints/, whose README says how each was trained; a wheel has them in interp/checkpoints.
"""

from pathlib import Path

from interp.circuit import Circuit
from interp.errors import InterpError, one_line
from interp.files import formats

_PACKAGE = Path(__file__).parent.parent


def example(name: str) -> Circuit:
    """The circuit of one of the networks that come with this project, ready for every measurement of ``analyses``.

    ``name``: as in ``examples()``, such as "nanda-113", the network of Nanda et al. 2023, or "operations/s5".
    Raises InterpError on a name that is not among them.
    """
    if name not in examples():
        raise InterpError(f"expected one of the networks {', '.join(examples())}, got {one_line(repr(name), 60)}")
    return formats.load(_folder() / f"{name}.pt").circuit()


def examples() -> list[str]:
    """The names of the networks that come with this project, in alphabetical order."""
    folder = _folder()
    return sorted(str(path.relative_to(folder).with_suffix("").as_posix()) for path in folder.rglob("*.pt"))


def _folder() -> Path:
    """The folder that the networks are in. Raises InterpError where this installation has none."""
    for folder in (_PACKAGE / "checkpoints", _PACKAGE.parent / "checkpoints"):
        if folder.is_dir():
            return folder
    raise InterpError("this installation has no networks: install it from its wheel, or from a clone of the repository")
