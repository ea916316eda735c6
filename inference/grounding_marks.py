"""What a clause says beside its subject: open or closed, included or extra, and whether it denies."""

import re

import numpy as np
from numpy.typing import NDArray

MARKS: tuple[str, ...] = (
    r"apert\w*|apr[eio]\w*|opens?|abiert\w*|abr\w+|abert\w*|funcion\w+",
    r"chius\w*|chiud\w+|closed?|closes|shut|cerrad\w*|cerram\w+|cierra\w*|fechad\w*|fecha\w*|encerr\w+|"
    r"ripos\w+|"
    r"descans\w+|off|folga",
    r"inclus\w*|inclu[iy]\w*|compres\w*|include\w*|including|dentro|forma parte|fornit\w*|provided|supplied|"
    r"fornecid\w*|comprend\w+",
    r"esclus\w*|excluded|excluid\w*|extra\w*|a parte|aparte|separat\w*|on top|supplement\w*|a part|"
    r"separad\w*|"
    r"recargo\w*|sobrecost\w*|acresc\w+|adicional\w*|aggiunt\w*|porti|portare|bring|trae\w*|levar|"
    r"traz\w*|own",
    r"gratuit\w*|gratis|free|omaggio|de graca|no charge|sin cost\w*|sin cargo|sem cust\w*|senza cost\w*|"
    r"senza spes\w*|nothing|nulla|nada|complimentary|regal\w*|sin recargo",
    r"a pagamento|de pago|pag\w+|pay\w*|costa\w*|costs?|charge\w*|cobra\w*|prezzo|fee\w*|cuesta\w*|custa\w*|"
    r"addebit\w*",
    r"ammess\w*|consentit\w*|permess\w*|allow\w*|permit\w*|welcome|admit\w*|acept\w*|accett\w*|accept\w*|"
    r"aceit\w*|"
    r"benvenut\w*|bienvenid\w*|bem-vind\w*|can|may|puo|possono|puoi|puede\w*|pode\w*|possiamo|podemos|"
    r"fine|ok",
    r"vietat\w*|proibit\w*|forbidden|prohib\w*|banned|proibid\w*|leave|fuori|outside|at home",
    r"obbligatori\w*|necessari\w*|required|mandatory|compulsory|obligatori\w*|obrigatori\w*|must|need\w*|"
    r"deve\w*|"
    r"devono|serve|occorr\w*|bisogna|necesit\w*|precis\w*|hay que|tiene que|hace falta|tem de|tem que|"
    r"exig\w*|"
    r"richied\w*|requier\w*|needed",
    r"facoltativ\w*|opzional\w*|optional\w*|opciona\w*|senza appuntamento|no appointment|walk-?in\w*|"
    r"sin cita|"
    r"sem marcacao|liberamente|libremente|quando vuole|any time|cuando quiera\w*|whenever",
    r"disponibil\w*|available|disponi\w*|abbiamo|have|tenemos|temos|hay|ha|c'e|ci sono|there is|there are|"
    r"facciamo|offr\w*|do|make|hacemos|fazemos|vend\w*|sell\w*|ripar\w*|repair\w*",
    r"esaurit\w*|sold out|unavailable|agotad\w*|esgotad\w*|indisponive\w*",
    r"only|solo|soltanto|solamente|apenas|unicamente|just|esclusivamente|exclusiv\w*|so",
    r"ogni|tutt[ie]|all|every|any|todos?|todas?|qualsiasi|cualquier\w*|qualquer|always|sempre|siempre|"
    r"tambien|also|"
    r"anche|even|tambem|incluso|persino|hasta|mesmo|aunque",
    r"senza|without|sin|sem|no need|free of",
    r"con|with|com",
    r"prima|before|antes|previ\w*|advance|anticipo|antecedencia|antelacion",
    r"dopo|after|despues|depois",
    r"almeno|minim\w*|at least|dai|from|desde|oltre|over|mas de|piu di|mais de|more than|a partir|above|"
    r"older|up",
    r"massim\w*|maxim\w*|fino|up to|until|hasta|ate|under|sotto|menos de|meno di|less than|below|younger|"
    r"menores|"
    r"minori",
    r"tranne|except|excepto|exceto|salvo|menos|but|ma|pero|mas|apart from|esclus\w*|solo|only",
    r"rimbors\w*|refund\w*|reembols\w*|devol\w*|devuel\w*|restitu\w*|back|return\w*",
    r"se|if|si|caso|unless|qualora|when|cuando|quando",
    r"da solo|alone|unaccompanied|solos?|sozinh\w*|accompagnat\w*|acompanad\w*|acompanhad\w*|accompanied",
)
# Which of them are opposites.
PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11), (14, 15), (16, 17), (18, 19))
_MARKS = tuple(re.compile(rf"\b(?:{words})\b") for words in MARKS)
_FIRST = np.array([a for a, _ in PAIRS])
_SECOND = np.array([b for _, b in PAIRS])

Floats = NDArray[np.float32]


def marks(folded: str) -> Floats:
    """Which marks a folded clause bears, as 0 or 1; shape (len(MARKS),)."""
    return np.array([float(bool(mark.search(folded))) for mark in _MARKS], dtype=np.float32)


def poles(borne: Floats, denied: int) -> Floats:
    """On which side of each pair a clause stands, denials counted: −1, 0 or 1; shape (len(PAIRS),)."""
    return np.asarray((borne[_FIRST] - borne[_SECOND]) * (1 - 2 * (denied % 2)), dtype=np.float32)
