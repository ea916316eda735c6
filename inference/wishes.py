"""What a customer plainly asks for in words that need no model: about a quote, a report, their own data.

Patterns run over folded text (no case, no accents) and read only what is said outright; a question about
how something works is none of these.
"""

import re
import unicodedata
from typing import Literal

from inference.folding import one_line

_QUOTE = (
    r"(?:preventiv[oi]|offert[ae]|quote|quotation|estimate|offer|presupuesto|cotizacion|orcamento"
    r"|cotacao|proposta)"
)
_THE = (
    r"(?: (?:il|la|il vostro|the|your|this|that|el|la|su|vuestro|o|a|vosso|vossa|este|esta|questo|questa))?"
)
_ACCEPTED = (
    r"(?:accetto|accettiamo|confermo|approvo|accettare|i accept|we accept|i(?:'| wi)?ll (?:take|accept)"
    r"|i approve|i agree to|i(?:'d| would) like to accept|acepto|aceptamos|confirmo|apruebo|quiero aceptar"
    r"|aceito|aceitamos|aprovo|quero aceitar|vorrei accettare)"
)
_AGREED = r"(?:va bene|ok per|d'accordo con|de acuerdo con|concordo com|happy with)"
_ACCEPT = re.compile(rf"\b(?:{_ACCEPTED}|{_AGREED}){_THE} {_QUOTE}\b")
_NOT = r"(?:non|not|nao|never|nunca|jamais|cannot|(?:do|ca|wo|would|could)n'?t)"
# Between the no and the verb: who and whether they will, and nothing that says no to something else.
_WILL = (
    r"(?: (?:mi|lo|la|le|ci|vi|me|te|os|nos|we|to|want|will|can|really|yet|ancora|davvero|todavia|ainda|posso"
    r"|possiamo|voglio|vogliamo|vorrei|vorremmo|intendo|puedo|podemos|quiero|queremos|quero|pretendo)){0,2}"
)
# In Spanish alone a plain no stands before the verb; "no va bene" and "no problem I accept" are no refusals.
_NOT_ACCEPTED = re.compile(
    rf"\b(?:{_NOT}{_WILL} (?:{_ACCEPTED}|{_AGREED}|accept|take|agree to|approve|confirm|confermiamo"
    r"|confermare|approviamo|approvare|aceptar|confirmamos|confirmar|aprobamos|aprobar|aceitar|aprovamos|aprovar)"
    rf"|no{_WILL} (?:acepto|aceptamos|aceptar|confirmo|confirmamos|confirmar|apruebo|aprobamos|aprobar))"
    rf"{_THE} {_QUOTE}\b"
)
# What may or may not be accepted is not accepted yet.
_WHETHER = re.compile(rf"\b(?:se|si|if|whether)(?: [\w']+){{0,2}} (?:{_ACCEPTED}|{_AGREED}){_THE} {_QUOTE}\b")
_DECLINE = re.compile(
    rf"\b(?:non accetto|rifiuto|non mi interessa|i decline|i reject|i don'?t accept|i do not accept|no acepto"
    rf"|rechazo|no me interesa|nao aceito|recuso|nao me interessa){_THE} {_QUOTE}\b"
)
_WHICH = r"(?: (?!un\b|uno\b|una\b|um\b|uma\b|an?\b)[\w']+){0,2}"
# A quote that is taken, has come or is waited for exists already, or was asked for.
_HAD = re.compile(
    r"\b(?:accett\w+|conferm\w+|approv\w+|accept\w*|agree\w*|approve\w*|acept\w+|confirm\w*|apruebo|aprob\w+"
    r"|aceit\w+|aprov\w+|aspett\w+|attend\w+|in attesa|wait(?:ing)?|awaiting|esper[oa]\w*|aguard\w+)"
    rf"{_WHICH} {_QUOTE}\b"
    r"|\b(?:ricevuto|received|recibid[oa]|recibi|recebid[oa]|recebi|recebemos|arrivat[oa]|arrived|llegad[oa]"
    rf"|llego|chegou|chegado)(?: [\w']+){{0,2}} {_QUOTE}\b"
    rf"|\b{_QUOTE}(?: [\w']+){{0,4}} (?:va bene|accettat[oa]|approvat[oa]|ricevuto|arrivat[oa]|is fine"
    r"|looks good|accepted|approved|received|arrived|esta bien|me parece bien|aceptad[oa]|recibid[oa]"
    r"|llegad[oa]|esta bem|parece-me bem|aceite|recebid[oa]|chegou)\b"
)
_REPORT = (
    r"(?:segnalazion[ei]|reclam[oi]|ticket|pratica|richiesta|complaint|report|issue|incidencia|queja"
    r"|reclamacion"
    r"|reclamacao|queixa|ocorrencia)"
)
_STATUS = re.compile(
    rf"\b(?:a che punto|novita|notizie|aggiornament[oi]|stato|come procede|come va|status|any news"
    rf"|any update|updates?|what happened|where (?:is|are)|how is|en que estado|como va|novedades"
    rf"|alguna novedad|estado"
    rf"|noticias|novidades|ponto da situacao|como esta|em que ponto)\b.{{0,40}}\b{_REPORT}\b"
    rf"|\b{_REPORT}\b.{{0,30}}\b(?:a che punto|status|estado|novita|novedades|novidades)\b"
)
_UPDATE = re.compile(
    r"\b(?:(?:cambi\w*|aggiorn\w*|modific\w*|corregg\w*|change|update|correct|actualiz\w*|corrig\w*|mud\w*"
    r"|altera\w*|atualiz\w*)\b.{0,25}\b(?:mi[oa]|my|mi|meu|minha)\b.{0,20}\b(?:nome|nombre|name|e-?mail"
    r"|mail|correo|lingua"
    r"|language|idioma|indirizzo e-?mail|dati|data|datos|dados)"
    r"|(?:la mia|my|mi|o meu|a minha)(?: nuov[ao]| new| nuevo| novo)? (?:e-?mail|correo)(?: \w+)? (?:e"
    r"|is|es)\b"
    r"|(?:scriv\w+|rispond\w+|parl\w+|write|answer|speak|reply|escrib\w+|respond\w+|habl\w+|escrev\w+"
    r"|fal\w+)"
    r"(?: (?:to|con|com|with))?(?:[ -]?(?:mi|me|nos|us))? (?:in|en|em) (?:italiano|inglese|spagnolo"
    r"|portoghese|italian"
    r"|english|spanish|portuguese|italiano|ingles|espanol|portugues|espanhol))\b"
)
_BOOK = re.compile(
    r"\b(?:vorrei|voglio|vogliamo|vorremmo|volevo|possiamo|posso|puoi|mi puoi|potrei|puo)(?: \w+)?"
    r" (?:prenot\w+|fissar\w*)\b"
    r"|^\W*(?:si |ok |perfetto |bene |allora )?(?:prenotami\w*|prenotal[oa]|prenota(?: per favore| pure)?)\b"
    r"|\b(?:(?:i|we)(?:'d| would) like|(?:i|we) want|can (?:i|we|you)"
    r"|could (?:i|we|you)|let me|let's|i'll)(?: to)?"
    r" (?:book|reserve|schedule)\b|\b(?:please )?book (?:it|that|this|one|me)\b|\bplease (?:book|reserve)\b"
    r"|\b(?:quiero|queremos|quisiera|queria|querria|me gustaria|puedo|podria|puedes|podeis|vamos a)"
    r" reserv\w+\b"
    r"|\breservame\w*|\breservalo\b|\breservala\b"
    r"|\b(?:quero|queremos|queria|gostaria de|gostava de|posso|pode|podia|podemos|vou)(?: me)?"
    r" (?:marc\w+|agend\w+|reserv\w+)\b|\b(?:marca|agenda|reserva)-(?:me|o|a)\b"
)
# How and whether one books, and what has been booked, are other matters.
_BOOK_RULES = re.compile(
    r"\b(?:come|how|como|devo|bisogna|serve|occorre|need|have to|must|hay que|tengo que|preciso"
    r"|necesario|necessario|necessary|senza|without|sin|sem|ho (?:gia )?prenotato|booked|reserved"
    r"|marquei|agendei|se posso|if i can)\b"
)
_BETWEEN = (
    r"(?: (?:piu|ricevere|altr[ie]|i|le|la|vostr[ieao]|any|more|your|to|receive|get|sending|send|me|mas"
    r"|recibir|sus"
    r"|vuestros|vuestras|los|las|receber|mais|os|as|vossas))*"
)
_NO_MORE = re.compile(
    rf"\b(?:non (?:voglio|desidero|mandatemi|inviatemi)|stop|do not|don'?t|no longer want to|i don'?t want"
    rf"|no (?:quiero|deseo|me (?:envien|mandeis|manden))|nao (?:quero|desejo|me (?:enviem|mandem)))"
    rf"{_BETWEEN} (?:messaggi|promozioni|pubblicita|messages|promotions|advertising|mensajes"
    rf"|promociones|publicidad"
    rf"|mensagens|promocoes|publicidade)\b"
)
_LANGUAGES: dict[str, Literal["it", "en", "es", "pt"]] = {
    "italiano": "it", "italian": "it", "inglese": "en", "english": "en", "ingles": "en", "spagnolo": "es",
    "spanish": "es", "espanol": "es", "espanhol": "es", "castellano": "es", "portoghese": "pt",
    "portuguese": "pt", "portugues": "pt",
}  # fmt: skip
_ASKS_HOW = re.compile(r"^\W*(?:come|how|como|posso|can i|puedo|se|if|si)\b")

