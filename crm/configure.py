"""A business's settings as its admin changes them: each change is one transaction, and is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from crm import businesses, digest, nps, packs
from crm.businesses import Profile, ServiceRow
from crm.errors import RecordError
from crm.packs import Pack
from crm.record import Tx

_MOST_PERCENT = 100
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[time, time]


class UnknownSetting(RecordError):
    """There is nothing of that name in this business to be changed."""


class TermsRefused(RecordError):
    """A service cannot take or cost that: change what is in `field`."""

    def __init__(self, field: str) -> None:
        super().__init__(f"a service cannot take or cost that: change its {field}")
        self.field = field


class NobodyAble(TermsRefused):
    """Nobody at a place where a service is given can do it: it cannot be booked there."""

    def __init__(self, place: str) -> None:
        super().__init__("bookable")
        self.place = place


@dataclass(frozen=True)
class ChangeRow:
    """Who changed which setting, from what to what."""

    setting: str
    before: str
    after: str
    at: datetime
    agent_name: str | None


@dataclass(frozen=True)
class Patience:
    """What a business waits for: minutes, hours and days."""

    lead_time_minutes: int
    cancel_notice_hours: int
    unanswered_minutes: int
    due_soon_minutes: int
    dormant_after_days: int


@dataclass(frozen=True)
class ShutRow:
    """Days it is shut; without a location everywhere. `appointments` stand on them all the same: nobody moves
    or cancels them but a person."""

    closure_id: int
    location_id: int | None
    location_name: str | None
    first_day: date
    last_day: date
    appointments: int


@dataclass(frozen=True)
class ServiceTerms:
    """What a service takes and costs; no price: on request."""

    duration_minutes: int | None
    buffer_minutes: int
    price: Decimal | None
    price_max: Decimal | None
    bookable: bool
    quotable: bool


async def changes(tx: Tx) -> list[ChangeRow]:
    """The latest changes, the last one first."""
    return await tx.all(ChangeRow, "setting_changes")


async def patience(tx: Tx) -> Patience:
    """What the business waits for now."""
    found = await tx.first(Patience, "setting_patience")
    if found is None:
        raise UnknownSetting(UnknownSetting.__doc__)
    return found


async def put_patience(tx: Tx, agent_id: int, wanted: Patience) -> None:
    """Changes what it waits for."""
    await tx.value("setting_lock")
    before = await patience(tx)
    await tx.run("setting_patience_put", **asdict(wanted))
    old, new = asdict(before), asdict(wanted)
    for name, value in new.items():
        await changed(tx, agent_id, name, str(old[name]), str(value))


async def put_week(tx: Tx, agent_id: int, location: str, week: Mapping[int, Sequence[Span]]) -> None:
    """Replaces the opening hours of a location; a day without spans is closed. Raises UnknownSetting."""
    profile = await _profile(tx)
    place = next((one for one in profile.locations if one.key == location), None)
    if place is None:
        raise UnknownSetting(UnknownSetting.__doc__)
    old: dict[int, list[Span]] = {}
    for row in profile.hours:
        if row.location_id == place.location_id:
            old.setdefault(row.weekday, []).append((row.opens, row.closes))
    await tx.run("setting_hours_clear", location_id=place.location_id)
    for weekday, spans in week.items():
        for opens, closes in spans:
            await tx.run(
                "setting_hours_put",
                location_id=place.location_id,
                weekday=weekday,
                opens=opens,
                closes=closes,
            )
    await changed(tx, agent_id, f"hours {place.name}", week_text(old), week_text(week))


def week_text(week: Mapping[int, Sequence[Span]]) -> str:
    """Opening hours in one line."""
    days = [f"{DAYS[day]} {spans_text(week.get(day, ()))}" for day in range(7) if week.get(day)]
    return "; ".join(days) or "closed"


def spans_text(spans: Sequence[Span]) -> str:
    """The spans of a day: "09:00-13:00, 15:00-19:00"."""
    return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in spans)


async def closures(tx: Tx) -> list[ShutRow]:
    """Days it is shut, today's and those to come."""
    return await tx.all(ShutRow, "setting_closures", today=tx.now.date())


async def shut(tx: Tx, agent_id: int, first: date, last: date, location: str | None) -> None:
    """Days it will be shut, at one location or everywhere. Raises UnknownSetting."""
    profile = await _profile(tx)
    places = {place.key: place.location_id for place in profile.locations}
    if location is not None and location not in places:
        raise UnknownSetting(UnknownSetting.__doc__)
    await tx.run(
        "setting_closure_put",
        location_id=places[location] if location else None,
        first_day=first,
        last_day=last,
    )
    await changed(tx, agent_id, "closed", "—", f"{first} – {last}{f' {location}' if location else ''}")


