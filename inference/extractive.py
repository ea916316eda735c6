"""The responder that needs no language model: it quotes and renders, it never words a fact itself.

The intent comes from the classifier. An answer is a live fact rendered from the record or the sentences
of the best passage that share most with the question. A passage in another language is quoted in it,
with a lead-in in the customer's. Nothing supportable: it abstains and offers a person.
"""

import re
import time
import unicodedata

from inference.appointment_wishes import plain_wish
from inference.chat import Answered, Arguments, Intent, Proposal, Request
from inference.extract import asks_for_quote
from inference.grounding_words import ALL_STOP
from inference.last_time import as_last_time, asks_last_time
from inference.material import Material, Piece
from inference.wishes import (
    asks_quote_status,
    asks_ticket_status,
    decides_quote,
    has_quote,
    remarks_on_quote,
    updates_contact,
    wants_booking,
    wants_no_messages,
)

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
_SURE_OF_QUESTION = 0.6  # the same for a question that has an answer at hand
_CLEARLY = 0.25  # sureness over the threshold from which a passage answers what looked like a wish
_OF_A_SERVICE = ("price", "duration", "service_list")
_GREETING_WORDS = 6
_MOST_QUOTED = 420
_MOST_FACTS = 4
_STEM = 5  # letters
_ABOUT_PRICES = frozenset(
    (
        "costa",
        "costo",
        "custa",
        "custo",
        "cuest",
        "cuant",
        "quant",
        "preco",
        "prezz",
        "preci",
        "price",
        "charg",
    )
)
_FIGURE = re.compile(r"\d")
_CELLS = " | "  # how a passage separates the cells of a table's row
_WORD = re.compile(r"\w{3,}")
# Over folded text: what a customer who wants the act, and not to know something, says.
_ACTS: dict[str, re.Pattern[str]] = {
    intent: re.compile(rf"\b(?:{words})")
    for intent, words in (
        (
            "book_appointment",
            r"prenot|fissar|appuntament|disponibil|slot|posto\b|posti\b|book|schedul|appointment|availab|"
            r"reserv|cita\b|agend|hueco|disponible|marcar|marcac|vaga|horario livre|visitar|vedere|to see\b",
        ),
        (
            "reschedule_cancel",
            r"spost|disd|annull|cancell|cancel|rinvi|anticip|posticip|cambiar|move\b|reschedul|mover|mueve|"
            r"anular|aplaz|adiar|remarc|desmarc|mudar|change|altera",
        ),
        ("request_quote", r"preventiv|quote|quotation|estimate|presupuest|cotizaci|orcament|cotac"),
        (
            "qualify_lead",
            r"interess|interes|cerco\b|cerchiamo|vorrei|vendere|comprare|acquistare|affittare|richiam|"
            r"looking for|sell\b|buy\b|rent\b|call me|busco|vender|comprar|alquilar|llam|procuro|arrendar|"
            r"liguem|ligar",
        ),
        (
            "open_ticket",
            r"problem|reclam|lament|rotto|guast|difett|rimbors|complain|broken|wrong|refund|queja|roto|mal\b|"
            r"reembols|avari|partid|estrag|error|errat",
        ),
        (
            "escalate_to_human",
            r"person|operator|collega|umano|qualcuno|parlare|richiam|human|someone|speak|talk|call|agent|"
            r"alguien|hablar|llam|humano|alguem|falar|ligar|liguem|atendente",
        ),
    )
}
# "If I cancel …?" asks what the rules are; "se possibile vorrei …?" asks politely.
_ASKS_ABOUT_RULES = re.compile(
    r"^\W*(?:(?:e|and|y|o|ma|but|pero|mas|(?:che )?cosa succede|what happens|que pasa|o que acontece)\s+)?"
    r"(?:se|if|si)\b(?! (?:possibile|possible|posible|possivel|puedo|puede|pode|posso|puo))"
)
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
    passage = _best_passage(material)
    clear = passage is not None and passage.score >= material.abstain_below + _CLEARLY
    intent = _tool_intent(material, bool(asked) or clear)
    if intent is not None:
        return _tool(material, intent)
    told = [fact for fact in asked if not _outdone(fact, passage, material.text)]
    if told:
        return _from_facts(material, told)
    if _only_greets(material):
        return _greeting(material)
    if passage is not None:
        return _from_passage(material, passage)
    if facts:
        return _from_facts(material, facts)
    return _abstain(material)


def _tool_intent(material: Material, answerable: bool) -> Intent | None:
    """The intent to act on. A question with an answer at hand is answered, unless it says what to do.

    The classifier takes "at what time do you open tomorrow?" for a booking and "if I cancel, do I pay?"
    for a cancellation, and is sure of it: words decide what its confidence cannot.
    """
    if (plain := said_outright(material.text)) is not None:
        return plain
    intent = next((intent for intent in TOOL_INTENTS if intent == material.intent), None)
    if intent is None or material.confidence < SURE:
        return None
    if "?" not in material.text or not answerable:
        return intent
    text = _plain(material.text)
    if _ASKS_ABOUT_RULES.search(text) or not says_act(material.text, intent):
        return None
    return intent if material.confidence >= _SURE_OF_QUESTION else None


