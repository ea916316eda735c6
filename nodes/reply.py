"""The turn's words go into the outbox, once, and the turn is done."""

from datetime import datetime
from typing import Any

from langgraph.runtime import Runtime

from channels.messages import Button, OutboundMessage, Row
from channels.whatsapp.limits import BUTTONS_MAX, fit
from crm import outbox, progress, queue
from crm.messages import Cited, NewMessage, Option
from graph.context import Context
from graph.state import SUPERSEDED, Line, State, answered_wamids, extend, formal_languages
from tools.heard import spoken_words
from tools.unheard import shortened


async def reply(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Writes the outbox rows with the send job, marks the events done and updates the conversation.

    Words of a turn whose conversation changed hands meanwhile are dropped: someone else is speaking.
    """
    context, event, outcome = runtime.context, state["event"], state["outcome"]
    speaking = progress.about_to_speak(
        context.crm,
        event["business_id"],
        event["conversation_id"],
        event["turn_id"],
        up_to=event["last_event_id"],
        intent=outcome.get("intent"),
        outcome=outcome.get("kind", "answered"),
    )
    async with speaking as (tx, floor):
        replies = _messages(state, context, tx.now)
        superseded = floor.conversation.epoch != event["epoch"]
        # What tells of an act is written all the same: an older epoch is withheld, and goes out if the
        # conversation is given back without a word. Asked again, the act would be known as done and not told.
        acted = outcome.get("kind") == "done"
        if replies and not floor.spoke and (acted or not superseded):
            await outbox.add(
                tx,
                replies,
                turn_id=event["turn_id"],
                epoch=event["epoch"],
                answers=answered_wamids(event),
                number=floor.number,
                also=[queue.delivery(tx, event["conversation_id"])],
                ending=True,
            )
    if superseded:
        left = [] if acted else event.get("messages", [])
        return {"outcome": {**outcome, "kind": SUPERSEDED, "replies": [], "waiting": left}}
    lines = [_line(message) for message in replies]
    return {"window": extend(state.get("window", []), lines)}


def _line(message: NewMessage) -> Line:
    line = Line(author="bot", text=message.body, at=message.sent_at.isoformat())
    if any(option.option_id == "human:yes" for option in message.options):
        line["offers"] = "person"
    return line


def _messages(state: State, context: Context, now: datetime) -> list[NewMessage]:
    """The outcome's replies as messages that fit the channel; sources go with the first."""
    outcome = state["outcome"]
    texts = [part for part in outcome.get("replies", []) if part.get("text")]
    if texts and (ahead := _about_voice(state, context)):
        texts.insert(0, {"text": ahead})
    offered = _offer(state, context) if outcome.get("kind") == "answered" else []
    if texts and offered and not texts[-1].get("options"):
        texts[-1] = {**texts[-1], "options": offered}
    fitted = [message for part in texts for message in fit(_outbound(part))]
    cited = _cited(state)
    return [
        _written(state, message, now, cited if number == 0 else []) for number, message in enumerate(fitted)
    ]


def _about_voice(state: State, context: Context) -> str:
    """Before an answer: which note of the burst was not understood, and what was heard with some doubt."""
    event, outcome, hearing = state["event"], state["outcome"], state.get("hearing", {})
    parts = []
    if hearing.get("turn_id") == event["turn_id"] and outcome.get("kind") != "voice_unclear":
        parts.append(hearing["asked"])
    words, doubtful = spoken_words(event)
    if doubtful and outcome.get("kind") == "answered":
        say = context.phrases.speaker(state["language"], formal=formal_languages(state))
        parts.append(say("In your voice note I heard: “{heard}”.", heard=shortened(words)))
    return "\n".join(parts)


def _outbound(part: dict[str, Any]) -> OutboundMessage:
    options = part.get("options") or []
    if not options:
        return OutboundMessage(body=part["text"])
    if len(options) <= BUTTONS_MAX and not any(option.get("description") for option in options):
        buttons = tuple(Button(id=option["id"], title=option["title"]) for option in options)
        return OutboundMessage(kind="buttons", body=part["text"], buttons=buttons)
    rows = tuple(Row(id=o["id"], title=o["title"], description=o.get("description")) for o in options)
    return OutboundMessage(kind="list", body=part["text"], rows=rows, opener=part.get("opener"))


def _written(state: State, message: OutboundMessage, now: datetime, cited: list[Cited]) -> NewMessage:
    buttons = [Option(button.id, button.title) for button in message.buttons]
    rows = [Option(row.id, row.title, row.description) for row in message.rows]
    return NewMessage(
        conversation_id=state["event"]["conversation_id"],
        contact_id=state["event"]["contact_id"],
        author="bot",
        kind=message.kind,
        body=message.body,
        opener=message.opener,
        language=state["language"],
        sent_at=now,
        options=[*buttons, *rows],
        sources=cited,
    )


def _offer(state: State, context: Context) -> list[dict[str, str]]:
    """Nothing to answer with: the customer is offered a person."""
    if not state.get("proposal", {}).get("abstained"):
        return []
    say = context.phrases.speaker(state["language"], formal=formal_languages(state))
    return [
        {"id": "human:yes", "title": say("Yes, a colleague please")},
        {"id": "human:no", "title": say("No, thanks")},
    ]


def _cited(state: State) -> list[Cited]:
    """The documents behind the citations of the answer; live facts are cited as the record."""
    proposal, outcome = state.get("proposal") or {}, state["outcome"]
    if outcome.get("kind") != "answered":
        return []
    passages = {p["id"]: Cited(p["source"], p["section"]) for p in state.get("passages", [])}
    facts = {f["id"]: Cited("record", f["kind"]) for f in state.get("facts", [])}
    known = {**facts, **passages}
    # What the model cites, and what the check found its claims to rest on.
    ledger = [entry["source"] for entry in state.get("grounding", {}).get("ledger", [])]
    named = [*proposal.get("citations", []), *ledger]
    return list(dict.fromkeys(known[c] for c in named if c in known))
