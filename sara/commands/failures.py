"""Errors a command answers with one line and exit code 1; anything else is a defect and shows itself."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from channels.simulator.simulator import NoReply, NoSuchButton, UnknownNumber
from channels.whatsapp.errors import WhatsAppError
from crm.errors import RecordError
from db.errors import DatabaseError
from evals.compare import RunUnreadable
from evals.dataset import DatasetMissing
from graph.replay import CheckpointGone
from inference.errors import InferenceError
from knowledge.business_file import BusinessFileError
from knowledge.errors import KnowledgeError
from sara.demo import DocumentsNotRead
from sara.exchange import NoAnswer
from sara.local import NoBusiness
from sara.play import BadScript
from sara.watching import MetricsNotShown


class CommandFailed(Exception):
    """A command could not do what was asked; the message says why and what to do."""


_NOT_OURS_TO_BIND = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL, socket.EAI_NONAME)

KNOWN = (
    CommandFailed,
    BadScript,
    CheckpointGone,
    DatasetMissing,
    DocumentsNotRead,
    MetricsNotShown,
    NoAnswer,
    NoBusiness,
    NoReply,
    NoSuchButton,
    RunUnreadable,
    UnknownNumber,
    WhatsAppError,
    RecordError,
    DatabaseError,
    InferenceError,
    KnowledgeError,
    BusinessFileError,
)


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
