"""Reading one field of untrusted JSON: the right type, a sane size, storable text, or Malformed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, overload

IDENTIFIER_MAX = 512
"""Characters; longer ids than any of Meta's would not fit a database index."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Malformed(Exception):
    """One item of a payload is not what the protocol says; the message names the field."""


def clean(value: str) -> str:
    """Replace NUL and lone surrogates, which JSON can hold and PostgreSQL cannot."""
    return _UNSTORABLE.sub("\ufffd", value)


@overload
def identifier(item: Mapping[str, object], key: str) -> str: ...
@overload
def identifier(item: Mapping[str, object], key: str, *, required: Literal[False]) -> str | None: ...
def identifier(item: Mapping[str, object], key: str, *, required: bool = True) -> str | None:
    """A short non-empty string or whole number, as text; None if it may be missing and is."""
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**40:
        value = str(value)
    if value is None or value == "":
        if required:
            raise Malformed(f"`{key}` is missing")
        return None
    if not isinstance(value, str) or len(value) > IDENTIFIER_MAX:
        raise Malformed(f"`{key}` is not an identifier")
    return clean(value.strip()) or (_missing(key) if required else None)


def text(item: Mapping[str, object], key: str) -> str:
    """A string, which may be empty."""
    value = item.get(key)
    if not isinstance(value, str):
        raise Malformed(f"`{key}` is missing or not text")
    return clean(value)


def optional_text(item: Mapping[str, object], key: str) -> str | None:
    """A string, or None when it is missing or of another type: for fields nothing depends on."""
    value = item.get(key)
    return clean(value) if isinstance(value, str) else None


@overload
def number(item: Mapping[str, object], key: str) -> int: ...
@overload
def number(item: Mapping[str, object], key: str, *, required: Literal[False]) -> int | None: ...
def number(item: Mapping[str, object], key: str, *, required: bool = True) -> int | None:
    """A whole number, written as a number or as text, of at most 18 digits."""
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return value
    if isinstance(value, str) and len(value) <= 18 and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    if required:
        raise Malformed(f"`{key}` is missing or not a number")
    return None


@overload
def mapping(item: Mapping[str, object], key: str) -> Mapping[str, object]: ...
@overload
def mapping(item: Mapping[str, object], key: str, *, required: bool) -> Mapping[str, object]: ...
def mapping(item: Mapping[str, object], key: str, *, required: bool = True) -> Mapping[str, object]:
    """An object; an empty one when it may be missing and is missing or of another type."""
    value = item.get(key)
    if isinstance(value, Mapping):
        return value
    if required:
        raise Malformed(f"`{key}` is missing or not an object")
    return {}


def _missing(key: str) -> str:
    raise Malformed(f"`{key}` is missing")
