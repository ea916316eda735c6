"""A human is needed: the hand-over is opened, everything at hand is packed, the customer is told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from crm import businesses, contacts, conversations, handoffs, outbox, progress, queue
from crm.businesses import Profile
from crm.conversations import ConversationRow
from crm.messages import NewMessage
from crm.record import Tx
from graph.context import Context
from graph.state import (
    Line,
    State,
    answered_wamids,
    extend,
    formal_languages,
    given_back,
    seen_by_person,
    text_of,
)
from tools import alarm
from tools.holding import holding
from tools.unheard import voice_notes
from tools.unseen import files

WINDOW_HOURS = 24


async def open_handoff(state: State, runtime: Runtime[Context]) -> Command[Literal["await_human", "reply"]]:
    """Opens the hand-over, gives the conversation to humans and says so, in one transaction.

    Run again after a crash it finds its own hand-over and changes nothing. Where an agent took the
    conversation meanwhile, that agent's hand-over stands and nothing is said. What a human has just handed
    back does not return to them for the same reason.
    """
    context, event, reason = runtime.context, state["event"], state["handoff"]
    async with context.crm.transaction(event["business_id"]) as tx:
        conversation = await conversations.lock(tx, event["conversation_id"])
        if await _just_returned(tx, state):
            back = {"open": False, "returned": {**given_back(event), "reason": reason["reason"]}}
            return Command(goto="reply", update={"handoff": back, "outcome": _offered(state, context)})
        profile = await businesses.profile(tx)
        packet = {**_packet(state, conversation, tx.now), "queue": _queue(profile)}
        handoff_id = await handoffs.open_one(
            tx,
            event["conversation_id"],
            turn_id=event["turn_id"],
            reason=reason["reason"],
            label=reason.get("label"),
            score=reason.get("score"),
            summary=packet["summary"],
            wants=packet["wants"],
            draft=packet["draft"],
        )
        await _keep_known(tx, handoff_id, packet)
        spoke = await outbox.spoke(tx, event["turn_id"])
        taken = not spoke and conversation.owner == "human" and conversation.epoch != event["epoch"]
        words = "" if taken else _holding(state, profile, context, tx.now)
        if not spoke and not taken:
            await _speak(tx, state, words)
            await queue.brief(tx, handoff_id)
        await progress.came_to_an_end(
            tx,
            event["conversation_id"],
            up_to=event["last_event_id"],
            intent="handoff",
            outcome=reason["reason"],
        )
    if context.notify is not None and not taken:
        await context.notify(event["business_id"], handoff_id)
    lines = [Line(author="bot", text=words, at=context.clock().isoformat())] if words else []
    known = {**reason, "alarmed_at": context.clock().isoformat()} if _emergency(reason) else dict(reason)
    if taken:  # the agent's hand-over stands, and a call for help gets its number all the same
        lines, known = await alarm.while_waiting(event, reason, state["language"], context)
    return Command(
        goto="await_human",
        update={
            "handoff": {
                **known,
                "open": True,
                "handoff_id": handoff_id,
                "waiting": event.get("messages", []) if taken else [],
                "packet": {**packet, "handoff_id": handoff_id},
            },
            "outcome": _said(words),
            "window": extend(state.get("window", []), lines),
        },
    )


def _said(words: str) -> dict[str, Any]:
    replies = [{"text": words}] if words else []
    return {"kind": "handed_over", "intent": "handoff", "replies": replies}


async def _keep_known(tx: Tx, handoff_id: int, packet: dict[str, Any]) -> None:
    """What is known now, for the people who open the hand-over's page."""
    await handoffs.know(
        tx,
        handoff_id,
        slots={str(key): str(value) for key, value in packet["slots"].items() if value not in (None, "")},
        words=[str(word) for word in packet["sensitivity"].get("words", [])],
        sources=[(one["source"], one["section"] or "") for one in packet["sources"]],
    )


