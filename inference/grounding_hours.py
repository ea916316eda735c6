"""Hours that follow from other hours: what starts 80 minutes before closing starts at a time of its own."""

from collections.abc import Sequence

from inference.claims import Fact
from inference.grounding_lengths import minutes
from inference.grounding_rows import Parsed

_MOST_APART = 180.0  # minutes


def moved(found: Sequence[Fact], parsed: Parsed) -> set[str]:
    """The hours that lie before or after a source's hour by a length it sets, where the sentence names the
    one or the other."""
    own = [f for row in parsed.rows for f in row.facts]
    hours, lengths = (
        [
            (value, any(f.kind == kind and value in f.values for f in found))
            for f in own
            if f.kind == kind
            for value in f.values
        ]
        for kind in ("hour", "duration")
    )
    return {
        f"{at // 60:02}:{at % 60:02}"
        for hour, hour_told in hours
        for length, length_told in lengths
        if (hour_told or length_told) and 0 < minutes(length) <= _MOST_APART
        for at in (
            (int(hour[:2]) * 60 + int(hour[3:]) + sign * int(minutes(length))) % 1440 for sign in (1, -1)
        )
    }
