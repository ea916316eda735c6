"""Words for the grounding rules: folding that keeps positions, stems, stop words, negation and opposites."""

import re
import unicodedata
from functools import lru_cache

LANGUAGES = ("it", "en", "es", "pt")
_WORD = re.compile(r"[a-z][a-z'’]*[a-z]|[a-z]")


def vocabulary(text: str) -> frozenset[str]:
    """The words of a block of text, as a set."""
    return frozenset(text.split())


STOP: dict[str, frozenset[str]] = {
    "it": vocabulary(
        """
        il lo la i gli le un uno una di a da in con su per tra fra del dello della dei degli delle
        al allo alla ai agli alle dal dalla dai dalle nel nella nei nelle sul sulla sui sulle e ed o
        ma se che chi cui non piu si ci vi ne mi ti lui lei noi voi loro io tu questo questa questi
        queste quello quella quelli quelle sono sei e siamo siete era ho hai ha abbiamo avete hanno
        essere avere fare fa puo puoi possiamo potete possono posso come quando dove quanto quanti
        quale quali anche solo ogni tutti tutto tutte tutta molto poi qui li nostro nostra nostri
        nostre vostro vostra vostri vostre suo sua tuo tua mio mia viene vengono circa oppure dopo
        prima fino presso durante quindi invece senza
        """
    ),
    "en": vocabulary(
        """
        the a an of to in on at by for with from and or but if that which who not is are was were be
        been am do does did have has had i you he she it we they me him her us them my your his its
        our their this these those there here can could will would shall should may might must as so
        than then also only each every all any some more most very just into about over under
        between during after before until up out no yes when where how what why please per you're
        it's we're don't doesn't isn't
        """
    ),
    "es": vocabulary(
        """
        el la los las un una unos unas de a en con por para del al y o u e pero si que quien no mas
        se le les lo me te nos os yo tu usted ustedes nosotros ellos ellas este esta estos estas ese
        esa esos esas eso es son soy somos era ser estar estamos estan he ha han hemos tiene tienen
        tenemos hay hacer hace puede puedes podemos pueden puedo como cuando donde cuanto cuantos
        cual cuales tambien solo cada todo todos toda todas muy nuestro nuestra nuestros nuestras su
        sus mi mis tus desde hasta entre sobre durante despues antes sin ya
        """
    ),
    "pt": vocabulary(
        """
        o a os as um uma uns umas de em com por para pra do da dos das no na nos nas ao aos e ou mas
        se que quem nao mais lhe lhes me te eu tu voce voces nos ele ela eles elas este esta estes
        estas esse essa isso isto e sao sou somos era ser estar esta estamos estao ha tem temos
        tenho fazer faz pode podes podemos podem posso como quando onde quanto quantos qual quais
        tambem so cada todo todos toda todas muito nosso nossa nossos nossas seu sua seus suas meu
        minha desde ate entre sobre durante depois antes sem ja pelo pela pelos pelas num numa
        """
    ),
}
ALL_STOP = frozenset().union(*STOP.values())

# Stems of what an assistant says whatever the documents hold: offers of help, courtesy, price and time words.
GENERIC = vocabulary(
    """
        prenot appun infor aiuta aiuti conta dispo grazi ciao salve prezz costa costi costo durat
        dura orari orario serviz offri offre offro propo trova puoi posso vuoi desid piace saper
        chied domand rispo messa scriv book booki appoi infor help conta avail thank hello price
        cost costs durat last lasts hours servi offer want like know ask quest answe messa pleas
        sure welco reser reser cita ayuda dispo graci hola preci cuest duraci dura horar ofrec quier
        gusta saber pregu escri consu agend marca ajuda obrig preco custa custo horas quer gosta
        dizer pergu respo mensa olha claro certo perfe sara euro eur ore ora minut hora hour
        """
)

NEGATORS = vocabulary(
    """
        non nessun nessuno nessuna mai neanche nemmeno not never cannot can't don't doesn't isn't
        aren't won't didn't none neither nor nunca jamas ningun ninguno ninguna tampoco nao nenhum
        nenhuma jamais nadie ninguem nobody noone
        """
)
# Words that deny what they stand before: "niente cani", "sin receta", "without shoes".
LACKING = vocabulary(
    """
        niente nulla nada nothing senza without sin sem ningunas ningunos nessun nenhuma nenhumas
        nenhuns ni nem
        neither unable can't cannot
        """
)
# "no" negates, except as an opening word, which only answers, and in "at no cost".
_NO = re.compile(
    r"\bno\b(?! (?:extra |additional |further )?(?:costs?|charges?|fees?|problem|later|more|longer)\b)"
)
# "It costs nothing" says what "it is free" says.
_NOTHING_TO_PAY = re.compile(
    r"\b(?:non (?:costa|paga|si paga|pagano)(?: nulla| niente)?|no (?:cuesta|se paga|paga)(?: nada)?|"
    r"nao (?:custa|se paga|paga)(?: nada)?|costs? nothing|(?:at )?no (?:extra )?(?:cost|charge|fee)s?|"
    r"senza (?:costi|spese)|sin (?:coste|costo|gastos)|sem custos?|a costo zero|"
    r"(?:nessuno|nadie|ninguem|nobody) (?:paga|pays) (?:nulla|niente|nada|anything))\b"
)
_OPENING = re.compile(r"^\W*(?:no|si|yes|sim|nao|certo|claro|sure)\b\W*[,.!:]\s*")

