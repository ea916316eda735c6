"""What a command says when it cannot do what was asked."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile


class CommandFailed(Exception):
    """A command could not do what was asked; the message says why and what to do."""


_NOT_OURS_TO_BIND = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL, socket.EAI_NONAME)


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Around what binds `port`. Raises CommandFailed when another program has it or it is not allowed."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_OURS_TO_BIND:
            raise
        raise CommandFailed(
            f"cannot listen on port {port} ({error.strerror}): choose another with --port"
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what looks at or writes `path`. Raises CommandFailed when the system does not let it."""
    try:
        yield
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written ({error.strerror}): choose another place") from error


def look(path: Path) -> None:
    """Before work whose result goes to `path`, which stays as it is.

    Raises CommandFailed when it could not be written: else that would be known only when the work is done.
    """
    with writing(path):
        if path.is_file() or path.is_dir():
            with path.open("ab"):
                pass
        elif not path.exists():  # and what is there and neither, a pipe or a terminal, is not to be touched
            with TemporaryFile(dir=path.resolve().parent):
                pass
