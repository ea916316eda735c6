"""Codes of languages as others write them."""

LANGUAGES = ("it", "en", "es", "pt")


def language_code(written: str | None) -> str | None:
    """One of it, en, es, pt for "it-IT", "pt_BR" or "PT"; None for any other language or none."""
    code = (written or "").replace("_", "-").split("-")[0].strip().lower()
    return code if code in LANGUAGES else None
