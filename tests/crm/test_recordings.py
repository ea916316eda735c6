"""The sound of voice notes: unreadable without the key, gone when its time is over."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from crm import messages, recordings
from crm.errors import UnknownRecording
from crm.messages import NewMessage
from crm.sealing import NotOurSeal, Seal, new_key
from tests.crm.conftest import Book

SOUND = b"OggS" + bytes(range(256)) * 8


async def a_note(book: Book) -> int:
    contact_id, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        note = NewMessage(
            conversation_id,
            contact_id,
            "customer",
            "audio",
            tx.now,
            media_id="1",
            media_mime_type="audio/ogg",
        )
        message_id = await messages.add(tx, note)
    assert message_id is not None
    return message_id


async def test_a_recording_comes_back_as_it_was(book: Book) -> None:
    seal, message_id = Seal([new_key()]), await a_note(book)
    async with book.crm.transaction(book.business_id) as tx:
        await recordings.keep(tx, message_id, SOUND, seal)
        await recordings.keep(tx, message_id, b"another", seal)  # the turn ran again
    async with book.crm.transaction(book.business_id) as tx:
        kept = await recordings.get(tx, message_id, seal)
    assert (kept.sound, kept.mime_type) == (SOUND, "audio/ogg")


async def test_the_database_holds_nothing_that_can_be_heard(book: Book) -> None:
    message_id = await a_note(book)
    async with book.crm.transaction(book.business_id) as tx:
        await recordings.keep(tx, message_id, SOUND, Seal([new_key()]))
    [row] = await book.rows("SELECT sealed, bytes FROM recording WHERE message_id = %s", message_id)
    assert row["bytes"] == len(SOUND)
    assert b"OggS" not in bytes(row["sealed"])
    assert SOUND[100:116] not in bytes(row["sealed"])
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(NotOurSeal, match="SARA_AUDIO_KEY"):
            await recordings.get(tx, message_id, Seal([new_key()]))


async def test_a_message_without_sound_says_so(book: Book) -> None:
    message_id = await a_note(book)
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(UnknownRecording):
            await recordings.get(tx, message_id, Seal([new_key()]))


async def test_old_sound_is_forgotten_and_the_transcript_stays(book: Book) -> None:
    old, young, seal = await a_note(book), await a_note(book), Seal([new_key()])
    async with book.crm.transaction(book.business_id) as tx:
        for message_id in (old, young):
            await recordings.keep(tx, message_id, SOUND, seal)
            await messages.heard(
                tx,
                message_id,
                transcript="Ciao",
                status="ok",
                confidence=0.9,
                language="it",
                reason=None,
                seconds=2,
            )
    await book.rows("UPDATE recording SET kept_at = now() - interval '8 days' WHERE message_id = %s", old)
    await book.rows("UPDATE recording SET kept_at = now() - interval '6 days' WHERE message_id = %s", young)
    async with book.crm.outside() as tx:
        assert await recordings.forget(tx, timedelta(days=7)) >= 1
    left = await book.rows(
        "SELECT m.message_id, m.transcript, r.message_id AS sound FROM message m"
        " LEFT JOIN recording r USING (message_id) WHERE m.message_id = ANY(%s) ORDER BY 1",
        [old, young],
    )
    assert [(row["transcript"], row["sound"]) for row in left] == [("Ciao", None), ("Ciao", young)]


def test_a_new_key_in_front_still_opens_what_an_old_one_closed() -> None:
    old, new = new_key(), new_key()
    sealed = Seal([old]).close(SOUND)
    assert Seal([new, old]).open(sealed) == SOUND
    with pytest.raises(NotOurSeal):
        Seal([old]).open(Seal([new, old]).close(SOUND))


def test_a_changed_bit_is_noticed() -> None:
    seal = Seal([new_key()])
    sealed = bytearray(seal.close(SOUND))
    sealed[40] ^= 1
    with pytest.raises(NotOurSeal):
        seal.open(bytes(sealed))


def test_only_whole_keys_are_taken() -> None:
    assert len(Fernet.generate_key()) == len(new_key())
    with pytest.raises(ValueError, match="32"):
        Seal(["short"])
