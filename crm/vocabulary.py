"""What a business's customers are likely to name when they speak: its people, its streets, its services."""

from collections.abc import Iterable, Sequence

from crm.businesses import Profile, ResourceRow

MOST_PEOPLE = 12
MOST_PLACES = 6
MOST_WORDS = 60  # more than any prompt for speech can carry


def expected_words(profile: Profile, resources: Sequence[ResourceRow]) -> dict[str, list[str]]:
    """Words by language of the business, what is hardest to guess by ear first.

    Names of people and streets come before services: they are in no dictionary.
    """
    people = [row.name for row in resources if row.kind == "person"][:MOST_PEOPLE]
    places = [_street(place.address) for place in profile.locations][:MOST_PLACES]
    names = [profile.business.name, *people, *places, *(place.city for place in profile.locations)]
    return {
        language: _once([*names, *(s.name(language, profile.language) for s in profile.services)])
        for language in profile.business.languages
    }


def _street(address: str) -> str:
    """The street of an address, without numbers: a number in a prompt would invite numbers."""
    words = address.split(",", maxsplit=1)[0].split()
    return " ".join(word for word in words if not any(letter.isdigit() for letter in word))


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))[:MOST_WORDS]
