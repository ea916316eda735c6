"""Who is writing, to whom, and what is already known between them."""

import asyncio
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, cast

from langgraph.runtime import Runtime
from langgraph.types import Command

from channels.messages import OutboundMessage
from channels.whatsapp.limits import fit
from crm import businesses, contacts, conversations, desk, handoffs, lifecycle, messages
from crm.businesses import Profile
from crm.card import Card, card, opened
from crm.contacts import ContactRow
from crm.conversations import ConversationRow
from crm.errors import WindowOver
from crm.record import Tx
from graph.context import Context
from graph.state import Event, Line, Said, State, extend, left_unanswered, text_of, with_context
from inference.errors import InferenceError
from inference.extract import yes_no
from inference.grounding_promises import promises
from inference.grounding_words import fold
from inference.language import LANGUAGES
from tools import alarm

# People choose their own profile names, and everything that speaks reads them. Letters, as in "J. R. O'Neil".
_WORD = r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?"
_NAME = re.compile(rf"[^\w\x00-\x1f!-/:-@\[-`{{-~]*(?P<name>{_WORD}(?: {_WORD}){{0,3}})")
_LONGEST_NAME = 40


async def load_contact(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["triage", "await_human", "__end__"]]:
    """Loads the contact with history and open business, the business, the window and the language.

    A conversation that a human owns (taken over outside this thread) goes to await_human, not to the bot; so
    does one that a human has owned and given back already, which comes right behind the event.
    """
    context = runtime.context
    entered = await _entered(state["event"], context)
    event = await _without_taken_back(entered, context)
    if not event["messages"] and (event["kind"] in ("hand_back", "resolve") or entered["messages"]):
        return Command(goto="__end__", update={"event": event})
    ahead = asyncio.create_task(_read_ahead(text_of(event), context))
    try:
        update, conversation = await _loaded(event, state, context)
    finally:
        await ahead
    taken = conversation.owner == "human" or event.get("overtaken", False)
    if taken and not state.get("handoff", {}).get("open"):
        packet = {"reason": "human_owns", "conversation_id": conversation.conversation_id}
        waiting = [*left_unanswered(state.get("outcome")), *event["messages"]]
        handoff = {"open": True, "reason": "human_owns", "waiting": waiting, "packet": packet}
        told, update["handoff"] = await alarm.while_waiting(event, handoff, update["language"], context)
        update["window"] = extend(update["window"], told)
        return Command(goto="await_human", update=update)
    return Command(goto="triage", update=update)


async def _read_ahead(text: str, context: Context) -> None:
    """Embeds the message while the record is asked: the embedder remembers it for the nodes that read it,
    which are told of a failure when they ask themselves."""
    if text:
        with suppress(InferenceError):
            await context.embedder.query(text)


async def _loaded(event: Event, state: State, context: Context) -> tuple[dict[str, Any], ConversationRow]:
    opening = opened(context.crm, event["business_id"], event["contact_id"], event["conversation_id"])
    async with opening as (tx, found):
        known = await _known(tx, event, found)
        profile = await context.profiles.begin(tx, event["turn_id"], known.profile_version)
        contact = known.contact
        window = state.get("window") or await _window_of_earlier(tx, contact.contact_id, event)
        language = _language(event, state, contact, profile, context)
        if language != contact.language:
            await contacts.speaks(tx, contact.contact_id, language)
    lines = [] if event["kind"] == "hand_back" else _lines(event)
    update = {
        "event": event,
        "contact": _told(known),
        "business": _business(profile),
        "language": language,
        "window": extend(window, lines),
        "passages": [],
        "facts": [],
        "proposal": {},
        "grounding": {},
        "outcome": {},
    }
    return update, known.conversation


async def _entered(event: Event, context: Context) -> Event:
    """An event that came to the graph directly (Studio, a notebook), told to the record as the inbox would.

    It has no turn id, and a first one names business and sender instead of a conversation. The turn id it
    gets is checkpointed with this node, so nothing is told twice. Raises UnknownBusiness.
    """
    if "turn_id" in event:
        return event
    kind, now = event.get("kind", "customer_message"), context.clock().isoformat()
    business_id = event.get("business_id") or await _business_id(event, context)
    async with context.crm.transaction(business_id) as tx:
        conversation_id = event.get("conversation_id") or await _conversation_of(tx, event)
        if kind in ("hand_back", "resolve"):
            await _given_back(tx, conversation_id, kind, event.get("handoff") or {})
        conversation = await conversations.get(tx, conversation_id)
    said = Said(author="customer", kind="text", text=event.get("text", ""), sent_at=now)
    messages_of_turn = (
        event.get("messages", []) if kind != "customer_message" else event.get("messages") or [said]
    )
    whole: dict[str, Any] = {
        "last_event_id": 0,
        "handoff": None,
        **event,
        "kind": kind,
        "turn_id": f"{business_id}:{conversation_id}:{now}",
        "business_id": business_id,
        "conversation_id": conversation_id,
        "contact_id": conversation.contact_id,
        "epoch": conversation.epoch,
        "messages": messages_of_turn,
    }
    return cast(Event, whole)


async def _without_taken_back(event: Event, context: Context) -> Event:
    """The event without what its author has deleted while an agent had the conversation, or while a voice
    note was fetched and heard: nobody answers that."""
    slow = event["kind"] == "hand_back" or any(said.get("transcript") for said in event["messages"])
    ids = [said["message_id"] for said in event["messages"] if said.get("message_id")]
    if not slow or not ids:
        return event
    async with context.crm.transaction(event["business_id"]) as tx:
        gone = await messages.taken_back(tx, ids)
    left = [said for said in event["messages"] if said.get("message_id") not in gone]
    return Event(**{**event, "messages": left}) if gone else event


