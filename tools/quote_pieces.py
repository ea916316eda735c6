"""What a quote is asked for, piece by piece: services, how many of each, choices, and what is no service."""

import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from crm.businesses import Service
from inference.extract import asks_for_quote, party_size, yes_no
from inference.extract_words import (
    beside_wish_words,
    farewell_words,
    filler_words,
    people_words,
    polite_words,
    thanks_words,
)
from inference.quantities import Quantity, quantity
from inference.when_calendar import Anchor
from inference.when_days import find_days
from inference.when_lexer import read_line
from tools.details import COLLECTIVE, QUANTITY_MAX
from tools.matching import plain, services_in
from tools.tool import Call, Slots

MOST_LINES = 10
_LONGEST = 1000
_LONGEST_PIECE = 200
_JOINTS = re.compile(r"[,;\n+&]|\b(?:e|ed|and|y|plus|più(?! o meno))\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")
# What may stand as a line of a quote: the name of a thing. Anything else is read by the person who prices it.
_NAME = re.compile(r"[\w'’.()/%°€-]+(?: [\w'’.()/%°€-]+){0,11}")
_LETTERS = re.compile(r"\w+")
# What a quote is for stands behind its "for"; what stands before says who asks, and that one is asked for.
_FOR = re.compile(
    r"\b(?:preventiv[oi]|quotazione|quotes?|quotation|estimate|presupuestos?|cotizacion|orcamentos?"
    r"|cotacao)\b.*?\b(?:per|for|para|di|de|of)\b"
)
# A piece with one of these tells something ("siamo in quattro", "I am Anna") and asks for no thing.
_TELLS = re.compile(
    r"\b(?:sono|siamo|saremo|ho|abbiamo|avre(?:i|mmo)|vorre(?:i|mmo)|volevo|voglio|chiedo|mi chiamo|mi serve"
    r"|e possibile|arriv\w+|veniamo|vengo|verremo|potete|puoi|potreste|fatemi|sapere|attend\w+"
    r"|resto|i am|i'm|we are|we're|i have|we have|(?:i|we) need|(?:i|we)'d|would like|can you|could you"
    r"|let me|send me|my name|looking|soy|somos|tengo|tenemos|quiero|queria|quisiera|necesit\w+|me llamo"
    r"|puede\w*|podeis|gustaria|envi[ae]\w*|invi[ai]\w*|manda(?:te|mi|temi|dme|me)?|mande\w*|quanto|how much"
    r"|cuanto|what's|sou|tenho|temos|quero|queremos|precis\w+|chamo|podem?|gostaria|espero)\b"
    r"|\?"
)


def read_pieces(call: Call, slots: Slots, text: str, hint: str | None) -> None:
    """Adds to `slots` what a text asks for; `hint` is a service a model suggests.

    Slots: services and how many of each (`times`), `options` to choose from, how many of the one chosen
    (`choice_times`) and the choices still to come, `extras` that a person must price, and `unclear` where a
    number is not understood.
    """
    named = [(piece, services_in(piece, call.profile, call.language)) for piece in _pieces(call, text)]
    if any(len(found) == 1 for _, found in named):
        slots.pop("options", None)  # what was asked is answered
    for piece, found in named:
        said = _quantity(call, piece, found)
        _count(slots, said, found)
        if len(found) == 1:
            add_services(slots, found)
        elif len(found) > 1:
            _offer(slots, found, said.number)
        elif said.number is None and len(named) > 1 and (thing := _thing(call, piece)):
            if _NAME.fullmatch(thing):
                slots["extras"] = list(dict.fromkeys([*slots.get("extras", []), thing]))[:MOST_LINES]
            else:
                slots["unclear"] = True
    if slots.get("services") or slots.get("options") or slots.get("choices"):
        _next_choice(slots)
        return
    if hint:
        found = services_in(hint, call.profile, call.language)
        if len(found) == 1:
            add_services(slots, found)
    # Asked once what it is about: whatever is answered then is for a person to read.
    elif text and slots.get("asked") and yes_no(text, call.language) is None:
        slots["other"] = text[:_LONGEST]


def add_services(slots: Slots, services: Iterable[Service | None]) -> None:
    """Adds services to those asked for; a number said before they were known counts the first of them."""
    known = list(slots.get("services", []))
    keys = [s.row.key for s in services if s is not None]
    if not keys:
        return
    slots["services"] = list(dict.fromkeys([*known, *keys]))[:MOST_LINES]
    slots.pop("other", None)
    if times := slots.pop("choice_times", None):
        slots["times"] = {keys[0]: times, **slots.get("times", {})}


