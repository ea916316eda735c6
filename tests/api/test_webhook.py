"""The road in: who may post, what is kept, what happens once however often it comes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from api.refusals import TOLD_EVERY_S, Refusals
from api.webhook import MOST_BYTES
from channels.whatsapp.signature import sign
from crm import contacts, messages
from crm.record import Crm
from db.pool import open_pool
from tests.chaos.town import NUMBER, SECRETS
from tests.jobs.shop import Shop, opened

PATH = "/webhooks/whatsapp"
Json = dict[str, Any]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """An API on a database of its own; no job runs, so what was queued can be looked at."""
    async with opened(tmp_path_factory.mktemp("webhook")) as shop:
        yield shop


def said(
    wa_id: str | None, text: str = "Ciao", *, bsuid: str | None = None, wamid: str | None = None
) -> Json:
    item: Json = {
        "id": wamid or f"wamid.{time.monotonic_ns()}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    if wa_id:
        item["from"] = wa_id
    if bsuid:
        item["from_user_id"] = bsuid
    return item


def value(*items: Json, number: str = NUMBER, kind: str = "messages", contacts: bool = True) -> Json:
    made: Json = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, kind: list(items)}
    if kind == "messages" and contacts:
        made["contacts"] = [
            {
                "profile": {"name": "Anna"},
                **({"wa_id": item["from"]} if "from" in item else {}),
                **({"user_id": item["from_user_id"]} if "from_user_id" in item else {}),
            }
            for item in items
        ]
    return {"field": "messages", "value": made}


def envelope(*entries: list[Json]) -> bytes:
    parts = [{"id": str(n), "changes": changes} for n, changes in enumerate(entries)]
    return json.dumps({"object": "whatsapp_business_account", "entry": parts}).encode()


async def bodies(shop: Shop, wa_id: str) -> list[str]:
    rows = await shop.rows(
        "SELECT m.body FROM message m JOIN contact USING (contact_id)"
        " WHERE wa_id = %s AND author = 'customer' ORDER BY message_id",
        wa_id,
    )
    return [row["body"] for row in rows]


async def unparsed(shop: Shop, reason: str) -> int:
    query = "SELECT count(*) AS n FROM webhook_unparsed WHERE reason LIKE %s"
    return int((await shop.rows(query, f"%{reason}%"))[0]["n"])


async def test_the_subscription_check(shop: Shop) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "4711"}
    token = SECRETS["SARA_WHATSAPP_VERIFY_TOKEN"]
    answer = await shop.api.get(PATH, params={**asked, "hub.verify_token": token})
    assert (answer.status_code, answer.text) == (200, "4711")
    assert (await shop.api.get(PATH, params={**asked, "hub.verify_token": "no"})).status_code == 403
    assert (await shop.api.get(PATH, params=asked)).status_code == 403


async def test_only_a_signed_body_is_taken_in(shop: Shop) -> None:
    raw = envelope([value(said("393900000001"))])
    right = sign(SECRETS["SARA_WHATSAPP_APP_SECRET"], raw)
    other_body = sign(SECRETS["SARA_WHATSAPP_APP_SECRET"], raw + b" ")
    assert (await shop.api.post(PATH, content=raw)).status_code == 401
    for wrong in (other_body, "sha256=" + "0" * 64, right.removeprefix("sha256="), "sha256=é"):
        header = {"X-Hub-Signature-256": wrong.encode()}
        assert (await shop.api.post(PATH, content=raw, headers=header)).status_code == 403
    assert await bodies(shop, "393900000001") == []


async def test_a_refused_webhook_is_a_line_in_the_log_and_many_are_one(shop: Shop) -> None:
    now, before = 100.0, shop.web.state.services
    shop.web.state.services = replace(before, refusals=Refusals(lambda: now))
    wrong = {"X-Hub-Signature-256": "sha256=" + "0" * 64}
    try:
        with capture_logs() as logged:
            for _ in range(3):
                await shop.api.post(PATH, content=b"{}", headers=wrong)
            await shop.api.post(PATH, content=b"{}")
            await shop.api.get(PATH, params={"hub.mode": "subscribe", "hub.verify_token": "no"})
            now += TOLD_EVERY_S
            await shop.api.post(PATH, content=b"{}", headers=wrong)
    finally:
        shop.web.state.services = before
    told = [one for one in logged if one["event"] == "webhook_refused"]
    assert {one["log_level"] for one in told} == {"warning"}
    assert [(one["reason"], one["count"]) for one in told] == [
        ("wrong_signature", 1),
        ("no_signature", 1),
        ("wrong_verify_token", 1),
        ("wrong_signature", 3),
    ]
    assert "SARA_WHATSAPP_APP_SECRET" in told[0]["mend"]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"{'a': 1}"])
async def test_what_is_not_json_is_refused(shop: Shop, raw: bytes) -> None:
    before = await shop.rows("SELECT count(*) AS n FROM webhook_payload")
    assert (await shop.post(raw)).status_code == 400
    assert await shop.rows("SELECT count(*) AS n FROM webhook_payload") == before


@pytest.mark.parametrize(
    "raw", [b"null", b"[]", b"7", b'{"entry": 3}', b'{"object": "page", "entry": []}', b"{}"]
)
async def test_json_of_another_shape_is_kept_and_harmless(shop: Shop, raw: bytes) -> None:
    answer = await shop.post(raw)
    assert answer.status_code == 200
    assert answer.json()["messages"] == 0
    kept = await shop.rows("SELECT body FROM webhook_payload WHERE body = %s", raw)
    assert len(kept) == 1


async def test_a_body_over_three_megabytes_is_refused(shop: Shop) -> None:
    raw = envelope([value(said("393900000002", "x" * 1000))])
    assert (await shop.post(raw + b" " * (MOST_BYTES + 1 - len(raw)))).status_code == 413
    assert await bodies(shop, "393900000002") == []
    assert (await shop.post(raw + b" " * (MOST_BYTES - len(raw)))).status_code == 200
    assert await bodies(shop, "393900000002") == ["x" * 1000]


async def test_every_level_of_a_batch_is_read(shop: Shop) -> None:
    raw = envelope(
        [value(said("393900000003", "1"), said("393900000003", "2")), value(said("393900000004", "3"))],
        [value(said("393900000003", "4")), value(said("393900000004", "5"), said("393900000003", "6"))],
    )
    answer = await shop.post(raw)
    assert answer.json() == {"messages": 6, "duplicates": 0, "statuses": 0, "unparsed": 0}
    assert await bodies(shop, "393900000003") == ["1", "2", "4", "6"]
    assert await bodies(shop, "393900000004") == ["3", "5"]
    jobs = await shop.rows(
        "SELECT lock, queueing_lock, scheduled_at FROM procrastinate_jobs j JOIN conversation c"
        " ON j.lock = 'conv:' || c.conversation_id JOIN contact USING (contact_id)"
        " WHERE wa_id = '393900000003'"
    )
    assert [job["lock"] == job["queueing_lock"] for job in jobs] == [True], "one job for the burst"


async def test_duplicates_and_replays_change_nothing(shop: Shop) -> None:
    item = said("393900000005", "una volta")
    raw = envelope([value(item)])
    assert (await shop.post(raw)).json()["messages"] == 1
    assert (await shop.post(raw)).json() == {"messages": 0, "duplicates": 1, "statuses": 0, "unparsed": 0}
    rewrapped = envelope([value(said("393900000005", "nuova"), item)])
    assert (await shop.post(rewrapped)).json() == {
        "messages": 1,
        "duplicates": 1,
        "statuses": 0,
        "unparsed": 0,
    }
    assert await bodies(shop, "393900000005") == ["una volta", "nuova"]
    twice = said("393900000005", "doppia")
    assert (await shop.post(envelope([value(twice, twice)]))).json()["duplicates"] == 1
    events = await shop.rows(
        "SELECT count(*) AS n FROM inbox_event JOIN message USING (message_id)"
        " JOIN contact USING (contact_id) WHERE wa_id = '393900000005'"
    )
    assert events == [{"n": 3}]


async def test_the_older_shape_and_the_hidden_phone_are_one_customer_each(shop: Shop) -> None:
    await shop.post(envelope([value(said("393900000006", "vecchia forma"), contacts=False)]))
    await shop.post(envelope([value(said("393900000006", "nuova forma", bsuid="IT.six"))]))
    await shop.post(envelope([value(said(None, "senza numero", bsuid="IT.six"))]))
    assert await bodies(shop, "393900000006") == ["vecchia forma", "nuova forma", "senza numero"]
    await shop.post(envelope([value(said(None, "mai visto", bsuid="IT.seven"))]))
    (contact,) = await shop.rows("SELECT wa_id, name FROM contact WHERE bsuid = 'IT.seven'")
    assert contact == {"wa_id": None, "name": "Anna"}


async def test_a_message_to_an_unknown_number_is_kept(shop: Shop) -> None:
    before = await unparsed(shop, "no business has the number 999")
    raw = envelope([value(said("393900000007", "c'è nessuno?"), number="999")])
    answer = await shop.post(raw)
    assert (answer.status_code, answer.json()["unparsed"]) == (200, 1)
    assert await unparsed(shop, "no business has the number 999") == before + 1
    assert await shop.rows("SELECT 1 FROM webhook_payload WHERE body = %s", raw)


FAILS = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a defect'; END $$;
CREATE TRIGGER fails BEFORE INSERT ON message
    FOR EACH ROW WHEN (NEW.body = 'guasto') EXECUTE FUNCTION fails()"""


