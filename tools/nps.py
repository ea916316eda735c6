"""What an answer to "how likely are you to recommend us?" leads to.

The question is asked by a job (jobs/nps.py). An answer is kept and thanked for; after a low one the customer
is asked what went wrong, and a person gets it. What is said next may correct a score. Only what is surely an
answer is taken: everything else, and whatever an answer asks for besides, goes its normal way.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from crm import nps
from crm.nps import DETRACTOR, PROMOTER, PendingRow
from graph.context import Context
from graph.state import Event, Said, State, beside, text_of
from inference.errors import InferenceError
from inference.extract import cancel_words, thanks, wants_person, yes_no
from inference.nps import Answer, complains, corrected, read
from knowledge.phrases import Say
from tools.frame import looks_like_question
from tools.unheard import not_understood
from tools.unseen import files

NO, PERSON = "nps:no", "nps:person"
REASON = "low_score"
_WRITTEN = frozenset({"text", "audio", "interactive", "button"})
_WORTH_JUDGING = 3  # words of a comment that may hold a matter for a person
_ASKS_FOR_MORE = frozenset({"book_appointment", "reschedule_cancel", "request_quote", "qualify_lead"})
_SURE = 0.5
_SORRY = "Thank you for telling us, and I'm sorry that it was not better."


@dataclass(frozen=True)
class Taken:
    """What becomes of the thread's state, and where the turn goes; `goto` None: its normal way."""

    update: dict[str, Any] = field(default_factory=dict)
    goto: Literal["reply", "score_sensitivity", "open_handoff"] | None = None


@dataclass(frozen=True)
class _Turn:
    state: State
    event: Event
    context: Context
    say: Say

    @property
    def text(self) -> str:
        return text_of(self.event)

    @property
    def language(self) -> str:
        return self.state["language"]


async def take(
    state: State, event: Event, option: str | None, context: Context, say: Say, *, amid: bool
) -> Taken | None:
    """Takes an answer in, or says that the message is none: None when nothing was asked and nothing is known.

    `amid`: the customer is arranging something, so that a number speaks of that and only a button of this.
    """
    turn, known = _Turn(state, event, context, say), _known(state, context.clock())
    if option in (NO, PERSON):
        return await _pressed(turn, option, known)
    forgets = Taken({"nps": {}}) if state.get("nps") else None
    if amid or option is not None or event["kind"] != "customer_message" or not _readable(event):
        return forgets
    if known and (taken := await _again(turn, known)):
        return taken
    return await _answer(turn) or forgets


def _known(state: State, now: datetime) -> dict[str, Any]:
    """The score that was taken in the last turn; `why`: the customer was asked for its reason."""
    known = state.get("nps") or {}
    recent = bool(known) and now - datetime.fromisoformat(known["at"]) < nps.ANSWER_WITHIN
    return known if recent else {}


def _readable(event: Event) -> bool:
    kinds = {message.get("kind", "text") for message in event.get("messages", [])}
    return bool(text_of(event)) and kinds <= _WRITTEN and not not_understood(event) and not files(event)


async def _pressed(turn: _Turn, option: str, known: dict[str, Any]) -> Taken:
    if option == PERSON:
        return _to_person(turn, f"{known['score']}/10" if known else "", told=False)
    if not known:
        await _declined(turn)
    if rest := beside(turn.event, NO):  # which is answered instead
        return Taken({"nps": {}, "event": Event(**{**turn.event, "messages": rest})})
    return _say(turn, "nps_declined", turn.say("All right. Thank you for your time!"))


async def _again(turn: _Turn, known: dict[str, Any]) -> Taken | None:
    """What is said after a score: another one in its place, or the reason where that was asked for."""
    instead = corrected(turn.text, turn.language)
    if instead is not None:
        return await _kept(turn, PendingRow(known["nps_response_id"], None), instead)
    # A thread of an earlier release remembers no other scores than those it asked about.
    return await _why(turn, known) if known.get("why", True) else None


async def _why(turn: _Turn, known: dict[str, Any]) -> Taken | None:
    """What is said after a low score: what went wrong, yes or no to a colleague, or something else."""
    text, language = turn.text, turn.language
    other = read(text, language)
    if other is not None and not other.asks:
        return await _kept(turn, PendingRow(known["nps_response_id"], None), other)
    verdict = yes_no(text, language)
    if verdict == "no" or cancel_words(text, language):
        return _say(turn, "nps_declined", turn.say("All right. Thank you for your time!"))
    if verdict == "yes":
        return _to_person(turn, f"{known['score']}/10", told=False)
    if not wants_person(text, language) and (thanks(text) or await _asks(turn)):
        return None
    async with turn.context.crm.transaction(turn.event["business_id"]) as tx:
        await nps.comment(tx, known["nps_response_id"], text)
    return _to_person(turn, f"{known['score']}/10: {text}")


async def _asks(turn: _Turn) -> bool:
    """Whether a message wants something of SARA, rather than tells what went wrong."""
    if complains(turn.text):
        return False
    if looks_like_question(turn.text):
        return True
    try:
        vector = await turn.context.embedder.query(turn.text)
    except InferenceError:
        return False  # what is told goes to a person, by way of the word lists of emergencies
    guess = turn.context.intents.classify(turn.text, vector)
    return guess.intent in _ASKS_FOR_MORE and guess.confidence >= _SURE


