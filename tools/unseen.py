"""Files that SARA cannot look at: what they are, and whether a message makes no sense without them."""

import re
from typing import Any

from graph.state import Event, seen_by_person
from knowledge.phrases import Say

KINDS = ("image", "document")
_SHORT = 12  # words; a longer caption says for itself what it wants

# Words that point at the picture or document instead of saying what is on it.
_POINTING = {
    "it": r"\b(?:quest[oaie]|foto|immagine|allegat[oaie]|documento|fattura|vedi|ecco)\b",
    "en": r"\b(?:this|that|these|those|photo|picture|image|attach\w+|document|invoice|see|here)\b",
    "es": r"\b(?:este|esta|esto|estos|estas|foto|imagen|adjunt[oa]s?|documento|factura|mira|aqu[ií])\b",
    "pt": r"\b(?:este|esta|isto|estes|estas|esse|essa|isso|foto|imagem|anexo|documento|fatura|veja|aqui)\b",
}
_PATTERNS = {language: re.compile(words, re.IGNORECASE) for language, words in _POINTING.items()}


def files(event: Event) -> list[dict[str, Any]]:
    """The turn's pictures and documents: message id, kind and name, as an agent finds them."""
    return [
        {
            "message_id": said.get("message_id"),
            "kind": said["kind"],
            "filename": (said.get("media") or {}).get("filename"),
        }
        for said in event.get("messages", [])
        if said.get("kind") in KINDS and said.get("media")
    ]


def unsaid_files(event: Event) -> bool:
    """Whether a picture or document came without a caption, whatever else was written in the turn: a "thank
    you" behind it says nothing of it. What a person has given back, a person has seen."""
    messages = [] if seen_by_person(event) else event.get("messages", [])
    return any(one.get("kind") in KINDS and one.get("media") and not one.get("text") for one in messages)


def points_at_file(text: str, language: str) -> bool:
    """Whether a caption is about what only a person who looks at the file can know."""
    pattern = _PATTERNS.get(language)
    return pattern is not None and len(text.split()) <= _SHORT and bool(pattern.search(text))


def described(event: Event, text: str, say: Say) -> str:
    """What the customer wants, for the agent: the files by kind and name, then their words."""
    names = {"image": say("a picture"), "document": say("a document")}
    listed = [" ".join(filter(None, [names[one["kind"]], one["filename"]])) for one in files(event)]
    sent = say("The customer sent {what}.", what=", ".join(listed))
    return f"{sent} {text}".strip()
