"""How figures are said: money, days, hours and durations in the customer's language, from typed values."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import localedata
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.languages import get_official_languages
from babel.numbers import format_currency, format_decimal, get_currency_symbol
from babel.units import format_unit

from crm.businesses import BusinessRow, ServiceRow
from knowledge.phrases import Say

# European variants: 24-hour clock and day before month, as the businesses write them.
_LOCALES = {"it": "it_IT", "en": "en_GB", "es": "es_ES", "pt": "pt_PT"}
# A day of the coming weeks, which needs no year; babel has no pattern for it in most languages.
_NEAR = {"es": "EEEE d 'de' MMMM", "pt": "EEEE, d 'de' MMMM"}


def locale_of(language: str) -> str:
    """The babel locale of a language; an unknown language is written the English way."""
    return _LOCALES.get(language, "en_GB")


@lru_cache
def _figures(language: str, country: str) -> str:
    """The babel locale of numbers and money: a country's own where the language is one of its own."""
    own = f"{language}_{country}"
    spoken = language in get_official_languages(country, de_facto=True)
    return own if spoken and localedata.exists(own) else locale_of(language)


def money(amount: Decimal, currency: str, language: str, country: str) -> str:
    """An amount with its currency, as the business's country writes it: "65,00 €", "R$ 1.234,50"."""
    return _plain(format_currency(amount, currency, locale=_figures(language, country)))


def number(amount: Decimal, language: str, country: str) -> str:
    """A number without needless zeros: "1,5"."""
    return _plain(format_decimal(amount.normalize(), locale=_figures(language, country)))


def day(value: date, language: str) -> str:
    """An absolute date with its weekday: "venerdì 20 novembre 2026"."""
    return format_date(value, "full", locale=locale_of(language))


def weekday(number_: int, language: str) -> str:
    """The name of a weekday, Monday being 0."""
    # 2024-01-01 was a Monday.
    return format_date(date(2024, 1, 1 + number_), "EEEE", locale=locale_of(language))


def clock(value: datetime | time, language: str) -> str:
    """A time of day as it stands on the wall: the value's own zone is kept."""
    wall = value.time() if isinstance(value, datetime) else value
    return format_time(wall.replace(tzinfo=None), "short", locale=locale_of(language))


def near_moment(value: datetime, language: str) -> str:
    """A day of the coming weeks and a time: "lunedì 23 novembre, 10:00"."""
    near = format_date(value.date(), _NEAR.get(language, "EEEE d MMMM"), locale=locale_of(language))
    return f"{near}, {clock(value, language)}"


def short_day(value: date, language: str) -> str:
    """A day in at most 10 characters, for a button: "ven 20 nov"."""
    locale = locale_of(language)
    name = format_skeleton("EEE", datetime.combine(value, time(12)), locale=locale)[:3]
    return f"{name} {value.day} {format_date(value, 'MMM', locale=locale)[:3]}"


def short_moment(value: datetime, language: str) -> str:
    """Day and time in at most 16 characters, for a button: "ven 20 nov 15:00"."""
    return f"{short_day(value.date(), language)} {clock(value, language)}"


def part_of_day(part: str, say: Say) -> str:
    """The name of a part of the day; nothing for the whole of it."""
    match part:
        case "morning":
            return say("morning")
        case "lunch":
            return say("lunchtime")
        case "afternoon":
            return say("afternoon")
        case "evening":
            return say("evening")
        case "night":
            return say("night")
    return ""


def duration(minutes: int, language: str) -> str:
    """A length of time: "50 minuti"."""
    return _plain(format_unit(minutes, "minute", "long", locale=locale_of(language)))


def notice(minutes: int, language: str) -> str:
    """How long before something has to be said: "24 ore", "3 giorni", "90 minuti"."""
    locale, hours = locale_of(language), minutes // 60
    if not hours or minutes % 60:
        return duration(minutes, language)
    if hours <= 48 or hours % 24:
        return _plain(format_unit(hours, "hour", "long", locale=locale))
    # Not as a unit: babel has no long word for the day in Italian and Portuguese there.
    lasting = timedelta(hours=hours)
    return _plain(format_timedelta(lasting, granularity="day", threshold=hours, locale=locale))


def price(service: ServiceRow, business: BusinessRow, language: str, say: Say) -> str | None:
    """The price of a service with its unit; None when it has none on record."""
    if service.price is None:
        return None
    if service.price == 0 and service.price_max is None:
        return say("free of charge")
    low, high = _amounts(service, business, language)
    amount = low if high is None else say("from {low} to {high}", low=low, high=high)
    return _per_unit(amount, service.price_unit, say)


def price_unit(service: ServiceRow, business: BusinessRow, language: str, say: Say) -> str:
    """What the bare figures of a service's price are in: "€", "€ per hour", "%"."""
    symbol = get_currency_symbol(business.currency, locale=_figures(language, business.country))
    return _per_unit("%" if service.price_unit == "percent" else symbol, service.price_unit, say)


def _per_unit(amount: str, unit: str, say: Say) -> str:
    match unit:
        case "person":
            return say("{price} per person", price=amount)
        case "hour":
            return say("{price} per hour", price=amount)
        case "month":
            return say("{price} per month", price=amount)
    return amount


def _amounts(service: ServiceRow, business: BusinessRow, language: str) -> tuple[str, str | None]:
    def shown(amount: Decimal) -> str:
        if service.price_unit == "percent":
            return f"{number(amount, language, business.country)} %"
        return money(amount, business.currency, language, business.country)

    low = service.price if service.price is not None else Decimal(0)
    return shown(low), None if service.price_max is None else shown(service.price_max)


def _plain(text: str) -> str:
    # CLDR joins figures and units with no-break spaces, which search and copying in a chat trip over.
    return text.replace("\u00a0", " ").replace("\u202f", " ")
