"""Small words that turn a statement round and that no content word gives away: at least for at most, before
for after, the morning for the evening, cash for a card."""

import re
from collections.abc import Iterator, Sequence

from inference.grounding_concepts import keys
from inference.grounding_words import ALL_STOP, words

_LEAST = (
    r"(?:almeno|minimo(?: d[ie])?|non meno di|at least|minimum(?: of)?|no fewer than|al menos|como minimo|"
    r"pelo menos|no minimo)"
)
# "Up to 24 hours before" is the time by which, as "at least 24 hours before" is.
_MOST = (
    r"(?:al massimo|massimo(?: di)?|maximo(?: de)?|non piu di|fino a|at most|maximum(?: of)?|max|up to|"
    r"no more than|como maximo|hasta|no maximo|ate)"
)
_BOUNDS = tuple(
    re.compile(
        rf"\b{bound}:? (\d+(?:[.,]\d+)?)\b(?!\s*(?:or[ae]|h|hours?|horas?|giorn\w|days?|dias?|min\w*)\b)"
    )
    for bound in (_LEAST, _MOST)
)
_BEFORE = r"(?:prima|before|antes)"
_AFTER = r"(?:dopo|after|despues|depois)"
_ORDER = tuple(re.compile(rf"\b{order}((?:\W+\w+){{1,4}})") for order in (_BEFORE, _AFTER))
_MORNING = re.compile(
    r"\b(?:mattin[aoei]\w*|mornings?|(?:por la|de la|las) mananas?|(?<!cafe da )(?:de|da|pela|as) manhas?)\b"
)
_LATER = re.compile(
    r"\b(?:pomeriggi\w*|ser[ae]|serali?|afternoons?|evenings?|(?:por la|de la|las) (?:tarde|noche)s?|"
    r"(?:de|a|da|pela|as) (?:tarde|noite)s?)\b"
)
_PAYS = tuple(
    re.compile(rf"\b(?:{means})\b")
    for means in (
        r"contanti|cash|efectivo|dinheiro|numerario",
        r"con (?:la |una )?carta|cards?|tarjetas?|cartao|cartoes|bancomat|pos",
        r"bonific\w+|bank transfers?|wire transfers?|transferencias?",
    )
)
_PAYING = re.compile(
    r"\b(?:pag\w+|pay\w*|paid|sald\w+|vers\w+|caparr\w+|deposit\w*|acconto|anticip\w*|sinal|senal)\b"
)
# Where something is, and who gets a reduction.
_APART = tuple(
    (re.compile(rf"\b(?:{one})\b"), re.compile(rf"\b(?:{other})\b"))
    for one, other in (
        (
            r"dietro|behind|detras|atras d[aeo]s?",
            r"davanti|di fronte|in front of|opposite|delante|enfrente|em frente|na frente",
        ),
        (
            r"student[ie]\w*|students?|estudiantes?|estudantes?",
            r"pensionat\w+|pensioners?|seniors?|jubilad\w+|reformad\w+|aposentad\w+",
        ),
    )
)
_DENIES = re.compile(
    r"\b(?:non|no|not|nao|n't|never|mai|nunca|sin|senza|sem|without|anche|also|tambien|tambem|or|ou|chius\w+|closed|cerrad\w+|fechad\w+|encerrad\w+)\b"
)


def rivals(folded: str, sources: Sequence[str], *, timed: bool) -> Iterator[str]:
    """Words of a folded sentence that have the place of their rivals in all folded sources.

    `timed`: the sentence names hours, which say what part of the day it is.
    """
    yield from _bounds(folded, sources)
    yield from _order(folded, sources)
    if not timed:
        yield from _part_of_day(folded, sources)
    yield from _payment(folded, sources)
    for pair in _APART:
        yield from _instead(folded, sources, pair)


def _bounds(folded: str, sources: Sequence[str]) -> Iterator[str]:
    for at, bound in enumerate(_BOUNDS):
        for said in bound.finditer(folded):
            number = said.group(1)
            told = {other for other in (0, 1) for s in sources if number in _BOUNDS[other].findall(s)}
            if told == {1 - at}:
                yield said.group()


def _order(folded: str, sources: Sequence[str]) -> Iterator[str]:
    for at, order in enumerate(_ORDER):
        for said in order.finditer(folded):
            what = _noun(said.group(1))
            told = {
                other
                for other in (0, 1)
                for source in sources
                for found in _ORDER[other].finditer(source)
                if what and _noun(found.group(1)) & what
            }
            if told == {1 - at}:
                yield said.group()


def _noun(after: str) -> frozenset[str]:
    """What the first word that carries meaning means."""
    first = next((word for word in words(after) if word not in ALL_STOP and len(word) > 2), "")
    return keys(first) if first else frozenset()


def _part_of_day(folded: str, sources: Sequence[str]) -> Iterator[str]:
    yield from _instead(folded, sources, (_MORNING, _LATER))


def _instead(
    folded: str, sources: Sequence[str], pair: tuple[re.Pattern[str], re.Pattern[str]]
) -> Iterator[str]:
    """The one of a pair that no source has, where one has the other and the sentence has not."""
    for mine, other in (pair, pair[::-1]):
        said = mine.search(folded)
        if said is None or other.search(folded) or any(map(mine.search, sources)):
            continue
        if any(map(other.search, sources)) and not _DENIES.search(folded):
            yield said.group()


def _payment(folded: str, sources: Sequence[str]) -> Iterator[str]:
    if not _PAYING.search(folded) or _DENIES.search(folded):
        return
    told = {means for means in _PAYS if any(map(means.search, sources))}
    said = [found for means in _PAYS if (found := means.search(folded))]
    if told and said and not any(means.search(folded) for means in told):
        yield said[0].group()
