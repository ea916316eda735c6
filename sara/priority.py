"""Who goes first where processors are short."""

import os


def step_back(by: int) -> None:
    """This thread, and those it starts from now on, leave the processor to others (nice(2)), by `by` of 19.

    Done by a worker: a message that is not taken in is lost sight of and sent again, a turn can wait a
    moment. To be called after servers were started that should not step back, and before models are loaded.
    """
    if by and hasattr(os, "nice"):  # not on Windows
        os.nice(by)
