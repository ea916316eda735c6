"""The responder that needs no language model: it quotes and renders, it never words a fact itself.

The intent comes from the classifier. An answer is a live fact rendered from the record or the sentences
of the best passage that share most with the question. A passage in another language is quoted in it,
with a lead-in in the customer's. Nothing supportable: it abstains and offers a person.
"""

import re
import time
import unicodedata

from inference.chat import Answered, Arguments, Intent, Proposal, Request
from inference.extract import asks_for_quote
from inference.material import Material, Piece

NAME = "extractive"
TOOL_INTENTS: tuple[Intent, ...] = (
    "book_appointment",
    "reschedule_cancel",
    "request_quote",
    "qualify_lead",
    "open_ticket",
    "escalate_to_human",
)
SURE = 0.45  # under this the classifier's tool intent is not acted on
VERY_SURE = 0.85
_GREETING_WORDS = 6
_MOST_QUOTED = 420
_MOST_FACTS = 4
_WORD = re.compile(r"\w{3,}")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


class ExtractiveResponder:
    """Last in the chain; always answers, in well under a millisecond."""

    name = NAME

    async def propose(self, request: Request) -> Answered:
        """Never raises: with nothing to say it abstains."""
        started = time.perf_counter()
        proposal = respond(request.material)
        return Answered(proposal, self.name, time.perf_counter() - started)


def respond(material: Material) -> Proposal:
    """The proposal for a turn."""
    facts = [piece for piece in material.pieces if piece.kind == "fact"]
    asked = [piece for piece in facts if piece.asked]
    intent = _tool_intent(material, asked)
    if intent is not None:
        return _tool(material, intent)
    if asked:
        return _from_facts(material, asked)
    if _only_greets(material):
        return _greeting(material)
    passage = _best_passage(material)
    if passage is not None:
        return _from_passage(material, passage)
    if facts:
        return _from_facts(material, facts)
    return _abstain(material)


def _tool_intent(material: Material, asked: list[Piece]) -> Intent | None:
    """The intent to act on. A question whose figures are at hand is answered, unless it is surely a wish."""
    if asks_for_quote(material.text):
        return "request_quote"
    sure = VERY_SURE if asked and "?" in material.text else SURE
    if material.confidence < sure:
        return None
    return next((intent for intent in TOOL_INTENTS if intent == material.intent), None)


def _tool(material: Material, intent: Intent) -> Proposal:
    arguments = Arguments(details=material.text[:1000])
    return Proposal(reply="", intent=intent, arguments=arguments, confidence=max(material.confidence, SURE))


def _only_greets(material: Material) -> bool:
    """A short hello without a question; a long one has something to ask behind it."""
    short = len(material.text.split()) <= _GREETING_WORDS and "?" not in material.text
    return material.intent == "greeting" and material.confidence >= SURE and short


def _greeting(material: Material) -> Proposal:
    if material.contact:
        reply = material.say(
            "Hello {name}! I'm SARA, the assistant of {business}. How can I help you?",
            name=material.contact.split()[0],
            business=material.business,
        )
    else:
        reply = material.say(
            "Hello! I'm SARA, the assistant of {business}. How can I help you?", business=material.business
        )
    return Proposal(reply=reply, intent="greeting", confidence=max(material.confidence, 0.6))


def _abstain(material: Material) -> Proposal:
    reply = material.say("I don't have this information at hand. Would you like a colleague to answer you?")
    intent: Intent = "other" if material.intent == "other" else "answer"
    return Proposal(reply=reply, intent=intent, confidence=0.5, abstained=True)


def _from_facts(material: Material, facts: list[Piece]) -> Proposal:
    told = facts[:_MOST_FACTS]
    support = [p.id for p in material.pieces if p.kind == "passage" and _shares_figure(p, told)]
    return Proposal(
        reply="\n".join(fact.text for fact in told),
        intent="answer",
        citations=[*[fact.id for fact in told], *support],
        confidence=0.85,
    )


def _shares_figure(passage: Piece, facts: list[Piece]) -> bool:
    """Whether a passage names a fact's subject or states one of its figures."""
    text = _plain(passage.text)
    for fact in facts:
        figures = [figure for figure in re.findall(r"\d+(?:[.,:]\d+)?", fact.text) if len(figure) > 1]
        named = any(_plain(name) in text for name in fact.names)
        if (named or not fact.names) and any(_figure_in(figure, passage.text) for figure in figures):
            return True
    return False


def _figure_in(figure: str, text: str) -> bool:
    whole = re.sub(r"[.,]00$", "", figure)
    return re.search(rf"(?<!\d){re.escape(whole)}(?:[.,]00)?(?!\d)", text) is not None


def _best_passage(material: Material) -> Piece | None:
    # The search's order is better than the raw score, which only tells whether to speak at all.
    passages = (p for p in material.pieces if p.kind == "passage" and p.score >= material.abstain_below)
    return next(passages, None)


def _from_passage(material: Material, passage: Piece) -> Proposal:
    quote = quote_for(material.text, passage.text)
    if passage.language == material.language:
        reply = material.say("Here is what our documents say: “{quote}”", quote=quote)
    else:
        reply = material.say(
            "This is written in {language}: “{quote}”",
            language=material.language_name(passage.language),
            quote=quote,
        )
    return Proposal(reply=reply, intent="answer", citations=[passage.id], confidence=passage.score)


def quote_for(question: str, passage: str, most: int = _MOST_QUOTED) -> str:
    """The part of a passage that answers a question, verbatim: the sentence that shares most words with
    it and its neighbours, up to `most` characters."""
    sentences = [s.strip() for s in _SENTENCE_END.split(passage) if s.strip()]
    if not sentences:
        return passage[:most]
    asked = _stems(question)
    scores = [len(asked & _stems(sentence)) for sentence in sentences]
    first = last = scores.index(max(scores))
    length = len(sentences[first])
    while True:
        after = last + 1 < len(sentences) and length + len(sentences[last + 1]) < most
        if after:
            last += 1
            length += len(sentences[last]) + 1
            continue
        before = first > 0 and length + len(sentences[first - 1]) < most
        if not before:
            break
        first -= 1
        length += len(sentences[first]) + 1
    return "\n".join(sentences[first : last + 1])[: most * 2]


def _stems(text: str) -> set[str]:
    return {word[:5] for word in _WORD.findall(_plain(text))}


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
