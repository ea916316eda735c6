"""What the settings' page shows, and how the holding message would read in each language."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from api.console.words import LANGUAGES
from api.state import ApiServices
from crm import alerts, budgets, businesses, configure, digest, factors, hours, nps
from crm.businesses import Profile
from crm.configure import Span, spans_text
from crm.record import Tx
from tools.holding import holding
from tools.wording import price, price_unit

_LOOK_AHEAD = timedelta(days=8)
_STEP = timedelta(minutes=30)


async def gathered(
    tx: Tx, services: ApiServices, language: str, entered: Mapping[str, str] | None
) -> dict[str, Any]:
    """Everything the page shows; a holding message just entered is previewed as if it were saved."""
    profile = await businesses.profile(tx)
    shown = _with(profile, entered) if entered else profile
    said = services.phrases.speaker(language)
    rows = [service.row for service in profile.services]
    return {
        "zone": profile.business.time_zone,
        "profile": profile,
        "patience_of": asdict(await configure.patience(tx)),
        "weeks": {place.key: _week(profile, place.location_id) for place in profile.locations},
        "closures": await configure.closures(tx),
        "named": {s.row.key: s.name(language, profile.language) for s in profile.services},
        "priced": {row.key: price(row, profile.business, language, said) for row in rows},
        "units": {row.key: price_unit(row, profile.business, language, said) for row in rows},
        "targets": await alerts.targets(tx),
        "budget": await budgets.state(tx),
        "digest": await digest.state(tx),
        "nps": await nps.settings(tx),
        "changes": await configure.changes(tx),
        "previews": previews(shown, services, tx.now),
        "can_alert": services.secrets is not None,
        "people": await factors.people(tx),
        "factor_required": await factors.required(tx),
    }


def previews(profile: Profile, services: ApiServices, now: datetime) -> dict[str, dict[str, str]]:
    """The holding message in four languages, by whether the business is open when it is sent."""
    moments = {"open": _moment(profile, now, wanted=True), "closed": _moment(profile, now, wanted=False)}
    says = {code: services.phrases.speaker(code, formal=profile.pack.formal) for code in LANGUAGES}
    return {
        key: {code: holding(profile, say, code, at) for code, say in says.items()}
        for key, at in moments.items()
        if at is not None
    }


def _moment(profile: Profile, now: datetime, *, wanted: bool) -> datetime | None:
    """The next moment at which the business is open, or is not."""
    at = now
    while at < now + _LOOK_AHEAD:
        if hours.is_open(profile, at) == wanted:
            return at.astimezone(ZoneInfo(profile.business.time_zone))
        at += _STEP
    return None


def _with(profile: Profile, entered: Mapping[str, str]) -> Profile:
    key = entered.get("key", "")
    own = {(key, code): entered[code] for code in LANGUAGES if entered.get(code)}
    kept = {at: body for at, body in profile.holding.items() if at[0] != key}
    return replace(profile, holding={**kept, **own})


def _week(profile: Profile, location_id: int) -> list[str]:
    days: list[list[Span]] = [[] for _ in range(7)]
    for row in profile.hours:
        if row.location_id == location_id:
            days[row.weekday].append((row.opens, row.closes))
    return [spans_text(spans) for spans in days]
