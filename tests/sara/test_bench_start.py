"""What the start benchmark reads from the kernel, and what it says about it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sara.bench import start

MIB = 2**20
_HOLDS = f"import sys; held = bytearray(64 * {MIB}); print('ready', flush=True); sys.stdin.read()"
_BEGINS = """
import subprocess, sys
holds = [sys.executable, "-c", sys.argv[1]]
began = [subprocess.Popen([*holds, name], stdout=subprocess.PIPE) for name in sys.argv[2:]]
for child in began:
    child.stdout.readline()
print("ready", flush=True)
for child in began:
    child.wait()
"""


@contextmanager
def parent_of(*names: str) -> Iterator[int]:
    """A process with a child for each name, each of 64 MiB, until the block ends: this process may have a
    `sara worker` of its own, another test's.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _BEGINS, _HOLDS, *names], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_is_told_by_kind_of_process() -> None:
    with parent_of("worker", "another") as pid, parent_of("serve"):
        found = start.memory(pid)
    assert found.keys() == {"worker"}
    assert 64 <= found["worker"]["rss"] <= 128
    assert 0 < found["worker"]["pss"] <= found["worker"]["rss"]


def test_the_table_holds_every_figure_against_what_is_wanted() -> None:
    times = {"median": 5.0, "p95": 6.0}
    figures = {
        "starts": 3,
        "gather_s": 1.5,
        "turns": 40,
        "api_ready_s": times,
        "worker_ready_s": times,
        "first_reply_s": times,
        "idle_mb": {"serve": {"rss": 111, "pss": 88}, "worker": {"rss": 666, "pss": 600}},
        "worked_mb": {"serve": {"rss": 122, "pss": 99}, "worker": {"rss": 777, "pss": 700}},
    }
    shown = [line.split() for line in start.table(figures).splitlines()]
    assert ["sara", "serve", "at", "rest,", "MB", "111", "88", "<=", "150"] in shown
    assert ["sara", "worker", "after", "40", "turns,", "MB", "777", "700", "<=", "700"] in shown
    assert shown[-1][-4:] == ["5.0", "6.0", "<=", "8"]
