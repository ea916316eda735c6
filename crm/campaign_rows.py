"""What campaigns are made of: who, how, which words, and the rows their queries bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.errors import RecordError


class UnknownCampaign(RecordError):
    """No such campaign in this business: `sara campaign list` shows those there are."""


class CampaignInvalid(RecordError):
    """The campaign cannot be made or started as it is; the message says why."""


@dataclass(frozen=True)
class Audience:
    """Who a campaign means; what is empty or None does not narrow it."""

    lifecycles: Sequence[str] = ()
    languages: Sequence[str] = ()
    countries: Sequence[str] = ()
    seen_within_days: int | None = None
    unseen_for_days: int | None = None
    service_key: str | None = None


@dataclass(frozen=True)
class Manner:
    """How it is sent: at most `cap_messages` campaign messages to a customer in `cap_days`; `per_minute`
    slows it down; the `first_wave` goes out first, and after `first_wave_seconds` it is seen how it fared."""

    cap_messages: int = 1
    cap_days: int = 7
    per_minute: int | None = None
    first_wave: int = 50
    first_wave_seconds: int = 120


@dataclass(frozen=True)
class Variant:
    """What it says: a template and the values of its body, in which {name} and {business} are filled in."""

    variant: str
    template_name: str
    template_values: Sequence[str]


@dataclass(frozen=True)
class CampaignRow:
    campaign_id: int
    business_id: int
    name: str
    phone_number_id: str
    state: str
    lifecycles: list[str]
    languages: list[str]
    countries: list[str]
    seen_within_days: int | None
    unseen_for_days: int | None
    service_key: str | None
    cap_messages: int
    cap_days: int
    per_minute: int | None
    first_wave: int
    first_wave_seconds: int
    starts_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    note: str | None
    changed_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class Person:
    """Somebody the filter means."""

    contact_id: int
    wa_id: str | None
    language: str | None
    opted_out: bool
    consented: bool
    capped: bool

    @property
    def left_out(self) -> str | None:
        """Why they do not get it; None when they do."""
        if self.opted_out:
            return "opted out"
        if not self.consented:
            return "no proof of consent"
        return "frequency cap" if self.capped else None


@dataclass(frozen=True)
class TurnRow:
    """A recipient whose turn has come. `talking`: a human has the conversation, or they just wrote;
    `meant`: they are still among those the filter means."""

    contact_id: int
    variant: str
    tries: int
    wa_id: str | None
    name: str | None
    language: str | None
    opted_out: bool
    consented: bool
    capped: bool
    talking: bool
    meant: bool


@dataclass(frozen=True)
class CountRow:
    """How many recipients of a variant are in a state. `replied` answered it, `left` withdrew their consent
    after it reached them, both within a week."""

    variant: str
    state: str
    people: int
    replied: int
    left: int


@dataclass(frozen=True)
class FaresRow:
    """Messages of which it is known what became of them, and those of them that failed."""

    settled: int
    failed: int


@dataclass(frozen=True)
class PersonRow:
    contact_id: int
    wa_id: str | None
    name: str | None
    variant: str
    state: str
    reason: str | None
    not_before: datetime | None
    handed_at: datetime | None
    replied_at: datetime | None


@dataclass(frozen=True)
class PaceRow:
    """How far it is: on the way (all campaigns of the business), handed over, still waiting and from when."""

    in_flight: int
    last_minute: int
    handed: int
    last_handed: datetime | None
    waiting: int
    next_at: datetime | None


@dataclass(frozen=True)
class TroubleRow:
    """A campaign that paused itself, why and when."""

    campaign_id: int
    name: str
    note: str
    changed_at: datetime

    @property
    def key(self) -> str:
        """Names this pause: the team hears of it once."""
        return f"campaign_paused:{self.campaign_id}:{int(self.changed_at.timestamp())}"


@dataclass(frozen=True)
class DueRow:
    business_id: int
    campaign_id: int


@dataclass(frozen=True)
class IdRow:
    campaign_id: int


@dataclass(frozen=True)
class ContactRow:
    contact_id: int


@dataclass(frozen=True)
class WithdrawnRow:
    message_id: int
    contact_id: int
