"""Values a sentence supposes of the customer's case: "in fourteen", "a week before". Never an amount.

A supposition claims nothing, so no source need state it; but only a source that draws a line ("over 300 €",
"up to five days before") gives one a use, and what is said to follow must lie on the right side of the line.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from inference.claims import Fact
from inference.grounding_lengths import duration_facts, minutes
from inference.grounding_numbers import spell_out
from inference.grounding_rows import Parsed
from inference.grounding_words import denials, fold

_PIECE = re.compile(r"[,;:()—–?!]\s|\s[-–—]\s|\.\s")
# The value of a rule, not of a case: "fino a 5 giorni", "at least two".
_LIMIT = re.compile(
    r"\b(?:fino|entro|mass\w*|max\w*|min\w*|almeno|al mas\w*|up to|at (?:least|most)|within|until|by|oltre|"
    r"over|under|more than|less than|fewer than|hasta|como (?:mucho|minimo)|al menos|mas de|menos de|ate|"
    r"no maximo|pelo menos|mais de|piu di|meno di|sopra|sotto|desde|a partir|dai|dagli|from|acima|abaixo|"
    r"ogni|each|every|cada|dura\w*|lasts?|takes?|only|solo|soltanto|apenas|so)\b[^,;]{0,18}$"
)
# "With fifteen children …", "In dodici …", "A table for nine": who comes, said first.
_COMING = re.compile(
    r"^\W*(?:(?:yes|si|sim|no|ciao|hola|ola|e|and|y|ma|but)\W+)?(?:(?:con|com|with|per|para|pra|for|in|"
    r"em|at|as|a|tras|aos|a los)\s+"
    r"(?:(?:un[ao']?|an?|um|uma)\s+(?:\w+\s+)?(?:de|di|da|of|for|per|para)\s+)?"
    r"(?:(?:you['’]?re|he['’]?s|she['’]?s|los|aos)\s+)?|(?:un|um|a) (?:grupp?o|group) (?:de|di|da|of)\s+|"
    r"(?:sendo|siendo|essendo) (?:in )?)$"
)
# "Su hija de quince", "your boy, 9".
_RELATIVE = re.compile(
    r"\b(?:tu[ao]?|su[ao]?|vostr[oa]|your|seu|sua|teu|il|la|el|the|o|a|un[ao]?|um|uma)\s+(?:figli[oa]|"
    r"bambin[oa]|ragazz[oa]|"
    r"nipot\w+|mamma|papa|hij[oa]|nin[oa]|niet[oa]|madre|padre|abuel[oa]|son|daughter|boy|girl|child|kid|"
    r"mum|dad|"
    r"nephew|niece|filh[oa]|menin[oa]|crianca|net[oa]|mae|pai|sobrin[oa])\s*(?:de|di|of|com|con|,|is|"
    r"tiene|tem|ha)?\s*$"
)
_NEAR_IF = re.compile(
    r"(?:^\W*|[,;:]\s|\b(?:e|y|and|ma|but|pero|mas) )(?:se|si|if|when|quando|cuando|aunque|anche se|"
    r"even if|mesmo que)\s+"
    r"(?:[\w'’]+\s+){0,3}$"
)
_OR_MORE = re.compile(
    r"^[^,.;]{0,16}\b(?:o mas|or more|in su|o piu|e oltre|ou mais|and up|y mas|e mais|or over|at most|"
    r"al massimo|como maximo|no maximo|almeno)\b"
)
# A line a source draws: what stands on one side of it.
_LINE = re.compile(
    r"(?:\b(?:fino|entro|mass\w*|max\w*|min\w*|almeno|al mas\w*|up to|at (?:least|most)|within|until|"
    r"oltre|over|"
    r"under|above|below|more than|less than|fewer than|hasta|como (?:mucho|minimo)|al menos|mas de|menos de|"
    r"ate|no maximo|pelo menos|mais de|piu di|meno di|sopra|sotto|desde|a partir|dai|dagli|da|from|acima|"
    r"abaixo|maggiori|minori|mayores|menores|maiores|older|younger|ages?|per|ogni|each|every|cada|por)\b"
    r"[^.;|\d]{0,16}[€£$]?\s?\d)"
    r"|\d\s?(?:[-–]|to|a|ai|ate|alle)\s?\d"
    r"|\d[^.;|\d]{0,14}\b(?:o mas|or more|in su|o piu|e oltre|ou mais|and up|y mas|e mais|or over|\+)"
    r"|\d\s?\+|\d\s?%|\b(?:meta|half|mitad|metade)\b"
)
_BEFOREHAND = re.compile(
    r"^\s*(?:lavorativ\w+ |working |laborables |uteis |habiles )?(?:prima|antes|before|ahead|beforehand|"
    r"earlier|"
    r"(?:de|di|d['’ ]|con|com|of) ?(?:antelacion|antecedencia|anticipo|preavviso|aviso|notice)|"
    r"['’]?s? notice|in advance|d['’]anticipo|para a\b|until\b)"
)
_TO_GO = re.compile(
    r"\b(?:faltando|faltan|faltam|mancano|notice of|preavviso di|aviso de|antecedencia de)\s*$"
)
_SPARED = re.compile(
    r"\b(?:nulla|niente|nada|nothing|gratis|gratuit\w*|free|sem pagar|sin pagar|sin (?:coste|costo|cargo)|"
    r"sem custos?|senza (?:costi|spese|pagare|perdere)|no (?:cost|charge|fee)|"
    r"(?:non|no|nao|don['’]?t|won['’]?t|doesn['’]?t|not) (?:\w+ ){0,2}(?:perd\w+|pierd\w+|lose|cobra\w*|"
    r"charge\w*|addebit\w*|pag\w+|pay))\b"
)
_GETS_BACK = re.compile(
    r"\b(?:rimbors\w*|refund\w*|reembols\w*|devol\w*|devuelv\w*|restitu\w*|back|de volta|volta|indietro|"
    r"recebe\w*|"
    r"recupera\w*|ancora|still|todavia|aun|ainda|spost\w+|move\w*|mud\w+|cambi\w+|change\w*|troca\w*|"
    r"credit\w*|puo|puoi|puede\w*|pode\w*|can)\b"
)
_LOSES = re.compile(
    r"\b(?:perd\w+|pierd\w+|lose\w*|lost|pag\w+|pay\w*|charge\w*|cobra\w*|addebit\w*|tratt\w+|retien\w*|keep|"
    r"meta|half|mitad|metade|too late|troppo tardi|demasiado tarde|tarde demais|intero|full|entero|inteiro)\b"
)
_DENIED = re.compile(
    r"\b(?:non|no|not|nao|can['’]?t|cannot|don['’]?t|doesn['’]?t|won['’]?t|isn['’]?t|ya no|sem|sin|senza)\b"
)


def supposed(fact: Fact, folded: str, sources: Sequence[Parsed]) -> bool:
    """Whether a value no source states is what the sentence supposes of the customer's case."""
    start, end = _piece(folded, fact)
    before, after = folded[start : fact.start], folded[fact.end : end]
    if _LIMIT.search(before):
        return False
    if fact.kind == "duration":
        notice = _BEFOREHAND.match(after) or _TO_GO.search(before)
        return bool(notice) and _on_its_side(fact, folded, sources)
    if fact.kind == "number" and not _OR_MORE.match(after):
        theirs = _COMING.search(before) or _RELATIVE.search(before) or _NEAR_IF.search(before)
        return bool(theirs) and _drawn(sources)
    return False


