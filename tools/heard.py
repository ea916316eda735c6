"""What was heard and not read: a slot filled by a voice note is said back before anything rests on it.

A transcript that sounds right may still hold another hour, amount or name. So every tool is wrapped: it
remembers which slots came from speech, and no act follows before the customer has seen the words and agreed.
Words that were typed take the way they always took.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graph.state import Event
from tools.questions import yes_or_no
from tools.tool import Call, Outcome, Question, Slots, Tool
from tools.unheard import shortened

HEARD = "heard"  # slot → the spoken words it came from
DOUBTED = "doubted"  # the customer said no to what was read back
# What the tools remember about their own questions; not the customer's words.
_BOOKKEEPING = (HEARD, DOUBTED, "asked", "asking", "options", "service_options", "choices", "unclear")
# Slots that gather what is said over several turns: after a no, new words take the place of what was heard.
_GATHERING = ("wish", "words", "description", "other", "details")


def spoken_words(event: Event) -> tuple[str, bool]:
    """The words of the turn that were heard, and whether any of them only just passed for understood."""
    spoken = [said for said in event.get("messages", []) if said.get("transcript") and said.get("text")]
    doubtful = any((said.get("transcript") or {}).get("low") for said in spoken)
    return "\n".join(said["text"] for said in spoken), doubtful


def with_read_back(tool: Tool) -> Tool:
    """The tool, reading back what it was told by voice before it acts."""

    async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
        before = _without_doubted(slots) if call.text.strip() else dict(slots)
        return _marked(call, before, await tool.fill(call, before, hints))

    async def confirm(call: Call, slots: Slots) -> Question | None:
        question = await tool.confirm(call, slots)
        words = " ".join(dict.fromkeys(slots.get(HEARD, {}).values()))
        if not words:
            return question
        heard = call.say("In your voice note I heard: “{heard}”.", heard=shortened(words))
        if question is None:
            return Question("confirm", f"{heard}\n{call.say('Is that right?')}", yes_or_no(call))
        return replace(question, text=f"{heard}\n{question.text}")

    async def act(call: Call, slots: Slots) -> Outcome:
        for done in (HEARD, DOUBTED):  # the customer has just agreed
            slots.pop(done, None)
        return await tool.act(call, slots)

    return replace(tool, fill=fill, confirm=confirm, act=act)


def _marked(call: Call, before: Slots, filled: Slots) -> Slots:
    """The slots with a note of those that this turn's spoken words changed; typed ones lose theirs."""
    changed = [
        slot
        for slot, value in filled.items()
        if slot not in _BOOKKEEPING and value and value != before.get(slot)
    ]
    heard = {slot: words for slot, words in filled.get(HEARD, {}).items() if slot in filled}
    for slot in changed:
        if call.heard:
            heard[slot] = _added(heard.get(slot) if slot in _GATHERING else None, call.heard)
        elif slot not in _GATHERING:
            heard.pop(slot, None)
    rest = {slot: value for slot, value in filled.items() if slot != HEARD}
    return {**rest, HEARD: heard} if heard else rest


def _added(earlier: str | None, words: str) -> str:
    return f"{earlier} {words}" if earlier and words not in earlier else words


def _without_doubted(slots: Slots) -> Slots:
    """After a no to what was read back, what was gathered by ear makes room for new words."""
    if not slots.get(DOUBTED):
        return dict(slots)
    heard = slots.get(HEARD, {})
    gone = {HEARD, DOUBTED, *(slot for slot in _GATHERING if slot in heard)}
    return {slot: value for slot, value in slots.items() if slot not in gone}
