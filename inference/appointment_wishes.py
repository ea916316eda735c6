"""What a customer plainly wants done with an appointment they have: moved, cancelled, or told.

Patterns run over folded text (no case, no accents) and read only what is said outright.
"""

import re
from typing import Literal

from inference.folding import one_line

Wish = Literal["move", "cancel", "list"]

_NOUN = (
    r"(?:appuntament[oi]|prenotazion[ei]|visit[ae]|lezion[ei]|appointments?|bookings?|reservations?|class"
    r"|citas?|reservas?|turnos?|clases?|marcac(?:ao|oes)|agendament[os]+|consultas?|aulas?|horario marcado)"
)
_MOVE = (
    r"(?:spost\w+|rinvi\w+|posticip\w+|anticip\w+|rimand\w+|rischedul\w+|mov(?:e|ed|ing)|reschedul\w+"
    r"|postpon\w+|push back|bring forward|muev\w+|mover\w*|aplaz\w+|pospon\w+|adelant\w+|reprogram\w+"
    r"|remarc\w+|reagend\w+|adi(?:ar|e|em|o)|antecip\w+)"
)
_CHANGE = (
    r"(?:cambi\w+|modific\w+|chang(?:e|ing)|switch|mud(?:ar|e|em|o|anca)|alter(?:ar|e|em|o)|trocar|troque)"
)
_WHEN = r"(?:orari[oi]|ora|giorn[oi]|data|time|day|date|hora|horario|fecha|dia)"
_CANCEL = r"(?:disdi\w+|disdett\w+|annull\w+|cancel\w*|elimin\w+|call off|anul\w+|desmarc\w+|desconvoc\w+)"
_WORD = re.compile(r"\w+")
# What may stand beside the word for cancelling in an order to do it.
_ORDERED = re.compile(
    rf"si|yes|sim|ok|okay|vale|certo|sure|claro|{_NOUN}|l|lo|la|il|le|it|that|this|the|my|mi[ao]?|el|esta"
    r"|este|essa|esse|a|o|as|os|minha|meu|su[ao]?|quest[ao]|pure|anche|just|go|ahead|and|e|y|then|now|ya|ja|ora|adesso"
    r"|subito|ahora|agora|entao|entonces|allora|please|per|favore|por|favor|grazie|thanks|thank|you|gracias"
    r"|obrigad[oa]|pode|puedes|puede|puoi|can|do|va|bene|vorrei|voglio|quiero|quero|want|to|i|d|like|devo|tengo"
    r"|que|tenho|de|need"
)
_KEEPS = re.compile(
    r"\b(?:no|non|not|don'?t|do not|nao|ni|nunca|never)(?: (?:lo|la|le|me|mi|mela|melo|ti|it|to|want|wanted"
    rf"|voglio|vorrei|quiero|quero|queria|please|de|te|ho detto di non|dicho que no|disse para nao))*"
    rf" {_CANCEL}\b"
    r"|\bl[oa] tengo\b(?! que)|\bi(?:'ll| will)? keep it\b|\bme l[oa] quedo\b|\bfico com (?:ela|ele|a|o)\b"
)
_OTHER = re.compile(
    r"\b(?:altr[oa]|the other|other one|otr[oa]|outr[oa])\b"
    r"(?! (?:giorno|orario|ora|volta|cosa|persona|data|dia|hora|horario|vez|fecha|momento|coisa|pessoa))"
)
_LIST = re.compile(
    rf"\b(?:quando|a che ora|dove|per quando|when|what time|where|cuando|a que horas?|donde|onde|que dia)\b"
    rf" (?:ho|avevo|e|era|sono|c'e|is|are|was|do i have|have i got|es|era|tengo|tenia|son|e que (?:e|tenho)"
    rf"|tenho|tinha|sao|fica|\w+'s)\b.{{0,25}}\b{_NOUN}\b"
    rf"|\b(?:i miei|le mie|quali|che|il mio prossimo|la mia prossima|my|which|what|my next|mis|que"
    rf"|mi proxim[ao]|as minhas|os meus|minhas|meus|a minha proxima|o meu proximo|quais)\b(?: \w+)?"
    rf" (?:appuntamenti|prenotazioni|appointments|bookings|reservations|citas|reservas|turnos|marcacoes"
    rf"|agendamentos|consultas)\b.{{0,25}}(?:\?|$|\b(?:ho|have|tengo|tenho|vedere|see|ver)\b)"
    rf"|\b(?:il mio|la mia|my|mi|o meu|a minha) (?:prossim[oa]|next|proxim[oa]) {_NOUN}\b"
    rf"|\b(?:ho|do i have|have i got|tengo|tenho)\b(?: \w+)?"
    rf" (?:gia |qualche |un |un'|an? |any |alguna? |algum |uma? )?{_NOUN}\b.{{0,30}}\?"
)
_MOVES = re.compile(rf"\b{_MOVE}\b|\b{_CHANGE}\b.{{0,25}}\b(?:{_NOUN}|{_WHEN})\b")
_CANCELS = re.compile(rf"\b{_CANCEL}\b")
_NAMES = re.compile(rf"\b{_NOUN}\b")
_OWN = re.compile(
    r"\b(?:mi[oa]|miei|mie|ho|avevo|my|mine|i have|i had|i've|mi|mis|tengo|tenia|meu|minha|meus|minhas|tenho"
    r"|tinha|l'appuntamento|la prenotazione|la cita|la reserva|the (?:appointment|booking)|a marcacao"
    r"|a reserva|o agendamento|quello|quella)\b"
)
_ASKS_HOW = re.compile(
    r"^\W*(?:(?:se|if|si)\b(?! (?:possibile|possible|posible|possivel))|come|how|como|entro quando"
    r"|fino a quando|until when|hasta cuando|ate quando|quanto|cosa succede|what happens"
    r"|que pasa|o que acontece)\b"
)
_WAITING = re.compile(
    r"\b(?:lista d'? ?attesa|waiting ?-?list|wait ?list|lista de espera"
    r"|avvis\w+ se (?:si libera|c'e un posto)|let me know if (?:a|any|something)\b.{0,20}\bfree"
    r"|avis\w+ si (?:se libera|hay un hueco)|avis\w+ se (?:abrir|vagar|houver))\b"
)


