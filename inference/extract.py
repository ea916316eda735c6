"""Slots that need no model: party size, e-mail, money, duration, yes or no, services.

Every function is pure, takes the customer's words and returns None (or False, or an empty list) when they
do not say the thing. Languages are it, en, es and pt; a region may follow ("pt-BR").
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from inference.extract_words import (
    beside_cancel,
    cancel_phrases,
    confirming_verbs,
    everyday_words,
    farewell_words,
    filler_words,
    for_people,
    just_one,
    no_phrases,
    opt_in_words,
    opt_out_words,
    people_before,
    people_words,
    person_patterns,
    polite_words,
    quote_words,
    refusing_verbs,
    thanks_words,
    yes_phrases,
)
from inference.when_lexer import fold, one_edit, read_line

_ANY = ("it", "en", "es", "pt")
_MOST_PEOPLE = 999
_AROUND_NUMBER = 45  # characters, from ten before it
_THANKS_WORDS = 6
_SAID_IN_FULL = 0.95  # of a service's name, by weight
_NEARLY = 0.8
_LONG = 5  # letters of a word in which one may be wrong


@dataclass(frozen=True, slots=True)
class ServiceNames:
    """What one service is called: `names` and `aliases` by language code, `key` as in the record."""

    key: str
    names: Mapping[str, str]
    aliases: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Match:
    """A service the text may mean; `score` 0..1 is how well its most specific name fits."""

    key: str
    score: float


def email(text: str) -> str | None:
    """The first e-mail address, its domain in lower case."""
    found = re.search(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b", text)
    if found is None:
        return None
    local, _, domain = found.group().strip(".").rpartition("@")
    return f"{local}@{domain.lower()}" if local else None


def money(text: str, language: str) -> Decimal | None:
    """The first amount with a currency ("60 euro", "€1.150,50", "R$ 90"), in units of that currency.

    A dot or comma before exactly three digits groups thousands in every language ("1.150" is 1150).
    """
    currency = r"(?:€|£|\$|r\$|eur\b|euros?\b|pounds?\b|dollars?\b|dolares\b|reais\b|real\b|pesos\b)"
    amount = r"(\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)(?![\d])\s?(k\b|mila\b|mil\b)?"
    folded = fold(unicodedata.normalize("NFC", text))
    found = re.search(
        rf"{currency}\s?{amount}|(?<![\d.,]){amount}\s?(?:di |de )?{currency}", folded, re.ASCII
    )
    if found is None:
        return _money_in_words(folded, language)
    digits, thousand = (
        (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))
    )
    try:
        return Decimal(_plain(digits)) * (1000 if thousand else 1)
    except InvalidOperation:
        return None


def _plain(digits: str) -> str:
    """Digits as Decimal reads them: one or two after the last dot or comma are cents."""
    parted = re.fullmatch(r"(.+?)(?:[.,](\d{1,2}))?", digits)
    whole, cents = parted.groups() if parted else (digits, None)
    return re.sub(r"\D", "", whole) + (f".{cents}" if cents else "")


def _money_in_words(folded: str, language: str) -> Decimal | None:
    line = read_line(folded, language)
    for number, unit in zip(line.tokens, line.tokens[1:], strict=False):
        if number.kind == "N" and re.fullmatch(r"eur|euros?|pounds?|dollars?|dolares|reais|pesos", unit.text):
            return Decimal(number.n)
    return None


def duration_minutes(text: str, language: str) -> int | None:
    """A length of time in minutes: "50 minuti", "un'ora e mezza", "1h30", "2 hours", "media hora"."""
    line = read_line(text, language)
    for found in re.finditer(
        r"NJ[iN]?Hh|A?[iN]?H[iN]?h|A?[iN]h(?:J[iN]?Hh?|JNh?|J[iN]?R|Nh?)?|C", line.kinds
    ):
        tokens = line.tokens[found.start() : found.end()]
        minutes = _minutes([(t.kind, t.n, t.m, t.name) for t in tokens], found.group())
        if minutes:
            return minutes
    return None


def _minutes(parts: list[tuple[str, int, int, str]], kinds: str) -> int | None:
    if kinds == "C":
        _, hours, minutes, name = parts[0]
        return hours * 60 + minutes if name == "h" and hours < 6 else None
    unit = next((name for kind, _, _, name in parts if kind == "h"), None)
    first = parts[0][1] if kinds[0] in "iN" else 1
    if kinds[0] == "A" or unit is None or first > 1000:
        return None  # "alle 2 ore" is an hour of the day
    whole = 60 if unit == "hour" else 1
    if re.match("[iN]?H", kinds):
        return whole // 2 or None
    tail = kinds[kinds.index("h") + 1 :] if kinds.index("h") > 0 else ""
    extra = parts[len(kinds) - len(tail) :]
    if "J" in kinds and kinds.index("J") < kinds.index("h"):
        return first * whole + whole // 2  # "una y media hora", "two and a half hours"
    more = 30 if "H" in tail else 15 if "R" in tail else next((n for k, n, _, _ in extra if k == "N"), 0)
    return first * whole + (more if unit == "hour" else 0)


def party_size(text: str, language: str) -> int | None:
    """How many people: "siamo in 4", "table for two", "somos 3", "2 persone", or a bare number."""
    folded = fold(unicodedata.normalize("NFC", text)).strip(" .!?\n")
    line = read_line(text, language)
    if re.fullmatch("[Ni]", line.kinds.strip(".,")) and line.tokens[0].n:
        return _sane(next(t.n for t in line.tokens if t.kind in "Ni"))
    if re.search(just_one(), folded):
        return 1
    total = sum(
        t.n for t, after in zip(line.tokens, line.tokens[1:], strict=False) if _people(t.kind, after.text)
    )
    if total:
        return _sane(total)
    for at, token in enumerate(line.tokens):
        ahead = line.kinds[at + 1 : at + 2]
        if token.kind != "N" or ahead in ("h", "U", "j", "M", "$", "x", "C", "k", "a", "R"):
            continue
        before = folded[max(0, token.start - 40) : token.start]
        if re.search(people_before(), before) and not (ahead == "P" and line.tokens[at + 1].m):
            return _sane(token.n)
        if token.n > 1 and for_people().search(folded[max(0, token.start - 10) :][:_AROUND_NUMBER]):
            return _sane(token.n)
    return None


def _sane(people: int) -> int | None:
    return people if 0 < people <= _MOST_PEOPLE else None


def _people(kind: str, after: str) -> bool:
    return kind in "Ni" and re.fullmatch(people_words(), after) is not None


def yes_no(text: str, language: str, *, confirming: bool = False) -> Literal["yes", "no"] | None:
    """Whether a short reply confirms or refuses. None for anything longer or mixed ("sì, ma alle 5").

    `confirming`: it answers "shall I send it?", where "inviala" is a yes too.
    """
    bare = _emoji_only(text)
    if bare is not None:
        return bare
    words = _words(text)
    if not 0 < len(words) <= 7:
        return None
    code = _code(language)
    polite = polite_words()
    verdicts = set[Literal["yes", "no"]]()
    rest = " ".join(words)
    said: tuple[tuple[Literal["yes", "no"], str, tuple[str, ...]], ...] = (
        ("no", refusing_verbs(code), no_phrases(code)),
        ("yes", confirming_verbs(code), yes_phrases(code)),
    )
    for verdict, verbs, phrases in said:
        for phrase in (*([verbs] if confirming else []), *map(re.escape, phrases)):
            replaced = re.sub(rf"(?<!\S)(?:{phrase})(?!\S)", " ", rest)
            if replaced != rest:
                verdicts.add(verdict)
                rest = replaced
    left = [word for word in rest.split() if word not in polite]
    return next(iter(verdicts)) if len(verdicts) == 1 and not left else None


def _emoji_only(text: str) -> Literal["yes", "no"] | None:
    if any(character.isalnum() for character in text):
        return None
    yes, no = any(c in text for c in "👍✅👌✔☑💯"), any(c in text for c in "👎❌🚫✖")
    if yes == no:
        return None
    return "yes" if yes else "no"


def cancel_words(text: str, language: str) -> bool:
    """Whether the customer drops what is being arranged ("lascia stare", "forget it"), and says no more.

    "Non voglio più venerdì, meglio sabato" changes it, "leave it at three" chooses an hour.
    """
    rest, dropped = re.subn(
        rf"(?<!\S)(?:{cancel_phrases(_code(language))})(?!\S)", " ", " ".join(_words(text))
    )
    beside = polite_words() | beside_cancel()
    return dropped > 0 and all(word in beside for word in rest.split())


def wants_person(text: str, language: str) -> bool:
    """Whether the customer explicitly asks for a human being.

    "A massage with a person called Anna" is no such request: it takes a verb of talking, or the word for
    a human agent, or a refusal of the bot.
    """
    folded = " ".join(_words(text))
    return any(re.search(pattern, folded) for pattern in person_patterns(_code(language)))


def thanks(text: str) -> bool:
    """Whether a short message only thanks or takes leave: it asks for nothing."""
    words = _words(text)
    if not 0 < len(words) <= _THANKS_WORDS or "?" in text:
        return False
    grateful = thanks_words()
    return any(word in grateful for word in words) and all(
        word in grateful or word in polite_words() or word in farewell_words() for word in words
    )


def asks_nothing(text: str) -> bool:
    """Thanks, a farewell, or nothing but emoji: it needs no answer."""
    return thanks(text) or not (re.search(r"\w", text) or "?" in text)


def asks_for_quote(text: str) -> bool:
    """Whether the message names a quote or an estimate, in any of the languages."""
    return re.search(quote_words(), " ".join(_words(text))) is not None


def opt_out(text: str, *, amid: bool = False) -> bool:
    """Whether the whole message is a word that ends marketing messages, in any of the languages.

    `amid`: something is being arranged, and an everyday word ("cancella") speaks of that.
    """
    return _preferred(text, opt_out_words(), amid=amid)


def opt_in(text: str, *, amid: bool = False) -> bool:
    """Whether the whole message is a word that allows messages again; `amid` as in `opt_out`."""
    return _preferred(text, opt_in_words(), amid=amid)


def _preferred(text: str, words: AbstractSet[str], *, amid: bool) -> bool:
    said = " ".join(_words(text))
    return said in words and not (amid and said in everyday_words())


def match_service(text: str, services: Sequence[ServiceNames], language: str) -> list[Match]:
    """The services the text names, best first; several when the words fit several ("massaggio").

    Names in every language count, those of `language` a little more. Accents, plurals and one wrong letter
    in a word of five letters or more are forgiven. Words that many services share weigh little, so a text
    that adds the telling word ("massaggio rilassante") leaves the others out.
    """
    said = {_stem(word) for word in _words(text) if word not in filler_words()}
    long = [word for word in said if len(word) >= _LONG]
    names = {service.key: _names(service, _code(language)) for service in services}
    weights = _weights(names)
    heard = {word for word in weights if word in said or any(_misspelt(word, other) for other in long)}
    scored = [(key, *_best(heard, options, weights)) for key, options in names.items()]
    # The services that explain most of what was said; a name said in full beats a chance word of another
    # ("gestão do arrendamento do meu apartamento" is not about "visita a apartamento").
    most = max((covered for _, covered, _ in scored), default=0.0)
    in_full = [row for row in scored if row[2] >= _SAID_IN_FULL and row[1] >= _NEARLY * most]
    rivals = in_full or scored
    most = max((covered for _, covered, _ in rivals), default=0.0)
    kept = [
        Match(key, round(min(1.0, fit), 4))
        for key, covered, fit in rivals
        if covered > 0 and covered >= most * 0.999
    ]
    return sorted(kept, key=lambda match: (-match.score, match.key))


def _names(service: ServiceNames, language: str) -> list[tuple[frozenset[str], float]]:
    named = [(code, name) for code, name in service.names.items()]
    named += [(code, alias) for code, aliases in service.aliases.items() for alias in aliases]
    sets = [(_stems_of(name), 1.0 if code == language else 0.97) for code, name in named]
    return [(words, bonus) for words, bonus in sets if words]


@lru_cache(maxsize=8192)
def _stems_of(name: str) -> frozenset[str]:
    """Every message is held against every name: a name's words are taken apart once."""
    return frozenset(_stem(word) for word in _words(name) if word not in filler_words())


