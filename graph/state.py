"""What a thread remembers between nodes and between turns: plain JSON, checkpointed after every node.

No bytes (media go by reference), and no personal data in scalar values: scalars stay readable in the
checkpoint tables even under encryption, dicts and lists do not. The whole transcript is in the record's
`message` table; here only the window the model sees.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, with_config
from pydantic.config import JsonDict
from typing_extensions import TypedDict

WINDOW, KEPT = 20, 11
JOINED = "joined"  # outcome once an agent's words joined a thread that was not paused
ABANDONED = "abandoned"  # outcome of a turn that was given up: `waiting` in it are messages left unanswered
SUPERSEDED = "superseded"  # of one in the middle of which somebody took the conversation: the same
UNANSWERED = "unanswered"  # in what is given back with a conversation (jobs/drain)
IDLE = "idle"  # in the same: no person gave it back, nobody looked at it
REFERENCE_CHARACTERS = 480  # biz_opaque_callback_data holds 512, our own id comes first
_LONGEST_QUOTE = 200
_MOST_TOLD = 50  # facts, promises and acts of colleagues that a thread remembers, the latest
# Whose an event is, where it came without a channel, and where it came with one.
_NAMED, _NUMBERED = ("business", "sender"), ("business_id", "conversation_id", "contact_id")


# What a first event looks like where there is no channel: Studio shows it beside the input.
EXAMPLE: JsonDict = {
    "business": "aurora",
    "sender": "+393331112222",
    "text": "Quanto costa un massaggio rilassante?",
}


class Media(TypedDict, total=False):
    """A file by reference."""

    id: str
    mime_type: str | None
    sha256: str | None
    voice: bool
    filename: str | None


class Said(TypedDict, total=False):
    """One message of this turn. `text` is what was written or heard."""

    message_id: int
    author: Literal["customer", "agent"]
    kind: str
    text: str
    option_id: str | None
    wamid: str | None
    sent_at: str
    media: Media | None
    transcript: dict[str, Any] | None
    # A place shown: latitude and longitude in degrees, name and address where known.
    place: dict[str, Any] | None
    # The words of the message this one replies to, and of the advertisement pressed before it.
    quoted: str | None
    advertised: str | None


Kind = Literal["customer_message", "agent_message", "hand_back", "resolve"]


@with_config(ConfigDict(json_schema_extra={"examples": [EXAMPLE]}))
class Event(TypedDict, total=False):
    """What is being delivered: the customer's burst, an agent's message, a hand-back, a resolution."""

    kind: Kind
    turn_id: str
    last_event_id: int
    business_id: int
    conversation_id: int
    contact_id: int
    epoch: int
    messages: list[Said]
    handoff: dict[str, Any] | None
    # Somebody took the conversation and has given it back already, which is the event right behind this one.
    overtaken: bool
    # Without a channel (Studio, a notebook) the conversation is named by these instead of by ids.
    business: str
    sender: str
    text: str


class Line(TypedDict, total=False):
    """One line of the window."""

    author: Literal["customer", "bot", "agent", "system"]
    text: str
    at: str
    offers: str  # "person": under the line a colleague is offered


def whose(before: Event | None, event: Event) -> Event:
    """A further event of a thread; one typed by hand that does not say whose it is belongs to whom the one
    before belonged to."""
    if not before or "turn_id" in event or any(key in event for key in (*_NAMED, *_NUMBERED)):
        return event
    keys = _NAMED if all(key in before for key in _NAMED) else _NUMBERED
    return Event(**{**{key: before[key] for key in keys if key in before}, **event})  # type: ignore[typeddict-item,literal-required]


class State(TypedDict, total=False):
    """The thread. `total=False`: a key is absent until the node that writes it has run."""

    event: Annotated[Event, whose]
    last_event_id: int
    window: list[Line]
    summary: dict[str, Any]
    contact: dict[str, Any]
    business: dict[str, Any]
    language: str
    # The service the conversation is about: its key, and how many messages ago it was named.
    topic: dict[str, Any]
    sensitivity: dict[str, Any]
    passages: list[dict[str, Any]]
    facts: list[dict[str, Any]]
    proposal: dict[str, Any]
    grounding: dict[str, Any]
    frame: dict[str, Any]
    hearing: dict[str, Any]
    # The score just given, which the next words may correct, and whether its reason was asked for.
    nps: dict[str, Any]
    outcome: dict[str, Any]
    handoff: dict[str, Any]
    # What people told SARA when they gave the conversation back: note, facts, promises, what they did.
    colleague: dict[str, Any]


def text_of(event: Event) -> str:
    """What the customer said in this turn, one line a message."""
    return "\n".join(said.get("text", "") for said in event.get("messages", []) if said.get("text")).strip()


def formal_languages(state: State) -> Collection[str]:
    """The languages in which the business of this turn addresses its customers formally.

    A thread that an earlier release left in the middle of a turn does not know.
    """
    languages: Collection[str] = (state.get("business") or {}).get("formal", ())
    return languages


def together(*parts: Sequence[Said]) -> list[Said]:
    """Messages in the order they came, each once: of two that are the same the one of the later part."""
    known = {said.get("message_id"): said for part in parts for said in part if said.get("message_id")}
    unknown = [said for part in parts for said in part if not said.get("message_id")]
    return [said for _, said in sorted(known.items())] + unknown


def context_of(said: Said) -> str:
    """What a message answers: the words it quotes, the advertisement it was written from; usually empty."""
    marked = (("ad: ", said.get("advertised")), ("> ", said.get("quoted")))
    return " ".join(f"[{mark}{' '.join(words.split())[:_LONGEST_QUOTE]}]" for mark, words in marked if words)


def with_context(said: Said) -> str:
    """A message behind what it answers."""
    text, context = said.get("text", ""), context_of(said)
    return f"{context} {text}" if context else text


def given_back(event: Event) -> dict[str, Any]:
    """What a person gives back with the conversation, without the messages that are to be answered."""
    given = event.get("handoff") or {}
    return {key: value for key, value in given.items() if key != UNANSWERED and value is not None}


def told(state: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """What people have told SARA in this conversation, with what comes with a hand-back: a second hand-over
    does not make the first one's facts and promises forgotten."""
    before, given = told_so_far(state), given_back(event)
    facts = {**before.get("facts", {}), **given.get("facts", {})}
    lists = {
        key: list(dict.fromkeys([*before.get(key, []), *given.get(key, [])]))[-_MOST_TOLD:]
        for key in ("promises", "done")
    }
    note = given.get("note") or before.get("note", "")
    return {"note": note, "facts": dict(list(facts.items())[-_MOST_TOLD:]), **lists}


