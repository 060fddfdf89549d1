"""Reading a file of unknown origin into plain values: numbers, strings, containers and tensors. Nothing in it is run."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from interp.errors import InterpError, one_line
from interp.files import arrays
from interp.files.pickled import plain_values

ARRAYS = (".npy", ".npz")
"""Endings of numpy's files."""
ENDINGS = (".pt", ".pth", ".safetensors", *ARRAYS)
"""Endings of the files that are looked for in a directory; a file that is named may be called anything."""

MAX_BYTES = 256 << 20
"""Largest size in bytes of a file that is read, as it lies and unpacked: a mod-113 network is 1 MB."""
MAX_PICKLE = 4 << 20
"""Largest size in bytes of what is no tensor data: names, shapes, configuration, lists of losses.

Lists of 50,000 losses are 1 MB.
"""
MAX_DEPTH = 8
"""Deepest nesting of containers that is read, in levels."""


def read(path: Path) -> tuple[Any, dict[str, str]]:
    """The values in a file, and the metadata of a ``.safetensors``. The formats are told apart by content.

    Formats: ``.pt``, ``.safetensors``, and numpy's ``.npy`` and ``.npz``. Raises InterpError, one line with the remedy, on a
    file that is missing, empty, too large, torn, altered (where it carries checksums: ``.pt`` and ``.npz`` do) or holds
    anything but plain values.
    """
    raw = _bytes(path)
    if raw.startswith(b"PK"):
        return from_archive(raw), {}
    if raw.startswith(arrays.MAGIC):
        return _checked(arrays.read_npy(raw)), {}
    if len(raw) > 8 and raw[8:9] == b"{":
        return _read_safetensors(raw)
    if raw.startswith(b"version https://git-lfs"):
        raise InterpError("is a Git LFS pointer, which stands for the file in the repository: fetch the file with git lfs pull")
    raise InterpError(
        "is neither a .pt archive (which torch.save writes since torch 1.6) nor a .safetensors, .npy or .npz file: "
        "re-save it with torch.save(model.state_dict(), path)"
    )


def from_archive(raw: bytes) -> Any:
    """The plain values in the bytes of a ``.pt`` file, from wherever they come. Raises InterpError as ``read`` does."""
    return _checked(_read_archive(raw, _only_plain))


def read_without_objects(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The plain values in a ``.pt`` file that holds pickled objects too, and the names of the objects, which are left out.

    Nothing of the objects is run. Raises InterpError as ``read`` does.
    """
    raw = _bytes(path)
    if not raw.startswith(b"PK"):
        raise InterpError(
            "is no .pt archive, which torch.save writes since torch 1.6: it holds no pickled objects to leave out"
        )
    loaded = _read_archive(raw, plain_values)
    content, left = loaded if isinstance(loaded, tuple) else (loaded, ())  # arrays of numpy have nothing to leave out
    return _checked(content), left


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InterpError(f"is a directory without checkpoints ({', '.join(ENDINGS)}): name a file")
        if not path.is_file():
            raise InterpError("is not a regular file")
        if size > MAX_BYTES:
            raise InterpError(f"is {size >> 20} MiB; files of such networks are under {MAX_BYTES >> 20} MiB")
        raw = path.read_bytes()
    except OSError as error:
        raise InterpError(f"cannot be read: {error.strerror}") from error
    if not raw:
        raise InterpError("is empty: the run that wrote it was cut off; take an earlier checkpoint")
    return raw


def _only_plain(raw: bytes) -> Any:
    try:
        return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        _, left = plain_values(raw)
        if not left:
            raise
        raise InterpError(
            f"holds pickled objects ({one_line(', '.join(left), 200)}), which could run code and are never loaded: "
            "interp-convert THIS_FILE plain.pt --to plain copies its tensors, numbers and words, and leaves the objects out"
        ) from error


def _read_archive(raw: bytes, load: Callable[[bytes], Any]) -> Any:
    """Load an archive with right checksums, which torch does not verify: a flipped bit would load as another network."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise InterpError(f"claims to unpack to more than {MAX_BYTES >> 20} MiB: refused")
            names = [entry.filename.rpartition("/")[2] for entry in archive.infolist()]
            if arrays.is_npz(archive):
                return arrays.read_npz(archive)
            if "constants.pkl" in names:
                raise InterpError("is a TorchScript program: torch.save(model.state_dict(), path) writes what can be read")
            if "data.pkl" not in names:
                raise InterpError("is a zip archive, but none that torch.save or numpy.savez wrote")
            if any(e.filename.endswith(".pkl") and e.file_size > MAX_PICKLE for e in archive.infolist()):
                raise InterpError(f"holds more than {MAX_PICKLE >> 20} MiB that are not tensors: save the state dict alone")
            broken = archive.testzip()
        if broken is not None:
            raise InterpError(f"is damaged (checksum of {one_line(broken, 60)}): copy it again or take another checkpoint")
        return load(raw)
    except InterpError:
        raise
    # Damaged archives raise almost anything in zipfile and torch; all of it means the same to the user.
    except Exception as error:
        raise InterpError(f"is truncated or damaged ({type(error).__name__}): copy it again") from error


def _read_safetensors(raw: bytes) -> tuple[Any, dict[str, str]]:
    # Imported here: most files are not safetensors.
    import safetensors.torch

    try:
        length = int.from_bytes(raw[:8], "little")
        if length > MAX_PICKLE:
            raise InterpError(f"has a header of more than {MAX_PICKLE >> 20} MiB: refused")
        tensors = safetensors.torch.load(raw)
        metadata = json.loads(raw[8 : 8 + length]).get("__metadata__") or {}
    except InterpError:
        raise
    except Exception as error:  # the library raises its own, json and struct theirs; all mean the same to the user
        raise InterpError(f"is truncated or damaged ({type(error).__name__}): copy it again") from error
    return _checked(tensors), {str(key): str(value) for key, value in metadata.items()}


def _checked(value: Any) -> Any:
    """The value itself, if every tensor in it is ordinary and no larger than its storage, and nothing nests too deep."""
    elements, seen = 0, set()
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise InterpError(f"nests containers more than {MAX_DEPTH} deep: save the state dict alone")
        if isinstance(item, Tensor):
            if item.layout != torch.strided or item.device.type != "cpu" or item.is_quantized or item.is_nested:
                raise InterpError("holds a sparse, quantised or storage-less tensor: save ordinary ones")
            if item.numel() > item.untyped_storage().nbytes() // item.element_size():
                raise InterpError("holds a tensor that claims to be larger than its storage: refused")
            elements += item.numel()  # shared storage counts each time: copies of it will not be shared
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            waiting += [(child, depth + 1) for child in (item.values() if isinstance(item, dict) else item)]
    if elements > MAX_BYTES // 4:
        raise InterpError(f"holds {elements} numbers, more than {MAX_BYTES // 4}: no network of this kind is so large")
    return value
