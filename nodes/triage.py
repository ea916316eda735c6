"""What needs no model: leaving and coming back, asking for a person, what cannot be read, yes and no."""

import re
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from crm import contacts
from graph.context import Context
from graph.state import Event, Said, State, text_of
from inference import extract
from knowledge.phrases import Say
from tools.frame import Frame

READ_CHARACTERS = 4000
SHORT_ANSWER_WORDS = 6
_LETTERS_OR_DIGITS = re.compile(r"\w")
# Zero-width and directional characters, and the tag block, which can carry text that no person sees.
_INVISIBLE = re.compile(
    "[\ufffd\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_UNREAD = "I can't open this kind of message yet. Could you write it, or send a voice note?"
_SILENT = {"kind": "silent", "intent": "small_talk", "replies": []}
_THANKED = "You're welcome! I'm here if you need anything else."

Route = Command[Literal["score_sensitivity", "execute_intent", "reply", "open_handoff"]]


async def triage(state: State, runtime: Runtime[Context]) -> Route:  # noqa: PLR0911 one return an outcome
    """Answers what has only one right answer and sends the rest on."""
    context = runtime.context
    event, language = _readable(state), state["language"]
    say = context.phrases.speaker(language)
    text, option = text_of(event), _option(event)
    update: dict[str, Any] = {"event": event}
    if extract.opt_out(text) or extract.opt_in(text):
        return await _preference(event, update, context, say, leaving=extract.opt_out(text))
    if option == "human:yes":
        return _human(update, "customer_request", text)
    if extract.wants_person(text, language):
        # Scored first all the same: whoever asks for a person in an emergency needs the number too.
        update["handoff"] = {"requested": "customer_request"}
        return Command(goto="score_sensitivity", update=update)
    if option == "human:no":
        return _say(update, "declined_human", say(_THANKED))
    unheard = _unheard(event)
    if unheard and not text:
        return _ask_again(state, update, unheard, say)
    update["hearing"] = {}
    if _only_reacted(event):  # a thumbs-up under a message asks for nothing
        return Command(goto="reply", update={**update, "outcome": _SILENT})
    if not text and not option:
        return _nothing_to_read(event, update, say)
    pending = Frame.pending(state.get("frame"), context.clock())
    if pending and (option or _settles(text, language)):
        return Command(goto="execute_intent", update=update)
    if not option and _small_talk(text):
        if event["kind"] == "hand_back":  # said to the colleague; nothing is left to answer
            return Command(goto="reply", update={**update, "outcome": _SILENT})
        return _say(update, "small_talk", say(_THANKED))
    return Command(goto="score_sensitivity", update=update)


def _readable(state: State) -> Event:
    """The event without invisible characters and overlong texts; a confirmed hearing becomes its words."""
    event = state["event"]
    said = [
        Said(**{**message, "text": _INVISIBLE.sub("", message.get("text", ""))[:READ_CHARACTERS].strip()})
        for message in event.get("messages", [])
    ]
    heard = state.get("hearing", {}).get("heard")
    if heard and len(said) == 1 and extract.yes_no(said[0]["text"], state["language"]) == "yes":
        said = [Said(**{**said[0], "text": heard})]
    return Event(**{**event, "messages": said})


def _only_reacted(event: Event) -> bool:
    kinds = {message.get("kind", "text") for message in event.get("messages", [])}
    return kinds == {"reaction"}


def _small_talk(text: str) -> bool:
    """Thanks, a farewell, or nothing but emoji: asks for nothing."""
    return extract.thanks(text) or (not _LETTERS_OR_DIGITS.search(text) and "?" not in text)


def _settles(text: str, language: str) -> bool:
    """A short yes, no or never mind; anything longer may hold something else that has to be looked at."""
    if len(text.split()) > SHORT_ANSWER_WORDS:
        return False
    return extract.yes_no(text, language) is not None or extract.cancel_words(text, language)


def _option(event: Event) -> str | None:
    return next((m["option_id"] for m in event.get("messages", []) if m.get("option_id")), None)


def _unheard(event: Event) -> list[dict[str, Any]]:
    heard = [message.get("transcript") or {} for message in event.get("messages", [])]
    return [transcript for transcript in heard if transcript.get("status") in ("unclear", "rejected")]


async def _preference(
    event: Event, update: dict[str, Any], context: Context, say: Say, *, leaving: bool
) -> Route:
    async with context.crm.transaction(event["business_id"]) as tx:
        await (contacts.opt_out if leaving else contacts.opt_in)(tx, event["contact_id"])
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


def _ask_again(state: State, update: dict[str, Any], unheard: list[dict[str, Any]], say: Say) -> Route:
    times = int(state.get("hearing", {}).get("times", 0)) + 1
    heard = " ".join(t["text"] for t in unheard if t.get("text") and t["status"] == "unclear")
    if times > 1:
        return _human({**update, "hearing": {}}, "voice_unclear", heard)
    update["hearing"] = {"times": times, "heard": heard}
    if heard:
        question = say(
            "I heard: “{heard}”. Is that right? If not, please write it or send it again.", heard=heard
        )
    else:
        question = say("I could not hear anything in the voice note. Could you send it again or write to me?")
    return _say(update, "voice_unclear", question)


def _nothing_to_read(event: Event, update: dict[str, Any], say: Say) -> Route:
    kinds = {message.get("kind", "text") for message in event.get("messages", [])}
    if kinds <= {"text"}:
        return _say(update, "empty", say("I received an empty message. What can I do for you?"))
    return _say(update, "unsupported", say(_UNREAD))


def _human(update: dict[str, Any], reason: str, wants: str) -> Route:
    handoff = {"reason": reason, "wants": wants}
    return Command(goto="open_handoff", update={**update, "handoff": handoff})


def _say(update: dict[str, Any], kind: str, text: str) -> Route:
    outcome = {"kind": kind, "intent": kind, "replies": [{"text": text}]}
    return Command(goto="reply", update={**update, "outcome": outcome})