def told_so_far(state: Mapping[str, Any]) -> dict[str, Any]:
    """The same before; a thread of an earlier release has it with its last hand-over."""
    return state.get("colleague") or (state.get("handoff") or {}).get("returned") or {}


def seen_by_person(event: Event) -> bool:
    """Whether a person has had the messages of an event before them: they give it back, and no timer does."""
    return event["kind"] == "hand_back" and not (event.get("handoff") or {}).get(IDLE)


def beside(event: Event, option_id: str) -> list[Said]:
    """What came in one turn with a pressed button and is a matter of its own; no reaction is."""
    return [
        said
        for said in event.get("messages", [])
        if said.get("option_id") != option_id and said.get("kind") != "reaction"
    ]


def spoken_over(event: Event) -> dict[str, Any]:
    """What ends where a person has spoken to the customer, or may have: what SARA had asked, her guess at a
    voice note, the reason for a low score. A "yes" that follows is said to the person."""
    given = given_back(event)
    spoke = any(given.get(key) for key in ("say", "note", "facts", "promises", "done"))
    return nothing_asked() if spoke or event["kind"] == "agent_message" else {}


def nothing_asked() -> dict[str, Any]:
    """SARA waits for no answer to anything."""
    return {"frame": {}, "hearing": {}, "nps": {}}


def taken_back(state: Mapping[str, Any], event: Event, returned: Mapping[str, Any]) -> dict[str, Any]:
    """A thread that a person has given back, with what came `returned` with it."""
    return {
        "handoff": {"open": False, "returned": {**returned}},
        "colleague": told(state, event),
        **spoken_over(event),
    }


def unanswered(event: Event) -> list[Said]:
    """The messages whose answers were withheld while a person had the conversation, and that nobody has
    answered since."""
    return list((event.get("handoff") or {}).get(UNANSWERED, []))


def left_unanswered(outcome: Mapping[str, Any] | None, asked: Sequence[Said] = ()) -> list[Said]:
    """The messages of a turn that came to nothing; `asked` where its outcome does not name them: one that
    a release before this one left superseded."""
    if not outcome or outcome.get("kind") not in (ABANDONED, SUPERSEDED):
        return []
    return list(outcome.get("waiting", asked))


def extend(window: list[Line], lines: list[Line]) -> list[Line]:
    """The window with new lines, no longer than WINDOW; one that would be keeps the latest KEPT.

    So its beginning stays the same for several turns, and with it the beginning of the prompt: what an engine
    has read of it need not be read again.
    """
    longer = [*window, *lines]
    return longer if len(longer) <= WINDOW else longer[-KEPT:]


def answered_wamids(event: Event) -> str | None:
    """Which of the customer's messages a turn answers, for the channel's reference: the latest that fit."""
    fitting: list[str] = []
    for said in reversed(event.get("messages", [])):
        wamid = said.get("wamid")
        if wamid and len(",".join([*fitting, wamid])) <= REFERENCE_CHARACTERS:
            fitting.append(wamid)
    return ",".join(reversed(fitting)) or None
