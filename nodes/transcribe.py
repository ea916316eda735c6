"""Voice notes become text before anything else looks at the turn."""

from typing import Any, Literal

import structlog
from langgraph.runtime import Runtime
from langgraph.types import Command

from channels.visible import visible
from crm import businesses, contacts, conversations, messages, recordings
from crm.vocabulary import expected_words
from graph.context import Context, MediaUnusable
from graph.state import Event, Line, Media, Said, State, extend
from inference.language_prior import language_prior
from inference.speech import Transcript
from tools import alarm

log = structlog.get_logger(__name__)


async def transcribe(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["load_contact", "await_human"]]:
    """Turns each voice note of the turn into text and keeps the transcript on its message.

    While a human has the conversation, the words join the thread and the graph goes back to waiting; a call
    for help among them gets the emergency number at once.
    """
    event = state["event"]
    paused = bool(state.get("handoff", {}).get("open"))
    # Words typed in Studio come as the event's text; without a pause load_contact makes a message of them.
    typed = [Said(author="customer", kind="text", text=event["text"])] if event.get("text") and paused else []
    said = [
        _seen(await _heard(message, event, state, runtime.context))
        for message in event.get("messages") or typed
    ]
    event = Event(**{**event, "messages": said}) if said else event
    if not paused:
        return Command(goto="load_contact", update={"event": event})
    lines: list[Line] = [
        Line(author="customer", text=m.get("text", ""), at=m.get("sent_at", "")) for m in said
    ]
    handoff = {**state["handoff"], "waiting": [*state["handoff"].get("waiting", []), *said]}
    told, handoff = await alarm.while_waiting(event, handoff, state.get("language"), runtime.context)
    update = {"event": event, "handoff": handoff, "window": extend(state.get("window", []), [*lines, *told])}
    return Command(goto="await_human", update=update)


async def _heard(said: Said, event: Event, state: State, context: Context) -> Said:
    media = said.get("media")
    if said.get("transcript") or not media or said.get("kind") != "audio":
        return said
    audio: bytes | None = None
    try:
        audio = await _fetched(media, event, context)
    except MediaUnusable as error:
        log.warning("voice_note_unavailable", message_id=said["message_id"], error=str(error))
        transcript = Transcript("rejected", reason=error.reason)
    else:
        transcript = await _listened(audio, event, state, context)
    await _keep(said["message_id"], event["business_id"], audio, transcript, context)
    kept: dict[str, Any] = {
        "status": transcript.status,
        "confidence": transcript.confidence,
        "language": transcript.language,
        "reason": transcript.reason,
        "low": transcript.low,
        "text": visible(transcript.text),
    }
    # Words that were not understood are kept for the question about them, never acted on.
    text = transcript.text if transcript.status == "ok" else ""
    return Said(**{**said, "text": text, "transcript": kept})


async def _fetched(media: Media, event: Event, context: Context) -> bytes:
    """The sound, by the token of the number that the note was sent to. Raises MediaUnusable."""
    async with context.crm.transaction(event["business_id"]) as tx:
        conversation = await conversations.get(tx, event["conversation_id"])
    return await context.media.fetch(media["id"], media.get("sha256"), conversation.phone_number_id)


async def _listened(audio: bytes, event: Event, state: State, context: Context) -> Transcript:
    """The transcript, with what is known of this customer and this business as a help to the ear."""
    async with context.crm.transaction(event["business_id"]) as tx:
        profile = await businesses.profile(tx)
        resources = await businesses.resources(tx)
        contact = await contacts.get(tx, event["contact_id"])
    languages = profile.business.languages
    spoken = state.get("language") or contact.language
    return await context.transcriber.transcribe(
        audio,
        languages=languages,
        prior=language_prior(spoken=spoken, wa_id=contact.wa_id, languages=languages),
        vocabulary=expected_words(profile, resources),
    )


async def _keep(
    message_id: int, business_id: int, audio: bytes | None, transcript: Transcript, context: Context
) -> None:
    """Transcript and sound, in one transaction; a turn that runs again after a crash keeps them once."""
    async with context.crm.transaction(business_id) as tx:
        await messages.heard(
            tx,
            message_id,
            transcript=visible(transcript.text),
            status=transcript.status,
            confidence=transcript.confidence,
            language=transcript.language,
            reason=transcript.reason,
            seconds=transcript.duration_s,
        )
        if audio and context.seal is not None:
            await recordings.keep(tx, message_id, audio, context.seal)


def _seen(said: Said) -> Said:
    """Without characters nobody sees: not every message comes through the webhook."""
    return Said(**{**said, "text": visible(said["text"])}) if said.get("text") else said
