"""What needs no model: leaving and coming back, asking for a person, what cannot be read, yes and no."""

import re
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from crm import contacts, waiting
from graph.context import Context
from graph.state import Event, Said, State, beside, formal_languages, seen_by_person, text_of
from inference import extract
from knowledge.phrases import Say
from tools import alarm, nps
from tools.details import PREFIX
from tools.flooding import flooding
from tools.frame import LIFETIME, PERSON, Frame
from tools.holding import CALL_ME
from tools.registry import intent_of_option
from tools.unheard import guess, not_understood, plain_question, question, voice_notes
from tools.unseen import described, files, points_at_file, unsaid_files
from tools.wanted_time import only_time

READ_CHARACTERS = 4000
SHORT_ANSWER_WORDS = 6
BARE_AMOUNT_WORDS = 4
_TIMES = 2  # a note is not understood so often before a person listens
_LIKE = 40  # characters by which the question that a reaction stands under is known
# Zero-width and directional characters, and the tag block, which can carry text that no person sees.
_INVISIBLE = re.compile(
    "[\ufffd\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_UNREAD = "I can't open this kind of message yet. Could you write it, or send a voice note?"
_SILENT = {"kind": "silent", "intent": "small_talk", "replies": []}
_THANKED = "You're welcome! I'm here if you need anything else."
_TAKES_A_PLACE = {"intent": "waiting_list", "confidence": 1.0}

Route = Command[Literal["score_sensitivity", "execute_intent", "reply", "open_handoff"]]


async def triage(state: State, runtime: Runtime[Context]) -> Route:  # noqa: PLR0911 one return an outcome
    """Answers what has only one right answer and sends the rest on."""
    context = runtime.context
    event, language = _readable(state), state["language"]
    say = context.phrases.speaker(language, formal=formal_languages(state))
    text, option, seen = text_of(event), _option(event), seen_by_person(event)
    # A heart under another message answers no question and drops none.
    update: dict[str, Any] = {"event": event} | ({} if _only_reacted(event) else {"hearing": {}})
    pending = Frame.pending(state.get("frame"), context.clock())
    # A button for one appointment may say "Cancel" in the business's own words: it means that appointment.
    preference = extract.opt_out(text, amid=bool(pending)) or extract.opt_in(text, amid=bool(pending))
    if preference and not intent_of_option(option):
        return await _preference(event, update, context, say, leaving=extract.opt_out(text))
    if (called := await _called_for_help(event, option, state, context)) is not None:
        return Command(goto="open_handoff", update={**update, "hearing": {}, "handoff": called})
    if await _floods(state, context):
        update["handoff"] = _wanted(state, requested="flooding")  # scored first all the same, as below
        return Command(goto="score_sensitivity", update=update)
    if option == "human:yes" or (option == CALL_ME and not seen):
        return _human(update, "customer_request", text)
    taken = await nps.take(state, event, option, context, say, amid=pending is not None)
    update |= taken.update if taken else {}
    if taken and taken.goto:
        return Command(goto=taken.goto, update=update)
    event = update["event"]
    text, option = text_of(event), _option(event)
    if extract.wants_person(text, language):
        # Scored first all the same: whoever asks for a person in an emergency needs the number too.
        update["handoff"] = _wanted(state, requested="customer_request")
        return Command(goto="score_sensitivity", update=update)
    if option == CALL_ME or (option == "human:no" and (pending is None or pending.asked != PERSON)):
        rest = beside(event, option)
        if not rest:
            return _silent(update) if option == CALL_ME else _say(update, "declined_human", say(_THANKED))
        update["event"] = {**event, "messages": rest}
    return await _read(state, update, pending, context, say)


async def _read(  # noqa: PLR0911 one return an outcome
    state: State, update: dict[str, Any], pending: Frame | None, context: Context, say: Say
) -> Route:
    """What cannot be read, what answers a question that waits, and what asks for nothing."""
    event, language = update["event"], state["language"]
    text, option, seen = text_of(event), _option(event), seen_by_person(event)
    unseen = [] if seen else files(event)
    if unheard := not_understood(event):
        update["hearing"] = _hearing(state, unheard, context, say)
    if unheard and not (text or option or unseen):
        return _not_heard(update)
    if _only_reacted(event):  # a thumbs-up under a message asks for nothing
        return _silent(update)
    unsaid = unsaid_files(event)  # not even a button beside it speaks for it
    if unsaid or (unseen and not option and (not text or points_at_file(text, language))):
        return _to_be_seen(state, update, say, text)
    if not text and not option:
        return _silent(update) if seen else _nothing_to_read(event, update, say)
    place = not option and _settles(text, language) and await _answers_a_place(event, pending, context)
    answers = pending and not place and (option or _answers(pending, text, language, context))
    if intent_of_option(option) or answers:
        return Command(goto="execute_intent", update=update)
    if not option and _only_a_place(event):  # its words answer a question that waits, and ask none
        if pending:
            return Command(goto="execute_intent", update=update)
        thanks = say("Thank you for the place. What can I do for you there?")
        return _silent(update) if seen else _say(update, "place", thanks)
    if not pending and not option and (told := _of_a_colleague(state, update, text, say)) is not None:
        return told
    if place:
        return Command(goto="execute_intent", update={**update, "proposal": _TAKES_A_PLACE, "frame": {}})
    if not option and extract.asks_nothing(text):
        if event["kind"] == "hand_back":  # said to the colleague; nothing is left to answer
            return _silent(update)
        return _say(update, "small_talk", say(_THANKED))
    return Command(goto="score_sensitivity", update=update)


async def _floods(state: State, context: Context) -> bool:
    """Too much for a person: SARA stops answering until one has looked. Not what one has just given back."""
    if state["event"]["kind"] != "customer_message":
        return False
    tuning = context.tuning
    return await flooding(
        context.crm,
        state["event"],
        state.get("window", []),
        context.clock(),
        most=tuning.flood_messages,
        minutes=tuning.flood_minutes,
    )


def _readable(state: State) -> Event:
    """The event without invisible characters and overlong texts; a confirmed hearing becomes its words."""
    event = state["event"]
    said = [
        Said(**{**message, "text": _INVISIBLE.sub("", message.get("text", ""))[:READ_CHARACTERS].strip()})
        for message in event.get("messages", [])
    ]
    hearing = state.get("hearing", {})
    heard, language = str(hearing.get("heard") or ""), state["language"]
    yes = next((at for at, one in enumerate(said) if heard and _confirms(one, hearing, language)), None)
    if yes is not None and not any(extract.yes_no(one["text"], language) == "no" for one in said):
        said[yes] = Said(**{**said[yes], "kind": "text", "text": heard})
    return Event(**{**event, "messages": said})


def _confirms(said: Said, hearing: dict[str, Any], language: str) -> bool:
    """Whether a message says yes to what was perhaps heard: in words, or by a thumbs-up under it."""
    asked = " ".join(str(hearing.get("asked", "")).split())
    under = " ".join((said.get("quoted") or "").split())
    other = said.get("kind") == "reaction" and not (under and asked.startswith(under[:_LIKE]))
    return not other and not said.get("option_id") and extract.yes_no(said["text"], language) == "yes"


def _of_a_colleague(state: State, update: dict[str, Any], text: str, say: Say) -> Route | None:
    """A written yes or no to the offer of a colleague; None for any other words, or without such an offer."""
    wanted, verdict = _offered_a_person(state), extract.yes_no(text, state["language"])
    if wanted is None or verdict is None:
        return None
    if verdict == "no":
        return _say(update, "declined_human", say(_THANKED))
    return _human(update, "customer_request", wanted or text)


def _offered_a_person(state: State) -> str | None:
    """What the customer had asked, where the last words before theirs offer a colleague; else None."""
    window = state.get("window", [])
    said = next((at for at in reversed(range(len(window))) if window[at]["author"] != "customer"), None)
    if said is None or window[said].get("offers") != "person":
        return None
    asked = (line["text"] for line in reversed(window[:said]) if line["author"] == "customer")
    return next(asked, "")


async def _answers_a_place(event: Event, pending: Frame | None, context: Context) -> bool:
    """Whether a yes or no speaks of a place that became free and is kept for the customer until they answer.

    While something else waits for a yes too, it belongs to the question that is quoted, else to the last one.
    """
    async with context.crm.transaction(event["business_id"]) as tx:
        offer = await waiting.offered(tx, event["contact_id"])
    if offer is None or pending is None:
        return offer is not None
    quoted = next(filter(None, (said.get("quoted") for said in event.get("messages", []))), None)
    if offer.words is None or offer.said_at is None:  # they have not read it yet
        return False
    if quoted:
        return " ".join(quoted.split()) == " ".join(offer.words.split())
    return offer.said_at > pending.expires_at - LIFETIME


def _only_reacted(event: Event) -> bool:
    kinds = {message.get("kind", "text") for message in event.get("messages", [])}
    return kinds == {"reaction"}


def _only_a_place(event: Event) -> bool:
    places = [message.get("place") for message in event.get("messages", [])]
    return bool(places) and all(places)


def _settles(text: str, language: str) -> bool:
    """A short yes, no or never mind; anything longer may hold something else that has to be looked at."""
    if len(text.split()) > SHORT_ANSWER_WORDS:
        return False
    return extract.yes_no(text, language) is not None or extract.cancel_words(text, language)


def _answers(frame: Frame, text: str, language: str, context: Context) -> bool:
    """Whether the words can only be about what is being arranged."""
    return (
        _settles(text, language)
        or _bare_amount(frame, text, language)
        or _bare_time(frame, text, language, context)
    )


def _bare_time(frame: Frame, text: str, language: str, context: Context) -> bool:
    """While an appointment is arranged, "no, at three" can only be about its time."""
    arranges = frame.intent in ("book_appointment", "reschedule_appointment")
    return arranges and len(text.split()) <= SHORT_ANSWER_WORDS and only_time(text, language, context.clock())


def _bare_amount(frame: Frame, text: str, language: str) -> bool:
    """A sum that answers a question of ours: scored on its own it looks like a matter of money."""
    asked = frame.asked.startswith(PREFIX) and "?" not in text
    return asked and len(text.split()) <= BARE_AMOUNT_WORDS and extract.money(text, language) is not None


def _option(event: Event) -> str | None:
    return next((m["option_id"] for m in event.get("messages", []) if m.get("option_id")), None)


async def _preference(
    event: Event, update: dict[str, Any], context: Context, say: Say, *, leaving: bool
) -> Route:
    async with context.crm.transaction(event["business_id"]) as tx:
        said = next((m["wamid"] for m in event.get("messages", []) if m.get("wamid")), None)
        change = contacts.opt_out if leaving else contacts.opt_in
        await change(tx, event["contact_id"], evidence=said or event["turn_id"])
        await contacts.remember(
            tx,
            event["contact_id"],
            "opted_out" if leaving else "opted_in",
            conversation_id=event["conversation_id"],
        )
    if leaving:
        words = say("You will not get any more messages from us. Write START if you change your mind.")
    else:
        words = say("Welcome back! You will get our messages again.")
    return _say({**update, "frame": {}}, "opted_out" if leaving else "opted_in", words)


def _hearing(state: State, unheard: list[dict[str, Any]], context: Context, say: Say) -> dict[str, Any]:
    """How often a note was not understood, what was perhaps said, which messages, and what is asked now."""
    event, before = state["event"], state.get("hearing", {})
    asked = question(
        unheard,
        say,
        language=state["language"],
        languages=state["business"]["languages"],
        most_seconds=context.tuning.voice_seconds,
    )
    return {
        "times": int(before.get("times", 0)) + 1,
        "heard": guess(unheard),
        "notes": [*before.get("notes", []), *voice_notes(event)],
        "asked": asked,
        "turn_id": event["turn_id"],
    }


def _not_heard(update: dict[str, Any]) -> Route:
    """Asked about once; whoever is not understood twice is heard by a human."""
    hearing = update["hearing"]
    if hearing["times"] < _TIMES:
        return _say(update, "voice_unclear", hearing["asked"])
    handoff = {"reason": "voice_unclear", "wants": hearing["heard"], "voice_notes": hearing["notes"]}
    return Command(goto="open_handoff", update={**update, "hearing": {}, "handoff": handoff})


async def _called_for_help(
    event: Event, option: str | None, state: State, context: Context
) -> dict[str, Any] | None:
    """The hand-over for a call for help beside a button, or in a note that was not understood: neither is
    scored with the rest of its turn, and help does not wait for a second recording."""
    unheard = not_understood(event)
    words = "\n".join(filter(None, [alarm.words_of(event.get("messages", [])), guess(unheard)]))
    if not words or not (option or unheard):
        return None
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    judged = await alarm.emergency(words, state["language"], profile, context)
    if judged is None:
        return None
    found = {"label": judged.label, "score": round(judged.score, 4), "words": list(judged.words)}
    heard = {"voice_notes": [*state.get("hearing", {}).get("notes", []), *voice_notes(event)]}
    return {"reason": "sensitive", "wants": words, **found, **(heard if unheard else {})}


def _wanted(state: State, **handoff: Any) -> dict[str, Any]:
    """A hand-over that is wanted, with what a person gave back last: whether it was for the same is looked at
    where the words are scored."""
    returned = state.get("handoff", {}).get("returned")
    return {**handoff, **({"returned": returned} if returned else {})}


def _to_be_seen(state: State, update: dict[str, Any], say: Say, text: str) -> Route:
    """A picture or document that says what is wanted: a person looks at it, and listens to what was not
    understood beside it. Words are scored first."""
    event, hearing = update["event"], update.get("hearing") or {}
    wants = "\n".join(filter(None, [text, hearing.get("heard")]))
    handoff = _wanted(
        state,
        reason="attachment",
        requested="attachment",
        wants=described(event, wants, say),
        files=files(event),
        voice_notes=hearing.get("notes", []),
        text=say("I can't look at pictures and documents myself."),
    )
    goto: Literal["score_sensitivity", "open_handoff"] = "score_sensitivity" if text else "open_handoff"
    return Command(goto=goto, update={**update, "hearing": {}, "handoff": handoff})


def _nothing_to_read(event: Event, update: dict[str, Any], say: Say) -> Route:
    kinds = {message.get("kind", "text") for message in event.get("messages", [])}
    if kinds == {"video"}:
        return _say(update, "unsupported", plain_question("video", say))
    if kinds <= {"text"}:
        return _say(update, "empty", say("I received an empty message. What can I do for you?"))
    return _say(update, "unsupported", say(_UNREAD))


def _human(update: dict[str, Any], reason: str, wants: str) -> Route:
    handoff = {"reason": reason, "wants": wants}
    return Command(goto="open_handoff", update={**update, "handoff": handoff})


def _silent(update: dict[str, Any]) -> Route:
    return Command(goto="reply", update={**update, "outcome": _SILENT})


def _say(update: dict[str, Any], kind: str, text: str) -> Route:
    outcome = {"kind": kind, "intent": kind, "replies": [{"text": text}]}
    return Command(goto="reply", update={**update, "outcome": outcome})
