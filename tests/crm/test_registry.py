"""Entering a business again brings it up to date, and takes nothing away that was not in its file."""

from datetime import timedelta
from pathlib import Path

import yaml

from crm import appointments, businesses, contacts, conversations, registry, template_book
from crm.record import Crm
from crm.slots import free_slots
from knowledge.business_file import seed_files
from sara import seed


def file_of(folder: Path, slug: str, number: str, *changes: tuple[str, str]) -> Path:
    """Aurora's file under another slug and number."""
    text = next(path for path in seed_files() if path.stem == "aurora").read_text(encoding="utf-8")
    for old, new in (("slug: aurora", f"slug: {slug}"), ('"1001"', f'"{number}"'), *changes):
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{slug}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


async def test_a_number_that_was_corrected_is_gone_unless_somebody_wrote_to_it(
    crm: Crm, tmp_path: Path
) -> None:
    business_id, _ = await seed.enter(crm, file_of(tmp_path, "riviera", "7001"))
    await seed.enter(crm, file_of(tmp_path, "riviera", "7002"))

    async def numbers() -> list[str]:
        async with crm.transaction(business_id) as tx:
            return [number.phone_number_id for number in await businesses.numbers(tx)]

    assert await numbers() == ["7002"]
    async with crm.transaction(business_id) as tx:
        contact_id = await contacts.seen(tx, wa_id="393850000001", bsuid=None, name="Anna")
        conversation_id = await conversations.open_for(tx, contact_id, "7002")
        await conversations.customer_wrote(tx, conversation_id, tx.now)
    await seed.enter(crm, file_of(tmp_path, "riviera", "7000"))
    assert await numbers() == ["7000", "7002"]
    async with crm.transaction(business_id) as tx:
        stranger = await contacts.seen(tx, wa_id="393850000002", bsuid=None, name="Ada")
        assert await businesses.number_to_tell(tx, contact_id) == "7002"
        assert await businesses.number_to_tell(tx, stranger) == "7000"


async def test_templates_named_by_an_operator_stay(crm: Crm, tmp_path: Path) -> None:
    path = file_of(tmp_path, "levante", "7011")
    business_id, _ = await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        before = await template_book.uses(tx)
        await template_book.use(tx, "write_again", "it", "di_nuovo", "it")
    path.write_text(path.read_text("utf-8") + "\n# corrected\n", "utf-8")
    await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        after = {(use.purpose, use.language): use.name for use in await template_book.uses(tx)}
    assert after == {
        **{(use.purpose, use.language): use.name for use in before},
        ("write_again", "it"): "di_nuovo",
    }


async def test_one_address_is_one_person_however_it_is_spelt(crm: Crm, tmp_path: Path) -> None:
    path = file_of(tmp_path, "ponente", "7021", ("@aurora-benessere.example", "@ponente.example"))
    business_id, _ = await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        before = {agent.agent_id: agent.email for agent in await businesses.agents(tx)}
    path.write_text(path.read_text("utf-8").replace("@ponente.example", "@Ponente.Example"), "utf-8")
    await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        assert {agent.agent_id: agent.email for agent in await businesses.agents(tx)} == before
    async with crm.as_owner() as tx:
        whose = next(iter(before.values()))
        assert (await registry.new_token(tx, whose.upper())).startswith("sara_")


async def test_what_the_file_has_no_more_is_not_offered_and_stays_for_its_appointments(
    crm: Crm, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "tramonto", "7031")
    whole = yaml.safe_load(path.read_text("utf-8"))
    business_id, _ = await seed.enter(crm, path)
    gone, place = "massaggio_rilassante", whole["locations"][0]["key"]
    async with crm.transaction(business_id) as tx:
        before = await businesses.profile(tx)
        # Accepted from a price list, and so not the file's to take away.
        listed = {"language": "it", "duration_minutes": None, "price": 12, "price_max": None}
        await tx.run("fact_service", subject="tisana", subject_name="Tisana", price_unit="session", **listed)
        contact_id = await contacts.seen(tx, wa_id="393850000031", bsuid=None, name="Anna")
        service = before.service(gone)
        assert service is not None
        [slot, *_] = await free_slots(
            tx, service.row.service_id, since=tx.now, until=tx.now + timedelta(days=14), most=1
        )
        await appointments.book(
            tx,
            contact_id=contact_id,
            conversation_id=None,
            service_id=service.row.service_id,
            resource_id=slot.resource_id,
            starts=slot.starts,
            ends=slot.ends,
            price=service.row.price,
            idempotency_key="tramonto",
        )
    whole["services"] = [one for one in whole["services"] if one["key"] != gone]
    for resource in whole["resources"]:
        resource["skills"] = [skill for skill in resource["skills"] if skill != gone]
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), "utf-8")
    await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
        still = await registry.still_booked(tx)
        [row] = await appointments.of_contact(tx, contact_id)
    assert profile.service(gone) is None
    assert profile.service("tisana") is not None
    assert {s.row.key for s in profile.services} == {s.row.key for s in before.services} - {gone} | {"tisana"}
    assert still == [registry.StillBooked(gone, 1)]
    booked = profile.booked_service(row.service_key)
    assert booked is not None
    assert booked.name("it", "it") == "Massaggio rilassante"
    assert profile.names("it")[gone] == "Massaggio rilassante"
    assert [one.key for one in profile.left] == []
    # Entered once more it is on offer again, with the same id.
    await seed.enter(crm, file_of(tmp_path, "tramonto", "7031"))
    async with crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
    again = profile.service(gone)
    assert again is not None
    assert again.row.service_id == service.row.service_id
    assert profile.retired == []
    assert place in [one.key for one in profile.locations]


async def test_a_place_the_business_has_left_is_not_told_any_more(crm: Crm, tmp_path: Path) -> None:
    path = file_of(tmp_path, "maestrale", "7041")
    whole = yaml.safe_load(path.read_text("utf-8"))
    second = {**whole["locations"][0], "key": "second", "name": "Second house", "address": "Via Nuova 2"}
    both = {**whole, "locations": [*whole["locations"], second]}
    path.write_text(yaml.safe_dump(both, allow_unicode=True, sort_keys=False), "utf-8")
    business_id, _ = await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        assert len((await businesses.profile(tx)).locations) == 2
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), "utf-8")
    await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
    assert [one.key for one in profile.locations] == [whole["locations"][0]["key"]]
    assert [one.key for one in profile.left] == ["second"]
    known = profile.place(profile.left[0].location_id)
    assert known is not None
    assert known.address == "Via Nuova 2"
