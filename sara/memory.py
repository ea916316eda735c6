"""A process that has started: what loading left behind goes, what stays is not looked through again."""

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


def settle() -> None:
    """What a process holds once it has started, it holds to its end: the collector leaves it out from now on.

    Looking through all of it stopped a server that imports this much for a quarter of a second, in the middle
    of its answers (gc.freeze).
    """
    gc.collect()
    gc.freeze()