OPPOSITES: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"\b(?:{yes})\b"), re.compile(rf"\b(?:{no})\b"))
    for name, yes, no in (
        (
            "#open",
            r"apert[oaie]|apre|apriamo|opens?|abiert[oa]s?|abre|abren|abrimos|abert[oa]s?|abrem",
            r"chius[oaie]|closed|cerrad[oa]s?|cerramos(?! a las?\b)|fechad[oa]s?|fechamos(?! as?\b)"
            r"|encerrad[oa]s?",
        ),
        (
            "#included",
            r"inclus[oaie]|compres[oaie]|include|includes|included|incluid[oa]s?|incluye|incluyen|"
            r"inclui|incluem",
            r"esclus[oaie]|excluded|excluid[oa]s?",
        ),
        ("#free", r"gratuit\w*|gratis|free", r"a pagamento|de pago"),
        (
            "#allowed",
            r"ammess[oaie]|consentit[oaie]|permess[oaie]|allowed|permitted|welcome|permitid[oa]s?|"
            r"admitid[oa]s?",
            r"vietat[oaie]|proibit[oaie]|forbidden|prohibited|banned|prohibid[oa]s?|proibid[oa]s?",
        ),
        (
            "#required",
            r"obbligatori\w*|necessari\w*|required|mandatory|compulsory|obligatori\w*|obrigatori\w*",
            r"facoltativ\w*|opzional\w*|optional|opciona\w*",
        ),
        (
            "#available",
            r"disponibil\w*|available|disponible\w*|disponive\w*",
            r"esaurit[oaie]|sold out|unavailable|agotad[oa]s?|esgotad[oa]s?|indisponive\w*",
        ),
    )
)


@lru_cache(maxsize=256)  # one answer and its passages are asked for many things
def fold(text: str) -> str:
    """Lower case without accents, one character for one character, so that positions stay those of `text`."""
    return "".join(_fold_char(c) for c in text)


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    base = unicodedata.normalize("NFKD", char)[0].lower()
    return base if len(base) == 1 else char


def words(folded: str) -> list[str]:
    """Letter words of folded text; an elided article ("l'orario") is dropped."""
    found = []
    for word in _WORD.findall(folded):
        plain = word.replace("’", "'")
        found.append(plain if plain in NEGATORS or plain in ALL_STOP else plain.rpartition("'")[2] or plain)
    return found


def stem(word: str, length: int) -> str:
    """A crude stem: final vowels and plural s removed, then cut to `length` letters."""
    base = word.rstrip("aeios")
    return (base if len(base) >= 3 else word)[:length]


def content_stems(folded: str, length: int) -> frozenset[str]:
    """Stems of the words that carry meaning: three letters or more, stop words of no language."""
    return frozenset(
        stem(w, length) for w in words(folded) if len(w) > 2 and w not in ALL_STOP and w not in NEGATORS
    )


def guess_language(folded: str) -> str | None:
    """The language with most stop words in the text; None when none leads clearly."""
    found = words(folded)
    votes = sorted(((sum(w in STOP[code] for w in found), code) for code in LANGUAGES), reverse=True)
    return votes[0][1] if votes[0][0] >= 2 and votes[0][0] > votes[1][0] else None


_NOT_WITHOUT = re.compile(
    r"\b(?:non|no|not|cannot|can't|don't|doesn't|won't|never|nao|nunca|mai)\b"
    r"(?:(?!\b(?:che|that|which|who|que|e|and|y|ma|but|pero|mas)\b)[^,;:.])*\b(?:senza|without|sin|sem)\b"
)

# "To receive no more messages write STOP" asks to write.
_PURPOSE = re.compile(r"\b(?:per non|para (?:nao|no)|in order not to|so as not to)\s+(?=\w)")


def polarity(folded: str, language: str | None) -> tuple[bool, frozenset[str]]:
    """Whether a clause affirms, and which opposites it speaks of (`#open` for both "open" and "closed").

    In Portuguese "no" is "in the" and negates nothing.
    """
    clause = _NOTHING_TO_PAY.sub(" gratis ", _PURPOSE.sub("", _OPENING.sub("", folded)))
    negations = int(
        any(w in NEGATORS or w in LACKING for w in words(clause))
        or (language != "pt" and bool(_NO.search(clause)))
    )
    # What lacks something is denied: without "non" the clause says the opposite, not the same.
    negations += int(bool(_NOT_WITHOUT.search(clause)))
    topics = set()
    for name, yes, no in OPPOSITES:
        if no.search(clause):
            negations += 1
            topics.add(name)
        elif yes.search(clause):
            topics.add(name)
    return negations % 2 == 0, frozenset(topics)


# What denies, in a wider sense than `polarity` counts: also "without", "too", "nothing", "sorry".
_DENIES = re.compile(
    r"\b(?:non|nessun\w*|mai|neanche|nemmeno|not|never|cannot|can'?t|don'?t|doesn'?t|isn'?t|aren'?t|"
    r"won'?t|didn'?t|"
    r"haven'?t|wouldn'?t|none|neither|nor|nunca|jamas|ningun\w*|tampoco|nao|nenhum\w*|jamais|nadie|"
    r"ninguem|nobody|"
    r"nothing|niente|nulla|nada|senza|without|sin|sem|unable|impossib\w*|beyond|too|troppo|demasiad\w*|sorry|"
    r"purtroppo|nem|ni|ne)\b"
)


def denials(folded: str, language: str | None) -> int:
    """How many words of a folded clause deny, answers ("no, …") and "at no cost" left out."""
    clause = _NOTHING_TO_PAY.sub(" gratis ", _OPENING.sub("", folded)).replace("’", "'")
    return len(_DENIES.findall(clause)) + (0 if language == "pt" else len(_NO.findall(clause)))


def without_opposites(folded: str) -> str:
    """The clause with the words of opposites blanked, since `polarity` names them for every language."""
    for _, yes, no in OPPOSITES:
        folded = no.sub(" ", yes.sub(" ", folded))
    return folded
