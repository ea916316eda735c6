"""What a customer says about the time before: that they want the same again, or what it was.

Patterns run over folded text (no case, no accents) and read only what is said outright.
"""

import re

from inference.folding import one_line

_LAST = (
    r"(?:(?:l'|la |dell'|della |nell')?(?:ultima|scorsa|altra|precedente) (?:volta|visita|seduta)"
    r"|volta (?:scorsa|prima)"
    r"|(?:the )?(?:last|previous|other) (?:time|visit|appointment|session)"
    r"|(?:la )?(?:ultima|otra|anterior) (?:vez|visita|cita|sesion)|vez (?:pasada|anterior)"
    r"|(?:d?a )?(?:ultima|outra) (?:vez|visita|marcacao|sessao)|vez passada"
    r"|(?:l'|il mio |il )?ultimo (?:appuntamento|trattamento|massaggio))"
)
_SAME = (
    r"(?:stess[oa]|ugual[ei]|identic[oa]|come|same|like|as|again|mism[oa]|igual|como|mesm[oa]|identic[oa])"
)
_USUAL = (
    r"(?:\b(?:il|la|del|al) solit[oa]\b|\b(?:the|my) usual\b|\b(?:lo|el|la) (?:mism[oa] )?de siempre\b"
    r"|\bo (?:mesmo )?de sempre\b|\bo do costume\b|\bo habitual\b|\blo habitual\b)"
)
_AGAIN = re.compile(rf"\b{_SAME}\b.{{0,30}}\b{_LAST}\b|{_USUAL}")
_QUESTION = (
    r"(?:quand\w*|cosa|che|quale|chi|dove|when|what|which|who|whom|where"
    r"|cuando|que|cual|quien|donde|qual|quem|onde)"
)
_PAST = (
    r"(?:ho|sono|avevo|ero|abbiamo|aveva|stat[oa]|fatt[oa]|did|was|were|had|have|came"
    r"|hice|hizo|vine|fui|tuve|fue|era|estuve|me hicisteis|fiz|vim|tive|foi|fizemos|estive)"
)
_ASKS = re.compile(rf"\b{_QUESTION}\b.{{0,50}}\b{_LAST}\b|\b{_LAST}\b.{{0,40}}\b{_QUESTION}\b")
_PAST_TENSE = re.compile(rf"\b{_PAST}\b")


def as_last_time(text: str) -> bool:
    """Whether the customer wants what they had before: "lo stesso dell'ultima volta", "the usual"."""
    return _AGAIN.search(one_line(text)) is not None


def asks_last_time(text: str) -> bool:
    """Whether the customer asks what, when or with whom it was the last time."""
    folded = one_line(text)
    return _ASKS.search(folded) is not None and _PAST_TENSE.search(folded) is not None
