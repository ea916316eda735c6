"""A command that a service manager ends leaves nothing running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

_COMMAND = """
import asyncio, sys
from pathlib import Path

from sara import services
from sara.commands.loop import run
from sara.settings import load

async def command():
    async with services.database(load(data_dir=Path(sys.argv[1]))):
        print("open", flush=True)
        await asyncio.Event().wait()

run(command())
"""


def test_sigterm_ends_a_command_and_its_embedded_database(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SARA_")}
    command = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert command.stdout is not None
    assert command.stdout.readline() == "open\n"
    running = tmp_path / "postgres" / "postmaster.pid"
    assert running.exists()

    command.send_signal(signal.SIGTERM)
    _, said = command.communicate(timeout=60)

    assert command.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in said
    assert not running.exists()