async def _just_returned(tx: Tx, state: State) -> bool:
    """Whether a human gave this back a moment ago, and nothing but the reason they had brings it to them.

    In an emergency it returns to them all the same, and so does a file that nobody has looked at.
    """
    event, reason = state["event"], state["handoff"]
    handoff_id = (event.get("handoff") or {}).get("handoff_id")
    if reason["reason"] == "attachment" and not seen_by_person(event):
        return False
    if event["kind"] != "hand_back" or handoff_id is None or reason.get("label") == "emergency":
        return False
    return bool((await handoffs.get(tx, handoff_id)).reason == reason["reason"])


def _offered(state: State, context: Context) -> dict[str, Any]:
    """What SARA says instead: a person is there for the asking."""
    say = context.phrases.speaker(state["language"], formal=formal_languages(state))
    words = say("I don't have this information at hand. Would you like a colleague to answer you?")
    options = [
        {"id": "human:yes", "title": say("Yes, a colleague please")},
        {"id": "human:no", "title": say("No, thanks")},
    ]
    return {"kind": "not_again", "intent": "handoff", "replies": [{"text": words, "options": options}]}


async def _speak(tx: Tx, state: State, words: str) -> None:
    event = state["event"]
    epoch = await conversations.give_to_human(tx, event["conversation_id"])
    message = NewMessage(
        conversation_id=event["conversation_id"],
        contact_id=event["contact_id"],
        author="bot",
        kind="text",
        body=words,
        language=state["language"],
        sent_at=tx.now,
    )
    await outbox.add(tx, [message], turn_id=event["turn_id"], epoch=epoch, answers=answered_wamids(event))
    await contacts.remember(
        tx,
        event["contact_id"],
        "handed_over",
        conversation_id=event["conversation_id"],
        detail=state["handoff"]["reason"],
    )
    await queue.send(tx, event["conversation_id"])


def _holding(state: State, profile: Profile, context: Context, now: datetime) -> str:
    """What the customer is told: the emergency number first, then who answers and when."""
    language, reason = state["language"], state["handoff"]
    say = context.phrases.speaker(language, formal=profile.pack.formal)
    about = str(reason.get("text") or "")
    return holding(profile, say, language, now, emergency=_emergency(reason), about=about)


def _emergency(reason: Mapping[str, Any]) -> bool:
    return reason.get("label") == "emergency"


def _packet(state: State, conversation: ConversationRow, now: datetime) -> dict[str, Any]:
    """What an agent needs to answer without asking anything again; deterministic, no model involved."""
    reason = state["handoff"]
    wants = str(reason.get("wants") or text_of(state["event"]))
    since = conversation.last_customer_at or now
    left = WINDOW_HOURS * 3600 - (now - since).total_seconds()
    grounded = state.get("grounding", {}).get("supported", False)
    return {
        "reason": reason["reason"],
        "sensitivity": {k: reason.get(k) for k in ("label", "topic", "score", "words") if reason.get(k)},
        "summary": _summary(state, wants),
        "wants": wants,
        "slots": reason.get("slots") or state.get("frame", {}).get("slots", {}),
        "contact": state.get("contact", {}),
        "messages": state.get("window", [])[-10:],
        "sources": [{"source": p["source"], "section": p["section"]} for p in state.get("passages", [])],
        "draft": state.get("proposal", {}).get("reply", "") if grounded else "",
        # What a human may have to listen to: the sound is kept under the ids of these messages.
        "voice_notes": reason.get("voice_notes") or voice_notes(state["event"]),
        # … and look at: kept under the ids of these messages as well.
        "files": reason.get("files") or files(state["event"]),
        "window_seconds_left": max(0, round(left)),
        "conversation_id": conversation.conversation_id,
    }


def _queue(profile: Profile) -> dict[str, str] | None:
    """Who takes it over, named in the business's language."""
    key, names = profile.pack.queue, profile.pack.queue_names
    return {"key": key, "name": names.get(profile.language, key)} if key else None


def _summary(state: State, wants: str) -> str:
    contact = state.get("contact", {})
    who = contact.get("name") or "Customer"
    said = [
        line["text"] for line in state.get("window", []) if line["author"] == "customer" and line.get("text")
    ]
    earlier = " / ".join(said[-4:-1])
    return f"{who} ({contact.get('lifecycle', 'lead')}): {wants}" + (
        f" — before: {earlier}" if earlier else ""
    )
