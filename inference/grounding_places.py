"""Names that every language spells its own way: countries, languages and cities, from the CLDR (Babel).

https://cldr.unicode.org: territories, languages and the exemplar cities of time zones.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache

from babel import Locale

from inference.grounding_concepts import cognate
from inference.grounding_words import fold

_LANGUAGES = ("it", "en", "es", "pt", "pt_PT")
_SHORTEST = 4
_COGNATE = 6  # letters from which two words of one cognate stem are taken for one name


@lru_cache(maxsize=1)
def _codes() -> dict[str, frozenset[str]]:
    """What each name of one word is the name of."""
    found: dict[str, set[str]] = {}
    locales = [Locale.parse(language) for language in _LANGUAGES]
    zones = {str(zone) for locale in locales for zone in locale.time_zones}
    for locale in locales:
        for code, name in _named(locale, zones):
            folded = fold(name)
            if folded.isalpha() and len(folded) >= _SHORTEST:
                found.setdefault(folded, set()).add(code)
    return {name: frozenset(codes) for name, codes in found.items()}


def _named(locale: Locale, zones: Collection[str]) -> Iterator[tuple[str, str]]:
    yield from ((f"territory {code}", name) for code, name in locale.territories.items())
    yield from ((f"language {code}", name) for code, name in locale.languages.items())
    for zone in zones:
        # The CLDR names a city only where the zone's own name is not it already.
        named = locale.time_zones.get(zone, {}).get("city")
        yield f"city {zone}", named or zone.rpartition("/")[2].replace("_", " ")


def translates(part: str, words: Collection[str]) -> bool:
    """Whether a folded name stands among the folded words of a text in another language: Lisbona for Lisboa,
    Japão for Japan, "Flessibile" for "Flexible"."""
    codes = _codes().get(part, frozenset())
    stem = cognate(part) if len(part) >= _COGNATE else None
    return any(
        (codes and not codes.isdisjoint(_codes().get(word, frozenset())))
        or (stem is not None and len(word) >= _COGNATE and cognate(word) == stem)
        for word in words
    )
