"""Phone numbers as people write them, and what somebody is called by on the channel."""

import re

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

# Figures with what people put between them; letters would be dialled as figures.
_WRITTEN = re.compile(r"[\d\s+()./-]{1,40}")

# Where "+" or "00" says that the country's code follows.
_SAID = (
    CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
    CountryCodeSource.FROM_NUMBER_WITH_IDD,
)
# What a person is reached on. Mailboxes and the like are numbers as well, and long enough to be what a number
# of abroad looks like with the country's own code put in front.
_PERSONS = (
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
)


def figures(written: str) -> str:
    """The figures of a number alone."""
    return re.sub(r"\D", "", written)


def wa_id_of(written: str, country: str) -> str | None:
    """The number with its country's code in front, as the channel writes it: 393331234567.

    `country` (IT) is the one whose number it is where it does not say, unless nobody there can have it and
    somebody abroad can: people leave out the "+". None for what can be no number.
    """
    if not _WRITTEN.fullmatch(written):
        return None
    number = _parsed(written, country)
    if number is None:
        return None
    if number.country_code_source not in _SAID:
        if phonenumbers.number_type(number) not in _PERSONS:
            number = _parsed(f"+{figures(written)}", None)
            if number is None or not phonenumbers.is_valid_number(number):
                return None
    elif phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


def _parsed(written: str, country: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(written, country, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
