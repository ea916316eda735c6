"""WhatsApp's limits on what is sent, and `fit`, which makes any message obey them without losing words.

Limits count characters and are those of the Cloud API's reference for text and interactive messages.
"""

from __future__ import annotations

import re
import unicodedata

from channels.messages import Button, OutboundMessage, Row

TEXT_MAX = 4096
INTERACTIVE_BODY_MAX = 1024
CAPTION_MAX = 1024
HEADER_MAX = 60
FOOTER_MAX = 60
FILENAME_MAX = 240
PLACE_TEXT_MAX = 1000
TEMPLATE_NAME_MAX = 512
TEMPLATE_BODY_MAX = 1024
TEMPLATE_VALUES_MAX = 100
TEMPLATE_BUTTONS_MAX = 10
BUTTONS_MAX = 3
BUTTON_TITLE_MAX = 20
BUTTON_ID_MAX = 256
ROWS_MAX = 10
ROW_TITLE_MAX = 24
ROW_DESCRIPTION_MAX = 72
ROW_ID_MAX = 200
OPENER_MAX = 20
CALLBACK_DATA_MAX = 512
# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media: bytes a file of each kind may have.
FILE_MAX = {
    "image": 5 * 2**20,
    "audio": 16 * 2**20,
    "video": 16 * 2**20,
    "document": 100 * 2**20,
    "sticker": 500 * 2**10,
}
VOICE_MAX = 512 * 2**10
"""Bytes of OGG/Opus up to which WhatsApp shows a voice note with its wave; a larger one is a file."""
DEFAULT_OPENER = "☰"
"""Label of a list's control where none was given: a sign, because words would need a language."""

# From the best place to cut to the worst; each pattern matches the gap that may be dropped.
_BORDERS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…。！？؟])[\"'»”)\]]?\s+"),
    re.compile(r"\s+"),
)
_EMOJI_MAX = 32  # characters: families and flags are several in one
_ENDING_MAX = 16
_JOINERS = "\u200d\ufe0e\ufe0f"


class UnsendableMessage(ValueError):
    """No repair can make this message sendable: it has no words, or its buttons' ids are unusable."""


def fit(message: OutboundMessage) -> list[OutboundMessage]:
    """Return the messages to send, in order, that carry this one within WhatsApp's limits.

    Long text is split at paragraph, line, sentence or word borders. The body of buttons or a list is
    1024 characters at most, so what comes before its last sentences goes ahead as text. More than three
    buttons, or titles that would be equal once cut to 20 characters, become a list; more than ten rows
    become several lists. Only the first message quotes `reply_to`. Messages that fit come back unchanged.

    Raises UnsendableMessage for a message without words, and for ids empty, too long or used twice.
    """
    message = message.model_copy(update={"body": message.body.strip()})
    if message.kind in ("document", "image", "video"):
        return _fit_captioned(message)
    if message.kind in ("audio", "location", "reaction", "template"):
        return _fit_wordless(message)
    rows = _choices(message)
    if not rows:
        return _fit_text(message)
    if not message.body:
        raise UnsendableMessage("buttons and lists need a body")
    _check_ids(rows, BUTTON_ID_MAX if message.kind == "buttons" and len(rows) <= BUTTONS_MAX else ROW_ID_MAX)
    lead, body = _tail(message.body, INTERACTIVE_BODY_MAX)
    ahead = [OutboundMessage(body=part) for part in split(lead, TEXT_MAX)]
    ends = {
        "header": _cut_or_none(message.header, HEADER_MAX),
        "footer": _cut_or_none(message.footer, FOOTER_MAX),
    }
    message = message.model_copy(update={"body": body, **ends})
    return _quote_once([*ahead, *_interactive(message, rows)], message.reply_to)


