"""A thread's state around a pause, for people to read: what each part held before it, in it and after it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from graph.history import Moment

NAMES = {"before": "before the pause", "during": "in the pause", "after": "after it, now"}
_LONGEST = 160


def as_text(moments: Sequence[Moment]) -> str:
    """Moment by moment: what was said, what is known, what waits; unchanged parts are named as such."""
    if not moments:
        return "nothing is remembered of this thread: its checkpoints are gone"
    lines: list[str] = []
    earlier: dict[str, str] = {}
    for moment in moments:
        waits = f", waits at {', '.join(moment.waits_at)}" if moment.waits_at else ""
        lines.append(f"== {NAMES[moment.name]} ({moment.at}{waits})")
        lines.append(f"   checkpoint {moment.checkpoint_id}")
        parts = _parts(moment.values)
        for name, shown in parts.items():
            if earlier.get(name) == shown:
                lines.append(f"   {name}: unchanged")
            else:
                lines.append(f"   {name}:" + (f" {shown}" if "\n" not in shown else f"\n{shown}"))
        earlier = parts
        lines.append("")
    return "\n".join(lines).rstrip()


def as_lines(moments: Sequence[Moment]) -> str:
    """One JSON object a moment, with the whole state."""
    return "\n".join(
        json.dumps(
            {
                "moment": moment.name,
                "at": moment.at,
                "checkpoint_id": moment.checkpoint_id,
                "waits_at": moment.waits_at,
                "state": moment.values,
            },
            ensure_ascii=False,
            default=str,
        )
        for moment in moments
    )


def _parts(values: Mapping[str, Any]) -> dict[str, str]:
    handoff, contact = values.get("handoff") or {}, values.get("contact") or {}
    return {
        "said": "\n".join(
            f"      {line.get('author', ''):>8}: {_short(line.get('text', ''))}"
            for line in values.get("window") or []
        ),
        "slots": _pairs(
            (values.get("frame") or {}).get("slots") or (handoff.get("packet") or {}).get("slots")
        ),
        "customer": _short(f"{contact.get('name') or '—'}, {contact.get('lifecycle', '—')}"),
        "language": str(values.get("language", "—")),
        "sensitivity": _short(str((values.get("sensitivity") or {}).get("label", "—"))),
        "hand-over": _pairs({key: handoff[key] for key in ("reason", "label", "open") if key in handoff}),
        "waiting": _short(" / ".join(said.get("text", "") for said in handoff.get("waiting") or []) or "—"),
        "returned": _pairs(handoff.get("returned")),
    }


def _pairs(values: Mapping[str, Any] | None) -> str:
    return _short(", ".join(f"{key} = {value}" for key, value in (values or {}).items()) or "—")


def _short(text: str) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
