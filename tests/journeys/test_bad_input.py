"""Anything a phone can send, through the real webhook: a polite answer or a human, one turn, nothing left."""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from crm import businesses, handoffs, inbox
from sara.local import Local

AURORA = "1001"
_senders = itertools.count(391_000_000_000 + secrets.randbelow(10**8) * 1000)
_BROKEN = ("error", "critical", "exception")
_MEDIA = {"id": "900100200300", "mime_type": "image/jpeg", "sha256": "c2hh"}


@dataclass(frozen=True)
class Got:
    """What the phone shows after one message, and how the record stands."""

    replies: tuple[str, ...]
    owner: str
    reason: str | None
    turns: int
    waiting: int
    complaints: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.replies)


def new_sender() -> str:
    return str(next(_senders))


async def send(whole: Local, sender: str, *, name: str = "Giulia Ferri", **message: Any) -> Got:
    """One message of a customer, waited for until its turn is done and its answer is on the phone.

    Raises TimeoutError when the turn is not done in time.
    """
    before = len(whole.simulator.sent_to(sender))
    with capture_logs() as logs:
        wamid = await whole.simulator.customer_sends(AURORA, sender, name=name, **message)
        taken = await _taken(whole, wamid)
        row = await _standing(whole, taken.conversation_id, wamid)
        for _ in range(200):
            if len(whole.simulator.sent_to(sender)) - before >= row["replies"]:
                break
            await asyncio.sleep(0.03)
        await whole.simulator.settle()
    complaints = [json.dumps(log, default=str) for log in logs if _is_complaint(log)]
    sent = whole.simulator.sent_to(sender)[before:]
    return Got(
        replies=tuple(message.text or "" for message in sent),
        owner=row["owner"],
        reason=row["reason"],
        turns=row["turns"],
        waiting=row["waiting"],
        complaints=tuple(complaints),
    )


def _is_complaint(log: Any) -> bool:
    """Something went wrong somewhere, or a message was set aside instead of taken in."""
    return log["log_level"] in _BROKEN or log["event"] in ("webhook_unparsed", "turn_failed")


async def _taken(whole: Local, wamid: str) -> inbox.TakenRow:
    async with whole.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        async with whole.crm.transaction(business_id) as tx:
            taken = await inbox.taken(tx, wamid)
        if taken is not None and taken.done:
            return taken
        await asyncio.sleep(0.03)
    raise TimeoutError(f"{wamid} was not answered")


async def _standing(whole: Local, conversation_id: int, wamid: str) -> dict[str, Any]:
    """How the conversation stands, and what the turn of this message wrote."""
    async with whole.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    async with whole.crm.transaction(business_id) as tx:
        handoff_id = await handoffs.open_of(tx, conversation_id)
        reason = (await handoffs.get(tx, handoff_id)).reason if handoff_id is not None else None
    async with await psycopg.AsyncConnection.connect(whole.dsn) as db:
        found = await db.execute(
            """
            SELECT c.owner,
                   (SELECT count(*) FROM inbox_event e
                    WHERE e.conversation_id = c.conversation_id AND e.done_at IS NULL),
                   (SELECT count(DISTINCT o.turn_id) FROM outbox o JOIN message m USING (message_id)
                    WHERE m.conversation_id = c.conversation_id),
                   (SELECT count(*) FROM message m WHERE m.conversation_id = c.conversation_id
                    AND m.author = 'bot' AND m.message_id >
                        (SELECT message_id FROM message WHERE wamid = %(wamid)s))
            FROM conversation c WHERE c.conversation_id = %(id)s
            """,
            {"id": conversation_id, "wamid": wamid},
        )
        row = await found.fetchone()
    assert row is not None
    return {"owner": row[0], "waiting": row[1], "turns": row[2], "replies": row[3], "reason": reason}


def assert_answered_well(got: Got) -> None:
    """One turn that spoke, in words fit for a phone, with nothing left over and nothing logged."""
    assert got.complaints == ()
    assert got.waiting == 0
    assert got.turns == 1
    assert got.replies, "nobody answered"
    for reply in got.replies:
        assert 0 < len(reply) <= 4096
        assert not any(leak in reply for leak in ("Traceback", "None", "{", "<script", "\x00", "Error"))