def split(text: str, limit: int) -> list[str]:
    """Cut text into parts of at most `limit` characters, each at the best border in its last half."""
    parts = []
    text = text.strip()
    while len(text) > limit:
        end, start = _border(text, limit)
        parts.append(text[:end].rstrip())
        text = text[start:].lstrip()
    return [*parts, text] if text else parts


def cut(text: str, limit: int) -> str:
    """Shorten to `limit` characters, ending in … where something was cut; white space becomes single."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return text[: _whole(text, limit - 1)].rstrip() + "…"


def _border(text: str, limit: int) -> tuple[int, int]:
    """Where the first part ends and the next begins."""
    for pattern in _BORDERS:
        best = None
        for match in pattern.finditer(text, 0, limit + 1):
            if limit // 2 <= match.start() <= limit:
                best = match
        if best:
            # A closing quotation mark belongs to the sentence before the gap.
            closing = len(best.group()) - len(best.group().lstrip("\"'»”)]"))
            if best.start() + closing <= limit:
                return best.start() + closing, best.end()
    whole = _whole(text, limit)
    return whole, whole


def _whole(text: str, end: int) -> int:
    """The last index up to `end` that does not separate a base character from its marks or joiners."""
    index = end
    while index > 0 and index > end - 32 and _continues(text, index):
        index -= 1
    return index if index > max(0, end - 32) else end


def _continues(text: str, index: int) -> bool:
    if index >= len(text):
        return False
    here, before = text[index], text[index - 1]
    return unicodedata.combining(here) > 0 or here in _JOINERS or before == "\u200d"


def _tail(body: str, limit: int) -> tuple[str, str]:
    """Split a body in two so that the second part, its last sentences, has at most `limit` characters."""
    if len(body) <= limit:
        return "", body
    for pattern in _BORDERS:
        for match in pattern.finditer(body, len(body) - limit - 1):
            rest = body[match.end() :]
            if rest and len(rest) <= limit:
                return body[: match.end()].rstrip(), rest
    start = _whole(body, len(body) - limit + 32)
    return body[:start], body[start:]


def _choices(message: OutboundMessage) -> list[Row]:
    """The choices of either kind, the same one offered twice only once."""
    given = [*message.rows, *(Row(id=button.id, title=button.title) for button in message.buttons)]
    if message.kind == "text":
        return []
    return list(dict.fromkeys(given))


def _check_ids(rows: list[Row], limit: int) -> None:
    ids = [row.id for row in rows]
    if len(set(ids)) != len(ids):
        raise UnsendableMessage(f"two choices share an id: {ids}")
    for row in rows:
        if not 1 <= len(row.id) <= limit:
            raise UnsendableMessage(f"a choice's id must have 1 to {limit} characters: {row.id[:40]!r}")
        if not row.title.strip():
            raise UnsendableMessage(f"choice {row.id!r} has no title")


def _interactive(message: OutboundMessage, rows: list[Row]) -> list[OutboundMessage]:
    titles = [cut(row.title, BUTTON_TITLE_MAX) for row in rows]
    distinct = len(set(titles)) == len(rows) and not any(row.description for row in rows)
    if message.kind == "buttons" and len(rows) <= BUTTONS_MAX and distinct:
        buttons = tuple(Button(id=row.id, title=title) for row, title in zip(rows, titles, strict=True))
        return [message.model_copy(update={"buttons": buttons, "rows": ()})]
    if any(len(row.id) > ROW_ID_MAX for row in rows):
        raise UnsendableMessage(f"a list row's id has at most {ROW_ID_MAX} characters")
    return _lists(message, [_fit_row(row) for row in rows])


def _lists(message: OutboundMessage, rows: list[Row]) -> list[OutboundMessage]:
    """One list per ten rows; the later ones have only their number for a body."""
    pages = [tuple(rows[start : start + ROWS_MAX]) for start in range(0, len(rows), ROWS_MAX)]
    opener = cut(message.opener or "", OPENER_MAX) or DEFAULT_OPENER
    base = message.model_copy(update={"kind": "list", "buttons": (), "opener": opener})
    return [
        base.model_copy(update={"rows": page, **({"body": f"{n}/{len(pages)}"} if n > 1 else {})})
        for n, page in enumerate(pages, start=1)
    ]


def _fit_row(row: Row) -> Row:
    """A title cut short is kept whole in the description when that is free."""
    title = cut(row.title, ROW_TITLE_MAX)
    description = row.description or (row.title if title != " ".join(row.title.split()) else None)
    return Row(id=row.id, title=title, description=_cut_or_none(description, ROW_DESCRIPTION_MAX))


def _fit_text(message: OutboundMessage) -> list[OutboundMessage]:
    words = "\n\n".join(part for part in (message.body, (message.footer or "").strip()) if part)
    if not words:
        raise UnsendableMessage("a text message needs words")
    parts = [OutboundMessage(body=part, preview=message.preview) for part in split(words, TEXT_MAX)]
    return _quote_once(parts, message.reply_to)


def _fit_captioned(message: OutboundMessage) -> list[OutboundMessage]:
    """A file with what fits of its caption; the rest follows as text."""
    if not message.media_id:
        raise UnsendableMessage(f"a message of kind {message.kind} needs the id of an upload")
    if message.kind == "document" and not message.filename:
        raise UnsendableMessage("a document needs a file name")
    caption, *rest = split(message.body, CAPTION_MAX) or [""]
    name = _short_name(message.filename) if message.kind == "document" and message.filename else None
    shown = OutboundMessage(kind=message.kind, body=caption, media_id=message.media_id, filename=name)
    after = [OutboundMessage(body=part) for part in split(" ".join(rest), TEXT_MAX)]
    return _quote_once([shown, *after], message.reply_to)


def _fit_wordless(message: OutboundMessage) -> list[OutboundMessage]:
    """What cannot be cut into parts: it fits, or cannot be sent."""
    if message.kind == "audio" and not message.media_id:
        raise UnsendableMessage("sound needs the id of an upload")
    if message.kind == "reaction" and (not message.reply_to or len(message.body) > _EMOJI_MAX):
        raise UnsendableMessage("a reaction is one emoji on one message")
    if message.kind == "template":
        return [_fit_template(message)]
    if message.kind != "location":
        return [message]
    if message.place is None:
        raise UnsendableMessage("a location needs a place")
    place = message.place.model_copy(
        update={
            "name": _cut_or_none(message.place.name, PLACE_TEXT_MAX),
            "address": _cut_or_none(message.place.address, PLACE_TEXT_MAX),
        }
    )
    after = [OutboundMessage(body=part) for part in split(message.body, TEXT_MAX)]
    return _quote_once([message.model_copy(update={"place": place, "body": ""}), *after], message.reply_to)


def _fit_template(message: OutboundMessage) -> OutboundMessage:
    if not message.template or not message.code:
        raise UnsendableMessage("a template needs its name and its language")
    if len(message.values) > TEMPLATE_VALUES_MAX or not all(value.strip() for value in message.values):
        raise UnsendableMessage("a template's variables may not be empty")
    return message


def _short_name(filename: str) -> str:
    """A file name without folders; a long one keeps its ending."""
    name = re.split(r"[/\\]", filename)[-1].strip() or "file"
    stem, dot, ending = name.rpartition(".")
    if len(name) <= FILENAME_MAX:
        return name
    kept = f"{dot}{ending}" if dot and len(ending) < _ENDING_MAX else ""
    return (stem if kept else name)[: FILENAME_MAX - len(kept)] + kept


def _quote_once(parts: list[OutboundMessage], reply_to: str | None) -> list[OutboundMessage]:
    first, *rest = parts
    plain = [part.model_copy(update={"reply_to": None}) for part in rest]
    return [first.model_copy(update={"reply_to": reply_to}), *plain]


def _cut_or_none(text: str | None, limit: int) -> str | None:
    return cut(text, limit) or None if text else None
