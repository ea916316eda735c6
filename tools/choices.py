"""Which of a question's options the customer's words choose: by what they tell, never by function words."""

import re
from collections.abc import Mapping

from tools.matching import plain

_STEM = 5  # letters
_REACH = 4  # words a negation goes on for: "non è per i capelli"
_WORD = re.compile(r"[^\W_]+")
_CLAUSE = re.compile(r"[,.;:!?\n()]|\b(?:ma|but|pero|sino|mas|bensi)\b")
_GREETING = re.compile(
    r"\b(?:buon[ao]? ?(?:giorno|sera|notte|pomeriggio|mattina|giornata|serata)"
    r"|good (?:morning|afternoon|evening|night|day)|buen(?:as|os) (?:dias|tardes|noches)"
    r"|bo[am] (?:dia|tarde|noite))\b"
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NOT = _set(
    "non not no nao don dont doesn isn never sin sem senza without nessuna nessun ninguna ningun "
    "nenhuma nenhum mai nunca niente nada"
)
_IN_THE = "no"  # "no Porto": Portuguese for "in the"
_FUNCTION = _NOT | _set(
    "il lo la gli le un uno una dei del dello della delle degli dal dalla nel nella al allo alla alle "
    "ai agli sul sulla con per tra fra che chi cui sono sei era mio mia miei mie tuo tua suo sua suoi "
    "sue noi voi loro mi me te se io tu lui lei questo questa quello quella altro altra altri altre "
    "cosa qualcosa the an of for with at to and or on in is it its are was be this that these those "
    "my your his her our their you he she we they him them another other others something else some "
    "any el los las unos unas de en para por y o u es son mis tus su sus yo ella nosotros este esta "
    "esto ese esa eso otro otra otros otras algo os as um uma uns umas do da dos das ao aos na nos "
    "nas com pelo pela pelos pelas meu minha meus minhas teu seu mim eu ele ela isto isso aquele "
    "aquela outro outra outros outras coisa sao"
)
_AROUND = _set(
    "e it s is its es eh ok si sim yes solo just only so please thanks grazie gracias obrigado obrigada"
)


def chosen(titles: Mapping[str, str], text: str, language: str, *, unasked: bool) -> str | None:
    """The one option whose title shares most telling words with the text and has fewest besides.

    None for a tie. What is negated is chosen by nothing but a title that says so itself ("non è per i
    capelli"). A title of function words alone ("per me") is chosen by itself alone. Unasked, all of a
    title must have been said.
    """
    said, denied = _told(_GREETING.sub(" ", plain(text)), language)
    whole = _words(text) - _AROUND
    scores: dict[str, tuple[int, int]] = {}
    for option, title in titles.items():
        wanted, refused = _told(plain(title), language)
        telling, heard = (refused, denied) if refused else (wanted, said)
        if not telling and whole == _words(title) - _AROUND:
            return option
        if telling & heard and not (unasked and telling - heard):
            scores[option] = (len(telling & heard), -len(telling - heard))
    best = [option for option, score in scores.items() if score == max(scores.values())]
    return best[0] if len(best) == 1 else None


def _told(text: str, language: str) -> tuple[set[str], set[str]]:
    """The stems of what a text says and of what it denies."""
    said, denied = set[str](), set[str]()
    negations = _NOT - {_IN_THE} if language.startswith("pt") else _NOT
    for clause in _CLAUSE.split(text):
        words = _WORD.findall(clause)
        for at, word in enumerate(words):
            if len(word) < 3 or word in _FUNCTION:
                continue
            before = words[max(0, at - _REACH) : at]
            (denied if negations.intersection(before) else said).add(word[:_STEM])
    return said, denied


def _words(text: str) -> set[str]:
    return set(_WORD.findall(plain(text)))
