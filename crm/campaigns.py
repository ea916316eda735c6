"""Campaigns: a template to many customers who agreed to it, and what became of each message.

States: draft → scheduled | running ⇄ paused → finished | cancelled. Every change of state and every message
handed over is one transaction, so a process that dies leaves nothing half done. What is handed over is a row
of the outbox like any other; a paused campaign takes back those nobody has begun to send.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from crm import governor
from crm.campaign_rows import (
    Audience,
    CampaignInvalid,
    CampaignRow,
    ContactRow,
    CountRow,
    DueRow,
    FaresRow,
    IdRow,
    Manner,
    PaceRow,
    Person,
    PersonRow,
    TroubleRow,
    TurnRow,
    UnknownCampaign,
    Variant,
    WithdrawnRow,
)
from crm.quiet import country_of
from crm.record import Ask, Tx

TALKING = timedelta(minutes=10)  # nobody is sent advertising in the middle of a conversation
ATTRIBUTED_WITHIN = timedelta(days=7)
MOST_TRIES = 2
OPEN = ("running", "scheduled", "paused")


async def create(
    tx: Tx,
    name: str,
    phone_number_id: str,
    variants: Sequence[Variant],
    audience: Audience,
    manner: Manner,
) -> int:
    """A campaign in draft. Raises CampaignInvalid for a name that is taken."""
    campaign_id: int | None = await tx.value(
        "campaign_insert",
        name=name,
        phone_number_id=phone_number_id,
        lifecycles=list(audience.lifecycles),
        languages=list(audience.languages),
        countries=[country.upper() for country in audience.countries],
        seen_within_days=audience.seen_within_days,
        unseen_for_days=audience.unseen_for_days,
        service_key=audience.service_key,
        cap_messages=manner.cap_messages,
        cap_days=manner.cap_days,
        per_minute=manner.per_minute,
        first_wave=manner.first_wave,
        first_wave_seconds=manner.first_wave_seconds,
    )
    if campaign_id is None:
        raise CampaignInvalid(f"there is a campaign {name!r} already: give this one another name")
    for variant in variants:
        await tx.run(
            "campaign_variant_insert",
            campaign_id=campaign_id,
            variant=variant.variant,
            template_name=variant.template_name,
            template_values=list(variant.template_values),
        )
    return campaign_id


async def find(tx: Tx, name: str) -> int:
    """A campaign by its name, or its number. Raises UnknownCampaign."""
    found: int | None = await tx.value("campaign_by_name", name=name)
    if found is None and name.isascii() and name.isdigit():
        found = (await get(tx, int(name))).campaign_id
    if found is None:
        raise UnknownCampaign(f"no campaign {name!r}: `sara campaign list` shows those there are")
    return found


async def get(tx: Tx, campaign_id: int) -> CampaignRow:
    """One campaign. Raises UnknownCampaign."""
    return _found(await tx.first(CampaignRow, "campaign", campaign_id=campaign_id))


async def lock(tx: Tx, campaign_id: int) -> CampaignRow:
    """One campaign whose state nobody else changes until the transaction ends. Raises UnknownCampaign."""
    return _found(await tx.first(CampaignRow, "campaign_lock", campaign_id=campaign_id))


async def share(tx: Tx, campaign_id: int) -> CampaignRow:
    """The same for one who hands messages over. Raises UnknownCampaign."""
    return _found(await tx.first(CampaignRow, "campaign_share", campaign_id=campaign_id))


async def all_of(tx: Tx) -> list[CampaignRow]:
    """Every campaign, the latest first."""
    return await tx.all(CampaignRow, "campaigns")


async def variants(tx: Tx, campaign_id: int) -> list[Variant]:
    """What it says, a before b."""
    return await tx.all(Variant, "campaign_variants", campaign_id=campaign_id)


async def audience(tx: Tx, campaign: CampaignRow) -> list[Person]:
    """Everybody the filter means now, also those who may not be written to."""
    people = await tx.all(Person, "campaign_audience", campaign_id=campaign.campaign_id)
    if not campaign.countries:
        return people
    return [person for person in people if country_of(person.wa_id) in campaign.countries]


async def start(tx: Tx, campaign_id: int, *, at: datetime | None = None) -> Counter[str]:
    """Starts it now or `at`; returns how many get it (`waiting`) and how many do not, by reason.

    Who gets it is settled at that moment; whether each is still meant and may get it, at their turn. Raises
    CampaignInvalid unless it is a draft or scheduled.
    """
    campaign = await lock(tx, campaign_id)
    if campaign.state not in ("draft", "scheduled"):
        raise CampaignInvalid(f"this campaign is {campaign.state}: only a draft can be started")
    if at is not None and at > tx.now:
        await _move(tx, campaign_id, "scheduled", starts_at=at)
        return Counter()
    return await _launch(tx, campaign)


async def _launch(tx: Tx, campaign: CampaignRow) -> Counter[str]:
    said = await variants(tx, campaign.campaign_id)
    people = await audience(tx, campaign)
    await tx.run(
        "campaign_recipients_insert",
        campaign_id=campaign.campaign_id,
        contact_ids=[person.contact_id for person in people],
        variants=[variant_of(campaign.campaign_id, person.contact_id, said) for person in people],
        reasons=[person.left_out for person in people],
    )
    await _move(tx, campaign.campaign_id, "running")
    return Counter(person.left_out or "waiting" for person in people)


def variant_of(campaign_id: int, contact_id: int, said: Sequence[Variant]) -> str:
    """By chance, and for one customer always the same."""
    return said[zlib.crc32(f"{campaign_id}:{contact_id}".encode()) % len(said)].variant


async def launch_due(tx: Tx, campaign: CampaignRow) -> CampaignRow:
    """A scheduled campaign whose time has come runs; any other stays as it is."""
    if campaign.state != "scheduled" or campaign.starts_at is None or campaign.starts_at > tx.now:
        return campaign
    await _launch(tx, campaign)
    return await get(tx, campaign.campaign_id)


async def pause(tx: Tx, campaign_id: int, why: str = "by hand") -> int:
    """Nothing more is handed over, and what nobody has begun to send is taken back; how many that were."""
    campaign = await lock(tx, campaign_id)
    if campaign.state not in ("running", "scheduled"):
        raise CampaignInvalid(f"this campaign is {campaign.state}: only a running one can be paused")
    await _move(tx, campaign_id, "paused", note=why)
    return await _withdraw(tx, campaign)


async def resume(tx: Tx, campaign_id: int) -> None:
    """It goes on where it was. Raises CampaignInvalid unless it is paused."""
    campaign = await lock(tx, campaign_id)
    if campaign.state != "paused":
        raise CampaignInvalid(f"this campaign is {campaign.state}: only a paused one can be resumed")
    await _move(tx, campaign_id, "running" if campaign.started_at else "scheduled")


async def cancel(tx: Tx, campaign_id: int) -> int:
    """Whoever has not got it will not; how many messages were taken back."""
    campaign = await lock(tx, campaign_id)
    if campaign.state in ("finished", "cancelled"):
        raise CampaignInvalid(f"this campaign is {campaign.state} already")
    await _move(tx, campaign_id, "cancelled", note="by hand")
    back = await _withdraw(tx, campaign)
    await tx.run("recipients_left_out", campaign_id=campaign_id)
    return back


async def finish(tx: Tx, campaign_id: int) -> None:
    """Nobody is left."""
    await _move(tx, campaign_id, "finished")


async def pause_using(
    tx: Tx, why: str, *, phone_number_id: str | None = None, template_name: str | None = None
) -> int:
    """Pauses what uses a number or a template; how many campaigns."""
    found = await tx.all(
        IdRow, "campaigns_on_number", phone_number_id=phone_number_id, template_name=template_name
    )
    for row in found:
        await pause(tx, row.campaign_id, why)
    return len(found)


async def note(tx: Tx, campaign_id: int, words: str | None) -> None:
    """What a running campaign waits for."""
    await tx.run("campaign_note", campaign_id=campaign_id, note=words)


async def upcoming(tx: Tx, campaign_id: int, most: int) -> list[int]:
    """Contacts whose turn it is."""
    rows = await tx.all(ContactRow, "campaign_next", campaign_id=campaign_id, most=most)
    return [row.contact_id for row in rows]


async def take_turn(tx: Tx, campaign_id: int, contact_id: int) -> TurnRow | None:
    """A waiting recipient, theirs alone until the transaction ends; None when another process has them."""
    return await tx.first(
        TurnRow, "campaign_turn", campaign_id=campaign_id, contact_id=contact_id, talking=TALKING
    )


async def handed(tx: Tx, campaign_id: int, contact_id: int, message_id: int) -> None:
    """Their message is in the outbox."""
    await tx.run("recipient_handed", campaign_id=campaign_id, contact_id=contact_id, message_id=message_id)


async def skip(tx: Tx, campaign_id: int, contact_id: int, reason: str) -> None:
    """They will not get it."""
    await tx.run("recipient_skip", campaign_id=campaign_id, contact_id=contact_id, reason=reason)


async def later(tx: Tx, campaign_id: int, contact_id: int, not_before: datetime, reason: str) -> None:
    """They get it later."""
    await tx.run(
        "recipient_later",
        campaign_id=campaign_id,
        contact_id=contact_id,
        not_before=not_before,
        reason=reason,
    )


async def refused_for_now(tx: Tx, message_id: int, not_before: datetime, reason: str) -> None:
    """Meta would not deliver it now: once more after `not_before`, and then no more."""
    await tx.run(
        "recipient_again",
        message_id=message_id,
        not_before=not_before,
        reason=reason,
        most_tries=MOST_TRIES,
    )


def replied(contact_id: int, message_id: int, reply_to: str | None) -> Ask[None]:
    """A customer wrote: counted for the campaign message they quote, or their latest of the last week."""
    told = {"contact_id": contact_id, "message_id": message_id, "reply_to": reply_to}
    return Ask(None, "recipient_replied", {**told, "within": ATTRIBUTED_WITHIN})


async def counts(tx: Tx, campaign_id: int) -> list[CountRow]:
    """How many are in each state, per variant, with who answered and who left."""
    return await tx.all(CountRow, "campaign_counts", campaign_id=campaign_id, within=ATTRIBUTED_WITHIN)


async def fares(tx: Tx, campaign_id: int) -> FaresRow:
    """How its messages fare since it last began or was resumed: whoever resumes it has seen the others."""
    return await tx.first(FaresRow, "campaign_fares", campaign_id=campaign_id) or FaresRow(0, 0)


async def people(tx: Tx, campaign_id: int) -> list[PersonRow]:
    """Each recipient and what became of their message."""
    return await tx.all(PersonRow, "campaign_people", campaign_id=campaign_id)


async def pace(tx: Tx, campaign_id: int) -> PaceRow:
    """How far it is."""
    found = await tx.first(PaceRow, "campaign_pace", campaign_id=campaign_id)
    if found is None:
        raise RuntimeError("a SELECT without a row")
    return found


async def in_trouble(tx: Tx) -> list[TroubleRow]:
    """Campaigns that paused themselves and of which the team has not heard."""
    return await tx.all(TroubleRow, "campaigns_in_trouble")


async def due(tx: Tx) -> list[DueRow]:
    """Campaigns, of all tenants, that run or whose time has come."""
    return await tx.all(DueRow, "campaigns_due")


async def _withdraw(tx: Tx, campaign: CampaignRow) -> int:
    back = await tx.all(WithdrawnRow, "recipients_withdrawn", campaign_id=campaign.campaign_id)
    ids = [row.message_id for row in back]
    await tx.run("recipients_back", campaign_id=campaign.campaign_id, message_ids=ids)
    await tx.run("messages_unwritten", message_ids=ids)
    for row in back:
        await governor.release(tx, campaign.phone_number_id, row.contact_id)
    return len(back)


async def _move(
    tx: Tx, campaign_id: int, state: str, *, note: str | None = None, starts_at: datetime | None = None
) -> None:
    await tx.run("campaign_move", campaign_id=campaign_id, state=state, note=note, starts_at=starts_at)


def _found(row: CampaignRow | None) -> CampaignRow:
    if row is None:
        raise UnknownCampaign(UnknownCampaign.__doc__)
    return row
