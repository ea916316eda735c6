"""The name a customer introduces themselves with."""

import re
import unicodedata

from inference.extract_words import not_names
from inference.when_lexer import fold

_PARTICLES = frozenset(
    ("de", "da", "di", "del", "della", "do", "dos", "das", "van", "von", "la", "lo", "el", "los", "las", "d'")
)
# What stands between "change my name" and the name; after the second group a name shows by its capital.
_LEADING = re.compile(r"(?:(?:por favor|per favore|please|to|into|por|para)\b\s*)+|((?:in|a|con)\b\s*)", re.I)


def person_name(text: str, language: str) -> str | None:
    """The name a customer introduces themselves with, as written ("mi chiamo Anna Rossi" → "Anna Rossi")."""
    own = {
        "it": r"mi chiamo|il mio nome [eè]|a nome(?: di)?|sono(?: la| il)?|nome",
        "en": r"my name is|my name's|name's|i am|i'm|this is|under the name(?: of)?|the name is|call me"
        r"|name",
        "es": r"me llamo|mi nome es|mi nombre es|soy|a nombre de|nombre",
        "pt": r"me chamo|chamo-me|o meu nome [eé]|meu nome [eé]|eu sou(?: o| a)?|sou(?: o| a)?|em nome de"
        r"|aqui [eé](?: o| a)?|nome",
    }
    introductions = own.get(language[:2].lower(), own["en"])
    weak = (
        r"sono(?: la| il)?|i am|i'm|this is|soy|eu sou(?: o| a)?|sou(?: o| a)?|aqui [eé](?: o| a)?|a"
        r" nome"
    )
    plain = unicodedata.normalize("NFC", text).replace("’", "'")
    found = re.search(rf"(?i:(?<!\w)({introductions})\s*:?\s+)([^\W\d_][^,.;:!?\n\d(]*)", plain)
    if found is None:
        return None
    sure = re.fullmatch(weak, found.group(1).lower()) is None
    said = found.group(2)
    if found.group(1).lower() in ("name", "nome", "nombre") and (leading := _LEADING.match(said)):
        said, sure = said[leading.end() :], leading.group(1) is None
    return _name(said.split(), anycase=sure)


def _name(words: list[str], *, anycase: bool) -> str | None:
    kept: list[str] = []
    for word in words[:6]:
        plain = re.sub(r"[^\w'’-]", "", word)
        capital = plain[:1].isupper()
        particle = bool(kept) and plain.lower() in _PARTICLES
        # "Di Stefano", "de la Cruz": such words end a name only where they are written as any others.
        named = particle and (capital or kept[-1].lower() in _PARTICLES)
        if not plain or (fold(plain) in not_names() and not named):
            break
        if particle:
            kept.append(plain)
        elif capital or (
            anycase and len(plain) > 1 and len(kept) < 2 and not any(w[:1].isupper() for w in kept)
        ):
            kept.append(plain if capital else plain.capitalize())
        else:
            break
    while kept and kept[-1].lower() in _PARTICLES:
        kept.pop()
    return " ".join(kept) or None
