"""Errors a command answers with one line and exit code 1; anything else is a defect and shows itself.

Imported when there is an error to be known: this imports most of the program.
"""

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
from sara.audio_key import KeyNotKept
from sara.commands.failures import CommandFailed
from sara.demo import DocumentsNotRead
from sara.exchange import NoAnswer
from sara.local import NoBusiness
from sara.play import BadScript
from sara.watching import MetricsNotShown

KNOWN = (
    CommandFailed,
    BadScript,
    CheckpointGone,
    DatasetMissing,
    DocumentsNotRead,
    KeyNotKept,
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