async def _business_id(event: Event, context: Context) -> int:
    async with context.crm.outside() as tx:
        return await businesses.of_slug(tx, event.get("business", "aurora"))


async def _conversation_of(tx: Tx, event: Event) -> int:
    """The open conversation of the sender, which the message just received belongs to."""
    number = (await businesses.numbers(tx))[0].phone_number_id
    wa_id = event.get("sender", "390000000000").lstrip("+")
    contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=None, name=None)
    conversation_id = await conversations.open_for(tx, contact_id, number)
    await conversations.customer_wrote(tx, conversation_id, tx.now)
    return conversation_id


async def _given_back(tx: Tx, conversation_id: int, kind: str, returned: Mapping[str, Any]) -> None:
    """The hand-over ends in the record too, unless it has ended there already."""
    handoff_id = await handoffs.open_of(tx, conversation_id)
    note = str(returned.get("note") or "")
    if handoff_id is not None and returned.get("say"):
        try:
            texts = [part.body for part in fit(OutboundMessage(body=str(returned["say"])))]
            await desk.answer(tx, handoff_id, None, texts)
        except WindowOver as error:
            note = f"{note}\n{error}: {returned['say']}".strip()
    if handoff_id is not None and kind == "resolve":
        await desk.resolve(tx, handoff_id, None, note=note)
    elif handoff_id is not None:
        facts = {str(key): str(body) for key, body in (returned.get("facts") or {}).items()}
        promises = [str(promise) for promise in returned.get("promises") or []]
        await desk.hand_back(tx, handoff_id, None, note=note, facts=facts, promises=promises)
    elif (await conversations.lock(tx, conversation_id)).owner == "human":
        await conversations.give_to_bot(tx, conversation_id)


async def _known(tx: Tx, event: Event, known: Card) -> Card:
    """The card of a customer who writes, and so is not dormant any more."""
    contact_id = known.conversation.contact_id
    merged = contact_id != known.contact.contact_id  # since the event was taken up
    if known.contact.lifecycle == "dormant":
        await lifecycle.wake(tx, contact_id)
    elif not merged:
        return known
    return await card(tx, contact_id, event["conversation_id"])


def _told(known: Card) -> dict[str, Any]:
    contact = known.contact
    return {
        "contact_id": contact.contact_id,
        "name": called(contact.name),
        "lifecycle": contact.lifecycle,
        "opted_out": contact.opted_out_at is not None,
        "since": contact.created_at.isoformat(),
        "appointments": [
            {"id": a.appointment_id, "service": a.service_key, "starts": a.starts.isoformat()}
            for a in known.appointments
        ],
        "visits": [
            {"service": a.service_key, "starts": a.starts.isoformat(), "with": a.resource_name}
            for a in known.visits
        ],
        "quotes": [q.quote_id for q in known.quotes],
        "tickets": [t.ticket_id for t in known.tickets],
        "history": [{"what": e.kind, "detail": e.detail, "at": e.at.isoformat()} for e in known.history],
        "earlier": [{"closed_at": s.closed_at.isoformat(), "summary": s.summary} for s in known.earlier],
    }


def called(name: str | None) -> str | None:
    """What of a profile name a person may be called by: up to four words, nothing that is no name.

    Numbers, marks and what follows them are left out, and so is a name that promises something.
    """
    found = _NAME.match(unicodedata.normalize("NFC", name or ""))
    if not found or promises(fold(found["name"])):
        return None
    return found["name"][:_LONGEST_NAME].strip()


def _business(profile: Profile) -> dict[str, Any]:
    row = profile.business
    return {
        "name": row.name,
        "vertical": row.vertical,
        "country": row.country,
        "time_zone": row.time_zone,
        "languages": row.languages,
        "formal": profile.pack.formal,
    }


async def _window_of_earlier(tx: Tx, contact_id: int, event: Event) -> list[Line]:
    """A new thread starts with the last words of the earlier ones, so that nobody has to repeat them."""
    # What was written while this turn waited (for a voice note to be fetched, say) is a turn of its own.
    own = [said["message_id"] for said in event.get("messages", []) if said.get("message_id")]
    written = await messages.of_contact(tx, contact_id, most=8)
    rows = [row for row in written if not own or row.message_id < min(own)]
    return [Line(author=_author(row.author), text=row.body, at=row.sent_at.isoformat()) for row in rows]


def _author(author: str) -> Literal["customer", "bot", "agent", "system"]:
    authors: dict[str, Literal["customer", "bot", "agent", "system"]] = {
        "customer": "customer",
        "bot": "bot",
        "agent": "agent",
    }
    return authors.get(author, "system")


def _lines(event: Event) -> list[Line]:
    return [
        Line(author="customer", text=with_context(said), at=said.get("sent_at", ""))
        for said in event.get("messages", [])
    ]


def _language(event: Event, state: State, contact: ContactRow, profile: Profile, context: Context) -> str:
    if contact.told_language:
        return contact.told_language
    for said in event.get("messages", []):
        heard = said.get("transcript") or {}
        # What was not understood may have been taken for another language; the customer's is asked in.
        if heard.get("status") == "ok" and heard.get("language") in profile.business.languages:
            return str(heard["language"])
    prior = state.get("language") or contact.language
    if prior in LANGUAGES and yes_no(text_of(event), prior):
        return prior  # "vale, confirmo" is Portuguese by its letters, and a yes to what was asked in Spanish
    allowed = list(dict.fromkeys([*profile.business.languages, *context.phrases.languages]))
    return context.languages.detect(text_of(event), allowed=allowed, prior=prior).language
