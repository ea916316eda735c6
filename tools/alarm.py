"""An emergency in the middle of something else: judged apart, answered with the number, told to the team.

A message that a person has to answer, a button or a voice note that was hardly heard is not scored like the
words of a turn; a call for help among them waits for nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from crm import conversations, handoffs, outbox, queue
from crm.businesses import Profile
from crm.messages import NewMessage
from crm.packs import Topic
from graph.context import Context
from graph.state import Event, Line, Said, answered_wamids
from inference.errors import InferenceError
from inference.sensitivity import Sensitivity
from tools.holding import call_for_help
from tools.lexicons import touched
from tools.matching import names_only
from tools.unheard import guess, not_understood

AGAIN_AFTER = timedelta(minutes=30)  # who calls for help writes many messages: one of them is answered


def for_a_human(judged: Sensitivity, topic: Topic, words: tuple[str, ...]) -> Sensitivity:
    """The judgment of a message about something the business's vertical leaves to humans, whatever it scored.

    An emergency heard by the general lexicon stays one.
    """
    label = judged.label if judged.label == "emergency" else topic.kind
    found = tuple(dict.fromkeys([*judged.words, *words]))
    return replace(judged, label=label, escalate=True, words=found)


async def emergency(text: str, language: str, profile: Profile, context: Context) -> Sensitivity | None:
    """The judgment of words that call for help; None for any others."""
    if not text.strip() or names_only(text, profile):
        return None
    try:
        vector = await context.embedder.query(text)
        judged = context.sensitivity.score(text, vector, language, profile.thresholds)
    except InferenceError:
        judged = context.sensitivity.unread(text)
    judged = _with_topics(judged, text, profile)
    return judged if judged.escalate and judged.label == "emergency" else None


def by_words(text: str, profile: Profile, context: Context) -> float | None:
    """The score of words in which the lists alone hear a call for help; None where they hear none."""
    judged = _with_topics(context.sensitivity.unread(text), text, profile)
    return judged.score if judged.label == "emergency" else None


def _with_topics(judged: Sensitivity, text: str, profile: Profile) -> Sensitivity:
    topic = touched(profile.pack.topics, text)
    return for_a_human(judged, *topic) if topic is not None else judged


def words_of(said: Iterable[Said]) -> str:
    """What messages say in words of the customer's own, one line each: no titles of buttons."""
    return "\n".join(one["text"] for one in said if one.get("text") and not one.get("option_id"))


async def raised(
    event: Event, wants: str, judged: Sensitivity, language: str, profile: Profile, context: Context
) -> str:
    """The customer of a conversation that a person has gets the emergency number, and its hand-over becomes
    an emergency, told to the team as news with what they want; what the customer was told. Done again it
    changes nothing."""
    now = context.clock()
    turn_id = f"{event.get('turn_id') or now.isoformat()}:emergency"
    say = context.phrases.speaker(language, formal=profile.pack.formal)
    words = call_for_help(profile, say)
    async with context.crm.transaction(event["business_id"]) as tx:
        conversation = await conversations.lock(tx, event["conversation_id"])
        handoff_id = await handoffs.open_of(tx, conversation.conversation_id)
        if not await outbox.spoke(tx, turn_id):
            message = NewMessage(
                conversation_id=conversation.conversation_id,
                contact_id=conversation.contact_id,
                author="bot",
                kind="text",
                body=words,
                language=language,
                sent_at=tx.now,
            )
            answers = answered_wamids(event)
            await outbox.add(tx, [message], turn_id=turn_id, epoch=conversation.epoch, answers=answers)
            await queue.send(tx, conversation.conversation_id)
            if handoff_id is not None:
                await handoffs.alarm(tx, handoff_id, score=judged.score, wants=wants)
    if context.notify is not None and handoff_id is not None:
        await context.notify(event["business_id"], handoff_id, turn_id)
    return words


async def while_waiting(
    event: Event, handoff: Mapping[str, Any], language: str | None, context: Context
) -> tuple[list[Line], dict[str, Any]]:
    """What a customer writes while a person has the conversation: a call for help gets the number and raises
    the alarm. The lines that were said, and the hand-over as the thread knows it from now on."""
    told, now = dict(handoff), context.clock()
    text = "\n".join(filter(None, [words_of(event.get("messages", [])), guess(not_understood(event))]))
    before = handoff.get("alarmed_at")
    lately = before is not None and now - datetime.fromisoformat(before) < AGAIN_AFTER
    if event["kind"] != "customer_message" or not text or lately:
        return [], told
    turn_id = event.get("turn_id") or now.isoformat()
    profile = await context.profiles.of_turn(context.crm, event["business_id"], turn_id)
    spoken = language or profile.language
    judged = await emergency(text, spoken, profile, context)
    if judged is None:
        return [], told
    words = await raised(event, text, judged, spoken, profile, context)
    line = Line(author="bot", text=words, at=now.isoformat())
    return [line], {**told, "label": "emergency", "alarmed_at": now.isoformat()}
