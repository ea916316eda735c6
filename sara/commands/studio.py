"""LangGraph Studio's server on the same graph."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sara import drawing
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

CONFIG = Path(__file__).parents[2] / "langgraph.json"


def studio(
    port: Annotated[int, typer.Option(help="port on 127.0.0.1")] = 2024,
    browser: Annotated[bool, typer.Option(help="open Studio in the browser")] = True,
    picture: Annotated[
        Path | None, typer.Option("--draw", dir_okay=False, help="draw the graph into this PNG, and no more")
    ] = None,
) -> None:
    """Starts `langgraph dev` on SARA's graph: step through turns, edit state, fork the past. Needs no key."""
    if picture is not None:
        print(f"{picture}: {_draw(picture) // 1000} KB")
        return
    if not CONFIG.exists():
        raise CommandFailed(f"{CONFIG} is missing: run this from a checkout of the repository")
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--config", str(CONFIG), "--port", str(port)]
    command += ["--host", "127.0.0.1", "--no-reload", *([] if browser else ["--no-browser"])]
    os.chdir(CONFIG.parent)
    # In this process's place, so that Ctrl-C and a service manager's signals reach the server itself and
    # the embedded database is closed with it.
    os.execv(sys.executable, command)  # noqa: S606 our own words only


def _draw(picture: Path) -> int:
    """Draws the graph; the picture's size in bytes."""
    try:
        return picture.write_bytes(run(drawing.draw(), log_level="error"))
    except OSError as error:
        raise CommandFailed(f"{picture} cannot be written: {error}") from error
    except drawing.CannotDraw as error:
        raise CommandFailed(str(error)) from error
