"""Memory that loading models leaves behind."""

import ctypes
import gc


def give_back() -> None:
    """Returns to the system what was needed only to load models: about 60 MB of a worker's.

    glibc keeps freed memory for later (malloc_trim(3)); other C libraries have no such call.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