def _piece(folded: str, fact: Fact) -> tuple[int, int]:
    """The piece of the sentence, between commas, brackets and dashes, in which a value stands."""
    start = max((m.end() for m in _PIECE.finditer(folded, 0, fact.start)), default=0)
    after = _PIECE.search(folded, fact.end)
    return start, after.start() if after else len(folded)


def _drawn(sources: Sequence[Parsed]) -> bool:
    return any(_lines(parsed.folded, parsed.language) for parsed in sources)


@lru_cache(maxsize=512)
def _lines(folded: str, language: str | None) -> bool:
    return bool(_LINE.search(spell_out(folded, language)))


def _on_its_side(fact: Fact, folded: str, sources: Sequence[Parsed]) -> bool:
    """Whether notice of that length has, by some line of the sources, the outcome the sentence tells of."""
    spared = _outcome(folded)
    own = minutes(fact.value)
    lines = [length for parsed in sources for length in _notices(parsed.folded, parsed.language)]
    if spared is None or not lines or not own:
        return False
    return own >= min(lines) if spared else own <= max(lines)


def _outcome(folded: str) -> bool | None:
    """True when a sentence spares the customer a cost, False when it does not, None when it says neither."""
    if _SPARED.search(folded):
        return True
    denied = bool(_DENIED.search(folded))
    if _GETS_BACK.search(folded):
        return not denied and not _LOSES.search(folded)
    return False if _LOSES.search(folded) else None


