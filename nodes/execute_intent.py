"""Carries out what the customer wants: drives the frame, lets the tool ask, confirm and act, once.

The words about an action come from the tool's result. The model's reply is used only where no tool is
involved, or as the answer to a question asked in the middle of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from crm.errors import RecordError, RecordUnavailable
from graph.context import Context
from graph.state import Event, State
from inference.appointment_wishes import about_appointment, keeps_appointment, says_cancel
from inference.errors import InferenceError
from inference.extract import cancel_words
from tools.details import PREFIX, wishes_other
from tools.disclaimers import disclaimed
from tools.frame import (
    OFFER,
    PERSON,
    Frame,
    Step,
    acted,
    advance,
    as_pressed,
    hints_of,
    looks_like_question,
    none_of_them,
    opened,
    own_words,
    told,
    verdict_of,
    what_to_change,
)
from tools.heard import spoken_words
from tools.present import said_at
from tools.questions import DROP, SKIP, ask_for_person, left
from tools.registry import TOOLS, intent_of_option, is_off, narrowed, same_matter
from tools.tool import Call, Declined, Done, Question, Slots, Tool

Next = Command[Literal["reply", "open_handoff"]]

_MISSES = 1  # answers that may go by without being understood before a colleague is offered
OPTIONS_MAX = 10  # rows of a list, which more than three buttons become
_SURE = 0.7  # a proposal this sure may leave a pending frame for another tool


@dataclass(frozen=True)
class _Turn:
    """One turn's inputs, read once from the state."""

    call: Call
    frame: Frame | None
    intent: str
    proposal: Mapping[str, Any]

    @property
    def reply(self) -> str:
        return str(self.proposal.get("reply") or "")

    @property
    def sources(self) -> list[str]:
        return list(self.proposal.get("citations") or [])

    @property
    def confidence(self) -> float:
        return float(self.proposal.get("confidence") or 0.0)


async def execute_intent(state: State, runtime: Runtime[Context]) -> Next:
    """Writes `outcome` and `frame`, or `handoff` when a person is needed.

    Raises RecordUnavailable when the database is away: the turn is then run again.
    """
    context = runtime.context
    frame = Frame.pending(state.get("frame"), context.clock())
    proposal = state.get("proposal") or {}
    call = await _call(state, context)
    pending = frame.intent if frame and frame.asked != OFFER else None
    intent = narrowed(str(proposal.get("intent") or "other"), call.text, pending)
    if frame and frame.asked == OFFER and proposal and intent != frame.intent and verdict_of(call) is None:
        frame = None  # an offer waits for its yes alone
    if (pressed := intent_of_option(call.option_id)) is not None:
        intent, frame = pressed, frame if frame is not None and frame.intent == pressed else None
    off = call.profile.pack.intents_off
    if frame is not None and is_off(frame.intent, off):
        frame = None
    if is_off(intent, off) and frame is None:
        return _offered(call, intent)
    if is_off(intent, off):
        intent, proposal = "other", {}
    if frame is None and intent not in TOOLS:
        return _told(_without_tool(call, proposal, intent), call, state)
    turn = _Turn(call, frame, intent, proposal)
    return _told(await _carried_out(turn), call, state)


async def _carried_out(turn: _Turn) -> Next:
    frame = turn.frame
    try:
        if frame is None or turn.intent == "escalate_to_human":
            return await _begun(turn)
        return await _moved(turn, frame)
    except RecordUnavailable:
        raise
    except (RecordError, InferenceError):
        failed = Declined("", handoff="tool_failed")
        return _to_human(turn, failed, frame.slots if frame else {}, frame.intent if frame else turn.intent)


async def _call(state: State, context: Context) -> Call:
    event, language = state["event"], state.get("language") or "en"
    said, option_id = _said(event)
    heard, doubtful = spoken_words(event)
    text = said if doubtful else own_words(said, option_id, language)
    now = context.clock()
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    return Call(
        context=context,
        profile=profile,
        business_id=event["business_id"],
        conversation_id=event["conversation_id"],
        contact_id=event["contact_id"],
        contact_name=(state.get("contact") or {}).get("name"),
        turn_id=event["turn_id"],
        language=language,
        text=text,
        option_id=option_id,
        now=now,
        say=context.phrases.speaker(language, formal=profile.pack.formal),
        heard=heard if text else "",
        doubtful=doubtful,
        place=next((m["place"] for m in event.get("messages", []) if m.get("place")), None),
        about=(state.get("topic") or {}).get("service"),
        said_at=said_at(event, language, now),
    )


