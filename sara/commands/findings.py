"""What `sara doctor` finds."""

from dataclasses import dataclass

OK, WARN, BAD = "ok", "warning", "failed"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `mend` says what to do when it is not ok."""

    name: str
    state: str
    detail: str
    mend: str = ""
