"""Who looked at whose data, who came in, who changed what: written down, readable, never changed."""

import csv
import io
import secrets
from datetime import timedelta

import httpx
import psycopg
import pytest
import pytest_asyncio

from api.console.access import COOKIE
from crm import businesses, conversations, logins, registry, trail
from crm.errors import RecordUnavailable
from crm.trail import OPERATOR, Reader
from tests.api.house import PASSWORD, House, Person, person
from tests.api.looking import customer, looks
from tests.sara.conftest import Cli, bare

__all__ = ["bare"]

JSON = {"Accept": "application/json"}
LANGUAGES = ("en", "it", "es", "pt")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nora(house: House) -> Person:
    """Somebody whose looks are nobody else's."""
    return await person(house.crm, house.business, "agent", "Nora Guarda")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ada(house: House) -> Person:
    return await person(house.crm, house.business, "admin", "Ada Vede")


@pytest.fixture
def still(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time stands, so that no look falls into the next stretch of it."""
    now = house.crm.clock()
    monkeypatch.setattr(house.crm, "clock", lambda: now)


@pytest.mark.usefixtures("still")
async def test_what_an_agent_sees_of_a_customer_is_written_down_once(
    house: House, web: httpx.AsyncClient, nora: Person
) -> None:
    things, base = house.things, f"/console/{house.business}"
    talk, message, contact = things["conversation_id"], things["message_id"], things["contact_id"]
    [hangs_on] = await house.rows("SELECT contact_id FROM message WHERE message_id = %s", message)
    [talks_with] = await house.rows("SELECT contact_id FROM conversation WHERE conversation_id = %s", talk)
    seen = {
        f"{base}/c/{talk}": ("conversation", talks_with["contact_id"], talk),
        f"{base}/contacts/{contact}": ("contact", contact, None),
        f"{base}/contacts": ("contacts", None, None),
        f"{base}/calendar": ("calendar", None, None),
        f"{base}/undelivered": ("undelivered", None, None),
        f"{base}/audio/{message}": ("recording", hangs_on["contact_id"], message),
        f"{base}/media/{message}": ("file", hangs_on["contact_id"], message),
        f"{base}/why/{message}": ("sources", hangs_on["contact_id"], message),
    }
    for path in (*seen, *seen, f"{base}/file/{message}"):  # the second time is the same look
        answer = await web.get(path, headers=nora.headers)
        assert answer.status_code == 200, (path, answer.text[:200])
    rows = await looks(house, nora)
    assert [
        (row["what"], row["contact_id"], row["subject_id"]) for row in rows if row["what"] != "queue"
    ] == [*seen.values()]
    assert {(row["via"], row["address"]) for row in rows} == {("console", "127.0.0.1")}
    # Nothing is written down of what was not shown.
    before = len(rows)
    for path in ("c/999999999", "contacts/999999999", "audio/999999999", f"contacts/{contact}/export"):
        assert (await web.get(f"{base}/{path}", headers=nora.headers)).status_code == 404
    assert len(await looks(house, nora)) == before


@pytest.mark.usefixtures("still")
async def test_a_search_is_written_down_by_whom_it_showed_and_not_by_its_words(
    house: House, web: httpx.AsyncClient, nora: Person
) -> None:
    name = f"Quirina{secrets.token_hex(4)}"
    found = {await customer(house, f"{name} {last}") for last in ("Uno", "Due")}
    for asked in (name, f"{name} Uno", "nobodyiscalledthis"):
        path = f"/console/{house.business}/contacts?q={asked}"
        assert (await web.get(path, headers=nora.headers)).status_code == 200
    rows = [row for row in await looks(house, nora) if row["what"] == "search"]
    assert {row["contact_id"] for row in rows} == {*found, None}
    assert len(rows) == 3
    everything = await house.rows("SELECT access_log::text AS row FROM access_log")
    assert not [row for row in everything if name in row["row"]]


@pytest.mark.usefixtures("still")
async def test_a_program_with_a_token_is_written_down_too(
    house: House, web: httpx.AsyncClient, ada: Person
) -> None:
    things, base = house.things, f"/api/businesses/{house.business}"
    for path in ("handoffs", f"handoffs/{things['handoff_id']}", f"messages/{things['message_id']}/audio"):
        assert (await web.get(f"{base}/{path}", headers=ada.headers)).status_code == 200
    [talk] = await house.rows(
        "SELECT conversation_id FROM handoff WHERE handoff_id = %s", things["handoff_id"]
    )
    rows = await looks(house, ada)
    assert [(row["what"], row["subject_id"], row["via"]) for row in rows] == [
        ("queue", None, "api"),
        ("conversation", talk["conversation_id"], "api"),
        ("recording", things["message_id"], "api"),
    ]


async def test_the_application_can_neither_change_nor_delete_what_was_written_down(house: House) -> None:
    for statement in (
        "UPDATE access_log SET address = ''",
        "DELETE FROM access_log",
        "TRUNCATE access_log",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with house.crm.transaction(house.business_id) as tx:
                await tx.connection.execute(statement)
    # Nor may it write that somebody did something at every business, but for logins.
    before = await house.rows("SELECT count(*) AS n FROM access_log")
    async with house.crm.outside() as tx:
        who = Reader(house.people["admin"][0].agent_id, "console")
        await trail.entered(tx, who, "export", who.agent_id or 0)  # type: ignore[arg-type]
    assert await house.rows("SELECT count(*) AS n FROM access_log") == before


async def test_who_comes_in_and_who_gets_other_means_to(house: House, web: httpx.AsyncClient) -> None:
    irma = await person(house.crm, house.business, "agent", "Irma Entra")
    form = {"email": irma.email.upper(), "password": PASSWORD}
    wrong = await web.post("/console/login", data={**form, "password": "not this one"}, headers=JSON)
    assert wrong.status_code == 401
    right = await web.post("/console/login", data=form)
    assert right.status_code == 303
    async with house.crm.outside() as tx:
        session = await logins.session(tx, right.cookies[COOKIE])
    assert session is not None
    out = await web.post("/console/logout", data={"csrf": session.csrf})
    assert out.status_code == 303
    async with house.crm.as_owner() as tx:
        await logins.disable(tx, irma.email)
    rows = await house.rows(
        "SELECT what, agent_id, via, detail FROM access_log WHERE subject_id = %s AND business_id = %s"
        " AND what IN ('login', 'login_failed', 'logout', 'password', 'token', 'disabled', 'membership')"
        " ORDER BY access_log_id",
        irma.agent_id,
        house.business_id,
    )
    mine = (irma.agent_id, "console", "")
    assert [(row["what"], row["agent_id"], row["via"], row["detail"]) for row in rows] == [
        ("membership", None, "terminal", "agent"),
        ("password", None, "terminal", ""),
        ("token", None, "terminal", ""),
        ("login", *mine),
        ("login_failed", *mine),
        ("login", *mine),
        ("logout", *mine),
        ("disabled", None, "terminal", ""),
    ]
    await house.rows("DELETE FROM login_failure")


@pytest.mark.usefixtures("still")
async def test_the_page_shows_looks_changes_and_logins_and_filters_them(
    house: House, web: httpx.AsyncClient, nora: Person, ada: Person
) -> None:
    base, talk = f"/console/{house.business}", house.things["conversation_id"]
    contact = await customer(house, "Ottavia <b>Filtro</b>")
    assert (await web.get(f"{base}/contacts/{contact}", headers=nora.headers)).status_code == 200
    noted = {"csrf": nora.csrf, "text": "Richiamare"}
    assert (await web.post(f"{base}/c/{talk}/note", data=noted, headers=nora.headers)).status_code == 303
    patience = {"lead_time_minutes": "61", "cancel_notice_hours": "24", "unanswered_minutes": "15"}
    patience |= {"due_soon_minutes": "60", "dormant_after_days": "181", "csrf": ada.csrf}
    changed = await web.post(f"{base}/settings/patience", data=patience, headers=ada.headers)
    assert changed.status_code == 303

    async def page(path: str = "", **language: str) -> str:
        answer = await web.get(
            f"{base}/trail{path}", headers={**ada.headers, "Accept-Language": "en", **language}
        )
        assert answer.status_code == 200, answer.text[:300]
        return answer.text

    whole = await page()
    assert "opened the customer&#39;s card" in whole
    assert "Ottavia &lt;b&gt;Filtro&lt;/b&gt;" in whole
    assert "wrote a note" in whole
    assert "changed a setting" in whole
    assert "logged in" in whole
    hers = await page(f"?agent={nora.agent_id}")
    assert "opened the customer" in hers
    assert "changed a setting" not in hers
    about = await page(f"?contact=%23{contact}&agent={nora.agent_id}")
    assert about.count("<tr>") == 2  # its heading, and one look
    assert "opened the customer" not in await page("?from=2020-01-01&to=2020-02-01")
    for wrong in ("?contact=%23999999999", "?from=2026-02-30", "?contact=%00"):
        answer = await web.get(f"{base}/trail{wrong}", headers=ada.headers)
        assert answer.status_code in (200, 422), wrong
        assert answer.status_code == 422 or wrong.endswith("%00"), wrong
    for code in LANGUAGES:
        assert "</table>" in await page(**{"Accept-Language": code})

    sheet = await web.get(f"{base}/trail.csv?contact=%23{contact}", headers=ada.headers)
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    [line] = csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig")))
    assert (line["kind"], line["what"], line["agent"], line["contact_id"], line["via"], line["address"]) == (
        "look",
        "contact",
        "Nora Guarda",
        str(contact),
        "console",
        "127.0.0.1",
    )
    rows = await looks(house, ada)
    assert [row["what"] for row in rows if row["what"] == "trail"] == ["trail"]  # who audits is seen too


async def test_no_look_is_shown_that_was_not_written_down(
    house: House, web: httpx.AsyncClient, nora: Person
) -> None:
    """The row and what it is about are one transaction: where it cannot be written, nothing is shown."""
    contact = await customer(house, "Zenobia Nascosta")
    await house.rows(
        "CREATE FUNCTION no_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'disk full'; END $$"
    )
    await house.rows(
        "CREATE TRIGGER full_disk BEFORE INSERT ON access_log FOR EACH ROW EXECUTE FUNCTION no_log()"
    )
    try:
        path = f"/console/{house.business}/contacts/{contact}"
        answer = await web.get(path, headers={**nora.headers, **JSON})
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"] == RecordUnavailable.__name__
        assert "Zenobia" not in answer.text
    finally:
        await house.rows("DROP TRIGGER full_disk ON access_log")
        await house.rows("DROP FUNCTION no_log()")


def test_the_trail_from_the_terminal(
    house: House, bare: Cli, nora: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARA_DATABASE_URL", house.dsn)
    monkeypatch.setenv("SARA_DATA_DIR", str(house.settings.data_dir))
    contact = house.things["contact_id"]
    told = bare("audit", "--business", house.business, "--agent", nora.email.upper())
    assert told.code == 0, told.err
    assert f"contact            contact #{contact} console 127.0.0.1" in told.out
    rows = bare("audit", "--business", house.business, "--contact", f"#{contact}", "--json").out.splitlines()
    assert rows
    assert all(f'"contact_id": {contact}' in row for row in rows)
    assert "Nora Guarda" in "".join(rows)
    assert "and more" in bare("audit", "--business", house.business, "--most", 1).out
    past = bare("audit", "--business", house.business, "--since", "2020-01-01", "--until", "2020-01-02")
    assert past.out == "nothing in these days\n"
    assert "Nobody works here" in bare("audit", "--business", house.business, "--agent", "x@y.z").one_line
    assert (
        bare("audit", "--business", house.business, "--since", "2020-01-02", "--until", "2020-01-01").code
        == 2
    )
    assert "exported" not in bare("audit", "--business", house.other).out


async def test_a_given_out_token_is_told_to_the_business_it_is_for(house: House) -> None:
    vera = await person(house.crm, house.business, "agent", "Vera Chiave")
    async with house.crm.as_owner() as tx:
        await registry.new_token(tx, vera.email)
        await trail.entered(tx, OPERATOR, "token", vera.agent_id)
    rows = await house.rows(
        "SELECT DISTINCT business_id FROM access_log WHERE what = 'token' AND subject_id = %s", vera.agent_id
    )
    assert [row["business_id"] for row in rows] == [house.business_id]


async def test_what_an_agent_does_to_a_conversation_is_in_the_trail(
    house: House, web: httpx.AsyncClient
) -> None:
    rita = await person(house.crm, house.business, "agent", "Rita Scrive")
    contact = await customer(house, "Olimpia Attende")
    async with house.crm.transaction(house.business_id) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
        talk = await conversations.open_for(tx, contact, number)
        await conversations.customer_wrote(tx, talk, tx.now)
    base = f"/console/{house.business}/c/{talk}"
    for act, said in (("takeover", {}), ("send", {"text": "Arrivo"}), ("note", {"text": "Richiamare"})):
        done = await web.post(f"{base}/{act}", data={"csrf": rita.csrf, **said}, headers=rita.headers)
        assert done.status_code == 303, (act, done.text[:300])
    [handoff] = await house.rows("SELECT handoff_id AS id FROM handoff WHERE conversation_id = %s", talk)
    api = f"/api/businesses/{house.business}/handoffs/{handoff['id']}"
    sent = await web.post(f"{api}/reply", json={"text": "Eccomi"}, headers=rita.headers)
    assert sent.status_code == 202, sent.text
    async with house.crm.transaction(house.business_id) as tx:
        rows, more = await trail.page(
            tx, tx.now - timedelta(hours=1), tx.now + timedelta(hours=1), agent_id=rita.agent_id
        )
    assert not more
    hers = [row for row in reversed(rows) if row.contact_id == contact and row.what != "claimed"]
    about = [(row.kind, row.what, row.via) for row in hers]
    assert about == [
        ("change", "taken_over", ""),
        ("change", "message", "console"),
        ("change", "note", ""),
        ("change", "message", "api"),
    ]