async def _answer(turn: _Turn) -> Taken | None:
    """A score, alone or first of a burst, or a plain no: if the question was the last thing said."""
    answer, rest = _scored(turn)
    refuses = answer is None and _refuses(turn)
    if answer is None and not refuses:
        return None
    async with turn.context.crm.transaction(turn.event["business_id"]) as tx:
        pending = await nps.pending(tx, turn.event["contact_id"], turn.event["turn_id"])
    if pending is None:
        return None
    if answer is None:
        await _declined(turn)
        return _say(turn, "nps_declined", turn.say("All right. Thank you for your time!"))
    return await _kept(turn, pending, answer, rest)


def _scored(turn: _Turn) -> tuple[Answer | None, list[Said] | None]:
    """The score in a turn's words; with the messages behind it where it is told apart from them."""
    answer, messages = read(turn.text, turn.language), turn.event.get("messages", [])
    first = read(messages[0].get("text", ""), turn.language) if len(messages) > 1 else None
    if first is None or first.asks:
        return answer, None
    second = corrected(messages[1].get("text", ""), turn.language)
    if second is not None:
        return second, messages[1:] if second.asks else messages[2:] or None
    return (first, messages[1:]) if answer is None or answer.asks else (answer, None)


def _refuses(turn: _Turn) -> bool:
    return yes_no(turn.text, turn.language) == "no" or cancel_words(turn.text, turn.language)


async def _kept(turn: _Turn, pending: PendingRow, answer: Answer, rest: list[Said] | None = None) -> Taken:
    """The answer in the record, and what is said to it; what else was asked for goes on."""
    event = turn.event
    async with turn.context.crm.transaction(event["business_id"]) as tx:
        await nps.answer(
            tx,
            pending.nps_response_id,
            answer.score,
            answer.comment,
            contact_id=event["contact_id"],
            conversation_id=event["conversation_id"],
            turn_id=event["turn_id"],
        )
    known = {
        "nps_response_id": pending.nps_response_id,
        "score": answer.score,
        "at": turn.context.clock().isoformat(),
        "why": False,
    }
    if rest is not None:
        return Taken({"nps": known, "event": Event(**{**event, "messages": rest})})
    if answer.asks:
        return Taken({"nps": known})
    if answer.score <= DETRACTOR:
        return _low(turn, answer, known)
    if await _matter(turn, answer.comment):
        return Taken({"nps": known}, "score_sensitivity")
    if answer.score >= PROMOTER:
        words = turn.say("Thank you so much! We are glad to hear it.")
    else:
        words = turn.say("Thank you! We will try to do even better next time.")
    return _say(turn, "nps_thanked", words, known=known)


def _low(turn: _Turn, answer: Answer, known: dict[str, Any]) -> Taken:
    """With words it goes to a person at once; without, they are asked for."""
    if answer.comment:
        return _to_person(turn, f"{answer.score}/10: {answer.comment}")
    words = turn.say("What went wrong? Write it here and a colleague will see to it.")
    options = [
        {"id": PERSON, "title": turn.say("Yes, a colleague please")},
        {"id": NO, "title": turn.say("No, thanks")},
    ]
    return _say(turn, "nps_why", f"{turn.say(_SORRY)} {words}", options, known={**known, "why": True})


async def _matter(turn: _Turn, comment: str) -> bool:
    """Whether a friendly answer holds something that is a person's: "9, but my chest hurts since then"."""
    if len(comment.split()) < _WORTH_JUDGING:
        return False
    try:
        vector = await turn.context.embedder.query(comment)
    except InferenceError:
        return True
    return turn.context.sensitivity.score(comment, vector, turn.language).escalate


async def _declined(turn: _Turn) -> None:
    async with turn.context.crm.transaction(turn.event["business_id"]) as tx:
        pending = await nps.pending(tx, turn.event["contact_id"], turn.event["turn_id"])
        if pending is not None:
            await nps.decline(tx, pending.nps_response_id, turn_id=turn.event["turn_id"])


def _to_person(turn: _Turn, wants: str, *, told: bool = True) -> Taken:
    """What the customer told is scored first all the same: in an emergency they need the number too."""
    handoff: dict[str, Any] = {"wants": wants, "text": turn.say(_SORRY)}
    if told:
        return Taken({"nps": {}, "handoff": {**handoff, "requested": REASON}}, "score_sensitivity")
    return Taken({"nps": {}, "handoff": {**handoff, "reason": REASON}}, "open_handoff")


def _say(
    turn: _Turn,
    kind: str,
    words: str,
    options: list[dict[str, str]] | None = None,
    *,
    known: dict[str, Any] | None = None,
) -> Taken:
    """A reply, with the score that the next words may be about."""
    reply: dict[str, Any] = {"text": words} | ({"options": options} if options else {})
    return Taken(
        {"nps": known or {}, "outcome": {"kind": kind, "intent": "nps", "replies": [reply]}}, "reply"
    )
