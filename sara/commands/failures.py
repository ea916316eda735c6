"""Errors a command answers with one line and exit code 1; anything else is a defect and shows itself."""

from channels.simulator.simulator import NoReply, NoSuchButton, UnknownNumber
from channels.whatsapp.errors import WhatsAppError
from crm.errors import RecordError
from db.errors import DatabaseError
from inference.errors import InferenceError
from knowledge.business_file import BusinessFileError
from knowledge.errors import KnowledgeError
from sara.exchange import NoAnswer
from sara.local import NoBusiness


class CommandFailed(Exception):
    """A command could not do what was asked; the message says why and what to do."""


KNOWN = (
    CommandFailed,
    NoAnswer,
    NoBusiness,
    NoReply,
    NoSuchButton,
    UnknownNumber,
    WhatsAppError,
    RecordError,
    DatabaseError,
    InferenceError,
    KnowledgeError,
    BusinessFileError,
)
