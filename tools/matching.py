"""Which of the business's services and places a customer's words mean. Only what the record holds matches."""

import re
import unicodedata
from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache

from crm.businesses import LocationRow, Profile, Service
from inference.extract import ServiceNames, match_service

_WORD = re.compile(r"[^\W\d_]{3,}")
# Hours, dates and amounts are no part of a name, except a length: "rilassante 80 minuti".
_FIGURE = re.compile(r"\d+(?:[:.,/h]\d*)*(?!\d|\s*(?:'|min))")
_MOST_OF_NAME = 0.6  # of a service's name, weighted by how telling its words are
_CLEARLY = 0.05
_CHANCE = 0.3  # one service that shares less than this of its name shares a word by chance
_NEAR = 0.8  # "Lisbon" and "Lisbona" are near enough to "Lisboa"; "Milan" to "Milano"


def names_of(service: Service, languages: Collection[str]) -> ServiceNames:
    """A service's names in some languages, as the extractor reads them."""
    names = {language: given for language, given in service.names.items() if given and language in languages}
    return ServiceNames(
        key=service.row.key,
        names={language: given[0] for language, given in names.items()},
        aliases={language: tuple(given[1:]) for language, given in names.items()},
    )


def services_in(text: str, profile: Profile, language: str, *, at_least: float = 0.0) -> list[Service]:
    """The services a text means: one when it is plain, several when it may be any of them, best first.

    Names count in the customer's language and the business's own ones; those of further languages would
    bring false friends ("costano" is not "costas"). `at_least` is the share of a service's name that must
    have been said, 0..1.
    """
    if not text.strip():
        return []
    spoken = {language, *profile.business.languages}
    by_key = {service.row.key: service for service in profile.services}
    names = [names_of(service, spoken) for service in profile.services]
    matches = match_service(_FIGURE.sub(" ", text), names, language)
    best = max((match.score for match in matches), default=0.0)
    # Most of a name was said: services that only share some of its words are not meant.
    least = best - _CLEARLY if best >= _MOST_OF_NAME else 0.0
    found = [match for match in matches if match.score > least and match.score >= at_least]
    if len(found) == 1 and found[0].score < _CHANCE:
        return []
    return [by_key[match.key] for match in found]


def names_only(text: str, profile: Profile) -> bool:
    """Whether a text is nothing but the name of one of the services, in whatever language."""
    said = plain_words(text)
    return bool(said) and any(
        said <= _words_of_name(" ".join(names))
        for service in profile.services
        for names in service.names.values()
    )


def place_in(text: str, profile: Profile) -> LocationRow | None:
    """The one location whose city or own name a text mentions; None for none or several."""
    said = plain_words(text)
    shared = _shared_words(profile)
    found = []
    for place in profile.locations:
        words = _words_of_name(f"{place.city} {place.name}") - shared
        if any(get_close_matches(word, said, n=1, cutoff=_NEAR) for word in words):
            found.append(place)
    return found[0] if len(found) == 1 else None


def plain_words(text: str) -> frozenset[str]:
    """The words of a text without case and accents."""
    return frozenset(_WORD.findall(plain(text)))


def plain(text: str) -> str:
    """A text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@lru_cache(maxsize=2048)  # a business's own names are asked for in every turn; customers' words are not kept
def _words_of_name(name: str) -> frozenset[str]:
    return plain_words(name)


def _shared_words(profile: Profile) -> frozenset[str]:
    """Words every location has, such as the business's own name: they tell none apart."""
    sets = [_words_of_name(f"{place.city} {place.name}") for place in profile.locations]
    if len(sets) < 2:
        return _words_of_name(profile.business.name)
    return frozenset.intersection(*sets)
