"""What a process does with memory, seen from outside."""

import platform
import subprocess
import sys

import pytest

HEAP = """
import sys
from pathlib import Path
from sara.memory import frugal, give_back, settle

walls = []

def grown(block):
    before = rss()
    held = [bytearray(block) for _ in range(64 * 2**20 // block)]
    walls.append(bytearray(100_000))  # above them in the heap, they do not leave by themselves
    del held
    return rss() - before

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

if sys.argv[1] == "frugal":
    frugal()
grown(2 * 2**20)  # glibc learns from the first round to keep such blocks in the heap
loaded = grown(2 * 2**20)
settle()
grown(2 * 2**20)
before = rss()
give_back()
print(loaded, before - rss())
"""

OF_A_THREAD = """
import threading
from pathlib import Path
from sara.memory import frugal, give_back, settle

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def work():
    held = [bytearray(2**20) for _ in range(56)]
    del held

frugal()
settle()
before = rss()
for _ in range(3):  # threads that live on, as those that hear voice notes do
    done, on = threading.Event(), threading.Event()
    threading.Thread(target=lambda: (work(), done.set(), on.wait()), daemon=True).start()
    done.wait()
give_back()
print(rss() - before)
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or "glibc" not in platform.libc_ver(), reason="of glibc's malloc"
)


def grown(how: str) -> list[float]:
    """MiB that stayed of blocks freed while loading and at work, and that went when given back."""
    ran = subprocess.run([sys.executable, "-c", HEAP, how], capture_output=True, text=True, check=True)
    return [float(word) for word in ran.stdout.split()]


def test_what_loading_frees_leaves_at_once() -> None:
    assert grown("left alone")[0] > 32
    assert grown("frugal")[0] < 8


def test_what_work_frees_stays_at_hand_until_it_is_given_back() -> None:
    assert grown("frugal")[1] > 32


def test_what_threads_free_is_given_back_too() -> None:
    """malloc_trim(3) leaves the upper end of every arena but the first: each kept up to 64 MiB."""
    command = [sys.executable, "-c", OF_A_THREAD]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 16
