"""Campaigns from the terminal: made, looked at before they start, started, paused, followed."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crm import businesses, campaigns, consent, contacts, governor, template_book
from crm.campaign_rows import Audience, CampaignInvalid, CampaignRow, CountRow, Manner, PersonRow, Variant
from crm.consent import BadConsents
from crm.governor import NumberState
from crm.record import Tx
from sara.commands.desk import desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

app = typer.Typer(help="Campaigns to customers who agreed to them.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
Name = Annotated[str, typer.Argument(help="name or number of the campaign, from `sara campaign list`")]
AsJson = Annotated[bool, typer.Option("--json")]

CAMPAIGN_SHARE = 0.8 * 0.95
"""Part of a number's throughput that campaigns use; see governor_admit."""
_BAR = 30
_STATES = ("waiting", "queued", "sent", "delivered", "read", "failed", "skipped")
_PLACEHOLDERS = ("{name}", "{business}")


@app.command("create")
def create(
    business: Business,
    name: Annotated[str, typer.Argument(help="its name, of your choice")],
    template: Annotated[str, typer.Option(help="name of an approved template")],
    value: Annotated[
        list[str] | None,
        typer.Option(help="value of the template's body, in order; {name} and {business} are filled in"),
    ] = None,
    template_b: Annotated[str | None, typer.Option(help="a second template for half of them")] = None,
    value_b: Annotated[list[str] | None, typer.Option(help="its values")] = None,
    number: Annotated[str | None, typer.Option(help="phone_number_id, where there are several")] = None,
    lifecycle: Annotated[list[str] | None, typer.Option(help="lead, qualified, client, dormant")] = None,
    language: Annotated[list[str] | None, typer.Option(help="it, en, es, pt")] = None,
    country: Annotated[list[str] | None, typer.Option(help="of the phone, such as IT")] = None,
    seen_within: Annotated[int | None, typer.Option(min=1, help="wrote within so many days")] = None,
    unseen_for: Annotated[int | None, typer.Option(min=1, help="has not written for so many days")] = None,
    service: Annotated[str | None, typer.Option(help="had an appointment for it (the service's key)")] = None,
    cap: Annotated[int, typer.Option(min=1, help="campaign messages to one customer …")] = 1,
    cap_days: Annotated[int, typer.Option(min=1, help="… in so many days")] = 7,
    per_minute: Annotated[int | None, typer.Option(min=1, help="at most so many a minute")] = None,
    first_wave: Annotated[int, typer.Option(min=0, help="so many go out first; 0: no first wave")] = 50,
    first_wave_seconds: Annotated[int, typer.Option(min=0, help="and are looked at so long")] = 120,
) -> None:
    """A campaign in draft; nothing is sent before `sara campaign start`."""
    variants = [Variant("a", template, value or [])]
    if template_b is not None:
        variants.append(Variant("b", template_b, value_b or []))
    audience = Audience(lifecycle or [], language or [], country or [], seen_within, unseen_for, service)
    manner = Manner(cap, cap_days, per_minute, first_wave, first_wave_seconds)
    made = run(_create(business, name, number, variants, audience, manner))
    print(f"campaign {made}: look at it with `sara campaign dry-run`, then start it")


async def _create(
    business: str, name: str, number: str | None, variants: list[Variant], audience: Audience, manner: Manner
) -> int:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        known = [row.phone_number_id for row in await businesses.numbers(tx)]
        if number is None and len(known) != 1:
            raise CommandFailed(f"which number? give --number, one of {', '.join(known) or 'none'}")
        if number is not None and number not in known:
            raise CommandFailed(f"{business} has no number {number}: {', '.join(known)}")
        await check(tx, variants)
        return await campaigns.create(tx, name, number or known[0], variants, audience, manner)


async def check(tx: Tx, variants: Sequence[Variant]) -> None:
    """Raises CampaignInvalid unless every template can be sent with the values given."""
    for variant in variants:
        found = await template_book.languages(tx, variant.template_name)
        if not found:
            raise CampaignInvalid(f"no template {variant.template_name!r}: `sara template sync`")
        usable = [one for one in found if one.usable]
        if not usable:
            states = ", ".join(f"{one.code} {one.status}" for one in found)
            raise CampaignInvalid(f"{variant.template_name} cannot be sent: {states}")
        for one in usable:
            if one.category == "AUTHENTICATION":
                raise CampaignInvalid(f"{one.name} is for codes, not for campaigns")
            if one.variables != len(variant.template_values):
                raise CampaignInvalid(
                    f"{one.name} ({one.code}) takes {one.variables} values, "
                    f"{len(variant.template_values)} are given: --value, once for each"
                )