def choose(slots: Slots, service: Service | None) -> None:
    """A service pressed among those shown."""
    slots.pop("options", None)
    add_services(slots, [service])
    _next_choice(slots)


def _pieces(call: Call, text: str) -> list[str]:
    """The text at its commas and joining words, unless one of those is part of a name."""
    if not text:
        return []
    pieces = [piece for piece in _JOINTS.split(text) if piece.strip()]
    found = [services_in(piece, call.profile, call.language) for piece in pieces]
    if any(len(services) == 1 for services in found):
        return pieces
    whole = services_in(text, call.profile, call.language)
    return pieces if len(whole) != 1 and any(found) else [text]


def _offer(slots: Slots, found: list[Service], times: int | None) -> None:
    """Notes services among which the customer has to choose, unless one of them is asked for already."""
    keys = [service.row.key for service in found[:MOST_LINES]]
    shown = slots.get("options", [])
    if set(keys) < set(shown):
        slots["options"] = keys
        slots |= {"choice_times": times} if times else {}
    elif set(keys).isdisjoint([*slots.get("services", []), *shown]):
        slots["choices"] = [*slots.get("choices", []), {"keys": keys, "times": times}]
    elif times:
        slots["unclear"] = True


def _next_choice(slots: Slots) -> None:
    """The next choice becomes the question, when none waits."""
    if slots.get("options") or not slots.get("choices"):
        return
    first, *rest = slots.pop("choices")
    slots["options"] = first["keys"]
    if first["times"]:
        slots["choice_times"] = first["times"]
    if rest:
        slots["choices"] = rest


def _count(slots: Slots, said: Quantity, found: list[Service]) -> None:
    """Notes how many there shall be of a piece's service, and a number that says nothing plain."""
    keys = [found[0].row.key] if len(found) == 1 else slots.get("services", [])
    if said.number is not None:
        slots.pop("unclear", None)
        if len(found) <= 1 and len(keys) == 1:
            slots["times"] = {**slots.get("times", {}), keys[0]: said.number}
        elif not found and not keys:
            slots["choice_times"] = said.number
        elif not found:
            slots["unclear"] = True
    if said.unclear:
        slots["unclear"] = True


def _quantity(call: Call, piece: str, found: list[Service]) -> Quantity:
    business = call.profile.business
    here = call.present.astimezone(ZoneInfo(business.time_zone))
    names = _words(found)
    said = quantity(
        piece,
        language=call.language,
        heads=_heads(found) - filler_words(),
        named=names - filler_words(),
        now=here,
        country=business.country,
    )
    about = any(word not in names for word in COLLECTIVE.findall(plain(piece)))
    much = said.number is not None and said.number > QUANTITY_MAX
    return Quantity(None if much else said.number, said.unclear or about or much)


def _words(services: list[Service]) -> set[str]:
    names = (name for service in services for given in service.names.values() for name in given)
    return {word for name in names for word in _LETTERS.findall(plain(name))}


def _heads(services: list[Service]) -> set[str]:
    """The words of names that a number stands before: the first, and in English the noun at the end too."""
    heads = set()
    for service in services:
        for language, given in service.names.items():
            for name in given:
                words = _LETTERS.findall(plain(name)) or [""]
                heads |= {words[0], words[-1]} if language == "en" else {words[0]}
    return heads


def _thing(call: Call, piece: str) -> str | None:
    """What a piece that names no service asks for; None where it only says who asks, when or for how many."""
    said = plain(piece)
    asked = _FOR.search(said)
    if asked is None and (asks_for_quote(piece) or _TELLS.search(said)):
        return None
    rest = said[asked.end() :] if asked else said
    if _TELLS.search(rest):
        return None
    line = read_line(rest, call.language)
    _, left = find_days(line, Anchor(call.present, line.language, call.profile.business.country))
    little = polite_words() | farewell_words() | thanks_words() | filler_words() | beside_wish_words()
    kept = [
        token.text
        for token, kind in zip(left.tokens, left.kinds, strict=True)
        if kind in "wx?" and not set(token.text.split()) <= little and not _of_people(token.text)
    ]
    own = set(_LETTERS.findall(plain(call.contact_name or "")))
    kept = [word for word in kept if word not in own]
    if not any(_WORD.search(word) for word in kept) or party_size(piece, call.language):
        return None
    whole = piece.strip() if asked is None else piece.strip()[-len(rest.strip()) :]
    return whole[:_LONGEST_PIECE]


def _of_people(word: str) -> bool:
    return re.fullmatch(people_words(), word) is not None
