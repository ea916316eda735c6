"""Which words of an answer have nothing to do with its sources, by the vectors of single words.

The dictionary of `inference.grounding_concepts` cannot hold every trade's words. The sentence encoder has
seen sixteen languages: "umbrella" lies near "ombrello", though no dictionary of ours says so.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from inference.duet import SentenceEncoder
from inference.embed import Vector
from inference.grounding_concepts import plain_words
from inference.grounding_words import fold
from inference.wording import Wording, content_words

# Centred cosines. Words of two languages lie further apart than two of one, and a word that states nothing
# has close neighbours that state nothing either.
_NEAR = 0.35
_NEAR_ACROSS = 0.25
_NEAR_PLAIN = 0.6


class Kinship:
    """Nearness of words, remembered. Safe to call from several threads.

    Reads the encoder's weights and 640 words when built, about a second. Raises ModelMissing.
    """

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._wording = Wording(encoder)
        self._plain = self._wording.vectors(plain_words())

    def strangers(
        self, words: Sequence[str], sentence: str, texts: Sequence[str], *, across: bool
    ) -> list[str]:
        """Those of a sentence's folded words that are near no word of the texts and are not plain words.

        `across` when the sentence and the texts are in different languages.
        """
        accented = {fold(word): word for word in content_words(sentence)}
        asked = [accented.get(word, word) for word in words]
        told = list(dict.fromkeys(word for text in texts for word in _told(text)))
        if not asked or not told:
            return list(words)
        vectors = self._wording.vectors(asked)
        near = _nearest(vectors, self._wording.vectors(told)) >= (_NEAR_ACROSS if across else _NEAR)
        near |= _nearest(vectors, self._plain) >= _NEAR_PLAIN
        return [word for word, kin in zip(words, near.tolist(), strict=True) if not kin]


def _nearest(words: Vector, others: Vector) -> Vector:
    """The cosine of each word's nearest among the others; -1 when there are none."""
    return np.asarray((words @ others.T).max(axis=1, initial=-1))


@lru_cache(maxsize=512)
def _told(text: str) -> tuple[str, ...]:
    return tuple(content_words(text))
