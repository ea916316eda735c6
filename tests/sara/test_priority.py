"""A worker steps back; who started it, and what it started before, do not."""

import os
import threading

import pytest

from sara.priority import step_back

pytestmark = pytest.mark.skipif(not hasattr(os, "nice"), reason="Windows knows no nice")


def in_a_thread_that_steps_back(by: int) -> tuple[int, int]:
    """How far the thread has stepped back then, and how far one that it starts afterwards."""
    found: list[int] = []

    def stepping() -> None:
        step_back(by)
        found.append(os.nice(0))
        child = threading.Thread(target=lambda: found.append(os.nice(0)))
        child.start()
        child.join()

    thread = threading.Thread(target=stepping)
    thread.start()
    thread.join()
    return found[0], found[1]


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="elsewhere it is the whole process that is nice")
def test_a_thread_steps_back_with_all_that_it_starts() -> None:
    before = os.nice(0)
    assert in_a_thread_that_steps_back(2) == (min(19, before + 2), min(19, before + 2))
    assert os.nice(0) == before


def test_nobody_steps_back_who_is_not_asked_to() -> None:
    before = os.nice(0)
    step_back(0)
    assert os.nice(0) == before
