"""How language models turn a request down, whatever it was: "I'm sorry, but I can't assist with that."."""

import re

from inference.grounding_words import fold

_MOST = 160  # characters; longer it says something besides
_DECLINES = re.compile(
    r"\b(?:can't|can not|cannot|unable to|not able to) "
    r"(?:(?:assist|help)(?: you)?(?: with (?:that|this)\b[^,.;:?!]*)?\W*$"
    r"|(?:fulfill?|comply with|process|answer) (?:that|this|your) (?:request|question))"
    r"|\bnon (?:posso|sono in grado di) (?:aiutar|assister|soddisfar|risponder)\w*"
    r"(?: (?:con|in|a) (?:quest|quell)[oa]\b[^,.;:?!]*)?\W*$"
    r"|\bno puedo (?:ayudar|asistir|atender|responder)\w*"
    r"(?: (?:con|en|a) (?:eso|es[ae]|est[aeo])\b[^,.;:?!]*)?\W*$"
    r"|\bnao (?:posso|consigo) (?:(?:te|lhe) )?(?:ajudar|atender|responder)\w*"
    r"(?: (?:com|em|a) (?:isso|isto|ess[ae]|est[ae])\b[^,.;:?!]*)?\W*$"
)


def declines(reply: str) -> bool:
    """Whether a reply is nothing but a refusal; who only lacks the answer says so in other words."""
    return len(reply) <= _MOST and _DECLINES.search(fold(reply).replace("’", "'")) is not None