def _said(event: Event) -> tuple[str, str | None]:
    """Free words and the last button of the burst; a button's title is not the customer's words."""
    messages = event.get("messages", [])
    words = [m.get("text") or "" for m in messages if not m.get("option_id")]
    pressed = [m.get("option_id") for m in messages if m.get("option_id")]
    return "\n".join(word for word in words if word).strip(), pressed[-1] if pressed else None


async def _moved(turn: _Turn, frame: Frame) -> Next:
    """Decides what this turn does to the pending frame."""
    call, tool = as_pressed(turn.call, frame), TOOLS[frame.intent]
    if none_of_them(call, frame):
        return await _other_times(turn, tool, frame)
    settled = await _settled(tool, call, frame)
    if settled is not None:
        return _spoken(turn, tool, settled)
    digresses = bool(turn.reply) and turn.intent not in TOOLS
    if digresses and not call.option_id and looks_like_question(call.text):
        return await _digressed(turn, tool, frame)
    related = same_matter(frame.intent, turn.intent, call.text)
    hints = hints_of(tool, turn.proposal) if turn.intent == tool.intent or related else {}
    filled = await tool.fill(call, frame.slots, hints)
    changed = filled != frame.slots
    # What is to be done with the appointment has been said already.
    asks_again = related and turn.intent == "reschedule_cancel"
    leaves = turn.intent in TOOLS and turn.intent != frame.intent and not call.option_id and not asks_again
    # An address or a number that answers a question may look like anything to a model; a wish said outright
    # is no answer, and leaves nothing to be sure of.
    asks_detail = frame.asked.startswith(PREFIX)
    wished = asks_detail and wishes_other(call, frame.intent, frame.slots)
    answers = changed and (related or (asks_detail and not wished))
    if leaves and not answers and (wished or turn.confidence >= _SURE or not changed):
        return await _begun(turn)
    if changed or frame.asked == "change":
        return _spoken(turn, tool, await advance(tool, call, filled))
    return await _digressed(turn, tool, frame)


async def _settled(tool: Tool, call: Call, frame: Frame) -> Step | None:
    """What never mind, yes and no come to; None for any other words."""
    # "Annulla" drops what is being arranged, unless that is the cancelling of an appointment.
    cancels = tool.intent == "cancel_appointment" and about_appointment(call.text) == "cancel"
    dropped = not call.option_id and not cancels and cancel_words(call.text, call.language)
    # "No, niente grazie" leaves one question out, and not all that was said before.
    dropped = dropped and not (_takes_no(frame) and verdict_of(call) == "no")
    if call.option_id == DROP or dropped:
        return Step("declined", left(call))
    if frame.asked in (PERSON, OFFER) and (wanted := verdict_of(call)) is not None:
        return await _offer_taken(tool, call, frame, wanted)
    verdict = verdict_of(call, confirming=frame.asked == "confirm")
    if verdict is None and tool.intent == "cancel_appointment":
        verdict = _of_cancelling(call)
    if verdict == "yes" and frame.asked == "confirm":
        return await acted(tool, call, frame.slots)
    if verdict == "no" and not frame.asked.startswith(PREFIX):
        if tool.refused:
            return Step("declined", await tool.refused(call, frame.slots))
        return what_to_change(tool, call, frame.slots)
    return None


async def _offer_taken(tool: Tool, call: Call, frame: Frame, wanted: Literal["yes", "no"]) -> Step:
    """What a yes or no to the offer of a colleague, or of something to begin, comes to."""
    if frame.asked == OFFER:
        return await advance(tool, call, frame.slots) if wanted == "yes" else Step("declined", left(call))
    if wanted == "yes":
        return Step("declined", Declined("", handoff="customer_request"), frame.slots)
    return await advance(tool, replace(call, option_id=None), frame.slots)


def _takes_no(frame: Frame) -> bool:
    """Whether a no answers the question that waits: one that can be skipped, or that asks for yes or no."""
    return frame.asked.startswith(PREFIX) and bool({SKIP, f"{frame.asked}:no"} & set(frame.option_ids))


def _of_cancelling(call: Call) -> Literal["yes", "no"] | None:
    """ "Annullalo" is a yes to "shall I cancel it?", "no, non annullarlo" a no."""
    if call.option_id or call.doubtful:
        return None
    if keeps_appointment(call.text):
        return "no"
    return "yes" if says_cancel(call.text) else None


async def _begun(turn: _Turn) -> Next:
    tool = TOOLS[turn.intent]
    slots = await tool.fill(turn.call, {}, hints_of(tool, turn.proposal))
    return _spoken(turn, tool, await advance(tool, turn.call, slots))


