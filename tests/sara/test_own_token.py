"""A business with an account of its own at Meta: its own token is used, not the installation's."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from crm import accounts, businesses
from sara import services
from sara.audio_key import SECRETS, own_keys
from sara.commands import doctor, template
from sara.commands.desk import desk_of
from sara.commands.findings import Finding
from sara.local import Local
from sara.settings import load

ACCOUNT = "200000000000001"  # the simulator's only one


async def give(whole: Local, slugs: Sequence[str], token: str | None) -> None:
    """Gives every number of these businesses a token of its own, or takes it away."""
    seal = services.secrets_seal(whole.settings)
    assert seal is not None
    sealed = seal.close(token.encode()) if token else None
    for slug in slugs:
        async with whole.crm.outside() as tx:
            business_id = await businesses.of_slug(tx, slug)
        async with whole.crm.transaction(business_id) as tx:
            numbers = await accounts.listed(tx)
        async with whole.crm.as_owner() as tx:
            for number in numbers:
                assert await accounts.set_token(tx, business_id, number.phone_number_id, sealed)


@pytest_asyncio.fixture(loop_scope="session")
async def own(whole: Local, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The good token, which conti's number has; the installation has none."""
    good = whole.settings.whatsapp_access_token.get_secret_value()
    monkeypatch.setenv("SARA_DATABASE_URL", whole.dsn)
    monkeypatch.setenv("SARA_SECRET_KEY", ",".join(own_keys(whole.settings.data_dir, SECRETS)))
    monkeypatch.setenv("SARA_WHATSAPP_BASE_URL", whole.settings.whatsapp_base_url)
    monkeypatch.setenv("SARA_WHATSAPP_APP_SECRET", "secret")
    monkeypatch.setenv("SARA_WHATSAPP_VERIFY_TOKEN", "verify")
    monkeypatch.setenv("SARA_WHATSAPP_ACCESS_TOKEN", "")
    await give(whole, ["conti"], good)
    yield good
    await give(whole, ["aurora", "conti", "costa-azul"], None)


async def test_templates_are_fetched_with_it(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_WHATSAPP_ACCESS_TOKEN", "another-account's")
    async with desk_of("conti") as desk:
        assert isinstance(await template._fetched(desk, ACCOUNT), list)
        number = (await _listed(desk.crm, desk.business_id))[0].phone_number_id
        async with desk.crm.as_owner() as tx:
            await accounts.set_waba(tx, desk.business_id, number, ACCOUNT)
        assert isinstance(await template._fetched(desk, ACCOUNT), list), "known to be that account's"


async def _listed(crm, business_id: int) -> list[accounts.AccountRow]:
    async with crm.transaction(business_id) as tx:
        return await accounts.listed(tx)


def _number(found: Sequence[Finding], phone_number_id: str) -> Finding:
    [finding] = [one for one in found if one.detail.startswith(phone_number_id)]
    return finding


async def test_the_doctor_asks_with_it_and_misses_only_what_is_needed(
    own: str, whole: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, conti = await doctor._whatsapp(load())
    assert (missing.state, missing.detail) == ("warning", "not set: SARA_WHATSAPP_ACCESS_TOKEN")
    assert (conti.state, conti.detail.partition(":")[0]) == ("ok", "1002")
    assert "its own token" in conti.detail
    await give(whole, ["aurora", "costa-azul"], own)
    found = await doctor._whatsapp(load())
    assert [one.state for one in found] == ["ok"] * 3, "no number needs the installation's token"
    await give(whole, ["aurora", "costa-azul"], None)
    monkeypatch.setenv("SARA_WHATSAPP_ACCESS_TOKEN", own)
    monkeypatch.delenv("SARA_SECRET_KEY")
    found = await doctor._whatsapp(load())
    assert _number(found, "1001").state == _number(found, "1003").state == "ok"
    assert (_number(found, "1002").state, "SARA_SECRET_KEY" in _number(found, "1002").mend) == (
        "failed",
        True,
    )
