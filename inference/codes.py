"""Codes of languages as others write them."""

from inference.language import LANGUAGES


def base_code(written: str) -> str:
    """ "pt" for "pt-BR", "pt_BR" and "PT"."""
    return written.replace("_", "-").split("-")[0].lower()


def language_code(written: str | None) -> str | None:
    """One of it, en, es, pt for "it-IT", "pt_BR" or "PT"; None for any other language or none."""
    code = base_code(written or "").strip()
    return code if code in LANGUAGES else None
