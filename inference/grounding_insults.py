"""Words nobody says to a customer, whatever the customer has said."""

import re

# None that is a plain word somewhere ("burro" is butter, "deficiente" a disabled person). One that a source
# holds all the same (a clown at a party) is no abuse: the caller looks.
_ABUSE = re.compile(
    r"\b(?:"
    # Italian
    r"idiot[aie]|cretin[oaie]|imbecill[ei]|stupid[oaie]|scem[oaie]|buffon[ei]|pagliacci[oa]?|coglion[eai]|"
    r"stronz[oaie]|bastard[oaie]|merda|vaffanculo|fanculo|(?:sta(?:i|tti)|stia) zitt[oa]|chiudi il becco|"
    r"taci|"
    # English
    r"idiots?|morons?|stupid|imbeciles?|clowns?|losers?|assholes?|bastards?|dumb(?:ass)?|shut (?:up|it)|"
    r"piss off|fuck(?:ing|er|ers)?|screw you|"
    # Spanish
    r"idiotas?|imbecil(?:es)?|estupid[oa]s?|tont[oa]s?|payas[oa]s?|gilipollas|cabron(?:es|a)?|mierda|"
    r"callate|callese|cierra (?:el pico|la boca)|"
    # Portuguese
    r"palhac[oa]s?|otari[oa]s?|babacas?|cala(?:-te| a boca)|cale-se|vai a merda"
    r")\b"
)


def abuse(folded: str) -> list[str]:
    """The words of abuse in a folded text, in order."""
    return _ABUSE.findall(folded)