async def _digressed(turn: _Turn, tool: Tool, frame: Frame) -> Next:
    """Answers, or says that nothing was understood, and asks the pending question again as it stands now."""
    answered = bool(turn.reply) and turn.intent not in TOOLS
    if answered and turn.proposal.get("abstained"):
        return _person_offered(turn, tool, frame)
    step = await advance(tool, turn.call, dict(frame.slots))
    if answered:
        return _spoken(turn, tool, step, ahead=turn.reply, answered=True)
    first, misses = turn.call.say("Sorry, I did not quite understand."), frame.misses + 1
    if misses > _MISSES:
        step = _with_a_way_out(turn.call, step)
    return _spoken(turn, tool, step, ahead=first, misses=misses)


def _person_offered(turn: _Turn, tool: Tool, frame: Frame) -> Next:
    """Nothing to answer with: a colleague is offered, and one question at a time is asked. What was being
    arranged waits for the answer."""
    asked = Question(PERSON, turn.reply, ask_for_person(turn.call))
    waits = opened(tool, turn.call, frame.slots, asked, frame)
    outcome = told("answered", turn.intent, [asked], turn.call.say, sources=turn.sources)
    return Command(goto="reply", update={"frame": waits.to_state(), "outcome": outcome})


async def _other_times(turn: _Turn, tool: Tool, frame: Frame) -> Next:
    """None of the times shown: it is for the customer to say one, or for a colleague to find one."""
    call = turn.call
    slots = await tool.fill(replace(call, option_id="change:when", text=""), frame.slots, {})
    text = call.say("Tell me when you would like to come and I'll look again.")
    return _spoken(turn, tool, Step("asked", Question("slot", text, ask_for_person(call)[:1]), slots))


def _with_a_way_out(call: Call, step: Step) -> Step:
    """The question with a colleague among what can be pressed: it was not answered several times."""
    asked = step.outcome
    if not isinstance(asked, Question) or len(asked.options) >= OPTIONS_MAX:
        return step
    if any(option.option_id == "human:yes" for option in asked.options):
        return step
    return replace(step, outcome=replace(asked, options=(*asked.options, ask_for_person(call)[0])))


def _spoken(
    turn: _Turn, tool: Tool, step: Step, *, ahead: str = "", answered: bool = False, misses: int = 0
) -> Next:
    outcome = step.outcome
    if isinstance(outcome, Declined) and outcome.handoff:
        return _to_human(turn, outcome, step.slots, tool.intent)
    frame = None
    if isinstance(outcome, Question):
        frame = opened(tool, turn.call, step.slots, outcome, turn.frame, misses=misses)
    elif isinstance(outcome, Declined) and outcome.begins:
        intent, slots = outcome.begins
        frame = opened(TOOLS[intent], turn.call, slots, Question(OFFER, outcome.text), None)
    update = told(
        "answered" if answered else step.kind,
        turn.intent if answered else tool.intent,
        [Done(ahead), outcome] if ahead else [outcome],
        turn.call.say,
        sources=turn.sources if answered else [],
    )
    return Command(goto="reply", update={"frame": frame.to_state() if frame else {}, "outcome": update})


def _to_human(turn: _Turn, declined: Declined, slots: Slots, intent: str) -> Next:
    """The frame ends here: the person gets what is known so far."""
    handoff = {
        "reason": declined.handoff,
        "wants": slots.get("wish") or turn.call.text,
        "intent": intent,
        "slots": slots,
        "text": declined.text,
    }
    outcome = told("declined", intent, [declined], turn.call.say)
    return Command(goto="open_handoff", update={"frame": {}, "outcome": outcome, "handoff": handoff})


def _without_tool(call: Call, proposal: Mapping[str, Any], intent: str) -> Next:
    """An answer, or a word or button about something that is no longer pending."""
    say = call.say
    text, kind = str(proposal.get("reply") or ""), "answered"
    if not text:
        text, kind = say("I no longer have that in front of me. What would you like to do?"), "asked"
    outcome = told(kind, intent, [Done(text)], say, sources=list(proposal.get("citations") or []))
    return Command(goto="reply", update={"frame": {}, "outcome": outcome})


def _offered(call: Call, intent: str) -> Next:
    """What this business does not arrange by chat is arranged by a person, if the customer wishes."""
    text = call.say("I can't arrange that myself here. Would you like a colleague to look after it?")
    outcome = told("declined", intent, [Question("person", text, ask_for_person(call))], call.say)
    return Command(goto="reply", update={"frame": {}, "outcome": outcome})


def _told(command: Next, call: Call, state: State) -> Next:
    """The turn's outcome with the disclaimers the business's vertical adds to it."""
    update = dict(command.update or {})
    if command.goto != "reply" or (state.get("proposal") or {}).get("abstained"):
        return command
    said = [line["text"] for line in state.get("window", []) if line["author"] == "bot"]
    update["outcome"] = disclaimed(
        update["outcome"], call.profile, language=call.language, asked=call.text, said=said
    )
    return Command(goto="reply", update=update)
