"""Text as a person sees it: without the characters that show nothing and can carry words past every eye."""

import re

_UNSEEN = re.compile(
    # Soft hyphen, joiners of no script we read, fillers, directions, byte order marks, annotations.
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    # Variation selectors and the tag block: one character can hold a byte or a letter each.
    "\ufe00-\ufe0e\U000e0000-\U000e0fff]"
    # Where emoji and other scripts need them they stand between two such characters, one at a time.
    "|(?<![\u0600-\u1fff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d\ufe0f]"
    "|[\u200c\u200d](?![\u0600-\u1fff\u2190-\u2bff\U0001f000-\U0001faff])"
)


def visible(text: str) -> str:
    """The text without invisible characters; joined emoji and letters of other scripts stay whole."""
    return _UNSEEN.sub("", text)
