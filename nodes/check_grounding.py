"""Nothing unsupported leaves: every claim of the reply needs a passage or a live fact of this turn."""

import asyncio
import re
from typing import Any, Literal

import structlog
from babel import Locale
from langgraph.runtime import Runtime
from langgraph.types import Command

from graph.context import Context
from graph.state import State, formal_languages, text_of
from inference.advice import advice
from inference.errors import ModelMissing, WeightsCorrupt
from inference.grounding import GroundingReport, Source, check
from inference.grounding_names import uncalled
from knowledge.phrases import Say

ANSWERING = ("answer", "greeting", "other")
MOST_ATTEMPTS = 3  # the model, the model again with the reasons, then quotes only

_SURE_OF_LANGUAGE = 0.8  # of 6 304 true answers in the training rows three are taken for another's
_ENOUGH_WORDS = 5
_WORD = re.compile(r"[^\W\d_]+")
_QUOTED = re.compile("“[^“”]*”")

log = structlog.get_logger(__name__)
Route = Command[Literal["execute_intent", "generate", "open_handoff"]]


async def check_grounding(state: State, runtime: Runtime[Context]) -> Route:
    """Passes, asks for another proposal with the reasons, or gives up to a human.

    The words of an intent that acts are not checked here: they are dropped, so that nobody is shown them as
    a draft either, and the tool's result is rendered instead. The model's own flag can only escalate, and so
    can what it is about to say: advice goes to a human even when a passage holds it.
    """
    proposal = state["proposal"]
    if proposal["sensitive"]:
        return _to_a_human(state, runtime.context, _heard_label(state), "model")
    attempts = int(state.get("grounding", {}).get("attempts", 0)) + 1
    own_words = proposal["abstained"] and proposal["model"] == runtime.context.last_resort.name
    if proposal["intent"] not in ANSWERING or own_words:
        kept = proposal if own_words else {**proposal, "reply": ""}
        update = {"grounding": _passed(attempts, []), "proposal": kept}
        return Command(goto="execute_intent", update=update)
    advised = advice(proposal["reply"])
    if advised is not None:
        return _to_a_human(state, runtime.context, advised.label, "output")
    sources = _sources(state, await _as_generated(state, runtime.context))
    report = await _checked(state, runtime.context, sources)
    foreign = _in_another_language(state, runtime.context)
    if report.supported and not foreign and any(map(str.isalnum, proposal["reply"])):
        ledger = [
            {"claim": evidence.claim.text, "kind": evidence.claim.kind, "source": evidence.source_id}
            for evidence in report.ledger
        ]
        return Command(goto="execute_intent", update={"grounding": _passed(attempts, ledger)})
    unsupported = [f"{claim.kind}: {claim.text}" for claim in report.unsupported]
    if foreign:
        unsupported.append(f"a reply in another language than {foreign}")
    grounding = {
        "supported": False,
        "attempts": attempts,
        "unsupported": unsupported or ["the reply was empty"],
        "ledger": [],
    }
    if attempts >= MOST_ATTEMPTS or proposal["model"] == runtime.context.last_resort.name:
        handoff = {"reason": "ungrounded", "wants": text_of(state["event"])}
        return Command(goto="open_handoff", update={"grounding": grounding, "handoff": handoff})
    return Command(goto="generate", update={"grounding": grounding})


async def _checked(state: State, context: Context, sources: list[Source]) -> GroundingReport:
    """The report on a proposal. What a model has worded is read beside its sources too, off the event loop;
    where the reader cannot be loaded, or a mistake could do harm, the stricter first judge alone decides."""
    name, language = state["contact"].get("name"), state["language"]
    reply = uncalled(state["proposal"]["reply"], name)
    question = "\n".join(filter(None, [text_of(state["event"]), name]))  # both are the customer's words
    worded = state["proposal"]["model"] != context.last_resort.name
    if context.reader is not None and worded and not context.sensitivity.near_harm(reply, *_heard(state)):
        try:
            return await asyncio.to_thread(check, reply, sources, language, context.reader, question)
        except (ModelMissing, WeightsCorrupt) as failure:
            log.warning("no_reader", error=str(failure))
    return check(reply, sources, language, None, question)


def _in_another_language(state: State, context: Context) -> str | None:
    """The language a model should have worded its reply in, where it quite clearly took another one."""
    language, proposal = state["language"], state["proposal"]
    if language not in context.phrases.languages or proposal["model"] == context.last_resort.name:
        return None
    words = _own_words(proposal["reply"], state)
    if len(words) < _ENOUGH_WORDS:
        return None
    told = context.languages.detect(" ".join(words), allowed=context.phrases.languages, prior=language)
    if told.language == language or told.confidence < _SURE_OF_LANGUAGE:
        return None
    return Locale.parse(language).english_name or language


