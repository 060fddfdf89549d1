"""Reading of numpy's files: an array in a ``.npy``, arrays by name in a ``.npz``. Nothing in them is unpickled."""

import io
import math
import warnings
import zipfile

import numpy as np
import torch
from torch import Tensor

from interp.errors import InterpError, one_line

MAGIC = b"\x93NUMPY"
"""First bytes of a ``.npy``."""
MAX_ARRAYS = 1000
"""Largest number of arrays that are read from one ``.npz``."""
_KINDS = "fiub"
"""Letters by which numpy knows floating-point, signed, unsigned and truth values."""


def read_npy(raw: bytes) -> Tensor:
    """The array in a ``.npy`` file's bytes. Raises InterpError where it is anything but as many plain numbers as it says."""
    stream = io.BytesIO(raw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of headers that Python 2 wrote
            version = np.lib.format.read_magic(stream)
            header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, is_fortran, dtype = header(stream)
    except Exception as error:  # numpy's, ast's and struct's own; all mean the same to the user
        raise InterpError(f"is a .npy file whose header is damaged ({type(error).__name__}): copy it again") from error
    if dtype.hasobject:
        raise InterpError(
            "is a .npy file of pickled objects, which could run code and are never loaded: save an array of numbers"
        )
    if dtype.kind not in _KINDS or dtype.itemsize > 8:
        raise InterpError(f"is a .npy file of {one_line(str(dtype), 60)}: save real numbers of 64 bits or fewer")
    count, there = math.prod(shape), len(raw) - stream.tell()
    if any(size < 0 for size in shape) or count * dtype.itemsize != there:
        raise InterpError(
            f"is a .npy file that should hold {count} numbers of {dtype.itemsize} bytes and holds {there} bytes: "
            "it is truncated or damaged, copy it again"
        )
    array = np.frombuffer(raw, dtype, offset=stream.tell()).reshape(shape, order="F" if is_fortran else "C")
    # torch hardly knows unsigned numbers wider than a byte, and no byte order but this machine's.
    wide = dtype.kind == "u" and dtype.itemsize > 1
    return torch.from_numpy(array.astype(np.int64 if wide else dtype.newbyteorder("="), order="C"))


def is_npz(archive: zipfile.ZipFile) -> bool:
    """Is this archive one that ``numpy.savez`` wrote?"""
    names = archive.namelist()
    return bool(names) and all(name.endswith(".npy") for name in names)


def read_npz(archive: zipfile.ZipFile) -> dict[str, Tensor]:
    """The arrays in a ``.npz``, by name. The archive's sizes are checked before, its checksums as it is read."""
    names = archive.namelist()
    if len(names) > MAX_ARRAYS:
        raise InterpError(f"holds {len(names)} arrays, more than {MAX_ARRAYS}: save the one that is meant alone")
    found = {}
    for name in names:
        raw = archive.read(name)
        if not raw.startswith(MAGIC):
            raise InterpError(f"holds {one_line(name, 60)}, which is no array: it is damaged, copy it again")
        try:
            found[name.removesuffix(".npy")] = read_npy(raw)
        except InterpError as error:
            raise InterpError(f"holds {one_line(name, 60)}, which {error}") from error
    return found