async def kept(shop: Shop, raw: bytes) -> bool:
    return bool(await shop.rows("SELECT 1 FROM webhook_payload WHERE body = %s", raw))


async def test_a_body_is_kept_whatever_becomes_of_its_message(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = said("393900000010", "tienila")
    first, again = envelope([value(item)]), envelope([value(item)], [])
    assert (await shop.post(first)).json()["messages"] == 1
    assert (await shop.post(again)).json()["duplicates"] == 1
    # Another process took it in after this one had looked.
    monkeypatch.setattr(contacts, "known_as", lambda *_: None)
    looks = iter([messages.knowing("another"), messages.knowing(item["id"])])
    monkeypatch.setattr(messages, "knowing", lambda _: next(looks))
    late = envelope([value(item)], [], [])
    assert (await shop.post(late)).json()["duplicates"] == 1
    monkeypatch.undo()
    await shop.rows(FAILS)
    broken = envelope([value(said("393900000010", "guasto"))])
    assert (await shop.post(broken)).json()["unparsed"] == 1
    await shop.rows("DROP TRIGGER fails ON message; DROP FUNCTION fails")
    assert [await kept(shop, raw) for raw in (first, again, late, broken)] == [True] * 4
    assert await bodies(shop, "393900000010") == ["tienila"]


async def test_first_messages_at_the_same_instant_are_of_one_customer(shop: Shop) -> None:
    wa_id, bsuid = "393900000051", "IT.393900000051"
    # Payloads of either shape; the last one comes twice.
    said_at_once = [said(wa_id, f"{number}", bsuid=bsuid if number % 2 else None) for number in range(8)]
    raws = [envelope([value(item)]) for item in [*said_at_once, said_at_once[-1]]]
    answers = await asyncio.gather(*(shop.post(raw) for raw in raws))
    assert [answer.json()["unparsed"] for answer in answers] == [0] * 9
    assert sum(answer.json()["messages"] for answer in answers) == 8
    assert sorted(await bodies(shop, wa_id)) == [str(number) for number in range(8)]
    known = "SELECT conversation_id FROM conversation JOIN contact USING (contact_id) WHERE wa_id = %s"
    assert len(await shop.rows(known, wa_id)) == 1
    assert len(await shop.rows("SELECT 1 FROM contact WHERE wa_id = %s OR bsuid = %s", wa_id, bsuid)) == 1


async def test_who_writes_from_a_further_number_is_who_they_were(shop: Shop) -> None:
    await shop.post(envelope([value(said("393900000052", "prima"))]))
    await shop.rows(
        "INSERT INTO contact_alias (business_id, contact_id, wa_id)"
        " SELECT business_id, contact_id, '393900000053' FROM contact WHERE wa_id = '393900000052'"
    )
    await shop.post(envelope([value(said("393900000053", "poi"))]))
    assert await bodies(shop, "393900000053") == ["prima", "poi"]
    assert not await shop.rows("SELECT 1 FROM contact WHERE wa_id = '393900000052'")


async def test_who_shows_no_number_is_known_by_their_id(shop: Shop) -> None:
    for text in ("prima", "poi"):
        await shop.post(envelope([value(said(None, text, bsuid="IT.54"))]))
    rows = await shop.rows("SELECT body FROM message JOIN contact USING (contact_id) WHERE bsuid = 'IT.54'")
    assert sorted(row["body"] for row in rows) == ["poi", "prima"]


async def test_one_bad_item_spoils_nothing(shop: Shop) -> None:
    bad: list[Json] = [{"type": "text"}, {"id": 7, "from": [], "timestamp": "x"}]
    raw = envelope(
        [value(said("393900000008", "prima"), bad[0], said("393900000008", "poi"))],
        [{"field": "messages"}, value(bad[1]), value(said("393900000008", "infine"))],
    )
    answer = await shop.post(raw)
    assert answer.status_code == 200
    assert answer.json()["messages"] == 3
    assert answer.json()["unparsed"] >= 2
    assert await bodies(shop, "393900000008") == ["prima", "poi", "infine"]


async def test_text_no_database_can_hold_is_cleaned(shop: Shop) -> None:
    await shop.post(envelope([value(said("393900000009", "a\x00b\ud800c"))]))
    (body,) = await bodies(shop, "393900000009")
    assert "\x00" not in body
    assert body.startswith("a")


async def test_statuses_in_any_order_never_go_backwards(shop: Shop) -> None:
    conversation = await shop.open_conversation("393900000010")
    await shop.bot_says(conversation, "eccomi")
    (row,) = await shop.outbox_of(conversation)

    async def came(status: str) -> str:
        item = {
            "id": "wamid.OURS",
            "status": status,
            "timestamp": "1763500000",
            "biz_opaque_callback_data": f"{row['outbox_id']}|",
        }
        answer = await shop.post(envelope([value(item, kind="statuses")]))
        assert answer.json()["statuses"] == 1
        (message,) = await shop.rows("SELECT status FROM message WHERE message_id = %s", row["message_id"])
        return str(message["status"])

    seen = [await came(s) for s in ("delivered", "sent", "read", "delivered", "failed", "read")]
    assert seen == ["delivered", "delivered", "read", "read", "read", "read"]
    kept = await shop.rows("SELECT status FROM message_status WHERE message_id = %s", row["message_id"])
    assert {r["status"] for r in kept} == {"sent", "delivered", "read", "failed"}


async def test_a_status_of_somebody_elses_message_is_harmless(shop: Shop) -> None:
    for callback in (None, "not ours", "123456789012345678901234567890", "99999999|", "0|x"):
        item = {
            "id": "wamid.THEIRS",
            "status": "sent",
            "timestamp": "1",
            "biz_opaque_callback_data": callback,
        }
        if callback is None:
            del item["biz_opaque_callback_data"]
        answer = await shop.post(envelope([value(item, kind="statuses")]))
        assert (answer.status_code, answer.json()["unparsed"]) == (200, 0)


async def test_the_database_away_means_come_again(shop: Shop) -> None:
    """503, so that the channel delivers again; afterwards the same body is taken in."""
    raw = envelope([value(said("393900000011", "più tardi"))])
    pool = await open_pool(shop.dsn, max_size=2)
    await pool.close()
    healthy = shop.web.state.services
    shop.web.state.services = replace(healthy, crm=Crm(pool))
    try:
        answer = await shop.post(raw)
    finally:
        shop.web.state.services = healthy
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert await bodies(shop, "393900000011") == []
    assert (await shop.post(raw)).json()["messages"] == 1


async def test_what_the_owner_types_on_the_phone_takes_the_conversation(shop: Shop) -> None:
    """`smb_message_echoes`, as Meta sends them for numbers that are also used in the app."""
    echo = {
        "from": "390200000001",
        "to": "393900007777",
        "id": "wamid.echo.1",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "Ci penso io, buongiorno"},
    }
    made = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390200000001", "phone_number_id": NUMBER},
        "message_echoes": [echo],
    }
    raw = envelope([{"field": "smb_message_echoes", "value": made}])
    counts = (await shop.post(raw)).json()
    again = (await shop.post(raw)).json()
    assert (counts["echoes"], again.get("echoes", 0), again["duplicates"]) == (1, 0, 1)
    rows = await shop.rows(
        "SELECT c.owner, h.reason, h.status, m.author, m.body FROM conversation c"
        " JOIN contact k USING (contact_id) JOIN handoff h USING (conversation_id)"
        " JOIN message m USING (conversation_id) WHERE k.wa_id = '393900007777'"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("human", "owner_on_phone", "claimed", "agent", "Ci penso io, buongiorno")
    ]
