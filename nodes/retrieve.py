"""What may be said in this turn: passages of the business's documents and live facts of the record."""

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from langgraph.runtime import Runtime

from graph.context import Context
from graph.state import Event, State, context_of, text_of, told_so_far
from inference.errors import InferenceError
from knowledge.search import Passage
from tools.facts import live_facts
from tools.present import said_at
from tools.spoken_of import in_full, spoken_of

_STEM = re.compile(r"\w{4,}")
_ELLIPTIC_WORDS = 9  # so short a message may say little without the words it quotes


async def retrieve(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """The best passages for the question, and the facts its words touch."""
    context, event, text = runtime.context, state["event"], text_of(state["event"])
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    # Documents begin and end with the business's days: in the evening of another zone it is tomorrow already.
    now = context.clock()
    today = now.astimezone(ZoneInfo(profile.business.time_zone)).date()
    language = state["language"]
    say = context.phrases.speaker(language, formal=profile.pack.formal)
    sent = said_at(event, language, now)
    answers = " ".join(filter(None, map(context_of, event.get("messages", []))))
    # "And how long does this take?" means what the message above it is about, whatever was spoken of since.
    meant = spoken_of({}, answers, profile, language, sent) if answers else {}
    topic = spoken_of(meant or state.get("topic") or {}, text, profile, language, sent)
    asked = f"{text} {answers}".strip() if len(text.split()) <= _ELLIPTIC_WORDS else text
    passages = await _passages(context, event, asked, language, today)
    facts = live_facts(profile, in_full(text, topic, profile, language), language, now, say, said_at=sent)
    return {
        "topic": topic,
        "passages": [
            {
                "id": f"P{number}",
                "source": passage.source,
                "title": passage.title,
                "section": passage.section,
                "language": passage.language,
                "text": passage.text,
                "score": round(float(passage.score), 4),
            }
            for number, passage in enumerate(passages, 1)
        ],
        "facts": [
            {
                "id": f"F{number}",
                "kind": fact.kind,
                "text": fact.text,
                "names": list(fact.names),
                "asked": fact.asked,
            }
            for number, fact in enumerate(facts, 1)
        ]
        + _told_by_colleague(state, text),
    }


async def _passages(context: Context, event: Event, text: str, language: str, on: date) -> list[Passage]:
    """By meaning; by their words alone while the embedding model is away."""
    business_id, most = event["business_id"], context.tuning.passages
    try:
        vector = await context.embedder.query(text) if context.one_embedder else None
        return await context.search.search(
            text, vector, business_id=business_id, language=language, k=most, on=on
        )
    except InferenceError:
        return await context.search.worded(text, business_id=business_id, language=language, k=most, on=on)


def _told_by_colleague(state: State, text: str) -> list[dict[str, Any]]:
    """What a human said when handing the conversation back, where the question touches it."""
    known = told_so_far(state)
    told = [
        *(_fact(key, body) for key, body in (known.get("facts") or {}).items()),
        *(known.get("promises") or []),
        *(known.get("done") or []),
    ]
    asked = _stems(text)
    return [
        {"id": f"A{number}", "kind": "colleague", "text": sentence, "names": [], "asked": True}
        for number, sentence in enumerate(told, 1)
        if asked & _stems(sentence)
    ]


def _fact(key: str, body: object) -> str:
    """A fact as it was told: one without a key of its own stands under its own first words."""
    return str(body) if str(body).startswith(key) else f"{key}: {body}"


def _stems(text: str) -> set[str]:
    return {word[:5].casefold() for word in _STEM.findall(text)}
