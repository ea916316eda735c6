"""Things an answer must not say by itself: that something was done, will be done, or costs less."""

import re

from inference.grounding_words import denials

ACTED = "acted"
_I_DID = (
    r"(?:ho|abbiamo)(?: gia)?(?: appena)? (?:prenotat|fissat|confermat|annullat|cancellat|"
    r"spostat|inviat|mandat|"
    r"rimborsat|registrat|riservat|aggiornat|bloccat|segnat)\w*"
    r"|(?:i|we)(?:['’]?ve| have)?(?: just| already)? (?:booked|scheduled|confirmed|"
    r"cancell?ed|moved|sent|refunded|"
    r"reserved|registered|rescheduled|arranged)"
    r"|(?:he|hemos)(?: ya)? (?:reservad|agendad|confirmad|cancelad|anulad|cambiad|enviad|"
    r"reembolsad|registrad)o"
    r"|(?:ja )?\b(?:reservei|marquei|agendei|confirmei|cancelei|enviei|registei|registrei|"
    r"reembolsei|remarquei)\b"
)
_IT_IS_DONE = (
    r"(?:appuntament|prenotazion|visit|sedut)\w* (?:\w+ ){0,4}(?:e|risulta|e stat[oa]) (?:gia )?"
    r"(?:confermat|prenotat|fissat|annullat|spostat|registrat)\w*"
    r"|(?:appointment|booking|reservation|visit|session)s? (?:\w+ ){0,4}(?:is|are|has been|"
    r"have been)(?: now)? "
    r"(?:booked|confirmed|cancell?ed|moved|scheduled)"
    r"|(?:cita|reserva|visita|sesion) (?:\w+ ){0,4}(?:esta|queda|ha sido|fue) (?:ya )?"
    r"(?:confirmad|reservad|cancelad|agendad)a"
    r"|(?:e|esta|sono|is|are|it['’]?s|that['’]?s|queda|fica)(?: gia| all| ya| ja| tutto| todo|"
    r" tudo)? (?:sistemat[oa]|"
    r"sorted|settled|taken care of|arreglad[oa]|solucionad[oa]|resuelt[oa]|resolvid[oa]|tratad[oa])\b"
    r"|(?:consulta|reserva|marcacao|visita|sessao|agendamento) (?:\w+ ){0,4}(?:esta|ficou|fica|foi) (?:ja )?"
    r"(?:confirmad|marcad|cancelad|agendad)[ao]"
)
# Never true of an answer: what a tool did is told by the tool, whatever a source says of such acts.
_JUST_DID = (
    r"ecco fatto\b|(?:tutto fatto|(?:all|that['’]?s|it['’]?s) done|ya (?:esta|queda) hecho|(?:ja )?esta feito"
    r"|prontinho)(?=\s*(?:[.!,:;]|$))|^\W*(?:fatto|done|hecho|listo|feito)\s*[.!:,]"
    r"|(?:e|sei|siete|e stat[oa]) (?:ora |gia )?disiscritt[oaie]\b|"
    r"(?:is|are|been|['’]re) (?:now )?unsubscribed\b|opted (?:you|them|her|him) out\b|"
    r"(?:queda|quedas|esta|estas|hemos|he) (?:ya )?dad[oa]s? de baja\b|(?:foi|esta|ficou) descadastrad[oa]\b|"
    r"(?:ho|abbiamo|have|['’]ve|he|hemos|foi|ficou) (?:\w+ )?"
    r"(?:removid[oa]|eliminad[oa]|tolt[oaie]|rimoss[oaie]|removed) "
    r"(?:da|dalla|from|off|de|della|do) (?:la |a |the |our |nostra |nuestra |nossa )?(?:lista|list|mailing)\b"
)
_WE_WILL = (
    r"(?:ti|la|vi|le) (?:richiam|chiam|contatt|invi|mand|risponder|rimbors)(?:o|iamo|"
    r"er[oa]|eremo|era|eranno)\b"
    r"|(?:i|we|someone|he|she|they)(?:['’]ll| will) (?:\w+ )?(?:call|contact|send|refund|"
    r"email|get back|book|reply)"
    r"|will be in your|(?:is|are)(?: already)? on (?:its|their|the) way|esta(?:n)?(?: ya)? (?:de|"
    r"en) camino|(?:ya )?esta(?:n)? en camino"
    r"|(?:e|sta|sono)(?: gia)? (?:in arrivo|per strada|in viaggio|arrivando)|(?:esta|vai)(?: ja)? a caminho"
    r"|(?:te|le|os|la|lo) (?:llamar|contactar|enviar|reembolsar|responder)(?:e|emos|a|an)\b"
    r"|(?:vou|vamos|iremos) (?:\w+ )?(?:ligar|contactar|contatar|enviar|mandar|reembolsar|responder)"
    r"|entrar(?:emos|ei|ao|a) em conta[c]?to|(?:ligar|enviar|contactar)emos"
)

