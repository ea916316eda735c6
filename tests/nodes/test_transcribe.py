"""Voice notes through the whole path: understood, not understood, unusable, and during a pause."""

import io
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from crm import inbound, recordings
from db.tenancy import tenant
from graph.run import remembered
from graph.state import State
from inference.audio import SAMPLE_RATE
from inference.speech import Transcript
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local
from tests.nodes.stage import Stage, Thread
from tests.voice.make_fixtures import opus

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


def tune(seconds: float) -> bytes:
    """A melody as a voice note."""
    notes = np.repeat([262.0, 330.0, 392.0, 523.0, 392.0, 330.0], SAMPLE_RATE // 2)
    sound = np.sin(2 * np.pi * np.cumsum(np.resize(notes, int(seconds * SAMPLE_RATE))) / SAMPLE_RATE)
    return opus((sound * 8000).astype(np.int16))


def film() -> bytes:
    """A video with sound, sent as a voice note."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        sound, pictures = (
            target.add_stream("aac", rate=16_000, layout="mono"),
            target.add_stream("mpeg4", rate=5),
        )
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        target.mux([*pictures.encode(image), *pictures.encode(None)])
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        target.mux([*sound.encode(frame), *sound.encode(None)])
    return out.getvalue()


@pytest.mark.parametrize(
    ("note", "reason", "said"),
    [
        ("zero.ogg", "empty", "non mi è arrivato per intero"),
        ("truncated.ogg", "truncated", "non mi è arrivato per intero"),
        ("random.ogg", "not_audio", "non riesco ad aprirlo"),
        ("error_page.ogg", "not_audio", "non riesco ad aprirlo"),
        ("short.ogg", "too_short", "così breve"),
        ("silence.ogg", "no_speech", "non sono riuscita a sentire niente"),
        ("noise.ogg", "no_speech", "non sono riuscita a sentire niente"),
        ("tune", "music", "Sento della musica"),
        ("film", "video", "I video non riesco ancora a guardarli"),
        ("long", "too_long", "più di 5 minuti"),
    ],
)
async def test_every_outcome_has_its_own_words(
    whole: Local, notes: Path, note: str, reason: str, said: str
) -> None:
    made = {
        "tune": lambda: tune(4),
        "film": film,
        "long": lambda: opus(np.zeros(301 * SAMPLE_RATE, np.int16)),
    }
    voice = made[note]() if note in made else (notes / note).read_bytes()
    came = await exchange(whole, somebody(), voice=voice)
    assert (came.outcome, came.owner) == ("voice_unclear", "bot")
    assert said in came.reply
    [row] = await _rows(whole, came)
    assert (row["transcript_status"], row["transcript_reason"], row["transcript"]) == ("rejected", reason, "")


async def test_a_language_the_business_does_not_speak_is_named(whole: Local, notes: Path) -> None:
    came = await exchange(whole, somebody(), voice=(notes / "es_booking_woman.ogg").read_bytes())
    assert (came.outcome, came.owner) == ("voice_unclear", "bot")
    assert "spagnolo" in came.reply
    assert "italiano o inglese" in came.reply
    [row] = await _rows(whole, came)
    assert row["transcript"] == ""


async def test_what_was_heard_how_surely_and_the_sound_are_kept(whole: Local, notes: Path) -> None:
    note = (notes / "it_price_woman.ogg").read_bytes()
    came = await exchange(whole, somebody(), voice=note)
    [row] = await _rows(whole, came)
    assert (row["language"], row["transcript_status"], row["transcript_reason"]) == ("it", "ok", None)
    assert 0.5 < row["transcript_confidence"] <= 1
    assert row["media_seconds"] == pytest.approx(5.5, abs=0.5)
    assert note[:40] not in bytes(row["sealed"])
    seal = whole.services.context.seal
    assert seal is not None
    async with whole.crm.transaction(row["business_id"]) as tx:
        kept = await recordings.get(tx, row["message_id"], seal)
    assert kept.sound == note


async def _rows(whole: Local, came: Exchange) -> list[dict[str, Any]]:
    async with whole.crm.as_owner() as tx:
        cursor = await tx.connection.execute(
            "SELECT m.*, r.sealed FROM message m LEFT JOIN recording r USING (message_id)"
            " WHERE conversation_id = %s AND media_id IS NOT NULL ORDER BY message_id",
            (came.conversation_id,),
        )
        return await cursor.fetchall()


@dataclass
class Ear:
    """Hears what the test says was heard, and keeps what it was told beforehand."""

    hears: Transcript
    told: list[dict[str, Any]] = field(default_factory=list)

    async def transcribe(
        self, audio: bytes, *, languages: Sequence[str], prior: Any = None, vocabulary: Any = ()
    ) -> Transcript:
        self.told.append({"languages": languages, "prior": prior, "vocabulary": vocabulary})
        return self.hears


class Ears(Ear):
    """Hears one thing after the other."""

    def __init__(self, *hears: Transcript) -> None:
        super().__init__(hears[0])
        self.left = list(hears)

    async def transcribe(self, audio: bytes, **more: Any) -> Transcript:
        return self.left.pop(0)


@dataclass
class Media:
    """Any note, whole; keeps the numbers of ours that were named for it."""

    numbers: list[str] = field(default_factory=list)

    async def fetch(self, media_id: str, sha256: str | None, phone_number_id: str) -> bytes:
        self.numbers.append(phone_number_id)
        return b"OggS"


def unclear(text: str) -> Transcript:
    return Transcript("unclear", text, "it", confidence=0.3, duration_s=2.0, reason="low_confidence")


async def spoken(thread: Thread, hears: Transcript) -> State:
    """A voice note of which the model hears that."""
    ear = Ear(hears)
    thread.context = replace(thread.context, transcriber=ear, media=Media())
    event = await thread.wrote("", kind="audio")
    event["messages"][0]["media"] = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    return await thread.deliver(event)


async def test_a_note_whose_answer_was_withheld_is_heard_again_after_the_hand_back(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Vorrei parlare con una persona")
    await thread.say("Ci siete?")  # the thread waits for the agent, with this
    ear = Ear(Transcript("ok", "quanto costa un massaggio rilassante", "it", confidence=0.9, duration_s=2.0))
    thread.context = replace(thread.context, transcriber=ear, media=Media())
    note = await thread.wrote("", kind="audio")
    media = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    event = await thread.gave_back()
    withheld = [{**note["messages"][0], "media": media}]
    await thread.deliver({**event, "handoff": {**(event.get("handoff") or {}), "unanswered": withheld}})
    assert len(ear.told) == 1
    assert "65,00" in thread.words


async def test_a_note_is_fetched_for_the_number_it_was_sent_to(stage: Stage) -> None:
    thread, media = await stage.customer(), Media()
    ear = Ear(Transcript("ok", "quanto costa un massaggio rilassante", "it", confidence=0.9, duration_s=2.0))
    thread.context = replace(thread.context, transcriber=ear, media=media)
    event = await thread.wrote("", kind="audio")
    event["messages"][0]["media"] = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    await thread.deliver(event)
    assert media.numbers == [thread.number]


async def test_the_caption_of_a_sound_sent_as_a_document_is_what_was_said(stage: Stage) -> None:
    thread, asked = await stage.customer(), "Quanto costa un massaggio rilassante?"
    ear = Ear(Transcript("ok", "una canzone", "it", confidence=0.9, duration_s=2.0))
    thread.context = replace(thread.context, transcriber=ear, media=Media())
    event = await thread.wrote(asked, kind="document")
    media = {"id": "1", "mime_type": "audio/mpeg", "sha256": None, "voice": False, "filename": "a.mp3"}
    event["messages"][0]["media"] = media
    await thread.deliver(event)
    assert ear.told == []
    assert thread.state["window"][0]["text"] == asked
    assert "65,00" in thread.words


async def test_an_unclear_note_is_quoted_once_and_then_a_human_listens(stage: Stage) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("vorrei un massaggio domani alle sei"))
    assert thread.words == (
        "Ho sentito: “vorrei un massaggio domani alle sei”. È giusto?"
        " Se no, scrivimelo o mandami di nuovo il vocale."
    )
    assert (await thread.conversation()).owner == "bot"
    await spoken(thread, unclear("vorrei un messaggio domani"))
    assert (await thread.conversation()).owner == "human"
    [handoff] = await thread.handoffs()
    assert (handoff["reason"], handoff["wants"]) == ("voice_unclear", "vorrei un messaggio domani")
    kept = await stage.rows(
        "SELECT message_id FROM recording JOIN message USING (message_id)"
        " WHERE conversation_id = %s ORDER BY 1",
        thread.conversation_id,
    )
    assert len(kept) == 2
    assert thread.state["handoff"]["packet"]["voice_notes"] == [row["message_id"] for row in kept]


async def test_a_doubtful_call_for_help_does_not_wait_for_a_second_note(stage: Stage) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("aiuto ho un dolore forte al petto e non respiro"))
    [handoff] = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert "112" in thread.words
    assert len(thread.state["handoff"]["packet"]["voice_notes"]) == 1


async def test_a_yes_to_the_quoted_words_makes_them_the_customers(stage: Stage) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("vorrei prenotare un massaggio rilassante venerdì alle 15"))
    await thread.say("sì")
    assert thread.state["outcome"]["kind"] == "confirming"
    assert "15:00" in thread.words
    assert await stage.rows("SELECT 1 FROM appointment WHERE contact_id = %s", thread.contact_id) == []


@pytest.mark.parametrize("words", [("sì", "grazie"), ("grazie", "sì"), ("👍", "a presto")])
async def test_a_yes_to_the_quoted_words_counts_beside_others(stage: Stage, words: tuple[str, str]) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("vorrei prenotare un massaggio rilassante venerdì alle 15"))
    await thread.say(*words)
    assert thread.state["outcome"]["kind"] == "confirming"
    assert "15:00" in thread.words


async def test_what_is_asked_beside_the_yes_is_kept(stage: Stage) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("quanto costa un massaggio rilassante"))
    await thread.say("Sì", "e dove siete?")
    said = [one["text"] for one in thread.state["event"]["messages"]]
    assert said == ["quanto costa un massaggio rilassante", "e dove siete?"]


async def test_a_yes_that_is_taken_back_or_pressed_under_something_else_confirms_no_hearing(
    stage: Stage,
) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("vorrei prenotare un massaggio rilassante venerdì alle 15"))
    await thread.say("sì", "no")
    assert thread.state["event"]["messages"][0]["text"] == "sì"
    await spoken(thread, unclear("vorrei prenotare un massaggio rilassante venerdì alle 15"))
    await thread.say("Sì", kind="interactive", option="confirm:yes")
    assert thread.state["event"]["messages"][0]["text"] == "Sì"


async def test_every_note_that_failed_is_spoken_of(stage: Stage) -> None:
    thread = await stage.customer()
    short, empty = Transcript("rejected", reason="too_short"), Transcript("rejected", reason="empty")
    ears = Ears(short, unclear("vorrei un massaggio"), empty, short)
    thread.context = replace(thread.context, transcriber=ears, media=Media())
    event = await thread.wrote("", "", "", "")
    for note in event["messages"]:
        note["kind"] = "audio"
        note["media"] = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    await thread.deliver(event)
    heard, *rest = thread.words.split("\n")
    assert heard.startswith("Ho sentito: “vorrei un massaggio”.")
    assert ["così breve" in rest[0], "per intero" in rest[1], len(rest)] == [True, True, 2]
    await thread.say("sì")
    assert thread.state["event"]["messages"][0]["text"] == "vorrei un massaggio"


async def test_what_was_barely_understood_is_said_back_before_the_answer(stage: Stage) -> None:
    thread = await stage.customer()
    barely = Transcript("ok", "Quanto costa il massaggio rilassante?", "it", confidence=0.6, low=True)
    await spoken(thread, barely)
    first, *_ = [message.body for message in await thread.spoken()]
    assert first == "Nel tuo vocale ho sentito: “Quanto costa il massaggio rilassante?”."
    await spoken(thread, replace(barely, low=False))
    assert sum("ho sentito" in message.body for message in await thread.spoken()) == 1


async def test_the_ear_is_told_the_languages_the_people_and_the_streets(stage: Stage) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("eh"))
    [told] = thread.context.transcriber.told  # type: ignore[attr-defined]
    assert told["languages"] == ["it", "en"]
    assert told["prior"] == {"it": pytest.approx(3.0)}
    assert {"Via Orti", "Giulia Marchetti", "Massaggio rilassante"} <= set(told["vocabulary"]["it"])
    assert "Relaxing massage" in told["vocabulary"]["en"]
    await thread.say("Hello, how much is a relaxing massage please?")
    await spoken(thread, unclear("eh"))
    assert thread.context.transcriber.told[0]["prior"] == {"en": 3.0}  # type: ignore[attr-defined]


async def test_without_a_key_the_sound_is_not_kept(stage: Stage) -> None:
    thread = await stage.customer()
    thread.context = replace(thread.context, seal=None)
    await spoken(thread, unclear("eh"))
    [row] = await stage.rows(
        "SELECT transcript, (SELECT count(*) FROM recording r WHERE r.message_id = m.message_id) AS kept"
        " FROM message m WHERE conversation_id = %s AND kind = 'audio'",
        thread.conversation_id,
    )
    assert row == {"transcript": "eh", "kept": 0}


async def test_a_heart_under_another_message_forgets_nothing_of_a_note(stage: Stage) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("vorrei prenotare un massaggio rilassante venerdì alle 15"))
    event = await thread.wrote("❤️", kind="reaction")
    await thread.deliver(event)
    assert thread.state["outcome"]["kind"] == "silent"
    await thread.say("sì")
    assert thread.state["outcome"]["kind"] == "confirming"


@pytest.mark.parametrize(("under", "kind"), [("question", "confirming"), ("other", "silent")])
async def test_a_thumbs_up_under_the_question_confirms_what_was_heard(
    stage: Stage, under: str, kind: str
) -> None:
    thread = await stage.customer()
    await spoken(thread, unclear("vorrei prenotare un massaggio rilassante venerdì alle 15"))
    event = await thread.wrote("👍", kind="reaction")
    event["messages"][0]["quoted"] = thread.words if under == "question" else "Ciao! Sono SARA"
    await thread.deliver(event)
    assert thread.state["outcome"]["kind"] == kind


async def test_a_note_deleted_while_it_is_heard_is_neither_kept_nor_answered(stage: Stage) -> None:
    thread = await stage.customer()

    class Deleting(Ear):
        async def transcribe(self, audio: bytes, **more: Any) -> Transcript:
            async with stage.crm.transaction(thread.business_id) as tx:
                changed = await inbound.to_change(tx, str(event["messages"][0]["wamid"]))
                assert changed is not None
                await inbound.take_back(tx, changed, tx.now)
            return self.hears

    ear = Deleting(Transcript("ok", "quanto costa un massaggio", "it", confidence=0.9, duration_s=2.0))
    thread.context = replace(thread.context, transcriber=ear, media=Media())
    event = await thread.wrote("", kind="audio")
    event["messages"][0]["media"] = {"id": "1", "mime_type": "audio/ogg", "sha256": None, "voice": True}
    await thread.deliver(event)
    assert await thread.spoken() == []
    [row] = await stage.rows(
        "SELECT coalesce(transcript, '') AS heard,"
        " (SELECT count(*) FROM recording r WHERE r.message_id = m.message_id) AS kept"
        " FROM message m WHERE conversation_id = %s AND kind = 'audio'",
        thread.conversation_id,
    )
    assert row == {"heard": "", "kept": 0}


async def test_a_note_that_was_not_understood_says_nothing_of_the_language(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Buongiorno, quanto costa un massaggio rilassante?")
    await spoken(thread, replace(unclear("sorry what"), language="en"))
    assert thread.state["language"] == "it"
    assert thread.words.startswith("Ho sentito")
    ok = Transcript("ok", "How much is a relaxing massage?", "en", confidence=0.9, duration_s=2.0)
    await spoken(thread, ok)
    assert thread.state["language"] == "en"
