"""Entering a business again brings it up to date, and takes nothing away that was not in its file."""

from pathlib import Path

from crm import businesses, contacts, conversations, registry, template_book
from crm.record import Crm
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
