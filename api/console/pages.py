"""Templates into pages: autoescaped Jinja2, our own headers on every one."""

import re
from collections.abc import Mapping
from datetime import date as Date  # noqa: N812 a function of the templates has this name
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, get_day_names
from babel.numbers import format_currency
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.console import words
from knowledge.phrases import Say

FOLDER = Path(__file__).parent
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Pages:
    """The console's templates with the interface's catalogues."""

    def __init__(self) -> None:
        self.phrases = words.load()
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            enable_async=False,
        )
        self._templates.filters |= {"initials": initials, "lasting": lasting}

    def speaker(self, language: str) -> Say:
        """The interface in one language."""
        return self.phrases.speaker(language)

    def text(self, template: str, *, language: str, zone: str = "UTC", **values: Any) -> Markup:
        """A rendered template; times are shown in `zone`, those that name another one in that."""
        say, own = self.speaker(language), zone

        def clock(at: datetime, zone: str = own) -> str:
            return str(format_time(at.astimezone(ZoneInfo(zone)), "HH:mm", locale=language))

        def day(at: datetime) -> str:
            return str(format_date(at.astimezone(ZoneInfo(own)), "EEE d MMM", locale=language))

        def moment(at: datetime, zone: str = own) -> str:
            return str(format_datetime(at.astimezone(ZoneInfo(zone)), "EEE d MMM, HH:mm", locale=language))

        day_names = get_day_names("wide", locale=language)

        def date(at: Date) -> str:
            return str(format_date(at, "EEE d MMM", locale=language))

        def money(amount: Decimal, currency: str) -> str:
            return str(format_currency(amount, currency, locale=language))

        shown = self._templates.get_template(template).render(
            say=say,
            language=language,
            languages=words.LANGUAGES,
            reason=lambda key: words.reason(say, key),
            label=lambda key: words.label(say, key),
            step=lambda kind: words.step(say, kind),
            happening=lambda kind, what: words.happening(say, kind, what),
            clock=clock,
            day=day,
            date=date,
            weekday=lambda number: day_names[number],
            moment=moment,
            money=money,
            **values,
        )
        return Markup(shown)  # noqa: S704 rendered with autoescape

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A rendered template as a response."""
        return HTMLResponse(self.text(template, **values), status, headers=dict(HEADERS))


def initials(name: str | None) -> str:
    """Up to two letters that stand for a name."""
    letters = [word[0] for word in re.findall(r"[^\W_]+", name or "")]
    return "".join(letters[:1] + letters[-1:] if len(letters) > 1 else letters[:1]).upper() or "?"


def lasting(seconds: float) -> str:
    """A span as hours and minutes, or minutes and seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d} h" if hours else f"{minutes}:{rest:02d}"
