"""What a command says when it cannot do what was asked."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
