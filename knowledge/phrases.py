"""SARA's own sentences: one gettext catalogue per language, the English sentence being the key."""

import gettext
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locales"

Say = Callable[..., str]


class Phrases:
    """The catalogues. A language without one speaks English."""

    def __init__(self, catalogues: dict[str, gettext.GNUTranslations]) -> None:
        self._catalogues = catalogues

    @classmethod
    def load(cls, folder: Path = LOCALES) -> "Phrases":
        """Reads `<language>.po` files; they are compiled in memory, so there is nothing to build."""
        return cls({file.stem: _compile(file) for file in sorted(folder.glob("*.po"))})

    @property
    def languages(self) -> list[str]:
        """The languages there are catalogues for."""
        return sorted(self._catalogues)

    def say(self, language: str, sentence: str, /, **values: Any) -> str:
        """The sentence in `language`, its {placeholders} filled.

        A translation that names a placeholder the English sentence lacks raises KeyError; a test
        reads every catalogue for that.
        """
        catalogue = self._catalogues.get(language)
        text = catalogue.gettext(sentence) if catalogue else sentence
        return text.format(**values) if values else text

    def speaker(self, language: str) -> Say:
        """`say` with the language filled in."""
        return partial(self.say, language)


def _compile(file: Path) -> gettext.GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
