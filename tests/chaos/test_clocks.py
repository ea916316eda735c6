"""Machines whose clocks are wrong, or are set while they work: the database's clock counts, for all alike."""

import asyncio
import random
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chaos.crowd import Crowd, assert_nothing_lost_or_doubled
from tests.chaos.town import LIGHT, Process, Town, until

pytestmark = pytest.mark.chaos

HOUR_S = 3600
_TELL = "import time; print(time.time())"


class Clock:
    """The clock of a process: how far it is ahead can be changed while it runs."""

    def __init__(self, shim: Path, file: Path) -> None:
        self._file = file
        file.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(shim), "SHIFTED_BY": str(file)}

    def set(self, ahead_s: float) -> None:
        """From now on it is so many seconds ahead (negative: behind)."""
        with self._file.open("r+b") as out:  # in place: the process has it mapped
            out.write(round(ahead_s * 1e9).to_bytes(8, "little", signed=True))


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process is started with to have a clock of its own. Skips where it cannot be made or used."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler here, which a shifted clock is made with")
    built = tmp_path_factory.mktemp("clock") / "shifted_clock.so"
    source = Path(__file__).with_name("shifted_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    clock = Clock(built, built.with_name("probe"))
    clock.set(HOUR_S)
    real = float(subprocess.run([sys.executable, "-c", _TELL], check=True, capture_output=True).stdout)
    told = subprocess.run(
        [sys.executable, "-c", _TELL], env=clock.environment, check=True, capture_output=True
    )
    if abs(float(told.stdout) - real - HOUR_S) > 60:
        pytest.skip("this Python does not ask the C library for the time")
    return built


async def test_workers_an_hour_ahead_and_behind_and_a_jump(
    town: Town, shim: Path, tmp_path: Path, chaos_seed: int
) -> None:
    """Two workers, two hours apart, share conversations and a number; then both clocks are set anew."""
    clocks = [Clock(shim, tmp_path / name) for name in ("ahead", "behind")]
    for clock, ahead_s in zip(clocks, (HOUR_S, -HOUR_S), strict=True):
        clock.set(ahead_s)
    workers = [
        Process(
            (),
            {**town.light.environment, **clock.environment},
            tmp_path / f"worker{number}.log",
            program=LIGHT,
        )
        for number, clock in enumerate(clocks)
    ]
    town.nobody_works()
    known = await town.value("SELECT coalesce(max(id), 0) FROM procrastinate_workers")
    for worker in workers:
        worker.start()

    async def both() -> bool:
        query = "SELECT count(*) >= 4 FROM procrastinate_workers WHERE id > %s"  # two lanes each
        return bool(await town.value(query, known))

    await until(both, 90, "the workers did not start")
    crowd = Crowd(town, random.Random(chaos_seed + 6), prefix="39361", customers=10)
    writing = asyncio.create_task(crowd.write(every_s=0.2))
    try:
        await asyncio.sleep(2.5)
        for clock, ahead_s in zip(clocks, (-HOUR_S, HOUR_S), strict=True):
            clock.set(ahead_s)
        await asyncio.sleep(2.5)
        writing.cancel()
        await town.all_done(60)  # nothing was put off by an hour
        await town.simulator.settle()
        await assert_nothing_lost_or_doubled(town, crowd)
    finally:
        writing.cancel()
        for worker in workers:
            worker.kill()
    [row] = await town.rows(
        "SELECT max(abs(extract(epoch FROM m.sent_at - o.created_at))) AS apart FROM outbox o"
        " JOIN message m USING (message_id) JOIN contact c USING (contact_id) WHERE c.wa_id = ANY (%s)",
        list(crowd.wrote),
    )
    assert row["apart"] < timedelta(minutes=1).total_seconds(), "said at the time that it was"