PATTERNS: dict[str, re.Pattern[str]] = {
    name: re.compile(rf"\b(?:{pattern})")
    for name, pattern in (
        ("done", f"{_I_DID}|{_IT_IS_DONE}"),
        (ACTED, _JUST_DID),
        ("will", _WE_WILL),
        (
            "refund",
            r"rimbors\w*|refund\w*|money back|reembols\w*|devol\w* (?:el|o|del|do) dinero|dinheiro de volta",
        ),
        ("discount", r"scont[oi]\w*|scontat\w*|discount\w*|% off|descuent\w*|descont\w*|rebaj\w*"),
        (
            "gift",
            r"gratuit\w*|gratis|omaggio|free of charge|for free|is free|are free|complimentary|de regalo|"
            r"de graca|(?:waive|waiving|won['’]?t charge|will not charge|not be charged)\b|"
            r"(?:non|no|nao) (?:\w+ )?(?:addebit(?:iamo|eremo|ero|o)|cobr(?:aremos|are|amos))\b",
        ),
        (
            "giveaway",
            r"l[oa]s? regal\w*|(?<!buono )(?<!bono )(?<!buoni )(?<!caja )(?<!tarjeta )"
            r"(?<!cheque )(?<!carta )(?<!vale )(?<!de )(?<!vales )(?<!bonos )(?<!tarjetas )(?<!cheques )"
            r"(?<!cajas )(?<!pacchetto )regal(?:o|iamo|amos|aremos)\b|"
            r"de oferta|(?:e|es|is|sono|on) (?:in |de |em )?"
            r"(?:oferta|offerta|special offer|sale)\b|on the house|(?:is|are|it['’]?s|that['’]?s|"
            r"['’]s) on (?:us|me)\b|(?:invito|invitamos|convido|convidamos) (?:yo|nosotros|eu|nos)\b|"
            r"corre de (?:nuestra|mi) cuenta|offre la casa|"
            r"(?:offro|offriamo) (?:io|noi)|te invito|"
            r"por (?:nuestra cuenta|nossa conta|conta da casa|cuenta de la casa)|a nostr[oe] (?:carico|"
            r"spese)|"
            r"at our expense",
        ),
        (
            "guarantee",
            r"(?:garant|guarant|garanz)(?!\w* (?:a|la|su|sua|tu|il|your|the|o|el) (?:data|vaga|reserva|"
            r"fecha|sala|mesa|"
            r"plaza|posto|"
            r"lugar|place|spot|slot|date)\b)\w*",
        ),
    )
}
_FREE = re.compile(
    r"\b(?:free|gratuit\w*|gratis|omaggio|complimentary|no (?:extra )?(?:cost|charge|fee)s?|at no charge|"
    r"pays? no|no (?:\w+ )?(?:fee|charge)s?|nessun\w* (?:\w+ )?(?:commission\w*|spes\w*)|"
    r"(?:sin|sem|senza) (?:comision\w*|comiss\w*|commission\w*|taxas?|spese)|"
    r"sin (?:coste|"
    r"cargo|costo|recargo)\w*|sem (?:custos?|cobrar|taxa)|senza (?:costi|spese|supplement\w*)|"
    r"nessun (?:costo|"
    r"supplemento)|de graca|de regalo|regal\w*|ofert[ao]s?|inclu\w+|compres\w+|no (?:se )?(?:cobra|paga)\w*|"
    r"nao (?:se )?(?:cobra|paga)\w*|non (?:si )?paga\w*|costs? nothing|"
    r"nothing (?:is |will be )?charged|nothing to pay|0[.,]00)\b"
)
# What a source may say for each kind of promise, beside the same wording.
SAID: dict[str, re.Pattern[str]] = {
    "gift": _FREE,
    "giveaway": _FREE,
    "discount": re.compile(
        r"\b(?:menos (?:r\$|€|£) ?\d+|\d+ ?% (?:menos|less|off|in meno|di meno)|menos \d+ ?%|meno \d+|"
        r"less \d+|riduzion\w+|reduc\w+|"
        r"abat\w+|deduct\w*|taken off|(?:comes?|goes?) off|counts? towards|credited|"
        r"detra\w+|scal\w+|rebaj\w*|scont\w*|discount\w*|desc(?:uent|ont)\w*)"
    ),
    "will": re.compile(
        r"\b(?:(?:we|i|reception|the team)(?:['’]ll| will)? (?:\w+ )?(?:text|send|e-?mail|call|refund|write|"
        r"phone|reply|answer|message|post|return)\w*|(?:avis|mand|invi|env|chiam|richiam|rispond|respond|"
        r"rimbors|reembols|devolv|escrev|escrib|scriv|lig|llam|contat|contact)(?:iamo|amos|emos|aremos|"
        r"eremos|eremo))\b"
    ),
    "refund": re.compile(
        r"\b(?:refund\w*|rimbors\w*|reembols\w*|devol\w*|devuel\w*|returned|back|restitu\w*)\b"
    ),
}


def promises(folded: str) -> list[tuple[str, str]]:
    """(class, wording) of each kind of promise in folded text, at most one per class."""
    found = ((name, pattern.search(folded)) for name, pattern in PATTERNS.items())
    return [(name, match.group()) for name, match in found if match]


_END = re.compile(r"[,;:.!?—–]\s|\s(?:ma|but|pero|mas|invece|altrimenti|otherwise)\s")


def denied_promise(folded: str, wording: str, language: str | None) -> bool:
    """Whether the piece of a sentence that holds a promise's wording denies it: "there are no refunds"."""
    at = folded.find(wording)
    start = max((m.end() for m in _END.finditer(folded, 0, max(at, 0))), default=0)
    after = _END.search(folded, at + len(wording))
    piece = folded[start : after.start() if after else len(folded)]
    return not denials(wording, language) and denials(piece.replace(wording, " "), language) == 1