@lru_cache(maxsize=512)
def _notices(folded: str, language: str | None) -> tuple[float, ...]:
    """The lengths of notice a source sets, in minutes."""
    return tuple(_lengths(spell_out(folded, language), language))


def _lengths(spelt: str, language: str | None) -> Iterator[float]:
    for _, values, (start, end) in duration_facts(spelt, language):
        near = spelt[max(0, start - 30) : end + 30]
        if _NOTICE.search(near):
            yield from (minutes(value) for value in values)


_NOTICE = re.compile(
    r"\b(?:prima|antes|before|ahead|notice|advance|antelacion|antecedencia|anticipo|preavviso|aviso|avis\w+|"
    r"avvis\w+|disd\w+|cancel\w*|annull\w*|anul\w*)\b"
)


# "Per Cagliari …", "Se mora em Braga …", "from your bank in London": where the customer is or wants to go.
_WHERE = re.compile(
    r"(?:^\W*(?:(?:si|sim|yes|no|nao|purtroppo|infelizmente|unfortunately|sorry|lo siento)\W+)?(?:per|"
    r"para|pra|for|to|from|da|"
    r"desde|de|in|em|en|a|ad|fuori da|outside)\s(?:(?:il|la|lo|l['’]|o|a|el|the|un\w* \w+ (?:in|a|em|"
    r"en))\s?)?"
    r"|(?:^|\b)(?:se|si|if)\s(?:[\w'’]+\s){0,4}(?:in|a|ad|em|en|from|da|de|to|para)\s(?:el |la |o )?"
    r"|\b(?:tu[ao]?|su|sua|your)\s(?:[\w'’]+\s){1,5}(?:in|a|em|en|from|da|de)\s)$"
)
_TOWARDS = re.compile(
    r"\b(?:per|para|pra|to|in|a|ad|fuori|outside|fora|fuera)\s(?:\w+\s(?:di|de|of)\s)?(?:il |la |lo |o |"
    r"el |the )?$"
)
_SENDS = re.compile(
    r"\b(?:sped\w+|consegn\w+|envi\w+|entreg\w+|mand\w+|ship\w*|deliver\w*|send\w*|post\w*|arriv\w+|"
    r"lleg\w+|vamos|and(?:iamo|are)|"
    r"go|come|cover|serv\w+|port\w+|lev\w+|llev\w+|viaj\w+|travel\w*)\b"
)


def theirs(sentence: str, wording: str, language: str | None) -> bool:
    """Whether a name is a place of the customer's own case, or one the business is said not to serve."""
    folded = fold(sentence)
    at = sentence.find(wording)
    before = folded[max((m.end() for m in _PIECE.finditer(folded, 0, at)), default=0) : at]
    if _WHERE.search(before):
        return True
    served = _TOWARDS.search(before) and _SENDS.search(folded)
    return bool(served) and denials(folded, language) == 1
