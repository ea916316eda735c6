"""What customers are likely to name: people and streets first, then services, in each language."""

from crm import businesses
from crm.vocabulary import MOST_WORDS, expected_words
from tests.crm.conftest import Book


async def test_people_streets_and_services_of_a_business(book: Book) -> None:
    async with book.crm.transaction(book.business_id) as tx:
        profile = await businesses.profile(tx)
        resources = await businesses.resources(tx)
    words = expected_words(profile, resources)
    assert list(words) == profile.business.languages
    people = [row.name for row in resources if row.kind == "person"]
    assert people
    for language, known in words.items():
        assert known[0] == profile.business.name
        assert set(people) <= set(known)
        assert profile.services[0].name(language, profile.language) in known
        assert known.index(people[0]) < known.index(profile.services[0].name(language, profile.language))
        assert len(known) == len(set(known)) <= MOST_WORDS
    streets = {place.address.split(",")[0].rstrip("0123456789 ") for place in profile.locations}
    assert streets <= set(words[profile.language])
    assert words["it"] != words["en"]


async def test_rooms_are_not_expected(book: Book) -> None:
    async with book.crm.transaction(book.business_id) as tx:
        profile = await businesses.profile(tx)
        resources = await businesses.resources(tx)
    rooms = {row.name for row in resources if row.kind == "room"}
    assert not rooms & set(expected_words(profile, resources)[profile.language])