def says_act(text: str, intent: str) -> bool:
    """Whether a text has a word that names the act of one of TOOL_INTENTS."""
    return _ACTS[intent].search(_plain(text)) is not None


def said_outright(text: str) -> Intent | None:  # noqa: PLR0911 one return a wish
    """The action that plain words ask for, whatever a classifier or a model makes of them."""
    if decides_quote(text) is not None:
        return "accept_quote"
    if asks_quote_status(text):
        return "quote_status"
    if asks_ticket_status(text):
        return "ticket_status"
    if updates_contact(text):
        return "update_contact"
    if wants_no_messages(text):
        return "opt_out"
    if asks_last_time(text):
        return "list_my_appointments"
    match plain_wish(text):
        case "move":
            return "reschedule_appointment"
        case "cancel":
            return "cancel_appointment"
        case "list":
            return "list_my_appointments"
    if wants_booking(text) or (as_last_time(text) and "?" not in text):
        return "book_appointment"
    if remarks_on_quote(text):
        return "quote_status"
    return "request_quote" if asks_for_quote(text) and not has_quote(text) else None


def _outdone(fact: Piece, passage: Piece | None, text: str) -> bool:
    """Whether a passage has figures for more of the question's words than the fact's subject shares.

    A service found by a chance word ("apartment" in an alias, "massage" in six names) must not tell its
    price for another's: "a chair massage at the office" stands in a row of its own.
    """
    if passage is None or fact.topic not in _OF_A_SERVICE or not fact.names:
        return False
    words = (word for word in _WORD.findall(_plain(text)) if word not in ALL_STOP)
    asked = {word[:_STEM] for word in words if len(word) >= _STEM} - _ABOUT_PRICES
    if not asked:
        return False
    named = max(len(asked & _stems(name)) for name in fact.names)
    sentences = (passage.text[start:end] for start, end in _sentences(passage.text))
    above = _stems(f"{passage.title} {passage.section}")
    told = max((len(asked & (_stems(said) | above)) for said in sentences if _FIGURE.search(said)), default=0)
    return told > named


def _tool(material: Material, intent: Intent) -> Proposal:
    arguments = Arguments(details=material.text[:1000])
    return Proposal(reply="", intent=intent, arguments=arguments, confidence=max(material.confidence, SURE))


def _only_greets(material: Material) -> bool:
    """A short hello without a question; a long one has something to ask behind it."""
    short = len(material.text.split()) <= _GREETING_WORDS and "?" not in material.text
    return material.intent == "greeting" and material.confidence >= SURE and short


def _greeting(material: Material) -> Proposal:
    if material.contact and material.client:
        reply = material.say(
            "Welcome back, {name}! What can I do for you today?", name=material.contact.split()[0]
        )
    elif material.contact:
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
    """The part of a passage that answers a question, word for word.

    The sentence that shares most words with the question and its neighbours, up to `most` characters; of a
    table the rows that share most, without neighbours.
    """
    spans = _sentences(passage)
    if not spans:
        return passage[:most]
    asked = _stems(question)
    sentences = [passage[start:end] for start, end in spans]
    scores = [len(asked & _stems(sentence)) for sentence in sentences]
    best = scores.index(max(scores))
    if _CELLS in sentences[best]:
        rows = [
            s for s, score in zip(sentences, scores, strict=True) if score == scores[best] and _CELLS in s
        ]
        return "\n".join(rows[:_MOST_FACTS])
    first, last = _widened(spans, best, most)
    return passage[spans[first][0] : spans[last][1]][: most * 2]


def _sentences(passage: str) -> list[tuple[int, int]]:
    """Where each sentence or line of a passage starts and ends."""
    ends = [*((m.start(), m.end()) for m in _SENTENCE_END.finditer(passage)), (len(passage), len(passage))]
    starts = [0, *(after for _, after in ends[:-1])]
    spans = [(start, end) for start, (end, _) in zip(starts, ends, strict=True)]
    return [(start, end) for start, end in spans if passage[start:end].strip()]


def _widened(spans: list[tuple[int, int]], at: int, most: int) -> tuple[int, int]:
    """First and last of the sentences around one that fit in `most` characters; what follows comes first."""
    first = last = at
    while True:
        if last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] < most:
            last += 1
        elif first > 0 and spans[last][1] - spans[first - 1][0] < most:
            first -= 1
        else:
            return first, last


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in _WORD.findall(_plain(text))}


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
