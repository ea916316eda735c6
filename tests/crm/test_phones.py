"""Phone numbers as people write them."""

import pytest

from crm.phones import wa_id_of


@pytest.mark.parametrize(
    ("written", "country", "wa_id"),
    [
        ("+39 333 1234567", "IT", "393331234567"),
        ("0039 333 1234567", "IT", "393331234567"),
        ("333 1234567", "IT", "393331234567"),
        ("393331234567", "IT", "393331234567"),
        ("(02) 7600-1234", "IT", "390276001234"),  # the zero is part of an Italian number
        ("+351 912 345 678", "IT", "351912345678"),
        ("912 345 678", "PT", "351912345678"),
        ("0044 7911 123456", "ES", "447911123456"),
        # Of another country, without the "+": Italy's own code in front would make no number of a person.
        ("447911123456", "IT", "447911123456"),
        ("351912345678", "IT", "351912345678"),
        ("351 912 345 678", "IT", "351912345678"),
        ("34612345678", "IT", "34612345678"),
        ("33612345678", "IT", "33612345678"),
        ("12025550123", "IT", "12025550123"),
        ("4915112345678", "IT", "4915112345678"),
        ("393331234567", "PT", "393331234567"),
        ("3512345678", "IT", "393512345678"),  # a mobile of Italy, though it begins like Portugal's
        ("2025550123", "US", "12025550123"),
        ("11 98765-4321", "BR", "5511987654321"),
        ("999912345678", "IT", None),  # nobody's, here or there
        ("12", "IT", None),
        ("", "IT", None),
        ("+39 333 12", "IT", None),
        ("00000000000000", "IT", None),
        ("333 PIZZA 12", "IT", None),
        ("+999 12345678", "IT", None),
        ("555-0123", "US", None),  # without the area's code it is a number of one town only
    ],
)
def test_a_number_becomes_what_the_channel_calls_it(written: str, country: str, wa_id: str | None) -> None:
    assert wa_id_of(written, country) == wa_id