def _weights(names: Mapping[str, Sequence[tuple[frozenset[str], float]]]) -> dict[str, float]:
    owners: dict[str, int] = {}
    for options in names.values():
        for word in frozenset().union(*(words for words, _ in options)) if options else ():
            owners[word] = owners.get(word, 0) + 1
    return {word: 1.0 / count for word, count in owners.items()}


def _best(
    heard: AbstractSet[str], options: Sequence[tuple[frozenset[str], float]], weights: Mapping[str, float]
) -> tuple[float, float]:
    """(weight of the words explained by the service's best name, share of that name that was said)."""
    best = (0.0, 0.0)
    for words, bonus in options:
        hit = [word for word in words if word in heard]
        covered = sum(weights[word] for word in hit)
        total = sum(weights[word] for word in words)
        if hit and total:
            best = max(best, (covered, covered / total * bonus))
    return best


def _misspelt(a: str, b: str) -> bool:
    return a[0] == b[0] and len(a) >= _LONG and abs(len(a) - len(b)) <= 1 and one_edit(a, b)


def _stem(word: str) -> str:
    """Without the ending of plural and gender, which the Romance languages and English put last."""
    for ending in ("oes", "aes", "es", "s", "e", "i", "o", "a"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", fold(unicodedata.normalize("NFC", text)), re.ASCII)


def _code(language: str) -> str:
    code = language[:2].lower()
    return code if code in _ANY else "en"