def _own_words(reply: str, state: State) -> list[str]:
    """The words of a reply that are not the sources': services and streets are called the same in every
    language."""
    facts = [*(fact["text"] for fact in state["facts"]), state["business"]["name"]]
    told = {word for text in facts for word in _WORD.findall(text)}
    for passage in state["passages"]:
        words = _WORD.findall(_with_headings(passage))
        # Of a document in another language its names alone: whoever copies its sentences does not translate.
        own = passage["language"] == state["language"]
        told.update(word for word in words if own or word[0].isupper())
    folded = {word.casefold() for word in told}
    return [word for word in _WORD.findall(_QUOTED.sub("", reply)) if word.casefold() not in folded]


def _heard(state: State) -> list[str]:
    """What the customer said in this turn and lately."""
    lately = [line["text"] for line in state["window"] if line["author"] == "customer"]
    return [text_of(state["event"]), *lately]


def _to_a_human(state: State, context: Context, label: str | None, witness: str) -> Route:
    """A sensitive matter leaves for a human, unless one has just handed it back."""
    if _just_judged(state):
        return Command(goto="execute_intent", update=_abstained(state, context))
    handoff = {"reason": "sensitive", "label": label, "wants": text_of(state["event"]), "by": witness}
    return Command(goto="open_handoff", update={"handoff": handoff})


def _heard_label(state: State) -> str | None:
    """What the customer's own words were found to be about, if anything."""
    label = state.get("sensitivity", {}).get("label")
    return label if label != "none" else None


def _just_judged(state: State) -> bool:
    """A human has just handed back what is sensitive here: it does not return to them at once."""
    returned = state.get("handoff", {}).get("returned") or {}
    return state["event"]["kind"] == "hand_back" and returned.get("reason") == "sensitive"


def _abstained(state: State, context: Context) -> dict[str, Any]:
    """Nobody's words on a sensitive matter but a human's: the customer is offered one."""
    say = context.phrases.speaker(state["language"], formal=formal_languages(state))
    words = say("I don't have this information at hand. Would you like a colleague to answer you?")
    own = {"reply": words, "intent": "answer", "arguments": {}, "citations": [], "abstained": True}
    attempts = int(state.get("grounding", {}).get("attempts", 0)) + 1
    return {"proposal": {**state["proposal"], **own}, "grounding": _passed(attempts, [])}


def _passed(attempts: int, ledger: list[dict[str, Any]]) -> dict[str, Any]:
    return {"supported": True, "attempts": attempts, "unsupported": [], "ledger": ledger}


def _with_headings(passage: dict[str, Any]) -> str:
    """A passage below its headings: a row says its price, they say of what."""
    return "\n".join(filter(None, [passage.get("title"), passage.get("section"), passage["text"]]))


async def _as_generated(state: State, context: Context) -> Say:
    """The sentences as the node before had them said: from the profile and not from the thread, which may
    have waited for a person since the business changed how it addresses customers."""
    event, language = state["event"], state["language"]
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    return context.phrases.speaker(language, formal=profile.pack.formal)


def _sources(state: State, say: Say) -> list[Source]:
    """What a reply may rest on: facts, passages, who speaks, our own standing phrases.

    The record outranks documents: a passage cannot give another price for what a fact prices.
    """
    sources = [
        *(Source(fact["id"], fact["text"], trusted=True) for fact in state["facts"]),
        *(Source(passage["id"], _with_headings(passage)) for passage in state["passages"]),
    ]
    names = f"{state['business']['name']} SARA"
    languages = {passage["language"] for passage in state["passages"]}
    lead_ins = [
        say("Here is what our documents say: “{quote}”", quote=""),
        say("Welcome back, {name}! What can I do for you today?", name=""),
        say("Hello {name}! I'm SARA, the assistant of {business}. How can I help you?", name="", business=""),
        say("Hello! I'm SARA, the assistant of {business}. How can I help you?", business=""),
    ]
    for language in sorted(languages):
        name = Locale.parse(language).get_display_name(state["language"]) or language
        lead_ins.append(say("This is written in {language}: “{quote}”", language=name, quote=""))
    return [*sources, Source("names", names), *(Source("own words", words) for words in lead_ins)]
