"""What a business takes from its vertical comes back from the record as it was entered."""

import pytest

from crm import businesses, packs
from crm.record import Crm
from knowledge.business_file import load_business, seed_files
from sara import seed

SLUGS = ("aurora", "conti", "costa-azul")


@pytest.mark.parametrize("slug", SLUGS)
async def test_a_pack_is_read_as_it_was_written(crm: Crm, slug: str) -> None:
    business = next(b for b in seed.seeds() if b.slug == slug)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, slug)
    async with crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
    assert profile.pack == seed.entry_of(business).pack
    assert profile.persona == business.personas
    assert profile.thresholds == pytest.approx(business.thresholds)
    assert list(profile.house_rules) == sorted(business.languages)


async def test_entering_again_replaces_the_whole(crm: Crm) -> None:
    path = next(path for path in seed_files() if path.stem == "conti")
    entry = seed.entry_of(load_business(path))
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "conti")
    async with crm.as_owner() as tx:
        await packs.put(tx, business_id, packs.Pack(intents_off=frozenset({"open_ticket"})))
    async with crm.transaction(business_id) as tx:
        pack = (await businesses.profile(tx)).pack
        assert (pack.intents_off, pack.topics, pack.questions) == (frozenset({"open_ticket"}), [], {})
    await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        assert (await businesses.profile(tx)).pack == entry.pack