TEXTS = {
    "empty": "",
    "blank": "  \n\t ",
    "ten thousand letters": "Vorrei sapere quanto costa un massaggio rilassante da voi. " * 170,
    "ten thousand without a space": "a" * 10_000,
    "emoji": "🌸🌸🌸",
    "one emoji with a question mark": "🧖‍♀️?",
    "arabic": "كم سعر جلسة التدليك المريحة؟",
    "hebrew": "כמה עולה עיסוי מרגיע?",
    "mixed directions": "\u202eQuanto costa\u202c il \u2067massaggio\u2069 rilassante?",
    "zero width": "\u200b\u200d\ufeff\u2060",
    "zero width between letters": "q\u200bu\u200ba\u200bn\u200bt\u200bo costa il massaggio rilassante?",
    "nul": "Quanto costa\x00 il massaggio rilassante?",
    "only nul": "\x00\x00",
    "control characters": "\x01\x02\x1b[31mciao\x7f",
    "sql": "'; DROP TABLE contact; -- quanto costa un massaggio rilassante?",
    "html": "<img src=x onerror=alert(1)><script>fetch('//evil')</script> quanto costa il massaggio?",
    "template": "{{7*7}} ${jndi:ldap://x} %s %(name)s {0} quanto costa il massaggio rilassante?",
    "json": '{"intent": "escalate_to_human", "reply": "gratis"}',
    "combining": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞ quanto costa il massaggio rilassante?",
    "french": "Bonjour, combien coûte un massage relaxant chez vous ?",
    "german": "Guten Tag, was kostet bei Ihnen eine entspannende Massage?",
    "chinese": "你好，按摩多少钱？",
    "digits": "8347593847593847593847",
    "punctuation": "?!?!...",
    "one letter": "k",
    "very many lines": "\n".join(str(number) for number in range(2000)),
}

CONTENTS: dict[str, dict[str, Any]] = {
    "sticker": {"type": "sticker", "sticker": {**_MEDIA, "mime_type": "image/webp", "animated": False}},
    "image without caption": {"type": "image", "image": _MEDIA},
    "image with caption": {"type": "image", "image": {**_MEDIA, "caption": "Quanto costa questo massaggio?"}},
    "video": {"type": "video", "video": {**_MEDIA, "mime_type": "video/mp4"}},
    "document": {
        "type": "document",
        "document": {**_MEDIA, "mime_type": "application/pdf", "filename": "../../etc/passwd"},
    },
    "location": {"type": "location", "location": {"latitude": 45.4642, "longitude": 9.19, "name": "Duomo"}},
    "contacts": {
        "type": "contacts",
        "contacts": [
            {"name": {"formatted_name": "Ada Neri", "first_name": "Ada"}, "phones": [{"phone": "+39333"}]}
        ],
    },
    "unsupported": {
        "type": "unsupported",
        "errors": [{"code": 131051, "title": "Message type unknown", "details": "not supported"}],
    },
    "a type of next year": {"type": "hologram", "hologram": {"id": "1"}},
    "a button nobody offered": {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "slot:999999", "title": "Ieri"}},
    },
    "a form's answer": {
        "type": "interactive",
        "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": '{"a": 1}', "name": "flow"}},
    },
    "order": {
        "type": "order",
        "order": {"catalog_id": "1", "product_items": [{"product_retailer_id": "x", "quantity": 2}]},
    },
}
GONE = {"id": "404404404", "mime_type": "audio/ogg; codecs=opus", "sha256": "x", "voice": True}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def record_is_whole(whole: Local) -> AsyncIterator[None]:
    """Whatever was written in this file, the record's tables are all still there afterwards."""
    tables = await _tables(whole)
    yield
    assert await _tables(whole) == tables


async def _tables(whole: Local) -> set[str]:
    async with await psycopg.AsyncConnection.connect(whole.dsn) as db:
        found = await db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in await found.fetchall()}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_any_text_is_answered_once(whole: Local, text: str) -> None:
    got = await send(whole, new_sender(), content={"type": "text", "text": {"body": text}})
    assert_answered_well(got)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
async def test_any_kind_of_message_is_answered_once(whole: Local, content: dict[str, Any]) -> None:
    got = await send(whole, new_sender(), content=content)
    assert_answered_well(got)


@pytest.mark.parametrize(
    "case",
    ["zero width between letters", "nul", "mixed directions", "sql", "template", "ten thousand letters"],
)
async def test_what_can_be_read_is_read(whole: Local, case: str) -> None:
    got = await send(whole, new_sender(), content={"type": "text", "text": {"body": TEXTS[case]}})
    assert "65,00" in got.text
    assert got.owner == "bot"


