"""What a sentence states in words: things its sources never mention, and what they deny."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from inference.claims import Fact
from inference.grounding_concepts import keys, states_nothing
from inference.grounding_rows import Clause, Parsed, without_facts
from inference.grounding_words import denials, fold, words

_ABSTAINS = re.compile(
    r"\bnon (?:ho|trovo|dispongo|abbiamo|so|sono sicur|risult|posso confermare|sono in grado|mi risulta)|"
    r"\bnon lo so"
    r"|\b(?:i|we) (?:don['’]?t|do not|can['’]?t|cannot|couldn['’]?t) (?:have|know|find|confirm|see|say|tell)"
    r"|\b(?:i['’]?m|i am) (?:not (?:sure|able)|unable)|\bthere is no information"
    r"|\bno (?:tengo|encuentro|dispongo|se\b|puedo (?:confirmar|decir)|tenemos|me consta)"
    r"|\bnao (?:tenho|encontro|encontrei|sei|disponho|temos|consigo|posso (?:confirmar|dizer))"
)
_SPEAKS_OF_KNOWING = re.compile(
    r"\b(?:informa[czt]\w*|dat[oi]s?|dad[oa]s?|dettagli\w*|details?|detal[lh]\w*|indicazion\w*|certezza|"
    r"know|whether|se|if|si|su|sobre|about|"
    r"what|how|when|quest[aoe]|esto|eso|isso|isto|that|this|it|lo|confirm\w*|conferm\w*|tell|say|dir\w*|"
    r"dec\w*|diz\w*|pre[cz]z?[oi]\w*|pre[cç]o\w*|price\w*|orari\w*|horari\w*|hours?|sure|cert[oae]z?\w*|"
    r"segur[oa]|sicur[oa]|document\w*|fonti|sources?|fuentes)\b"
)
_ADDS = re.compile(
    r"\b(?:anche|inoltre|pure|also|too|besides|plus|as well|including|with|includ\w*|inclu[iy]\w*|tambien|"
    r"ademas|con|tambem|alem|com|compres\w*|comprend\w*|both|oltre|offr\w*|offer\w*|ofrec\w*|oferec\w*|"
    r"contien\w*|contem|contains?)\b"
)
_CONDITION = re.compile(
    r"^\W*(?:e |and |y |o |ou |pero |ma |mas |but )?(?:se|if|si|unless|qualora|in case)\s+\w"
)
_IF = {
    "it": re.compile(r"\bse (?!ne\b)"),
    "en": re.compile(r"\b(?:if|unless)\b"),
    "es": re.compile(r"\bsi \w"),
    "pt": re.compile(r"^\W*se \w|\bcaso\b"),
}
_REQUEST = re.compile(
    r"^\W*(?:e |and |y )?(?:mandami|mandaci|mi mandi|inviami|dimmi|dicci|mi dica|ci dica|mi faccia|fammi|"
    r"facci|scrivimi|scrivici|mi scriva|"
    r"ci scriva|send (?:me|us)|let (?:me|us) know|tell (?:me|us)|write (?:to )?(?:me|us)|dime|digame|"
    r"diganos|enviame|"
    r"envienos|mandame|mandenos|avisame|avisenos|escribenos|mande|envie|diga-me|diz-me|avise|escreva)\b"
)
_PIECES = re.compile(r"[,;:()—–]\s+|\s[-–—]\s")
_TOPICS = frozenset({"#open", "#included", "#free", "#allowed", "#required", "#available"})


def abstains(folded: str) -> bool:
    """Whether a piece of a sentence says that something is not known."""
    found = _ABSTAINS.search(folded)
    return bool(found) and bool(_SPEAKS_OF_KNOWING.search(folded[found.end() if found else 0 :]))


def stated(sentence: str, found: Sequence[Fact]) -> str:
    """The folded sentence without its values and without the pieces that only abstain or suppose."""
    folded = without_facts(fold(sentence), found)
    return " ".join(p for p in pieces(folded) if not abstains(p) and not conditional(p))


def pieces(folded: str) -> list[str]:
    """A sentence cut at its commas, brackets and dashes."""
    cuts = [0, *(m.end() for m in _PIECES.finditer(folded)), len(folded)]
    return [folded[a:b] for a, b in pairwise(cuts)]


def conditional(piece: str) -> bool:
    """Whether a piece only supposes or asks something of the customer: "if you also need a garage"."""
    return bool(_CONDITION.search(piece) or _REQUEST.search(piece))


def supposes(piece: str, language: str | None) -> bool:
    """Whether a piece holds only under a condition, which the sources may word as an exception."""
    return conditional(piece) or bool(language in _IF and _IF[language].search(piece))


def content(folded: str) -> list[str]:
    """The words of folded text that state something, each once."""
    return [word for word in dict.fromkeys(words(folded)) if not states_nothing(word)]


def unknown(folded: str, known: frozenset[str]) -> list[str]:
    """Words that tell of things the sources never mention; empty when there are too few to say so.

    One such word may be a paraphrase; two, or one that is most of what is said or that is announced as an
    addition ("also", "with"), bring something new.
    """
    telling = content(folded)
    new = [word for word in telling if not keys(word) & known]
    if len(new) >= 2 or len(new) * 2 > len(telling):
        return new
    return new if new and _added(folded, new[0]) else []


def _added(folded: str, word: str) -> bool:
    return announces(folded, max(0, folded.find(word)))


def announces(folded: str, at: int) -> bool:
    """Whether what stands at a position is told of as an addition: "we also have a sauna"."""
    before = folded[:at]
    return any(len(words(before[m.end() :])) <= 5 for m in _ADDS.finditer(before))


def denied(clause: Clause, entries: Iterable[Parsed], share: float = 0.0) -> bool:
    """Whether the clause of the sources that is nearest to this one says the opposite.

    With a `share`, only when the two have that much in common of what both say, or this one is all in it with
    a value.
    """
    if clause.limited:
        return False
    scores = {True: 0, False: 0}
    for parsed in entries:
        for own in parsed.clauses:
            shared = clause.stems & own.stems
            within = shared == clause.stems and any(one.startswith("=") for one in shared)
            close = within or len(shared) >= share * len(clause.stems | own.stems)
            if own.affirms != clause.affirms and not close:
                continue
            marked = bool(shared & _TOPICS)
            if len(shared) >= 2 and (marked or len(shared) * 2 >= len(clause.stems)):
                same = own.affirms == clause.affirms
                scores[same] = max(scores[same], len(shared))
    return scores[False] > scores[True]


_AWAY = re.compile(
    r"\b(?:aparte?|a parte|por fora|fuori|fuera|fora|altrove|elsewhere|otro lugar|outro lugar|at home|"
    r"a casa|porti|"
    r"bring|yours? (?:own|to)|propri[oae]s?|own|extra|leave|lasci\w+|dej\w+|deix\w+|separat\w*|"
    r"separad\w*|except|"
    r"tranne|salvo|menos|meno|before|prima|antes|just|solo|only|soltanto|apenas)\b"
)


def turns_away(folded: str, language: str | None) -> bool:
    """Whether a sentence denies, excepts or leaves to others, in whatever words."""
    return denials(folded, language) > 0 or bool(_AWAY.search(folded))


def only_denied(entries: Iterable[Parsed]) -> frozenset[str]:
    """What the sources mention only to deny it."""
    no: set[str] = set()
    yes: set[str] = set()
    for parsed in entries:
        for clause in parsed.clauses:
            (yes if clause.affirms or clause.limited else no).update(clause.stems)
    return frozenset(no - yes - _TOPICS)