# "Sì" said first is a yes and not the "si" that folding makes of it, which means "if" in Spanish.
_YES_FIRST = re.compile(
    r"^\W*(?:s[ìí]\b|si['’`]|si(?=\s*[,.!;\n])|si(?= (?:accett|conferm|approv|va bene)))[\s,.!;]*",
    re.IGNORECASE,
)

Decision = Literal["accept", "decline"]


def decides_quote(text: str) -> Decision | None:
    """Whether the customer accepts or declines a quote outright."""
    folded = one_line(_YES_FIRST.sub("", unicodedata.normalize("NFC", text)))
    if _WHETHER.search(folded):
        return None
    # Of two messages one may say no to something else: "no problem", "I accept the quote".
    if _DECLINE.search(folded) or any(_NOT_ACCEPTED.search(one_line(line)) for line in text.splitlines()):
        return "decline"
    return "accept" if _ACCEPT.search(folded) and not _ASKS_HOW.match(folded) else None


def has_quote(text: str) -> bool:
    """Whether a quote is spoken of that exists or was asked for: taken, received or waited for."""
    return _HAD.search(one_line(text)) is not None


def asks_ticket_status(text: str) -> bool:
    """Whether the customer asks how a report or complaint is coming along."""
    return _STATUS.search(one_line(text)) is not None


def updates_contact(text: str) -> bool:
    """Whether the customer wants their own name, e-mail address or language changed."""
    return _UPDATE.search(one_line(text)) is not None


def wants_no_messages(text: str) -> bool:
    """Whether the customer asks in a sentence for no more messages; single words are `extract.opt_out`."""
    return _NO_MORE.search(one_line(text)) is not None


def language_named(text: str) -> Literal["it", "en", "es", "pt"] | None:
    """The one language a text names; None for none or several."""
    named = {_LANGUAGES[word] for word in re.findall(r"[a-z]+", one_line(text)) if word in _LANGUAGES}
    return named.pop() if len(named) == 1 else None


def wants_booking(text: str) -> bool:
    """Whether the customer says outright that they want to book: "vorrei prenotarlo", "please book it"."""
    folded = one_line(text)
    return _BOOK.search(folded) is not None and _BOOK_RULES.search(folded) is None
