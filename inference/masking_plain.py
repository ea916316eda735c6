"""Any value as plain JSON, without asking objects to show themselves: a `repr` may tell what must stay."""

import dataclasses
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel

Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None

_DEEPEST = 40
_BYTES = (bytes, bytearray, memoryview)


class Plainer:
    """Turns values into plain JSON, each container once: what two structures share, their results share."""

    def __init__(self) -> None:
        # The values are kept as well: an id may be given anew once its object is gone.
        self._made: dict[int, tuple[Any, Plain]] = {}

    def plain(self, value: Any, depth: int = 0) -> Plain:
        """The value, at most 40 levels deep. Bytes and strange objects are told, not shown."""
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, bool | float | int | str):
            return value
        made = self._made.get(id(value))
        if made is None:
            made = self._made[id(value)] = (value, self._whole(value, depth) if depth < _DEEPEST else "…")
        return made[1]

    def _whole(self, value: Any, depth: int) -> Plain:
        fields = _fields(value)
        if fields is not None:
            return {str(name): self.plain(one, depth + 1) for name, one in fields.items()}
        if isinstance(value, Sequence | Set) and not isinstance(value, _BYTES):
            return [self.plain(one, depth + 1) for one in value]
        return _told(value)


def plain(value: Any) -> Plain:
    """One value as plain JSON."""
    return Plainer().plain(value)


def _fields(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, BaseModel):
        return {
            name: getattr(value, name, None)
            for name in (*type(value).model_fields, *(value.model_extra or ()))
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return None


def _told(value: Any) -> str:
    if isinstance(value, _BYTES):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal | PurePath | timedelta):
        return str(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return f"<{type(value).__name__}>"
