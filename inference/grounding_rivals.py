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
        r"((?:\W+\w+){0,3})"
    )
    for bound in (_LEAST, _MOST)
)
# Each with what it stands before: a rival counts beside the same thing alone.
_BESIDE = tuple(
    tuple(re.compile(rf"\b(?:{word})((?:\W+\w+){{1,4}})") for word in pair)
    for pair in (
        (r"prima|before|antes", r"dopo|after|despues|depois"),
        (
            r"dietro|behind|detras|atras",
            r"davanti|di fronte|in front of|opposite|delante|enfrente|em frente|na frente",
        ),
    )
)
_GREETING = re.compile(
    r"\b(?:good|nice|lovely|great|pleasant|buon[ao]?) "
    r"(?:morning|afternoon|evening|sera|mattina|pomeriggio)s?\b"
)
_MORNING = re.compile(
    r"\b(?:mattin[aoei]\w*|mornings?|(?:por la|de la|las) mananas?|(?<!cafe da )(?:de|da|pela|as) manhas?)\b"
)
_LATER = re.compile(
    r"\b(?:pomeriggi\w*|ser[ae]|serali?|afternoons?|evenings?|(?:por la|de la|las) (?:tarde|noche)s?|"
    r"(?:de|a|da|pela|as) (?:tarde|noite)s?)\b"
)
# Each as a source may tell of it, and as an answer certainly does: "carta" is a letter in Spanish.
_PAYS = tuple(
    (re.compile(rf"\b(?:{told})\b"), re.compile(rf"\b(?:{said})\b"))
    for told, said in (
        (r"contant[ei]|cash|efectivo|metalico|dinheiro|numerario",) * 2,
        (
            r"cart[ae]|cards?|tarjetas?|cartao|cartoes|bancomat|pos|visa|mastercard|maestro|amex|multibanco|"
            r"mb way|bizum|satispay|paypal|(?:apple|google) pay|contactless",
            r"con (?:la |una )?carta|(?:credit |debit |by )cards?|con tarjeta|com cartao|bancomat",
        ),
        (
            r"bonific\w+|(?:bank |wire )?transfers?|transferencias?",
            r"bonifico|(?:bank |wire )transfer|transferencia",
        ),
    )
)
_PAYING = re.compile(
    r"\b(?:pag\w+|pay\w*|paid|sald\w+|vers\w+|caparr\w+|deposit\w*|acconto|anticip\w*|sinal|senal)\b"
)
_REDUCED = (
    re.compile(r"\b(?:student[ie]\w*|students?|estudiantes?|estudantes?)\b"),
    re.compile(
        r"\b(?:pensionat\w+|pensioners?|seniors?|jubilad\w+|reformad\w+|aposentad\w+|anzian\w+|over \d\d|"
        r"(?:mayores|maiores) de \d\d|ultra\w+|oltre i \d\d)\b"
    ),
)
_DENIES = re.compile(
    r"\b(?:non|no|not|nao|n't|never|mai|nunca|sin|senza|sem|without|anche|also|tambien|tambem|or|ou|chius\w+|closed|cerrad\w+|fechad\w+|encerrad\w+)\b"
)


def rivals(folded: str, sources: Sequence[str], *, timed: bool) -> Iterator[str]:
    """Words of a folded sentence that have the place of their rivals in all folded sources.

    `timed`: the sentence names hours, which say what part of the day it is.
    """
    yield from _bounds(folded, sources)
    for beside in _BESIDE:
        yield from _turned_round(folded, sources, beside)
    if not timed:
        greeted = _GREETING.sub(" ", folded)
        yield from _instead(greeted, sources, (_MORNING, _LATER))
    yield from _payment(folded, sources)
    yield from _instead(folded, sources, _REDUCED)


def _bounds(folded: str, sources: Sequence[str]) -> Iterator[str]:
    for at, bound in enumerate(_BOUNDS):
        for said in bound.finditer(folded):
            told = {
                other
                for other in (0, 1)
                for source in sources
                for found in _BOUNDS[other].finditer(source)
                if found.group(1) == said.group(1) and _noun(found.group(2)) & _noun(said.group(2))
            }
            if told == {1 - at}:
                yield said.group()


def _turned_round(folded: str, sources: Sequence[str], pair: Sequence[re.Pattern[str]]) -> Iterator[str]:
    if all(word.search(folded) for word in pair) or _DENIES.search(folded):
        return
    for at, word in enumerate(pair):
        for said in word.finditer(folded):
            what = _noun(said.group(1))
            told = {
                other
                for other in (0, 1)
                for source in sources
                for found in pair[other].finditer(source)
                if _noun(found.group(1)) & what
            }
            if told == {1 - at}:
                yield said.group()


def _noun(after: str) -> frozenset[str]:
    """What the first word that carries meaning means."""
    first = next((word for word in words(after) if word not in ALL_STOP and len(word) > 2), "")
    return (keys(first) or frozenset({first})) if first else frozenset()


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
    told = [told for told, _ in _PAYS if any(map(told.search, sources))]
    said = next((found for _, means in _PAYS if (found := means.search(folded))), None)
    if told and said and not any(means.search(folded) for means in told):
        yield said.group()
