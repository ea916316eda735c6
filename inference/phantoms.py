"""What Whisper writes where nobody speaks: it was trained on subtitles, and silence there is full of credits.

Only a transcript that is nothing else counts: "grazie" at the end of a sentence is a customer's.
"""

import re

# Credits and farewells of subtitles and videos; the whole transcript, folded, must be one or several of them.
_CREDITS = (
    r"(?:sottotitoli|subtitles|subtitulos|legendas|legendado)(?: e revisione)?"
    r"(?: (?:creati|fatti|a cura|made|created|realizados|realizado|feitas|criadas))?"
    r"(?: (?:di|da|dalla|by|the|por|pela|la|a|comunita|comunidad|comunidade|community|de|of))*"
    r"(?: (?:amara org|qtss|luciano junior|\w+ \w+))?",
    r"amara org",
    r"(?:thanks|thank you)(?: so much)? for (?:watching|listening)(?: (?:and )?(?:please )?subscribe.*)?",
    r"(?:please )?(?:like and )?subscribe(?: to (?:my|the|our) channel)?",
    r"grazie (?:per la visione|per aver guardato(?: il video)?|a tutti per la visione)",
    r"iscriviti al (?:mio |nostro )?canale",
    r"gracias por (?:ver|mirar)(?: el video| este video)?",
    r"suscribete(?: al canal| a mi canal)?",
    r"obrigad[oa] por (?:assistir|ver)(?: o video)?",
    r"inscreva se(?: no canal)?",
)
_PHANTOM = re.compile(rf"(?:{'|'.join(_CREDITS)})(?: (?:{'|'.join(_CREDITS)}))*")
# [Musica], (música), *applause*: what subtitlers write for the hard of hearing.
_ASIDE = re.compile(r"[\[(*♪][^\])*♪]*[\])*♪]?")
_MUSIC = re.compile(r"[♪♫♬]|[\[(*]\s*(?:musi[ck]|m[uú]sica|song|canto|canzone|canción|canção)", re.IGNORECASE)
_FOLD = str.maketrans("àáâãèéêìíòóôõùúüçñ", "aaaaeeeiioooouuucn")
_NO_WORD = re.compile(r"[^a-z0-9]+")


def phantom(text: str) -> bool:
    """Whether a transcript is nothing but what Whisper writes on silence, or an aside about a sound."""
    words = _NO_WORD.sub(" ", _ASIDE.sub(" ", text).lower().translate(_FOLD)).strip()
    if not words:
        return bool(text.strip())
    return _PHANTOM.fullmatch(words) is not None


def only_music(text: str) -> bool:
    """Whether a transcript is nothing but notes or "[music]"."""
    return _MUSIC.search(text) is not None and not re.search(r"\w", _ASIDE.sub(" ", text))