@dataclass(frozen=True)
class Forecast:
    """What a campaign would do now. Seconds; `days` counts moving spans of 24 hours that the tier takes."""

    meant: int
    gets_it: int
    left_out: dict[str, int]
    variants: dict[str, int]
    tier: int | None
    tier_free: int | None
    seconds: float
    days: int


@app.command("dry-run")
def dry_run(name: Name, business: Business, as_json: AsJson = False) -> None:
    """Who would get it and who would not, and how long it would take. Sends and changes nothing."""
    forecast = run(_dry_run(business, name))
    if as_json:
        print(json.dumps(asdict(forecast)))
        return
    print(f"{forecast.gets_it} of {forecast.meant} customers would get it")
    for reason, number in sorted(forecast.left_out.items()):
        print(f"  {number:>6}  {reason}")
    tier = "no limit" if forecast.tier is None else f"{forecast.tier_free} of {forecast.tier} free now"
    print(f"tier (unique customers per 24 hours): {tier}")
    print(f"about {_lasting(forecast.seconds)}, quiet hours not counted")


async def _dry_run(business: str, name: str) -> Forecast:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        row = await campaigns.get(tx, await campaigns.find(tx, name))
        return await forecast_of(tx, row)


async def forecast_of(tx: Tx, row: CampaignRow) -> Forecast:
    """What the campaign would do if it were started now. Raises CampaignInvalid."""
    variants = await campaigns.variants(tx, row.campaign_id)
    await check(tx, variants)
    people = await campaigns.audience(tx, row)
    reasons = Counter(person.left_out for person in people)
    gets_it = reasons.pop(None, 0)
    state = await governor.state(tx, row.phone_number_id)
    seconds, days = duration(row, state, gets_it)
    chosen = Counter(
        campaigns.variant_of(row.campaign_id, p.contact_id, variants) for p in people if p.left_out is None
    )
    return Forecast(
        meant=len(people),
        gets_it=gets_it,
        left_out={str(reason): number for reason, number in reasons.items()},
        variants=dict(chosen),
        tier=state.tier,
        tier_free=state.free,
        seconds=round(seconds, 1),
        days=days,
    )


