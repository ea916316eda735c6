"""SARA's own sentences: one gettext catalogue per language, the English sentence being the key.

Where a business addresses its customers formally, a catalogue beside it (`it_formal.po`) holds the sentences
that are then worded otherwise; the rest is said as usual.
"""

import gettext
import io
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"
_FORMAL = "_formal"

Say = Callable[..., str]


class Phrases:
    """The catalogues. A language without one speaks English."""

    def __init__(
        self,
        catalogues: dict[str, gettext.GNUTranslations],
        formal: dict[str, gettext.GNUTranslations] | None = None,
    ) -> None:
        self._catalogues = catalogues
        self._formal = formal or {}

    @classmethod
    def load(cls, folder: Path = LOCALES) -> "Phrases":
        """Reads `<language>.po` files; they are compiled in memory, so there is nothing to build."""
        read = {file.stem: _compile(file) for file in sorted(folder.glob("*.po"))}
        plain = {name: catalogue for name, catalogue in read.items() if not name.endswith(_FORMAL)}
        formal = {name.removesuffix(_FORMAL): read[name] for name in read if name not in plain}
        for language, catalogue in formal.items():
            catalogue.add_fallback(plain[language])
        return cls(plain, formal)

    @property
    def languages(self) -> list[str]:
        """The languages there are catalogues for."""
        return sorted(self._catalogues)

    def say(self, language: str, sentence: str, /, **values: Any) -> str:
        """The sentence in `language`, its {placeholders} filled.

        A translation that names a placeholder the English sentence lacks raises KeyError; a test
        reads every catalogue for that.
        """
        return _said(self._catalogues.get(language), sentence, **values)

    def speaker(self, language: str, *, formal: Collection[str] = ()) -> Say:
        """`say` with the language filled in. `formal`: where a customer is spoken to, the languages in which
        the business calls them Lei or usted."""
        plain = self._catalogues.get(language)
        return partial(_said, self._formal.get(language, plain) if language in formal else plain)


def _said(catalogue: gettext.GNUTranslations | None, sentence: str, /, **values: Any) -> str:
    text = catalogue.gettext(sentence) if catalogue else sentence
    return text.format(**values) if values else text


def _compile(file: Path) -> gettext.GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem.removesuffix(_FORMAL))
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
