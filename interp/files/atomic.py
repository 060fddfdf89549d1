"""Files that are replaced whole or not at all."""

import os
import tempfile
from pathlib import Path

from interp.errors import WriteError

_UNFINISHED = ".unfinished"


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content in one step, once the new content has reached the disk. Raises WriteError where it cannot."""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes private files; a checkpoint is an ordinary one
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror}; what was there before is untouched") from error


def remove_unfinished(directory: Path) -> None:
    """Remove the unfinished files of processes that were killed while they wrote to a directory."""
    for temporary in directory.glob(f".*{_UNFINISHED}"):
        temporary.unlink(missing_ok=True)
