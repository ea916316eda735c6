"""Templates as the Graph API gives them, and what is wrong with one before Meta says so.

Rules are those of https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from channels.whatsapp.fields import clean, identifier, mapping, optional_text

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
NAME_MAX, BODY_MAX, HEADER_MAX, FOOTER_MAX = 512, 1024, 60, 60
BUTTON_MAX, BUTTONS_MAX = 25, 10
WORDS_PER_VARIABLE = 3

# Meta's language codes for the languages SARA speaks, and the shape of any other.
CODES = {
    "it": ("it",),
    "en": ("en", "en_US", "en_GB"),
    "es": ("es", "es_ES", "es_MX", "es_AR"),
    "pt": ("pt_BR", "pt_PT"),
}
_CODE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,4})?")
_NAME = re.compile(r"[a-z0-9_]+")
_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
_POSITION = re.compile(r"[1-9][0-9]?")
_NAMED = re.compile(r"[a-z][a-z0-9_]*")
_ADVERTISING = re.compile(
    r"\b(?:promo\w*|discount\w*|sale|special offer|coupon|scont\w+|offert[ae]|saldi|omaggio|gratis|free"
    r"|oferta\w*|descuento\w*|rebajas|regalo|desconto\w*|promoc\w+|grátis|cupom|% off)\b|\d\s?%",
    re.IGNORECASE,
)

Detect = Callable[[str], str | None]
"""The language of a text, such as it; None when nobody can tell."""


class GraphTemplate(BaseModel):
    """One template of an account, in one language."""

    model_config = ConfigDict(frozen=True)

    name: str
    code: str
    category: str
    status: str
    quality: str | None = None
    reason: str | None = None
    header: str | None = None
    header_format: str | None = None
    body: str = ""
    footer: str | None = None
    quick_replies: tuple[str, ...] = ()
    other_buttons: tuple[str, ...] = ()
    button_urls: tuple[str, ...] = ()
    replies_first: bool = True
    examples: int = 0

    @property
    def variables(self) -> int:
        """How many values its body takes."""
        return len(dict.fromkeys(_VARIABLE.findall(self.body)))

    @property
    def payloads(self) -> tuple[str, ...]:
        """Quick replies that may be given ids: those no other button stands before.

        An id goes with its button's place among all of them, and SARA counts from the first; without one Meta
        sends the button's words as its id.
        """
        return self.quick_replies if self.replies_first else ()

    @property
    def plain(self) -> bool:
        """Whether its body's values are all it needs; SARA sends no other."""
        if self.header_format not in (None, "TEXT") or _VARIABLE.search(self.header or ""):
            return False
        names = [name.strip() for name in _VARIABLE.findall(self.body)]
        by_number = all(_POSITION.fullmatch(name) for name in names)
        return by_number and not any(_VARIABLE.search(url) for url in self.button_urls)


class Finding(BaseModel):
    """Something wrong with a template: Meta refuses an `error`, and may refuse a `warning`."""

    model_config = ConfigDict(frozen=True)

    level: Literal["error", "warning"]
    field: str
    words: str


def read(item: Mapping[str, object]) -> GraphTemplate:
    """One item of an account's templates, or of a file that would create it. Raises Malformed."""
    parts = [part for part in _list(item, "components") if isinstance(part, Mapping)]
    by_type = {str(part.get("type", "")).upper(): part for part in parts}
    header, body = by_type.get("HEADER", {}), by_type.get("BODY", {})
    buttons = [b for b in _list(by_type.get("BUTTONS", {}), "buttons") if isinstance(b, Mapping)]
    score = mapping(item, "quality_score", required=False)
    replies = [b for b in buttons if str(b.get("type", "")).upper() == "QUICK_REPLY"]
    return GraphTemplate(
        name=identifier(item, "name"),
        code=identifier(item, "language"),
        category=(optional_text(item, "category") or "").upper(),
        status=(optional_text(item, "status") or "PENDING").upper(),
        quality=optional_text(score, "score"),
        reason=_reason(optional_text(item, "rejected_reason")),
        header=optional_text(header, "text"),
        header_format=str(header.get("format", "TEXT")).upper() if header else None,
        body=optional_text(body, "text") or "",
        footer=optional_text(by_type.get("FOOTER", {}), "text"),
        quick_replies=tuple(optional_text(b, "text") or "" for b in replies),
        other_buttons=tuple(optional_text(b, "text") or "" for b in buttons if b not in replies),
        button_urls=tuple(optional_text(b, "url") or "" for b in buttons if b not in replies),
        replies_first=buttons[: len(replies)] == replies,
        examples=_examples(mapping(body, "example", required=False)),
    )


