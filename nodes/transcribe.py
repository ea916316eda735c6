"""Voice notes become text before anything else looks at the turn."""

from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from channels.visible import visible
from crm import businesses, messages
from graph.context import Context, MediaUnusable
from graph.state import Event, Line, Said, State, extend

VOCABULARY = 60  # words a prompt can carry without crowding out the speech


async def transcribe(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["load_contact", "await_human"]]:
    """Turns each voice note of the turn into text and keeps the transcript on its message.

    While a human has the conversation, the words join the thread and the graph goes back to waiting.
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
    update = {"event": event, "handoff": handoff, "window": extend(state.get("window", []), lines)}
    return Command(goto="await_human", update=update)


async def _heard(said: Said, event: Event, state: State, context: Context) -> Said:
    media = said.get("media")
    if said.get("transcript") or not media or not _is_voice(said):
        return said
    async with context.crm.transaction(event["business_id"]) as tx:
        profile = await businesses.profile(tx)
    try:
        audio = await context.media.fetch(media["id"], media.get("sha256"))
    except MediaUnusable as error:
        return Said(**{**said, "text": "", "transcript": {"status": "rejected", "reason": str(error)}})
    transcript = await context.transcriber.transcribe(
        audio,
        languages=profile.business.languages,
        prior=state.get("language") or profile.language,
        vocabulary=_vocabulary(profile),
    )
    async with context.crm.transaction(event["business_id"]) as tx:
        await messages.heard(
            tx,
            said["message_id"],
            transcript=transcript.text,
            status=transcript.status,
            confidence=transcript.confidence,
            language=transcript.language,
        )
    kept: dict[str, Any] = {
        "status": transcript.status,
        "confidence": transcript.confidence,
        "language": transcript.language,
        "reason": transcript.reason,
        "low": transcript.low,
        "text": transcript.text,
    }
    # Words that were not understood are kept for the question about them, never acted on.
    text = transcript.text if transcript.status == "ok" else ""
    return Said(**{**said, "text": text, "transcript": kept})


def _seen(said: Said) -> Said:
    """Without characters nobody sees: not every message comes through the webhook."""
    return Said(**{**said, "text": visible(said["text"])}) if said.get("text") else said


def _is_voice(said: Said) -> bool:
    media = said.get("media") or {}
    return said.get("kind") == "audio" or (media.get("mime_type") or "").startswith("audio/")


def _vocabulary(profile: businesses.Profile) -> list[str]:
    names = [names[0] for service in profile.services for names in service.names.values() if names]
    return list(dict.fromkeys([profile.business.name, *names]))[:VOCABULARY]
