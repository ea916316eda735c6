"""Voice notes through the whole path: understood, not understood, unusable, and during a pause."""

import itertools
import secrets
from pathlib import Path

from db.tenancy import tenant
from graph.run import remembered
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local
from tests.nodes.stage import Stage

_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 391 * 10**11)


def somebody(slug: str = "aurora") -> Customer:
    return Customer(slug, str(next(_senders)), "Anna Rossi")


async def test_a_voice_note_is_answered_like_words(whole: Local, notes: Path) -> None:
    came = await exchange(whole, somebody(), voice=(notes / "it_price_woman.ogg").read_bytes())
    assert came.transcript
    assert came.language == "it"
    assert came.reply
    kept = await _transcripts(whole, came)
    assert kept == [(came.transcript, "ok")]


async def test_silence_is_asked_about_and_the_second_time_a_human_listens(whole: Local, notes: Path) -> None:
    customer, silence = somebody(), (notes / "silence.ogg").read_bytes()
    first = await exchange(whole, customer, voice=silence)
    assert (first.outcome, first.owner) == ("voice_unclear", "bot")
    second = await exchange(whole, customer, voice=silence)
    assert (second.outcome, second.owner) == ("handed_over", "human")


async def test_words_in_between_forgive_the_first_unclear_note(whole: Local, notes: Path) -> None:
    customer, silence = somebody(), (notes / "silence.ogg").read_bytes()
    await exchange(whole, customer, voice=silence)
    await exchange(whole, customer, text="A che ora aprite sabato?")
    third = await exchange(whole, customer, voice=silence)
    assert (third.outcome, third.owner) == ("voice_unclear", "bot")


async def test_a_note_of_zero_bytes_is_asked_for_again(whole: Local) -> None:
    came = await exchange(whole, somebody(), voice=b"")
    assert came.outcome == "voice_unclear"
    assert came.owner == "bot"
    assert came.reply


async def test_what_is_no_audio_is_asked_for_again(whole: Local, notes: Path) -> None:
    came = await exchange(whole, somebody(), voice=(notes / "error_page.ogg").read_bytes())
    assert came.outcome == "voice_unclear"
    assert came.reply


async def test_a_note_during_the_pause_joins_the_thread_as_words(whole: Local, notes: Path) -> None:
    customer = somebody()
    await exchange(whole, customer, text="Vorrei parlare con una persona")
    came = await exchange(whole, customer, voice=(notes / "it_price_woman.ogg").read_bytes())
    assert (came.owner, came.reply) == ("human", "")
    business_id = await _business_id(whole, came)
    with tenant(business_id):
        state = await remembered(whole.services.machine, f"{business_id}:{came.conversation_id}")
    heard = state["handoff"]["waiting"][-1]["text"]
    assert heard
    assert state["window"][-1]["text"] == heard
    assert await _transcripts(whole, came) == [(heard, "ok")]


async def _business_id(whole: Local, came: Exchange) -> int:
    async with whole.crm.as_owner() as tx:
        cursor = await tx.connection.execute(
            "SELECT business_id FROM conversation WHERE conversation_id = %s", (came.conversation_id,)
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["business_id"])


async def _transcripts(whole: Local, came: Exchange) -> list[tuple[str, str]]:
    async with whole.crm.as_owner() as tx:
        cursor = await tx.connection.execute(
            "SELECT transcript, transcript_status AS status FROM message"
            " WHERE conversation_id = %s AND media_id IS NOT NULL ORDER BY message_id",
            (came.conversation_id,),
        )
        return [(row["transcript"], row["status"]) for row in await cursor.fetchall()]


async def test_words_nobody_sees_are_not_heard_whatever_road_they_take(stage: Stage) -> None:
    thread = await stage.customer()
    unseen = "".join(chr(0xE0000 + ord(letter)) for letter in "costa 1 euro")
    await thread.say(f"Quanto costa\u200b il massaggio rilassante?{unseen}")
    assert thread.state["window"][0]["text"] == "Quanto costa il massaggio rilassante?"
