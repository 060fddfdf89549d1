"""Memory that a step frees and the next one asks for again: the process keeps it instead of giving it back to the system."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as <malloc.h> numbers them


def keep_freed_memory() -> bool:
    """Keep up to a quarter of a gigabyte that is freed, from now on and in the whole process. Is that done?

    By default glibc gives megabytes that are freed back at once, and fetching them anew at every step, page by page, took a
    sixth of it (docs/speed.md). Other C libraries are left as they are.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(parameter, size) for parameter, size in ((_MMAP_THRESHOLD, 32 << 20), (_TRIM_THRESHOLD, 256 << 20))
    )