def lint(template: GraphTemplate, detect: Detect | None = None) -> list[Finding]:
    """What is wrong with a template, the worst first; `detect` also compares its words with its language."""
    found = [*_form(template), *_variables(template), *_words(template, detect)]
    return sorted(found, key=lambda finding: finding.level)


def _form(template: GraphTemplate) -> Iterator[Finding]:
    if not _NAME.fullmatch(template.name) or len(template.name) > NAME_MAX:
        yield _error("name", "only small letters, digits and underscores, at most 512")
    if template.category not in CATEGORIES:
        yield _error("category", f"{template.category or 'none'}: one of {', '.join(CATEGORIES)}")
    if not _CODE.fullmatch(template.code):
        yield _error("language", f"{template.code!r} is no code of Meta's, such as it or pt_BR")
    elif template.code[:2] in CODES and template.code not in CODES[template.code[:2]]:
        yield _error("language", f"{template.code!r}: Meta has {', '.join(CODES[template.code[:2]])}")
    if not template.body.strip():
        yield _error("body", "a template needs a body")
    for field, text, most in (
        ("body", template.body, BODY_MAX),
        ("header", template.header or "", HEADER_MAX),
        ("footer", template.footer or "", FOOTER_MAX),
    ):
        if len(text) > most:
            yield _error(field, f"{len(text)} characters, at most {most}")
    if re.search(r"\n{3,}|\t| {5,}", template.body):
        yield _error("body", "no tabs, no more than two line breaks or four spaces in a row")
    titles = [*template.quick_replies, *template.other_buttons]
    if len(titles) > BUTTONS_MAX or len(set(titles)) != len(titles):
        yield _error("buttons", f"at most {BUTTONS_MAX}, no two alike")
    for title in titles:
        if not title.strip() or len(title) > BUTTON_MAX:
            yield _error("buttons", f"{title!r}: 1 to {BUTTON_MAX} characters")


def _variables(template: GraphTemplate) -> Iterator[Finding]:
    body = template.body.strip()
    names = list(dict.fromkeys(name.strip() for name in _VARIABLE.findall(body)))
    if body.count("{{") != len(_VARIABLE.findall(body)):
        yield _error("body", "a variable is not closed: {{1}}")
    numbered = [name for name in names if _POSITION.fullmatch(name)]
    if numbered and sorted(map(int, numbered)) != list(range(1, len(numbered) + 1)):
        yield _error("body", f"variables are numbered from 1 without a gap: {', '.join(numbered)}")
    if numbered and len(numbered) != len(names):
        yield _error("body", "variables are either all numbered or all named")
    for name in names:
        if name not in numbered and not _NAMED.fullmatch(name):
            yield _error("body", f"{{{{{name}}}}} is no variable")
    if body.startswith("{{") or body.endswith("}}"):
        yield _error("body", "it may neither begin nor end with a variable")
    if re.search(r"\}\}\s*\{\{", body):
        yield _error("body", "two variables need words between them")
    words = len(re.findall(r"\w+", _VARIABLE.sub(" ", body)))
    if names and words < WORDS_PER_VARIABLE * len(names):
        yield _warning("body", f"{words} words for {len(names)} variables: too few for what it says")
    if names and template.examples < len(names):
        yield _warning("body", f"{template.examples} of {len(names)} variables have an example")
    if len(_VARIABLE.findall(template.header or "")) > 1:
        yield _error("header", "at most one variable")
    if _VARIABLE.search(template.footer or ""):
        yield _error("footer", "no variable")
    if not template.plain:
        yield _warning("components", "it needs more than the body's numbered values: SARA cannot send it")


def _words(template: GraphTemplate, detect: Detect | None) -> Iterator[Finding]:
    if template.category == "UTILITY" and (advertising := _ADVERTISING.search(template.body)):
        yield _warning("category", f"{advertising[0]!r} advertises: Meta makes it MARKETING or rejects it")
    language = detect(_VARIABLE.sub(" ", template.body)) if detect is not None else None
    if language not in (None, template.code[:2]):
        yield _warning("language", f"the words are {language}, the template says {template.code}")


def _reason(reason: str | None) -> str | None:
    return None if reason in (None, "", "NONE") else clean(reason or "")


def _examples(example: Mapping[str, object]) -> int:
    named = _list(example, "body_text_named_params")
    rows = _list(example, "body_text")
    first = rows[0] if rows else None
    return len(named) or len(first if isinstance(first, list) else rows)


def _list(item: Mapping[str, object], key: str) -> list[object]:
    values = item.get(key)
    return values if isinstance(values, list) else []


def _error(field: str, words: str) -> Finding:
    return Finding(level="error", field=field, words=words)


def _warning(field: str, words: str) -> Finding:
    return Finding(level="warning", field=field, words=words)