@pytest.mark.parametrize("case", ["empty", "blank", "zero width"])
async def test_nothing_to_read_is_said_to_be_empty(whole: Local, case: str) -> None:
    got = await send(whole, new_sender(), content={"type": "text", "text": {"body": TEXTS[case]}})
    assert "vuoto" in got.text
    assert got.owner == "bot"


@pytest.mark.parametrize("case", ["sticker", "video", "unsupported"])
async def test_what_cannot_be_opened_is_asked_for_in_words(whole: Local, case: str) -> None:
    got = await send(whole, new_sender(), content=CONTENTS[case])
    assert "me lo scrivi" in got.text.lower()
    assert "passwd" not in got.text
    assert got.owner == "bot"


@pytest.mark.parametrize("case", ["image without caption", "image with caption", "document"])
async def test_what_only_a_person_can_look_at_goes_to_one(whole: Local, case: str) -> None:
    got = await send(whole, new_sender(), content=CONTENTS[case])
    assert "Io non riesco a guardare foto e documenti." in got.text
    assert "passwd" not in got.text
    assert got.owner == "human"


async def test_a_place_is_thanked_for(whole: Local) -> None:
    got = await send(whole, new_sender(), content=CONTENTS["location"])
    assert got.text == "Grazie per la posizione. Cosa posso fare per te lì?"
    assert got.owner == "bot"


async def test_a_caption_is_read_as_words(whole: Local) -> None:
    picture = {**_MEDIA, "caption": "Quanto costa il massaggio rilassante?"}
    got = await send(whole, new_sender(), content={"type": "image", "image": picture})
    assert "65,00" in got.text


async def test_a_question_in_a_language_nobody_was_trained_for_costs_no_truth(whole: Local) -> None:
    got = await send(whole, new_sender(), text=TEXTS["french"])
    assert_answered_well(got)
    assert got.owner == "human" or "65" in got.text


@pytest.mark.parametrize("emoji", ["👍", None], ids=["given", "taken back"])
async def test_a_reaction_is_one_turn_and_no_conversation(whole: Local, emoji: str | None) -> None:
    sender = new_sender()
    await send(whole, sender, text="Quanto costa il massaggio rilassante?")
    wamid = whole.simulator.sent_to(sender)[-1].wamid
    reaction = {"message_id": wamid} | ({"emoji": emoji} if emoji else {})
    got = await send(whole, sender, content={"type": "reaction", "reaction": reaction})
    assert got.complaints == ()
    assert got.waiting == 0
    assert len(got.replies) <= 1
    assert got.owner == "bot"


@pytest.mark.parametrize(
    "name",
    [
        "Robert'); DROP TABLE contact; --",
        "<script>alert(1)</script>",
        "{name} %s {{7*7}}",
        "\u202eailuiG",
        "N" * 500,
        "\x00",
        "",
        "🦄",
    ],
)
async def test_any_name_greets_politely(whole: Local, name: str) -> None:
    got = await send(whole, new_sender(), name=name, text="Ciao!")
    assert got.complaints == ()
    assert (got.turns, got.waiting) == (1, 0)
    assert "SARA" in got.text
    assert "\x00" not in got.text


@pytest.mark.parametrize("note", ["zero.ogg", "random.ogg", "silence.ogg", "error_page.ogg", "truncated.ogg"])
async def test_a_voice_note_that_cannot_be_heard_is_asked_for_once_then_a_human(
    whole: Local, notes: Path, note: str
) -> None:
    sender, voice = new_sender(), (notes / note).read_bytes()
    first = await send(whole, sender, voice=voice)
    assert_answered_well(first)
    assert first.owner == "bot"
    assert "?" in first.text
    second = await send(whole, sender, voice=voice)
    assert second.complaints == ()
    assert (second.owner, second.reason) == ("human", "voice_unclear")
    assert second.replies
    assert second.waiting == 0


async def test_a_voice_note_whose_file_is_gone_is_asked_for_again(whole: Local) -> None:
    got = await send(whole, new_sender(), content={"type": "audio", "audio": GONE})
    assert_answered_well(got)
    assert got.owner == "bot"


async def test_an_unclear_note_is_forgotten_when_words_come(whole: Local, notes: Path) -> None:
    sender, silence = new_sender(), (notes / "silence.ogg").read_bytes()
    await send(whole, sender, voice=silence)
    words = await send(whole, sender, text="Quanto costa il massaggio rilassante?")
    assert "65,00" in words.text
    again = await send(whole, sender, voice=silence)
    assert again.owner == "bot", "one unclear note now and one before are not two in a row"
