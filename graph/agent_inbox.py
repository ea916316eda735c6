"""The pause in the words of LangChain's Agent Inbox, so that it and Studio can answer a hand-over too.

Wire schema: https://github.com/langchain-ai/agent-inbox#interrupts. The inbox shows a `HumanInterrupt` and
resumes with a list of one `HumanResponse`, every argument in it turned into a string.

    accept    the draft goes to the customer as a colleague's words, and SARA has the conversation again
    edit      the same with the words, note, facts and promises as they were edited
    response  words for SARA, not for the customer: a note to go on with
    ignore    the matter is settled: the conversation closes
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

ACTION = "answer_customer"
_SAID = 12


def _unstrung(value: object) -> object:
    """A list or an object that came as a string of JSON; an empty string is nothing."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except ValueError:
        return value


def _or_empty(value: object) -> object:
    return {} if value is None else value


class Arguments(BaseModel):
    """What can be edited. Strings are trimmed; facts and promises may come as strings of JSON."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")

    reply: Annotated[str, Field(max_length=20_000)] = ""
    note: Annotated[str, Field(max_length=5_000)] = ""
    facts: Annotated[
        dict[Annotated[str, Field(max_length=80)], Annotated[str, Field(max_length=2_000)]],
        BeforeValidator(_or_empty),
        BeforeValidator(_unstrung),
        Field(max_length=30),
    ] = Field(default_factory=dict)
    promises: Annotated[
        list[Annotated[str, Field(max_length=500)]],
        BeforeValidator(lambda value: [] if value is None else value),
        BeforeValidator(_unstrung),
        Field(max_length=30),
    ] = Field(default_factory=list)


class ActionRequest(BaseModel):
    """The action as it comes back."""

    action: Literal["answer_customer"]
    args: Arguments = Field(default_factory=Arguments)


class Accepted(BaseModel):
    """The draft as it stands; the inbox repeats the request, other clients send null."""

    type: Literal["accept"]
    args: ActionRequest | None = None


class Edited(BaseModel):
    """The request as it was edited."""

    type: Literal["edit"]
    args: ActionRequest


class Responded(BaseModel):
    """Words for SARA."""

    type: Literal["response"]
    args: Annotated[str, Field(min_length=1, max_length=5_000)]


class Ignored(BaseModel):
    """Nothing to do."""

    type: Literal["ignore"]
    args: None = None


_ANSWER: TypeAdapter[Accepted | Edited | Responded | Ignored] = TypeAdapter(
    Annotated[Accepted | Edited | Responded | Ignored, Field(discriminator="type")]
)


def request(packet: Mapping[str, Any]) -> dict[str, Any]:
    """The packet as a `HumanInterrupt`, beside everything it holds already."""
    draft = str(packet.get("draft") or "")
    return {
        **packet,
        "action_request": {
            "action": ACTION,
            "args": {"reply": draft, "note": "", "facts": {}, "promises": []},
        },
        "config": {
            "allow_accept": bool(draft),
            "allow_edit": True,
            "allow_respond": True,
            "allow_ignore": True,
        },
        "description": _described(packet),
    }


def is_answer(resumed: object) -> bool:
    """Whether what resumed the thread means to be an answer of the inbox: its list, or the one item of it."""
    first = resumed[0] if isinstance(resumed, Sequence) and len(resumed) == 1 else resumed
    return isinstance(first, Mapping) and "type" in first and "kind" not in first


def as_event(resumed: object, packet: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event that an answer of the inbox stands for; None for one that makes no sense.

    `say` in its hand-back is what the customer is told.
    """
    first = resumed[0] if isinstance(resumed, Sequence) else resumed
    try:
        answer = _ANSWER.validate_python(first)
    except ValidationError:
        return None
    if isinstance(answer, Ignored):
        return {"kind": "resolve", "handoff": {"note": ""}}
    if isinstance(answer, Responded):
        return _back(Arguments(note=answer.args))
    if isinstance(answer, Edited):
        return _back(answer.args.args)
    # What was accepted is what was shown: the arguments come back as strings, the draft is in the packet.
    draft = str(packet.get("draft") or "")
    return _back(Arguments(reply=draft)) if draft else None


def _back(given: Arguments) -> dict[str, Any]:
    told = {"note": given.note, "facts": given.facts, "promises": given.promises}
    return {"kind": "hand_back", "handoff": {**told, "say": given.reply} if given.reply else told}


def _described(packet: Mapping[str, Any]) -> str:
    """The packet as Markdown for the inbox's page."""
    contact, sensitivity = packet.get("contact") or {}, packet.get("sensitivity") or {}
    parts = [f"**{packet.get('summary') or packet.get('reason')}**"]
    parts.append(f"Reason: {packet.get('reason')} {sensitivity.get('label') or ''}".strip())
    if contact.get("name"):
        parts.append(f"Customer: {contact['name']} ({contact.get('lifecycle', 'lead')})")
    slots = packet.get("slots") or {}
    if slots:
        parts.append("Known: " + ", ".join(f"{key} = {value}" for key, value in slots.items()))
    said = [
        f"> {line['author']}: {line['text']}" for line in packet.get("messages") or [] if line.get("text")
    ]
    if said:
        parts.append("\n>\n".join(said[-_SAID:]))
    parts.append("Accept or edit sends the reply and hands back; respond is a note for SARA; ignore closes.")
    return "\n\n".join(parts)
