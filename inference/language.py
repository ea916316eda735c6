"""Which language a message is in, sticky to the conversation: short or doubtful text does not change it."""

import asyncio
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

# By lingua's names. French and German are told apart too, so that they are not mistaken for one of the four.
CANDIDATES = {
    "it": "ITALIAN",
    "en": "ENGLISH",
    "es": "SPANISH",
    "pt": "PORTUGUESE",
    "fr": "FRENCH",
    "de": "GERMAN",
}
# The languages SARA speaks.
LANGUAGES = ("it", "en", "es", "pt")
_CODES = {name: code for code, name in CANDIDATES.items()}
# What carries no language: links, addresses, numbers, emoji, punctuation.
_NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[\W\d_]+")
MAX_CHARS = 600
# Under this many letters lingua is right too seldom to overrule a conversation (98 % from 12 on).
SHORT = 12
# The share of belief another language needs to take over a conversation: short text needs more.
SWITCH_LONG = 0.6
SWITCH_SHORT = 0.9
# A language outside the business's own is reported only when nearly certain.
FOREIGN = 0.85


# Letters tell little of a hello: "Hello" alone is Italian to lingua, "Olá" Spanish.
_COURTESIES = {
    "it": "ciao salve buongiorno buonasera buon buona giorno sera pomeriggio grazie mille scusi scusa",
    "en": "hello hi hey hiya good morning afternoon evening day thanks thank you there everyone all",
    "es": "hola buenas buenos buen días dias día tardes noches gracias muchas muy qué tal",
    "pt": "olá oi oie bom boa dia tarde noite tudo bem obrigado obrigada muito",
}
_POLITE = {language: frozenset(words.split()) for language, words in _COURTESIES.items()}


@dataclass(frozen=True)
class LanguageGuess:
    """A two-letter code and 0..1 how sure; 0 when the text says nothing and the code is only inherited."""

    language: str
    confidence: float


class LanguageIdentifier:
    """lingua over six languages, loaded on first use (seconds, about 170 MB): call `warm_up` at start."""

    def __init__(self) -> None:
        self._detector: LanguageDetector | None = None
        self._loading = threading.Lock()

    async def warm_up(self) -> None:
        """Load the models in a thread."""
        await asyncio.to_thread(lambda: self.detect("buongiorno a tutti voi", allowed=("it",), prior=None))

    def detect(self, text: str, *, allowed: Sequence[str], prior: str | None) -> LanguageGuess:
        """Language of `text`, preferring `prior` (the conversation's), then `allowed` (the business's).

        A language outside `allowed` is returned only for a long text in which it is nearly certain.
        Raises ValueError when neither `prior` nor `allowed` names a language.
        """
        if not allowed and prior is None:
            raise ValueError("name at least one allowed language or a prior")
        inherited = prior if prior is not None else allowed[0]
        words = " ".join(_NOT_WORDS.sub(" ", text[:MAX_CHARS]).split())
        if len(words) < 2:
            return LanguageGuess(inherited, 0.0)
        if (polite := _by_courtesy(words.casefold().split(), prior)) is not None:
            return polite
        return _choose(self._beliefs(words), len(words), allowed, prior)

    def _beliefs(self, words: str) -> dict[str, float]:
        values = self._load().compute_language_confidence_values(words)
        return {_CODES[value.language.name]: value.value for value in values}

    def _load(self) -> "LanguageDetector":
        from lingua import Language, LanguageDetectorBuilder

        with self._loading:
            if self._detector is None:
                builder = LanguageDetectorBuilder.from_languages(
                    *(getattr(Language, name) for name in CANDIDATES.values())
                )
                self._detector = builder.with_preloaded_language_models().build()
            return self._detector


def _by_courtesy(words: Sequence[str], prior: str | None) -> LanguageGuess | None:
    """What a mere greeting tells. One word does not change a conversation: "ciao" is said in many."""
    if prior is not None and len(words) < 2:
        return None
    found = [language for language, polite in _POLITE.items() if polite.issuperset(words)]
    return LanguageGuess(found[0], 1.0) if len(found) == 1 else None


def _choose(
    beliefs: dict[str, float], letters: int, allowed: Sequence[str], prior: str | None
) -> LanguageGuess:
    """Pick a code from lingua's beliefs, by the rules of `LanguageIdentifier.detect`."""
    top = max(beliefs, key=lambda code: beliefs[code])
    known = {code: beliefs.get(code, 0.0) for code in (*allowed, *([prior] if prior else []))}
    if top not in known and letters >= 2 * SHORT and beliefs[top] >= FOREIGN:
        return LanguageGuess(top, beliefs[top])
    best = max(known, key=lambda code: known[code])
    share = known[best] / (sum(known.values()) or 1.0)
    if prior is None or best == prior:
        return LanguageGuess(best, known[best])
    needed = SWITCH_LONG if letters >= SHORT else SWITCH_SHORT
    return LanguageGuess(best, known[best]) if share >= needed else LanguageGuess(prior, known[prior])
