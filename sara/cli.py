"""The command line. The only place that knows exit codes: 0 success, 1 failure with one line, 2 bad usage."""

import importlib
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, cast

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from sara import settings  # first: it sets what libraries read when they are imported

COMMANDS = {
    "demo": "demo:demo",
    "serve": "run:serve",
    "worker": "run:worker",
    "migrate": "run:migrate",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "doctor": "doctor:doctor",
    "chat": "chat:chat",
    "play": "chat:play",
    "ingest": "knowledge:ingest",
    "reindex": "knowledge:reindex",
    "search": "knowledge:search",
    "score": "batch:score",
    "classify": "batch:classify",
    "ground": "batch:ground",
    "when": "batch:when",
    "transcribe": "transcribe:transcribe",
    "eval": "evaluate:evaluate",
    "replay": "replay:replay",
    "bench": "bench:bench",
    "soak": "soak:soak",
    "studio": "studio:studio",
    "handoff": "handoff:app",
    "business": "business:app",
    "contact": "contact:app",
    "agenda": "agenda:app",
    "appointment": "agenda:closing",
    "follow-up": "follow_up:app",
    "calendar": "calendar:app",
    "agent": "agent:app",
    "audit": "audit:audit",
    "keys": "keys:app",
    "facts": "facts:app",
    "quote": "quote:app",
    "ticket": "ticket:app",
    "alerts": "alerts:app",
    "webhooks": "webhooks:app",
    "template": "template:app",
    "campaign": "campaign:app",
    "limits": "limits:app",
    "budget": "budget:app",
    "webhook": "webhook:app",
    "outbox": "outbox:app",
    "quarantine": "quarantine:app",
    "whatsapp": "whatsapp:app",
}
"""Where each command is, in sara/commands: a function, or a Typer of several."""


class _Lazily(TyperGroup):
    """Imports a command when it is asked for: `sara serve` must not carry what `sara eval` needs."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()


class _Commands(MutableMapping[str, Any]):
    """The commands by name, each imported at its first use."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = dict.fromkeys(COMMANDS)

    def __getitem__(self, name: str) -> Any:
        if self._found[name] is None:
            self._found[name] = _imported(name)
        return self._found[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _imported(name: str) -> Any:
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(importlib.import_module(f"sara.commands.{module}"), attribute)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    if not isinstance(found, typer.Typer):
        alone.command(name)(found)
        return typer.main.get_command(alone)
    alone.add_typer(found, name=name)
    return cast(TyperGroup, typer.main.get_command(alone)).commands[name]


app = typer.Typer(
    name="sara",
    cls=_Lazily,
    help="A WhatsApp assistant small businesses trust with their customers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _sara() -> None:
    pass


def main() -> None:
    """The `sara` command."""
    try:
        app(prog_name="sara")
    except ValidationError as error:
        prefix = settings.PREFIXES.get(error.title)
        if prefix is None:
            raise
        problem = error.errors(include_url=False)[0]
        print(f"sara: {prefix}{str(problem['loc'][0]).upper()}: {problem['msg']}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        from sara.commands.known import KNOWN

        if not isinstance(error, KNOWN):
            raise
        words = str(error) or (type(error).__doc__ or type(error).__name__).split("\n")[0]
        print(f"sara: {' '.join(words.split())}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
