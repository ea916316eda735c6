"""One form of a customer's words, for patterns that read what is said outright."""

import unicodedata

from inference.when_lexer import fold


def one_line(text: str) -> str:
    """A text without case and accents, with plain apostrophes and single spaces."""
    return " ".join(fold(unicodedata.normalize("NFC", text)).replace("’", "'").split())
