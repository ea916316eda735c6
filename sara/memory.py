"""What a process does with memory: little while it loads, and what it has loaded it holds to its end."""

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

# mallopt(3)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
# malloc_trim(3) gives back the upper end of the first arena only. What threads free in another stays, up to
# M_TRIM_THRESHOLD: a worker kept 50 MB more than its 650.
_ARENAS = 1
_MIB = 2**20
_WHILE_LOADING, _AT_WORK = _MIB, 32 * _MIB
_TRIM_EVERY_S = 10.0
# So many new objects before the collector looks through them. After 700, as Python is started, it did so many
# times in a turn, each time through what all turns at work hold: six of a worker's hundred milliseconds.
_YOUNG = 10_000


def frugal() -> None:
    """To be called before threads start and models are loaded: about 100 MB of a worker's.

    Threads share one heap; left alone glibc gives each its own, and all keep what was once needed. What is
    larger than 1 MiB lies outside of it until `settle`, and leaves no holes when it goes.
    """
    _tell(_M_ARENA_MAX, _ARENAS)
    _tell(_M_MMAP_THRESHOLD, _WHILE_LOADING)


def settle() -> None:
    """What a process holds once it has started, it holds to its end: the collector leaves it out from now on.

    Looking through all of it stopped a server that imports this much for a quarter of a second, in the middle
    of its answers (gc.freeze). From now on buffers come from the heap again: asking the system for each took
    half as long again as hearing a voice note.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)
    _tell(_M_MMAP_THRESHOLD, _AT_WORK)
    _tell(_M_TRIM_THRESHOLD, 2 * _AT_WORK)


def give_back() -> None:
    """Returns to the system what was needed only to load models.

    glibc keeps freed memory for later (malloc_trim(3)); other C libraries have no such call.
    """
    gc.collect()
    _trim()


@asynccontextmanager
async def giving_back() -> AsyncIterator[None]:
    """While the block lasts, what work has left behind is returned every ten seconds, in a thread."""
    task = asyncio.create_task(_keep_trimming())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep_trimming() -> None:
    while True:
        await asyncio.sleep(_TRIM_EVERY_S)
        await asyncio.to_thread(_trim)


def _trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _tell(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)