async def reopen(tx: Tx, agent_id: int, closure_id: int) -> None:
    """A closure is taken back. Raises UnknownSetting."""
    days: str | None = await tx.value("setting_closure_drop", closure_id=closure_id)
    if days is None:
        raise UnknownSetting(UnknownSetting.__doc__)
    await changed(tx, agent_id, "closed", days, "—")


async def put_service(
    tx: Tx, agent_id: int, key: str, terms: ServiceTerms, *, was: ServiceTerms | None = None
) -> None:
    """Changes what a service takes and costs, from the next message on.

    `was` is what its form showed when it was filled in: what was left as it was stays as it is now, whatever
    became of it meanwhile. Raises UnknownSetting, TermsRefused, NobodyAble.
    """
    await tx.value("setting_lock")
    row = await tx.first(ServiceRow, "setting_service_lock", key=key)
    if row is None:
        raise UnknownSetting(UnknownSetting.__doc__)
    old = {name: getattr(row, name) for name in asdict(terms)}
    seen = asdict(was) if was else {}
    meant = {name: value for name, value in asdict(terms).items() if name not in seen or value != seen[name]}
    new = old | meant
    if field := _impossible(ServiceTerms(**new), row.price_unit):
        raise TermsRefused(field)
    if new["bookable"]:
        place: str | None = await tx.value("setting_unable", service_id=row.service_id)
        if place is not None:
            raise NobodyAble(place)
    await tx.run("setting_service", service_id=row.service_id, **new)
    for name, value in meant.items():
        await changed(tx, agent_id, f"{key} {name}", str(old[name]), str(value))


def _impossible(terms: ServiceTerms, unit: str) -> str | None:
    """The field that makes no sense beside the others: the rules a business file is held to as well."""
    low, high = terms.price, terms.price_max
    if terms.bookable and terms.duration_minutes is None:
        return "duration_minutes"
    if high is not None and (low is None or high <= low):
        return "price_max"
    if low is None and not (terms.bookable or terms.quotable):
        return "price"
    if unit == "percent" and max(low or 0, high or 0) > _MOST_PERCENT:
        return "price" if low is not None and low > _MOST_PERCENT else "price_max"
    return None


async def put_thresholds(tx: Tx, agent_id: int, wanted: Mapping[str, float]) -> None:
    """Replaces the thresholds of its own; a label without one has the usual one."""
    before = (await _profile(tx)).thresholds
    await tx.run("setting_thresholds_clear")
    for label, threshold in wanted.items():
        await tx.run("setting_threshold_put", label=label, threshold=threshold)
    for label in sorted({*before, *wanted}):
        old, new = before.get(label), wanted.get(label)
        await changed(tx, agent_id, f"threshold {label}", _number(old), _number(new))


async def put_digest(tx: Tx, agent_id: int, *, wanted: bool) -> None:
    """Whether the team is told its week in figures."""
    await tx.value("setting_lock")
    before = (await digest.state(tx)).wanted
    await digest.put(tx, wanted=wanted)
    await changed(tx, agent_id, digest.KIND, _switch(before), _switch(wanted))


async def put_nps(tx: Tx, agent_id: int, wanted: nps.Settings) -> None:
    """Whether customers are asked how likely they are to recommend the business, and how often."""
    await tx.value("setting_lock")
    before = await nps.settings(tx)
    await nps.set_up(tx, wanted)
    await changed(tx, agent_id, "nps", _switch(before.asks_nps), _switch(wanted.asks_nps))
    await changed(tx, agent_id, "nps_every_days", str(before.nps_every_days), str(wanted.nps_every_days))


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


async def put_vertical(tx: Tx, agent_id: int, name: str, pack: Pack) -> None:
    """The business takes another trade's questions, topics and sentences; changes to the old ones go."""
    before = (await _profile(tx)).business.vertical
    await tx.run("setting_vertical", vertical=name)
    await packs.put(tx, tx.business_id, pack)
    await changed(tx, agent_id, "vertical", before, name)


async def put_holding(
    tx: Tx, agent_id: int, key: Literal["open", "closed"], language: str, body: str
) -> None:
    """Its own holding message in a language; '' goes back to SARA's."""
    before = (await _profile(tx)).holding.get((key, language), "")
    if body == before:
        return
    await tx.run("setting_holding_clear", key=key, language=language)
    if body:
        await tx.run("setting_holding_put", key=key, language=language, body=body)
    await changed(tx, agent_id, f"holding message {key} {language}", before or "—", body or "—")


async def changed(tx: Tx, agent_id: int, setting: str, before: str, after: str) -> None:
    """Writes a change down; what stayed as it was is no change."""
    if before != after:
        await tx.run("setting_changed", agent_id=agent_id, setting=setting, before=before, after=after)


async def _profile(tx: Tx) -> Profile:
    """The business with nobody else changing its settings."""
    await tx.value("setting_lock")
    return await businesses.profile(tx)
