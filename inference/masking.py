"""Personal data out of what leaves for logs and traces: one masking for both.

Masked by its form: phone numbers, e-mail addresses, IBANs, card numbers, the tax codes of Italy, Spain,
Portugal and the United Kingdom, WhatsApp's message ids (they carry the number of who wrote, in base64), names
that people introduce themselves with, encoded files. Masked because it is known: the names and numbers a
`Masker` is given, in any spelling of case and accents. Where form alone cannot tell a phone number from an
order number both are masked: a figure lost in a trace costs less than a customer's number. Dates, times,
prices and ids of our own stay readable.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inference.masking_forms import FORMS, INTRODUCED, masked_form
from inference.masking_plain import Plain, plain

_SHORTEST = 3  # characters of a number or of a part of a name that is looked for alone
_PARTICLES = re.compile(r"d[aeiou]|d[aeo][ls]|de(?:l+[aeo]|i|gli|n|r)|dalla|l[aeo]s?|los|v[ao]n|the|and")
# Values under these keys are a person's whatever they look like.
_PERSONAL = re.compile(
    "wa_id|wamid|bsuid|sender|recipient|email|pec|phone|phone_number|vat_number|tax_code|tax_id|iban|street|"
    "address|latitude|longitude|filename"
)
_NAMES = frozenset({"contact_name", "customer_name", "first_name", "last_name"})
# A name alone is as often a service's or a tool's: it is a person's below these keys.
_NAMES_BELOW = {
    "name": frozenset({"contact", "customer", "card", "place", "billing", "sender"}),
    "with": frozenset({"visits"}),
}


class Masker:
    """Masks texts and whole structures, knowing some names and numbers. For one thread at a time."""

    def __init__(self, names: Iterable[str] = (), identities: Iterable[str] = ()) -> None:
        self._names = _names_pattern(names)
        known = {one.strip().lstrip("+") for one in identities}
        sought = (one for one in known if len(one) >= _SHORTEST)
        self._identities = tuple(sorted(sought, key=len, reverse=True))
        self._done: dict[str, str] = {}
        self._made: dict[tuple[int, str], tuple[Plain, Plain]] = {}

    def text(self, words: str) -> str:
        """The text with `[phone]`, `[e-mail]`, `[name]` … in place of what names a person."""
        done = self._done.get(words)
        if done is None:
            done = self._done[words] = self._masked(words)
        return done

    def _masked(self, words: str) -> str:
        words = unicodedata.normalize("NFC", words)
        for identity in self._identities:
            words = words.replace(identity, "[id]")
        words = FORMS.sub(masked_form, words)
        if self._names is None:
            return words
        spans = [match.span() for match in self._names.finditer(folded(words))]
        for start, end in reversed(spans):
            words = f"{words[:start]}[name]{words[end:]}"
        return words

    def whole(self, value: Any) -> Plain:
        """Any value as plain JSON with nothing in it that names a person; keys are masked as well.

        Sound, pictures and other bytes are told by their length alone, objects without fields by their kind.
        """
        return self.plain(plain(value))

    def plain(self, value: Plain, above: str = "") -> Plain:
        """The same of what is plain JSON already; what stands in it twice is masked once."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return "[id]" if str(value) in self._identities else value
        if not isinstance(value, dict | list):
            return value
        made = self._made.get((id(value), above))
        if made is None:
            made = self._made[id(value), above] = (value, self._container(value, above))
        return made[1]

    def _container(self, value: dict[str, Plain] | list[Plain], above: str) -> Plain:
        if isinstance(value, list):
            return [self.plain(one, above) for one in value]
        return {self.text(key): self._field(key, one, above) for key, one in value.items()}

    def _field(self, key: str, value: Plain, above: str) -> Plain:
        shown = isinstance(value, str | int | float) and value != ""
        if shown and (_PERSONAL.fullmatch(key) or _is_name(key, above)):
            return f"[{key}]"
        return self.plain(value, key)


def text(words: str) -> str:
    """A text masked by form alone."""
    return FORMS.sub(masked_form, unicodedata.normalize("NFC", words))


def shown(value: Any) -> Any:
    """A value masked by form alone; what can hold no text stays as it is."""
    if isinstance(value, str):
        return text(value)
    return value if isinstance(value, bool | int | float | None) else Masker().whole(value)


def masker_for(value: Plain) -> Masker:
    """A masker that knows the people of a structure: its contact, its card, who introduced themselves."""
    known = _Known(set(), set(), set())
    known.gather(value, "")
    return Masker(known.names, known.identities)


@dataclass(frozen=True)
class _Known:
    """The people met so far, and the containers that were looked into under which key."""

    names: set[str]
    identities: set[str]
    seen: set[tuple[int, str]]

    def gather(self, value: Plain, above: str) -> None:
        if isinstance(value, str):
            who = (found["who"] for found in INTRODUCED.finditer(value))
            self.names.update(one for one in who if one[0].isupper())
        elif isinstance(value, dict | list) and (id(value), above) not in self.seen:
            self.seen.add((id(value), above))
            fields = value.items() if isinstance(value, dict) else ((above, one) for one in value)
            for key, one in fields:
                self._field(key, one, above)

    def _field(self, key: str, value: Plain, above: str) -> None:
        if isinstance(value, str) and _is_name(key, above):
            self.names.add(value)
        elif isinstance(value, str) and _PERSONAL.fullmatch(key):
            self.identities.add(value)
        else:
            self.gather(value, key)


def _is_name(key: str, above: str) -> bool:
    return key in _NAMES or above in _NAMES_BELOW.get(key, ())


def folded(words: str) -> str:
    """Lower case without accents, character by character, so that places in it are places in the text."""
    if words.isascii():
        return words.lower()
    return "".join(_fold(one) for one in words)


def _fold(character: str) -> str:
    lower = unicodedata.normalize("NFD", character)[0].lower()
    return lower if len(lower) == 1 else character


def _names_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """The names whole and in parts, longest first; None for no names."""
    sought: set[str] = set()
    for name in names:
        whole = folded(unicodedata.normalize("NFC", " ".join(name.split())))
        parts = re.split(r"[\s.,]+", whole)
        sought |= {part for part in parts if len(part) >= _SHORTEST and not _PARTICLES.fullmatch(part)}
        if len(whole) > 1 and any(character.isalpha() for character in whole):
            sought.add(whole)
    if not sought:
        return None
    either = "|".join(re.escape(one).replace(r"\ ", r"\s+") for one in sorted(sought, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)")