def duration(row: CampaignRow, state: NumberState, people: int) -> tuple[float, int]:
    """Seconds for so many people and the moving days of the tier among them, quiet hours not counted."""
    rate = max(1.0, state.per_second * state.pace) * CAMPAIGN_SHARE
    if row.per_minute is not None:
        rate = min(rate, row.per_minute / 60)
    wave = row.first_wave_seconds if row.first_wave and people > row.first_wave else 0
    free = state.free
    if state.tier is None or free is None or people <= free:
        return people / rate + wave, 0
    days = -(-(people - free) // state.tier)
    return days * 86_400 + ((people - free) - (days - 1) * state.tier) / rate, days


@app.command("start")
def start(
    name: Name,
    business: Business,
    at: Annotated[datetime | None, typer.Option(help="local time of the business; now without it")] = None,
) -> None:
    """Starts it, now or at a time. Who gets it is settled when it starts."""
    counted = run(_start(business, name, at))
    if counted is None:
        print(f"scheduled for {at:%Y-%m-%d %H:%M}")
        return
    print(f"started: {counted.pop('waiting', 0)} will get it")
    for reason, number in sorted(counted.items()):
        print(f"  {number:>6}  {reason}")


async def _start(business: str, name: str, at: datetime | None) -> Counter[str] | None:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        campaign_id = await campaigns.find(tx, name)
        await check(tx, await campaigns.variants(tx, campaign_id))
        profile = await businesses.profile(tx)
        moment = (
            at.replace(tzinfo=ZoneInfo(profile.business.time_zone))
            if at is not None and at.tzinfo is None
            else at
        )
        counted = await campaigns.start(tx, campaign_id, at=moment)
        return None if moment is not None and moment > tx.now else counted


@app.command("pause")
def pause(name: Name, business: Business) -> None:
    """Nothing more goes out; what was on its way is taken back and goes out when it is resumed."""

    async def work() -> int:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await campaigns.pause(tx, await campaigns.find(tx, name))

    print(f"paused; {run(work())} messages taken back")


@app.command("resume")
def resume(name: Name, business: Business) -> None:
    """It goes on where it was."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            await campaigns.resume(tx, await campaigns.find(tx, name))

    run(work())
    print("resumed")


@app.command("cancel")
def cancel(name: Name, business: Business) -> None:
    """Whoever has not got it will not."""

    async def work() -> int:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await campaigns.cancel(tx, await campaigns.find(tx, name))

    print(f"cancelled; {run(work())} messages taken back")


@app.command("list")
def list_(business: Business, as_json: AsJson = False) -> None:
    """All campaigns, the latest first."""

    async def work() -> list[CampaignRow]:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await campaigns.all_of(tx)

    for row in run(work()):
        if as_json:
            print(json.dumps(asdict(row), ensure_ascii=False, default=str))
        else:
            print(f"{row.campaign_id:>5}  {row.state:<10} {row.name:<32} {row.note or ''}")


@app.command("status")
def status(
    name: Name,
    business: Business,
    people: Annotated[bool, typer.Option("--people", help="each recipient, with what became of it")] = False,
    as_json: AsJson = False,
) -> None:
    """How far it has come, who read it, who answered, who left; both templates side by side."""
    row, counts, each = run(_status(business, name, people))
    if as_json:
        shown: dict[str, Any] = {**asdict(row), "counts": [asdict(count) for count in counts]}
        if people:
            shown["people"] = [asdict(person) for person in each]
        print(json.dumps(shown, ensure_ascii=False, default=str))
        return
    print(f"{row.name}: {row.state}{f', {row.note}' if row.note else ''}")
    print(bar(counts))
    for line in table(counts):
        print(line)
    for person in each:
        told = person.reason or (
            f"not before {person.not_before:%Y-%m-%d %H:%M}" if person.not_before else ""
        )
        answered = "answered" if person.replied_at else ""
        print(
            f"{person.wa_id or person.contact_id!s:<16} {person.variant} "
            f"{person.state:<10} {answered:<9} {told}"
        )


async def _status(
    business: str, name: str, each: bool
) -> tuple[CampaignRow, list[CountRow], list[PersonRow]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        row = await campaigns.get(tx, await campaigns.find(tx, name))
        people = await campaigns.people(tx, row.campaign_id) if each else []
        return row, await campaigns.counts(tx, row.campaign_id), people


def bar(counts: Sequence[CountRow]) -> str:
    """How much of it is done, as a bar."""
    total = sum(count.people for count in counts if count.state != "skipped")
    done = total - sum(count.people for count in counts if count.state in ("waiting", "queued"))
    filled = _BAR * done // total if total else 0
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {done} of {total}"


def table(counts: Sequence[CountRow]) -> list[str]:
    """The counts, a line per variant."""
    variants = sorted({count.variant for count in counts})
    head = "   " + "".join(f"{state:>11}" for state in (*_STATES, "answered", "left"))
    lines = [head]
    for variant in variants:
        own = {count.state: count for count in counts if count.variant == variant}
        cells = [own[state].people if state in own else 0 for state in _STATES]
        cells += [sum(count.replied for count in own.values()), sum(count.left for count in own.values())]
        lines.append(f"{variant:<3}" + "".join(f"{cell:>11}" for cell in cells))
    return lines


@app.command("consent")
def consent_(
    business: Business,
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns phone, given_at, evidence, perhaps name")
    ],
) -> None:
    """Enters proofs of consent. One older than a customer's own word does not undo it."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            written = lines.readlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {error}") from error
    try:
        entered = run(_consent(business, written))
    except BadConsents as error:
        raise CommandFailed(f"{file}: {error}") from error
    print(f"{entered} customers, each with a proof of consent")


async def _consent(business: str, lines: Sequence[str]) -> int:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        rows = consent.read(lines, country=(await businesses.row(tx)).country, now=tx.now)
        for row in rows:
            contact_id = await contacts.entered(tx, wa_id=row.wa_id, name=row.name)
            await consent.changed(
                tx, contact_id, given=True, source="import", evidence=row.evidence, at=row.at
            )
    return len(rows)


def _lasting(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
