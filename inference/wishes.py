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
# What is said of a quote there is. Offers are left out: most are the house's advertising.
_OF_QUOTE = r"(?:preventiv[oi]|quote|quotation|estimate|presupuesto|cotizacion|orcamento|cotacao)"
# "Ho letto che fate preventivi" speaks of none that there is.
_OF_KNOWN = (
    r"(?: (?!un\b|uno\b|una\b|um\b|uma\b|an?\b|ed?\b|y\b|and\b|fate\b"
    r"|(?:che|that|que) (?:si )?(?:fa\w+|offr\w+|you (?:do|make|give|offer)|hac\w+|haz\w+|faz\w+|dan|dais)\b)"
    rf"[\w']+){{0,6}}?[ ']{_OF_QUOTE}\b"
)
_NOT_ONE = (
    r"(?!un\b|uno\b|una\b|um\b|uma\b|a (?:new |free )?(?:quote|quotation)\b|an\b|another\b|altro\b|otro\b"
    r"|outro\b)"
)
_THAT_QUOTE = rf"(?:[ ',]+{_NOT_ONE}[\w']+){{0,6}}?[ ']{_OF_QUOTE}\b"
_SUCH_QUOTE = (
    r"\b(?:il|quel|questo|mio|nostro|vostro|suo|tuo|the|this|that|my|our|your|el|este|ese|vuestro|su|tu|o"
    rf"|esse|vosso|seu|teu) {_OF_QUOTE}\b(?: [\w'/.]+){{0,5}}"
)
_WISH = (
    r"(?:vorre(?:i|mmo)|vogli(?:o|amo)|serv(?:e|irebbe)|bisogno di|potre(?:i|ste|mmo)|pote(?:te|r)|puoi?"
    r"|fatemi|(?:mi|ci) fa\w*|mandatemi|preparatemi|chiedo|richiedo|(?:i|we)(?:'d| would) like"
    r"|(?:i|we) (?:want|need)|(?:can|could) (?:i|you|we)|please|quiero|queremos|quisiera|necesit\w+"
    r"|me gustaria|puede\w*"
    r"|pod(?:ria\w*|eis|em|e|emos)|quer(?:o|ia|emos)|precis\w+|gostaria)"
)
_OWN = (
    r"(?:il|del|al|sul|mio|nostro|vostro|suo|tuo|questo|quel|the|this|that|my|our|your|el|mi|este|ese|nuestro"
    r"|vuestro|su|tu|o|do|meu|nosso|vosso|seu|teu|esse)"
)
_VALID = r"(?:valid[oa]?|validita|validity|scad\w+|expir\w+|caduc\w+|venc\w+|vigente)"
_QUOTE_STATUS = re.compile(
    r"\b(?:a che punto|novita|notizie|aggiornament[oi]|stato (?:di|del|della)|come procede|status|any news"
    r"|come va (?:il|con|avanti)|any updates?|updates? on|where (?:is|are)|how(?:'s| is)"
    r"|when (?:will|do|does|is|can)|en que estado|estado (?:de|del|do|da)|como va (?:el|mi|lo)"
    r"|como esta (?:el|mi|o|a)|novedades|noticias|novidades|ponto da situacao|em que ponto"
    r"|quando (?:mi |ci )?(?:arriv\w+|ricev\w+|avr\w+|sara|e pronto|mandate|inviate|receb\w+|cheg\w+|tere\w+"
    r"|enviam)|cuando (?:me |nos )?(?:lleg\w+|recib\w+|tendr\w+|estar\w+|envi\w+|mand\w+))\b"
    rf"{_THAT_QUOTE}"
    rf"|\b(?:is|are) (?:my|our) {_OF_QUOTE}\b|{_SUCH_QUOTE} {_VALID}\b"
    rf"|\b{_VALID}(?:[ ']{_NOT_ONE}(?!{_WISH}\b)[\w']+){{0,2}}?"
    rf"[ '](?:{_OWN} (?:ultimo |last )?|l'ultimo ){_OF_QUOTE}\b"
    rf"|^\W*{_VALID}(?: d[eio]l?| of)? {_OF_QUOTE}\b"
    rf"|{_SUCH_QUOTE} (?:a che punto|pront[oa]|ready|list[oa])\b"
    rf"|\b(?:e pronto|esta (?:listo|pronto))(?: gia| ya| ja)? (?:il|el|o|il mio|mi|o meu) {_OF_QUOTE}\b"
    r"|^\W*(?:(?:e|y|and|allora|entonces|then|so)\W+)?(?:il mio|il|my|the|mi|el|o meu|o)"
    rf" {_OF_QUOTE}\W*\?\W*$"
)
_QUOTE_REMARK = re.compile(
    r"\b(?:grazie|ringrazi\w+|thanks?|thank you|gracias|agrade[zs]?co|obrigad[oa])(?: [\w']+){0,2}"
    rf" (?:per|del|for|por|pelo|pela|o){_THAT_QUOTE}"
    rf"|{_SUCH_QUOTE} (?:troppo|car[oa]|carissim[oa]|alt[oa]|costos[oa]|eccessiv[oa]|sbagliat[oa]|errat[oa]"
    r"|too|expensive|steep|high|wrong|demasiado|carisim[oa]|elevad[oa]|equivocad[oa]|muito|errad[oa])\b"
)
_QUOTE_KNOWN = re.compile(
    rf"\b{_OF_QUOTE}(?: [\w'.]+){{0,2}} \d{{4}}/\d+"
    r"|\b(?:pens\w+|riflett\w+|valut\w+|think\w*|consider\w*|review\w*|discuss\w*|parl\w+|visto|letto|seen"
    rf"|read|look(?:ed|ing)? (?:at|over)|saw|leido|revis\w+|analis\w+|avali\w+){_OF_KNOWN}"
    r"|\b(?:nel|sul|in the|on the|of the|about (?:the|my|your)|en el|sobre (?:el|mi|o)) (?:vostro |mio )?"
    rf"{_OF_QUOTE}\b"
    rf"|\b(?:il (?:mio|nostro)|my|our|o (?:meu|nosso)) {_OF_QUOTE}\b(?!.{{0,20}}\d)"
)
# "Ci serve il preventivo per venerdì": by when, or for whom, and not for what.
_WHEN_OR_WHOM = (
    r"(?:lunedi|martedi|mercoledi|giovedi|venerdi|sabato|domenica|domani|oggi|favore|e-?mail|mail|posta|iscritto"
    r"|il mio|la mia|my|our|monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|today"
    r"|el (?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)|manana|hoy|correo|favor|mi|segunda|terca"
    r"|quarta|quinta|sexta|amanha|hoje|o meu|a minha)\b"
)
# … and what asks for another one beside it.
_WANTS_QUOTE = re.compile(
    rf"\b{_WISH}(?: (?:mi|ci|me|nos|fare|far(?:mi|ci)|avere|ricevere|chiedere|richiedere|pedir|recibir|tener"
    r"|hacer(?:me|nos)?|solicitar|get|have|receive|send me|receber|ter|fazer))*"
    rf" {_OF_QUOTE}\b"
    rf"|\b{_WISH} (?:il|the|el|o) {_OF_QUOTE} (?:per|for|para)\b(?! {_WHEN_OR_WHOM})"
    rf"|\b{_WISH}\b.{{0,40}}?"
    r"\b(?:un|uno|una|um|uma|an?|another|altro|otro|outro)(?: [\w']+)?"
    rf" {_OF_QUOTE}\b"
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
    """Whether a quote is spoken of that exists or was asked for: taken, waited for, thought about."""
    folded = one_line(text)
    if _HAD.search(folded):
        return True
    spoken_of = any(said.search(folded) for said in (_QUOTE_STATUS, _QUOTE_REMARK, _QUOTE_KNOWN))
    return spoken_of and _WANTS_QUOTE.search(folded) is None


def asks_quote_status(text: str) -> bool:
    """Whether the customer asks how a quote is coming along, or until when it is valid."""
    folded = one_line(text)
    return _QUOTE_STATUS.search(folded) is not None and _WANTS_QUOTE.search(folded) is None


def remarks_on_quote(text: str) -> bool:
    """Whether the customer thanks for a quote, or finds it dear or wrong."""
    folded = one_line(text)
    return _QUOTE_REMARK.search(folded) is not None and _WANTS_QUOTE.search(folded) is None


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