def about_appointment(text: str) -> Wish | None:
    """Whether an appointment is to be moved, cancelled or told; None when the words do not say which.

    Only for texts that are known to be about an appointment: "sposta" alone is a wish to move.
    """
    folded = one_line(text)
    if _MOVES.search(folded):
        return "move"
    if _CANCELS.search(folded):
        return "cancel"
    return "list" if _LIST.search(folded) else None


def plain_wish(text: str) -> Wish | None:
    """The same for any text: one of the customer's own is named, and nothing asks for the rules."""
    folded = one_line(text)
    if _LIST.search(folded):
        return "list"
    if not names_own(text) or _ASKS_HOW.match(folded):
        return None
    wish = about_appointment(text)
    return None if wish == "list" else wish


def says_cancel(text: str) -> bool:
    """Whether a text only says that it is to be cancelled: "sì, annullalo pure", "cancel it please".

    "No, don't cancel it", "cancel the other one" and "do I pay if I cancel?" are no such word.
    """
    folded = one_line(text)
    rest, found = _CANCELS.subn(" ", folded)
    return found > 0 and "?" not in text and all(_ORDERED.fullmatch(word) for word in _WORD.findall(rest))


def keeps_appointment(text: str) -> bool:
    """Whether a text says that it is not to be cancelled: "no, non annullarlo", "don't cancel it"."""
    return _KEEPS.search(one_line(text)) is not None


def names_other(text: str) -> bool:
    """Whether a text speaks of the other one: "cancel the other one", "no, l'altro"."""
    return _OTHER.search(one_line(text)) is not None


def names_own(text: str) -> bool:
    """Whether a text speaks of an appointment the customer has."""
    folded = one_line(text)
    return _NAMES.search(folded) is not None and _OWN.search(folded) is not None


def wants_waiting_list(text: str) -> bool:
    """Whether the customer asks to be told when a place becomes free."""
    return _WAITING.search(one_line(text)) is not None
