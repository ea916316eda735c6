"""What the jobs work with; handed to every job by the worker that runs it.

Only their types are named here: the API imports some of the jobs too, and carries neither graph nor clients.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from channels import team
from jobs.pacing import Pacer
from jobs.watching import Watching

if TYPE_CHECKING:
    from procrastinate import JobContext

    from channels.calendars.calendar import Calendar
    from channels.outward.post import Post
    from channels.whatsapp.client import WhatsAppClient
    from crm.calendars import CalendarRow
    from crm.record import Crm
    from crm.sealing import Seal
    from graph.build import Machine
    from graph.context import Context
    from jobs.accounts import Accounts

KEY = "services"


@dataclass(frozen=True)
class Patience:
    """How long delivery waits for what; seconds.

    unknown_grace_s     how long an unknown outcome waits for a status before anything else is thought of
    unknown_block_s     how long it holds back the messages that follow it in its conversation
    unknown_outage_s    the longest outage of ours that it allows for: statuses come late after one
    unknown_repeat_s    webhooks taken in for so long without a gap bring what the channel repeats after a
                        short one; a long one takes twice its own length
    unknown_retry_s     but never longer than this
    unknown_hold_s      after that long without any status on the number, a person has to look
    most_attempts       sends of one message that meet a passing fault before it is given up
    most_turn_attempts  failures of one turn before a person takes the conversation
    most_media_wait_s   how long a turn waits, from its first try, for a voice note that WhatsApp does not
                        give out before its failures count
    suspect_after       workers that died in a turn before it is tried alone: it may be what kills them
    most_turn_deaths    workers that died in it before a person takes the conversation
    heartbeat_s         how often a worker says that it lives
    dead_after_s        silence after which its jobs are looked at
    suspicious_after_s  age at which a running job is looked at whoever runs it: the end of a job can go
                        unrecorded when the database is away at that moment
    restart_s           pause before a worker that lost its queue starts again
    """

    unknown_grace_s: float = 6.0
    unknown_block_s: float = 20.0
    unknown_outage_s: float = 120.0
    unknown_repeat_s: float = 60.0
    unknown_retry_s: float = 300.0
    unknown_hold_s: float = 900.0
    most_attempts: int = 8
    most_turn_attempts: int = 6
    most_media_wait_s: float = 600.0
    suspect_after: int = 2
    most_turn_deaths: int = 5
    heartbeat_s: float = 2.0
    dead_after_s: float = 6.0
    suspicious_after_s: float = 20.0
    restart_s: float = 1.0


@dataclass(frozen=True)
class Outward:
    """The ways out that are not to customers.

    `seal` opens addresses and secrets, `post` sends webhooks, `tell` alerts; `public_url` is where people
    reach the console, for links in alerts.
    """

    seal: Seal | None = None
    post: Post | None = None
    public_url: str | None = None
    tell: Callable[..., Awaitable[None]] = team.tell


@dataclass(frozen=True)
class Attention:
    """How long a hand-over may wait, in minutes of opening hours.

    apologise_after  the customer's message has no human answer: an apology, and the offer of a call
    idle_after       the agent who has it does nothing while the customer waits: it goes back
    """

    apologise_after: int = 30
    idle_after: int = 60


@dataclass(frozen=True)
class Keeping:
    """How long what is kept; None: until it is erased.

    webhooks  raw bodies as they came
    threads   what the graph remembers of closed conversations
    turns     how many turns of an open conversation it remembers
    statuses  when messages were delivered and read, where there are many
    contacts  customers since they were last heard of
    trail     who looked at what, and who came in
    """

    webhooks: timedelta = timedelta(days=30)
    threads: timedelta = timedelta(days=90)
    turns: int = 50
    statuses: timedelta = timedelta(days=400)
    contacts: timedelta | None = None
    trail: timedelta = timedelta(days=365)


@dataclass(frozen=True)
class Services:
    """Built once per worker process by sara.services."""

    crm: Crm
    machine: Machine
    context: Context
    client: WhatsAppClient
    patience: Patience
    clock: Callable[[], datetime]
    keep_audio: timedelta = timedelta(days=30)  # how long the sound of voice notes is kept
    keeping: Keeping = Keeping()
    outward: Outward = Outward()
    attention: Attention = Attention()
    calendars: Callable[[CalendarRow], Calendar] | None = None  # opens a calendar outside
    pacer: Pacer = field(default_factory=Pacer)
    watching: Watching = field(default_factory=Watching)
    accounts: Accounts | None = None  # None: every number uses the installation's token

    async def client_of(
        self, business_id: int, phone_number_id: str, *, fresh: bool = False
    ) -> WhatsAppClient:
        """The Graph API's client with the token of a number; `fresh` looks the token up anew."""
        if self.accounts is None:
            return self.client
        return await self.accounts.of(business_id, phone_number_id, fresh=fresh)


def services_of(job: JobContext) -> Services:
    """The services of the worker that runs this job."""
    services = job.additional_context[KEY]
    if not isinstance(services, Services):
        raise TypeError("the worker was started without its services")
    return services
