"""Phone numbers as people write them, and what somebody is called by on the channel."""

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

# Figures with what people put between them; letters would be dialled as figures.
_WRITTEN = re.compile(r"[\d\s+()./-]{1,40}")


def figures(written: str) -> str:
    """The figures of a number alone."""
    return re.sub(r"\D", "", written)


def wa_id_of(written: str, country: str) -> str | None:
    """The number with its country's code in front, as the channel writes it: 393331234567.

    `country` (IT) is the one whose number it is where it does not say. None for what can be no number.
    """
    if not _WRITTEN.fullmatch(written):
        return None
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
