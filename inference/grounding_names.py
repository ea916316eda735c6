"""Names an answer mentions: capitalised words that its sources must know."""

import re
from collections.abc import Iterator

from inference.grounding_concepts import common_noun
from inference.grounding_dates import MONTH_OF
from inference.grounding_words import ALL_STOP, fold, vocabulary

_NAME = re.compile(r"(?<![\w@./])[A-ZÀ-Ý][\w'’-]*[\wà-ÿ]")
_OPENING = re.compile(r"(?:^|[.!?:;…\n•*\-–—\"“«(¿¡])\s*$")
# "Ciao Giulia": the customer's own name is no claim.
_ADDRESSED = re.compile(
    r"\b(?:ciao|salve|buon\w*|grazie|gentile|cara|caro|hello|hi|hey|dear|thanks|thank you|morning|afternoon|"
    r"evening|hola|gracias|querid[ao]|dias|tardes|noches|ola|oi|obrigad[ao]|dia|tarde|noite)[, ]+$"
)
_TITLE = re.compile(r"\b(?:sig|sig\.ra|dott|avv|ing|arch|prof|sra?|dra?|mrs?|ms|don|dona)\.?\s*$", re.I)
_COURTESY = (
    r"(?:sig(?:nora|nor|\.ra|\.)?|dott(?:oressa|ore|or|\.ssa|\.)?|mrs?\.?|ms\.?|miss|se[nñ]or(?:a|ita)?|"
    r"do[nñ]a?|sr(?:t?a)?\.?|senhor[a]?|dr(?:a)?\.?)"
)
_PAUSE_BEFORE = re.compile(r"(?:^|[,.!?¡¿:;\n(—–]|\s-)\s*$")
_AGREED = re.compile(
    r"(?:^|[,.!?¡¿:;\n])\s*(?:perfett[oa]|certo|va bene|benissimo|perfect|sure|of course|great|perfect[oa]|"
    r"claro|vale|genial|perfeit[oa]|otim[oa]|ok|okay)\s+$"
)
_PAUSE_AFTER = re.compile(r"\s*(?:$|[^\w\s'’(])")
_FOLLOWED = re.compile(r"^ (?:[dD][aeio]s? |[dD]['’])?[A-ZÀ-Ý][\wà-ÿ]+")
_NOT_NAMES = (
    ALL_STOP
    | frozenset(MONTH_OF)
    | vocabulary(
        """
        lei voi ella sara whatsapp google instagram facebook ok spa iva vat nif nie email sms pdf
        eur usd gbp italiano inglese spagnolo portoghese english spanish italian portuguese espanol
        portugues ingles italiana monday tuesday wednesday thursday friday saturday sunday mondays
        tuesdays wednesdays thursdays
        fridays saturdays sundays lunedi
        martedi mercoledi giovedi venerdi sabato domenica lunes martes miercoles jueves viernes
        domingo segunda terca quarta quinta sexta feira natale christmas navidad natal pasqua easter
        pascua valentine valentino valentine's epifania epiphany boxing ferragosto san capodanno
        eve i'm i'll i've i'd sig dott avv ing sr sra dr dra mr mrs
        """
    )
)


def names(sentence: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(wording, folded parts) of each name in a sentence. An opening capital is a name before another one."""
    for match in _NAME.finditer(sentence):
        folded = fold(match.group()).replace("’", "'").removesuffix("'s")
        name = folded.rpartition("'")[2]
        before = sentence[max(0, match.start() - 40) : match.start()]
        if _ADDRESSED.search(fold(before)) or folded in _NOT_NAMES or name in _NOT_NAMES:
            continue
        first = bool(_OPENING.search(before)) and not _TITLE.search(before)
        opens = first and not _FOLLOWED.match(sentence[match.end() :])
        if re.fullmatch(r"[A-Z]{2,4}s?", match.group()):
            continue  # an abbreviation: what it stands for may be written out
        parts = tuple(part for part in re.split(r"[^a-z0-9]+", name) if len(part) >= 3)
        if opens or not parts or all(_common(part) for part in parts):
            continue
        yield match.group(), parts


def unaddressed(sentence: str) -> str:
    """The sentence with the name it calls the customer by blanked."""
    for match in _NAME.finditer(sentence):
        if _ADDRESSED.search(fold(sentence[max(0, match.start() - 40) : match.start()])):
            sentence = sentence[: match.start()] + " " * len(match.group()) + sentence[match.end() :]
    return sentence


def uncalled(answer: str, name: str | None) -> str:
    """An answer with the customer's name blanked where it calls them: "Ciao Giulia, …", "… domani, Giulia!".

    People choose their profile names, so a name supports nothing: "Nadia gives the massage" needs a source
    even where the customer is called Nadia.
    """
    parts = (name or "").split()
    if not parts:
        return answer
    rest = "".join(rf"(?:\s+{re.escape(part)}" for part in parts[1:]) + ")?" * len(parts[1:])
    called = re.compile(rf"(?<!\w)(?:{_COURTESY}\s+)?{re.escape(parts[0])}{rest}(?!\w)", re.IGNORECASE)
    for match in reversed(list(called.finditer(answer))):
        before, after = answer[: match.start()], answer[match.end() :]
        lately = fold(before[-40:])
        greeted = bool(_ADDRESSED.search(lately) or _AGREED.search(lately))
        if greeted or (_PAUSE_BEFORE.search(before) and _PAUSE_AFTER.match(after)):
            answer = before + " " * (match.end() - match.start()) + after
    return answer


def _common(part: str) -> bool:
    """A common noun written large ("lo Studio"): what it tells is judged as any other word's."""
    return common_noun(part)


def same_name(name: str, word: str) -> bool:
    """Whether two spellings are one name: alike but for their last vowels (Milano, Milan; Lisboa, Lisbon)."""
    short, long = sorted((_bare(name), _bare(word)), key=len)
    return (
        len(short) >= 4 and long.startswith(short) and len(long) - len(short) <= (1 if long[-1] == "n" else 0)
    )


def _bare(name: str) -> str:
    return name.rstrip("aeiou")
