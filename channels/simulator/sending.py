"""What Meta checks in a send, and the message it makes of it. Messages and codes follow the Graph API's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.messages import Button, Row
from channels.simulator.account import Account
from channels.simulator.world import SimMessage, new_wamid
from channels.whatsapp import limits

Json = Mapping[str, Any]

_EMOJI_MAX = 32


class Refusal(Exception):
    """The Graph API refuses the call, with this HTTP status and code; `details` say why."""

    def __init__(
        self, code: int, details: str, *, status: int = 400, retry_after_s: int | None = None
    ) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.status = status
        self.retry_after_s = retry_after_s


def read_send(body: object, *, phone_number_id: str, customer: str, at: datetime) -> SimMessage:
    """Check the body of a send and return the message as the customer will see it. Raises Refusal 100."""
    if not isinstance(body, dict):
        raise Refusal(100, "The body must be a JSON object.")
    kind = body.get("type", "text")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Refusal(100, f"Param type must be one of {sorted(_READERS)}.")
    context = body.get("context")
    quoted = context.get("message_id") if isinstance(context, dict) else None
    callback = body.get("biz_opaque_callback_data")
    if callback is not None and not (isinstance(callback, str) and len(callback) <= limits.CALLBACK_DATA_MAX):
        raise Refusal(100, f"Param biz_opaque_callback_data must be at most {limits.CALLBACK_DATA_MAX} long.")
    return SimMessage(
        wamid=new_wamid(),
        phone_number_id=phone_number_id,
        customer=customer,
        direction="out",
        type=kind,
        at=at,
        callback_data=callback,
        raw=body,
        **({"reply_to": quoted} | reader(_object(body, kind))),
    )


def check_template(account: Account, waba_id: str, body: Json) -> None:
    """Whether the account may send this template. Raises Refusal as Meta does: 132000 for another number of
    variables, 132001 for none of that name and language, 132015 and 132016 for a paused or disabled one."""
    if not account.strict:
        return
    content = _object(body, "template")
    name, language = content.get("name"), _object(content, "language").get("code")
    template = account.templates.get((waba_id, str(name), str(language)))
    if template is None or template.status in ("PENDING", "REJECTED"):
        raise Refusal(132001, f"template name ({name}) does not exist in {language}", status=404)
    if template.status == "PAUSED":
        raise Refusal(132015, "Template is paused due to low quality so it cannot be sent.")
    if template.status == "DISABLED":
        raise Refusal(132016, "Template has been paused too many times and is now disabled.")
    parts = [part for part in content.get("components", []) if isinstance(part, dict)]
    given = sum(len(part.get("parameters", [])) for part in parts if part.get("type") == "body")
    if given != template.variables:
        raise Refusal(
            132000, f"body: number of localizable_params ({given}) does not match {template.variables}"
        )


def check_address(body: object) -> tuple[str | None, str | None]:
    """The `to` and `recipient` of a send. Raises Refusal 100 when the essentials are missing."""
    if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
        raise Refusal(100, "The parameter messaging_product is required.")
    to, recipient = body.get("to"), body.get("recipient")
    if not (isinstance(to, str) and to) and not (isinstance(recipient, str) and recipient):
        raise Refusal(100, "The parameter to is required.")
    return (to if isinstance(to, str) and to else None), (recipient if isinstance(recipient, str) else None)


def _text(content: Json) -> dict[str, Any]:
    preview = content.get("preview_url")
    if preview is not None and not isinstance(preview, bool):
        raise Refusal(100, "Param text['preview_url'] must be a boolean.")
    return {"text": _string(content, "body", "text['body']", limits.TEXT_MAX)}


def _interactive(content: Json) -> dict[str, Any]:
    kind = content.get("type")
    if kind not in ("button", "list"):
        raise Refusal(100, "Param interactive['type'] must be button or list.")
    fields: dict[str, Any] = {
        "text": _string(_object(content, "body"), "text", "interactive['body']", limits.INTERACTIVE_BODY_MAX)
    }
    if content.get("header") is not None:
        header = _object(content, "header")
        if header.get("type") == "text":
            _string(header, "text", "interactive['header']", limits.HEADER_MAX)
        elif kind == "list":
            raise Refusal(100, "The header of a list must be text.")
    if content.get("footer") is not None:
        footer = _object(content, "footer")
        fields["footer"] = _string(footer, "text", "interactive['footer']", limits.FOOTER_MAX)
    action = _object(content, "action")
    return fields | (_buttons(action) if kind == "button" else _list(action))


def _buttons(action: Json) -> dict[str, Any]:
    given = _array(action, "buttons")
    if not 1 <= len(given) <= limits.BUTTONS_MAX:
        raise Refusal(100, f"Invalid buttons count. Min allowed buttons: 1, Max: {limits.BUTTONS_MAX}.")
    buttons = []
    for item in given:
        if item.get("type") != "reply":
            raise Refusal(100, "Param buttons['type'] must be reply.")
        reply = _object(item, "reply")
        buttons.append(
            Button(
                id=_string(reply, "id", "buttons['id']", limits.BUTTON_ID_MAX),
                title=_string(reply, "title", "buttons['title']", limits.BUTTON_TITLE_MAX),
            )
        )
    _distinct("Button ids", [button.id for button in buttons])
    _distinct("Button titles", [button.title for button in buttons])
    return {"buttons": tuple(buttons)}


def _list(action: Json) -> dict[str, Any]:
    sections = _array(action, "sections")
    if len(sections) > 1:
        for section in sections:
            _string(section, "title", "sections['title']", limits.ROW_TITLE_MAX)
    rows = [_row(row) for section in sections for row in _array(section, "rows")]
    if not 1 <= len(rows) <= limits.ROWS_MAX:
        raise Refusal(100, f"Invalid rows count. Total row count must be 1 to {limits.ROWS_MAX}.")
    _distinct("Row ids", [row.id for row in rows])
    return {"rows": tuple(rows), "opener": _string(action, "button", "action['button']", limits.OPENER_MAX)}


def _row(row: Json) -> Row:
    description = row.get("description")
    if description is not None:
        description = _string(row, "description", "rows['description']", limits.ROW_DESCRIPTION_MAX)
    return Row(
        id=_string(row, "id", "rows['id']", limits.ROW_ID_MAX),
        title=_string(row, "title", "rows['title']", limits.ROW_TITLE_MAX),
        description=description,
    )


def _captioned(content: Json) -> dict[str, Any]:
    fields = _file(content)
    caption = content.get("caption")
    if caption is not None:
        caption = _string(content, "caption", "caption", limits.CAPTION_MAX)
    filename = content.get("filename")
    if filename is not None:
        filename = _string(content, "filename", "filename", limits.FILENAME_MAX)
    return {**fields, "text": caption or "", "filename": filename}


def _file(content: Json) -> dict[str, Any]:
    """A file without words. The cloud takes either an upload or a link, not both."""
    upload, link = content.get("id"), content.get("link")
    if bool(upload) == bool(link):
        raise Refusal(100, "Exactly one of id and link is required for media messages.")
    return {
        "media_id": upload if isinstance(upload, str) else None,
        "voice": content.get("voice") is True,
    }


def _audio(content: Json) -> dict[str, Any]:
    if content.get("caption") is not None or content.get("filename") is not None:
        raise Refusal(100, "Param caption and filename are not allowed for audio.")
    return _file(content)


def _location(content: Json) -> dict[str, Any]:
    for name, most in (("latitude", 90), ("longitude", 180)):
        try:
            degrees = float(content.get(name))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise Refusal(100, f"The parameter location['{name}'] is required.") from None
        if not -most <= degrees <= most:
            raise Refusal(100, f"Param location['{name}'] must be between -{most} and {most}.")
    words = [
        _string(content, key, f"location['{key}']", limits.PLACE_TEXT_MAX)
        for key in ("name", "address")
        if content.get(key) is not None
    ]
    return {"text": "\n".join([*words, f"({content['latitude']}, {content['longitude']})"])}


def _template(content: Json) -> dict[str, Any]:
    """A template's words live at Meta; the customer's phone shows its name and its parameters."""
    name = _string(content, "name", "template['name']", 512)
    _string(_object(content, "language"), "code", "template['language']", 20)
    parts = [part for part in content.get("components", []) if isinstance(part, dict)]
    values = [p.get("text") for part in parts for p in part.get("parameters", []) if isinstance(p, dict)]
    return {"text": "\n".join([f"[{name}]", *(value for value in values if isinstance(value, str))])}


def _reaction(content: Json) -> dict[str, Any]:
    emoji = content.get("emoji")
    if not isinstance(emoji, str) or len(emoji) > _EMOJI_MAX:
        raise Refusal(100, "Param reaction['emoji'] must be one emoji, or empty to take it back.")
    return {"text": emoji, "reply_to": _string(content, "message_id", "reaction['message_id']", 512)}


def _object(parent: Json, key: str) -> Json:
    value = parent.get(key)
    if not isinstance(value, dict):
        raise Refusal(100, f"The parameter {key} is required.")
    return value


def _array(parent: Json, key: str) -> list[Json]:
    value = parent.get(key)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Refusal(100, f"The parameter {key} is required and must be a list of objects.")
    return value


def _string(parent: Json, key: str, name: str, limit: int) -> str:
    value = parent.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(100, f"The parameter {name} is required.")
    if len(value) > limit:
        raise Refusal(100, f"Param {name} must be at most {limit} characters long.")
    return value


def _distinct(what: str, values: list[str]) -> None:
    if len(set(values)) != len(values):
        raise Refusal(100, f"{what} must be unique within the message.")


_READERS = {
    "text": _text,
    "interactive": _interactive,
    "template": _template,
    "reaction": _reaction,
    "audio": _audio,
    "sticker": _file,
    "location": _location,
    **dict.fromkeys(("image", "video", "document"), _captioned),
}
