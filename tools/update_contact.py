"""Changes what the record knows of the customer themselves: name, e-mail address, language. Nobody else's."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from babel import Locale
from pydantic import BaseModel

from crm import contacts
from inference import extract
from inference.extract import yes_no
from inference.extract_words import not_names
from inference.introduced import person_name
from inference.wishes import language_named
from tools.happened import remember_once
from tools.matching import plain
from tools.questions import yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool

_LONGEST_NAME = 80
_NAME_WORDS = re.compile(r"\b(?:nome|name|nombre)\b")
_ADDRESS = re.compile(r"\S+@\S+")
_IN_LANGUAGE = re.compile(
    r"\b(?:in|en|em|lingua|language|idioma)\b \W*(?:italian|ingl|english|spa[gn]|espan|castell|portu|porto)"
)
_MAIL_WORDS = re.compile(r"\b(?:e-?mail|mail|correo|posta)\b")
# A whole answer that is a name: letters, with the signs names are written with; no digits, brackets or emoji.
_NAME = re.compile(r"[^\W\d_]+(?:['’.-]?[^\W\d_]+)*\.?(?: [^\W\d_]+(?:['’.-]?[^\W\d_]+)*\.?){0,5}")


class Arguments(BaseModel):
    """Nothing is taken from a model: a customer's own data are what the customer wrote."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: name, email, language; wants (what is to change, where only that was said), refused, denied."""
    denied = bool(slots.get("denied"))
    slots = {name: value for name, value in slots.items() if name != "refused"}
    text = unicodedata.normalize("NFC", call.text).strip()
    if not text or yes_no(text, call.language) is not None:
        return slots
    slots.pop("denied", None)
    found = _read(call, text, slots.get("wants"), denied=denied)
    if found:
        return {**{name: value for name, value in slots.items() if name != "wants"}, **found}
    bare = plain(text)
    if slots.get("wants"):
        return {**slots, "refused": True}
    wants = "email" if _MAIL_WORDS.search(bare) else "name" if _NAME_WORDS.search(bare) else None
    if wants is None:
        return {**slots, "denied": True} if denied else slots
    kept = {name: value for name, value in slots.items() if not denied or name != wants}
    return {**kept, "wants": wants}


def _read(call: Call, text: str, wants: str | None, *, denied: bool) -> Slots:
    """All that a text tells: address, language, name."""
    address = extract.email(text)
    rest = _ADDRESS.sub(" ", text).strip(" ,;.") if address else text
    found: Slots = {"email": address} if address else {}
    name = _name_in(call, rest, wants, denied=denied) if address or wants != "email" else None
    if name:
        found["name"] = name[:_LONGEST_NAME]
    language = language_named(rest)
    # Beside other things "sono italiano" says who they are, not what to write in.
    if language and (not found or _IN_LANGUAGE.search(plain(rest))):
        found["language"] = language
    return found


def _name_in(call: Call, text: str, wants: str | None, *, denied: bool) -> str | None:
    name = person_name(text, call.language)
    if name is None and _NAME.fullmatch(text):
        first = plain(text).split()[0]
        speaks_of = _NAME_WORDS.search(plain(text)) or _MAIL_WORDS.search(plain(text))
        if wants == "name" or (denied and not speaks_of and first not in not_names()):
            name = text
    return None if name and language_named(name) else name


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks for what is to be changed, and for what to."""
    if any(slots.get(field) for field in ("name", "email", "language")):
        return None
    say = call.say
    match slots.get("wants"), bool(slots.get("refused")):
        case "email", False:
            return Question("email", say("What is your e-mail address?"))
        case "email", True:
            return Question(
                "email", say("That does not look like an e-mail address. Could you write it again?")
            )
        case "name", False:
            return Question("name", say("What name shall I note?"))
        case "name", True:
            return Question("name", say("I can't read a name there. Please write it in letters only."))
    return Question("wants", say("What shall I change: your name, your e-mail address or your language?"))


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Reads it back."""
    lines = [f"• {value}" for value in _told(call, slots).values()]
    text = "\n".join([call.say("I will note this:"), *lines, call.say("Is that right?")])
    return Question("confirm", text, yes_or_no(call))


async def act(call: Call, slots: Slots) -> Outcome:
    """Writes it into the customer's own record."""
    async with call.context.crm.transaction(call.business_id) as tx:
        await contacts.update(
            tx,
            call.contact_id,
            name=slots.get("name"),
            email=slots.get("email"),
            language=slots.get("language"),
        )
        told = _told(call, slots)
        detail = "; ".join(f"{field}: {value}" for field, value in told.items())
        await remember_once(tx, call, "contact_updated", call.contact_id, detail)
    text = call.say("Done, I have noted it.")
    if slots.get("language"):
        say = call.context.phrases.speaker(slots["language"], formal=call.profile.pack.formal)
        text = say("Done, from now on I write to you in this language.")
    return Done(text, told)


def _told(call: Call, slots: Slots) -> dict[str, str]:
    told = {field: str(slots[field]) for field in ("name", "email") if slots.get(field)}
    if slots.get("language"):
        told["language"] = (
            Locale.parse(slots["language"]).get_display_name(call.language) or slots["language"]
        )
    return told


def _denied(slots: Slots) -> Slots:
    return {**slots, "denied": True}


TOOL = Tool("update_contact", Arguments, fill, check, confirm, act, denied=_denied)
